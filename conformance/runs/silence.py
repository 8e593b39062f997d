"""A run in which nothing came: how the client ended, what it said last, what came instead, and how to try again."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from acrmock.record import EventEntry, Footer, Header, HttpEntry, TlsEntry, decode_line
from conformance.reports.text import visible
from conformance.runs.events import Event, SentNothing, StepEnded

_TAIL_LINES = 12
_TAIL_BYTES = 16 * 1024
_LINE = 300
_STRAYS = 5
_CODES = {126: "a shell found the program and may not run it", 127: "a shell did not find a program"}
"""What a shell says by its exit code (POSIX.1-2017, Shell Command Language, 2.8.2)."""


class Listener:
    """Hears of a silent run, so that whoever prints can say it first."""

    def __init__(self) -> None:
        """Nothing is heard yet."""
        self.heard: SentNothing | None = None

    def handle(self, event: Event) -> None:
        """Keep what is to be said."""
        if isinstance(event, SentNothing):
            self.heard = event


def is_silent(lines: Iterable[bytes]) -> bool:
    """Whether the lines of a run's recording hold nothing but events."""
    return all(isinstance(decode_line(line), EventEntry | Header | Footer) for line in lines)


def nothing_sent(command: Sequence[str], ended: Sequence[StepEnded], everything: Iterable[bytes]) -> SentNothing:
    """What is to be said of a silent run; `everything` are the lines of the server's whole journal, where it is the run's own."""
    strays: dict[str, None] = {}
    handshakes = 0
    for entry in map(decode_line, everything):
        if isinstance(entry, HttpEntry):
            strays[f"{entry.request.method} {urlsplit(entry.request.url).path}"] = None
        handshakes += isinstance(entry, TlsEntry)
    return SentNothing(
        command=tuple(command),
        first=ended[0],
        steps=len(ended),
        alike=len({(step.exit_code, step.timed_out) for step in ended}) == 1,
        strays=tuple(strays),
        handshakes=handshakes,
    )


def lines(silence: SentNothing) -> tuple[str, ...]:
    """The same for a person: what happened, the last lines of output, why that may be, how to try again."""
    command, first = _written(silence.command), silence.first
    told = [_how(silence), f"  command    {visible(command)[:_LINE]}"]
    if silence.steps > 1:
        told.append(
            f"  steps      {'all' if silence.alike else 'the first of'} {silence.steps}" + (" alike" if silence.alike else "")
        )
    if first.log is not None:
        tail = _tail(first.log)
        told.append(f"  output     {'the last lines of ' if tail else 'nothing, in '}{first.log}")
        told += [f"             | {line}" for line in tail]
    told += [f"  reason     {reason}" for reason in _reasons(silence)]
    registered = "acrmock serve, then acrmock register … --format json > registration.json, then in a third terminal"
    told += [
        "  repeat     the same command again; with --once the client is started a single time",
        f"  by hand    {registered}",
        f"             the client, with ACRMOCK_REGISTRATION=registration.json ACRMOCK_STEP={first.name} (more: docs/certify.md)",
    ]
    return tuple(told)


def _how(silence: SentNothing) -> str:
    first, sent = silence.first, "a request" if silence.strays or silence.handshakes else "anything"
    if first.timed_out:
        return "the client was stopped at the end of its window, before it sent " + sent
    if not first.exit_code:
        return "the client ended well (exit code 0) and did not send " + sent
    if first.exit_code < 0:
        return f"the client was ended by signal {-first.exit_code} before it sent {sent}"
    return f"the client ended with exit code {first.exit_code} before it sent {sent}"


def _reasons(silence: SentNothing) -> list[str]:
    found = []
    if silence.handshakes:
        times = "once" if silence.handshakes == 1 else f"{silence.handshakes} times"
        found.append(f"it came {times} to a TLS handshake that failed: does it trust the file that SSL_CERT_FILE names?")
    if silence.strays:
        found.append("it asked for paths that belong to no application: " + ", ".join(map(_short, silence.strays[:_STRAYS])))
    if reason := _CODES.get(silence.first.exit_code or 0):
        found.append(f"{silence.first.exit_code} says that {reason}")
    return found


def _short(text: str) -> str:
    return visible(text)[:_LINE]


def _written(words: Sequence[str]) -> str:
    """Words as one would type them."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def _tail(log: Path) -> list[str]:
    """The last lines of a client's output, harmless to look at."""
    try:
        with log.open("rb") as file:
            file.seek(-min(_TAIL_BYTES, file.seek(0, os.SEEK_END)), os.SEEK_END)
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [visible(line)[:_LINE] for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
