"""The run as a person sees it on standard error: short lines, whose turn it is, and how long there is."""

from __future__ import annotations

import sys
from typing import TextIO

from conformance.runs.events import (
    Event,
    FilesWritten,
    Judged,
    Noted,
    PullReady,
    Registered,
    RegistrationRefused,
    SentNothing,
    ServerReady,
    StepBegan,
    StepEnded,
    Waiting,
    YourTurn,
)


class Progress:
    """Writes a line or two per event to `out`."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stderr

    def handle(self, event: Event) -> None:
        """Say what happened."""
        for line in _lines(event):
            self._out.write(line + "\n")
        self._out.flush()


def _lines(event: Event) -> tuple[str, ...]:  # noqa: C901, PLR0911 - one line per event
    match event:
        case ServerReady(url=url, private=private):
            return (f"server    {url}" + (" (started for this run)" if private else ""),)
        case Registered(document=document):
            return (f"register  {document.get('application')} in {document.get('environment')}",)
        case RegistrationRefused(reason=reason):
            return ("register  refused", *(f"          {line}" for line in reason.splitlines()))
        case StepBegan() as step:
            return (f"step {step.number}/{step.of}  {step.name}",)
        case YourTurn() as turn:
            return (
                f"          your turn, within {turn.window:.0f} s: {turn.text}",
                f"          credentials: {turn.registration}",
            )
        case PullReady(url=url, window=window):
            return (f"pull      GET {url} gives each step; the first within {window:.0f} s",)
        case Waiting(seconds=seconds, why=why):
            return (f"          waiting {seconds:.1f} s: {why}",)
        case Noted(text=text):
            return (f"          {text}",)
        case StepEnded(timed_out=True) as step:
            return ("          not finished in its window" + (f"; its output: {step.log}" if step.log else ""),)
        case StepEnded(exit_code=code) as step if code:
            return (f"          the client left with {code} (noted; only traffic is judged); its output: {step.log}",)
        case FilesWritten(directory=directory, names=names):
            return (f"written   {directory}: {' '.join(names)}",)
        case Judged() | StepEnded() | SentNothing():
            return ()
