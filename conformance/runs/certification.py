"""One certification run from beginning to end: server, application, steps, journal, verdict, files."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acrmock.clock import Clock, SystemClock
from acrmock.errors import HarnessError
from acrmock.facts import Facts, Profile, Step, load_facts
from acrmock.facts.model import Role
from acrmock.record import Operation
from conformance.control import Control, RefusedError, UnreachableError
from conformance.result import Result
from conformance.runs import client, package, silence
from conformance.runs.application import ApplicationRequest
from conformance.runs.doses import ASKED, Doses, DosesGiven, await_associations, check_given
from conformance.runs.events import (
    Event,
    FilesWritten,
    Handler,
    Judged,
    Noted,
    PullReady,
    Registered,
    RegistrationRefused,
    ServerReady,
    StepBegan,
    StepEnded,
    YourTurn,
)
from conformance.runs.files import write_atomically
from conformance.runs.judging import Question, check_question, judge_recording, read_recording
from conformance.runs.pulling import Pull, PulledStep, pulling
from conformance.runs.robot import Reporting
from conformance.runs.servers import ServerChoice, server
from conformance.runs.steps import Directives, apply

QUIET = 2.0
PULL = "pull.json"
"""The file beside the registration that says, while a run is pulled, by which URL."""

DICOM_TLS = "tls-dicom"
"""The claim of a client that it sends dose reports over TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a run is asked to do. `command` None waits for a client that somebody else drives.

    With `pull`, a port of loopback (0: a free one), that client takes its steps by URL.
    `once` runs the command a single time, `timeout` replaces each step's own window (seconds), `step_settings` are layer
    values that change when a step of that name begins. `runner` runs the command (the self-test's vendors are threads of this
    process), and without `package` nothing but the journal and the result is written.
    """

    profile: str
    out: Path
    command: tuple[str, ...] | None = None
    once: bool = False
    timeout: float | None = None
    application: ApplicationRequest = field(default_factory=ApplicationRequest)
    claims: tuple[str, ...] | None = None
    only: tuple[str, ...] = ()
    baseline: Path | None = None
    overlays: tuple[Path, ...] = ()
    step_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    server: ServerChoice = field(default_factory=ServerChoice)
    runner: client.Runner = client.run
    package: bool = True
    doses: DosesGiven = field(default_factory=DosesGiven)
    faults: tuple[Mapping[str, Any], ...] = ()
    pull: int | None = None


@dataclass(slots=True, kw_only=True)
class Certification:
    """One run. `handlers` are told what happens; `clock` is the only one that waits."""

    order: Order
    handlers: Sequence[Handler] = ()
    clock: Clock = field(default_factory=SystemClock)
    ended: list[StepEnded] = field(default_factory=list)
    """How the steps ended, in their order."""

    def run(self) -> Result:
        """Drive the run and judge it; raises `SetupError` for what the user can mend, `HarnessError` for what is ours."""
        facts = load_facts(self.order.overlays)
        profile = facts.profile(self.order.profile)
        check_question(self._question(), profile)
        check_given(profile, self.order.doses)
        self.order.out.mkdir(parents=True, exist_ok=True)
        dicom, claims = profile.role is not Role.NONE, self._claims(profile)
        secure = dicom and DICOM_TLS in claims
        with server(self.order.server, overlays=self.order.overlays, clock=None, dicom=dicom, dicom_tls=secure) as control:
            self.tell(ServerReady(control.url, private=self.order.server.url is None))
            run = control.start_run(
                profile=profile.name,
                revision=profile.revision,
                claims=claims,
                launch=self.order.command is not None,
                application=self.order.application.application,
            )
            try:
                self._drive(control, run, profile, facts)
                if dicom:
                    await_associations(control, run, self.clock)
            finally:
                lines = self._finish(control, run)
            self._listen(control, lines)
        return self._judge(facts)

    def _claims(self, profile: Profile) -> tuple[str, ...]:
        if self.order.claims is not None:
            return self.order.claims
        given = ("logo",) if self.order.application.logo else ()
        return tuple(dict.fromkeys((*profile.default_claims, *given)))

    def _drive(self, control: Control, run: str, profile: Profile, facts: Facts) -> None:
        document = self._register(control, run, profile, facts)
        if document is None:
            return
        for rule in self.order.faults:
            control.set_fault(application=document["application"], environment=document["environment"], **rule)
        with self._workplace() as workplace, pulling(self.order.pull) as pull:
            Steps(self, control, run, profile, document, workplace, pull).all()

    def _register(self, control: Control, run: str, profile: Profile, facts: Facts) -> dict[str, Any] | None:
        body = self.order.application.body_with_defaults(profile, facts, run=run)
        body["settings"] = self.settings(profile)
        try:
            return control.register(body)
        except RefusedError as refusal:
            if refusal.status != 422:
                raise
            self.tell(RegistrationRefused(str(refusal)))
            return None

    @contextmanager
    def _workplace(self) -> Iterator[Path]:
        """A private directory: one that goes with the run when it launches the client, else one beside its files."""
        if self.order.command is None:
            private = self.order.out.resolve() / "private"
            private.mkdir(mode=0o700, exist_ok=True)
            yield private
            return
        with tempfile.TemporaryDirectory(prefix="acrmock-", ignore_cleanup_errors=True) as name:
            yield Path(name)

    def _finish(self, control: Control, run: str) -> list[bytes]:
        """End the run and keep its journal, the lines of which it gives."""
        control.finish_run(run)
        lines = list(control.journal(run=run))
        write_atomically(self.order.out / package.JOURNAL, b"".join(line + b"\n" for line in lines))
        return lines

    def _listen(self, control: Control, lines: Sequence[bytes]) -> None:
        """Tell where a client that was run sent nothing."""
        command = self.order.command
        if command and self.ended and silence.is_silent(lines):
            everything = control.journal() if self.order.server.url is None else ()
            self.tell(silence.nothing_sent(command, self.ended, everything))

    def _question(self) -> Question:
        order = self.order
        return Question(profile=order.profile, claims=order.claims, only=order.only, baseline=order.baseline)

    def _judge(self, facts: Facts) -> Result:
        recording = read_recording(self.order.out / package.JOURNAL)
        result = judge_recording(recording, facts, self._question())
        self.tell(Judged(result))
        write = package.write_package if self.order.package else package.write_result
        names = write(self.order.out, result, recording, facts)
        self.tell(FilesWritten(self.order.out, (*names, package.JOURNAL)))
        return result

    def settings(self, profile: Profile) -> dict[str, Any]:
        """The settings of the run: the profile's, and those that the order puts over them."""
        return {**profile.settings, **self.order.application.settings}

    def tell(self, event: Event) -> None:
        """Tell all handlers of what happened."""
        for handler in self.handlers:
            handler.handle(event)


class Steps:
    """The steps of a run with its application: directives, the client, and what came of it."""

    def __init__(
        self,
        owner: Certification,
        control: Control,
        run: str,
        profile: Profile,
        document: dict[str, Any],
        workplace: Path,
        pull: Pull | None = None,
    ) -> None:
        self._owner = owner
        self._control = control
        self._run = run
        self._profile = profile
        self._document = document
        self._workplace = workplace
        self._pull = pull
        self._ca_file = workplace / "ca.pem"
        self._registration = workplace / "registration.json"
        self._furnish()

    def all(self) -> None:
        """Go through all steps (or the one of `--once`), in the profile's order; one that pulls, as long as it asks."""
        steps: Sequence[Step | None] = [None] if self._owner.order.once else self._profile.steps
        if self._pull is not None:
            self._pulled(self._pull, self._profile.steps)
            return
        for number, step in enumerate(steps, 1):
            self._one(number, len(steps), step)

    def _pulled(self, pull: Pull, steps: Sequence[Step]) -> None:
        """Answer each request of the client with a step; its next request ends that step, none in its window the run."""
        tell = self._owner.tell
        window = self._window(steps[0])
        (self._owner.order.out / "logs").mkdir(exist_ok=True)  # where the robot user says what it did
        write_atomically(self._workplace / PULL, json.dumps({"next": pull.url}).encode(), private=True)
        try:
            tell(PullReady(pull.url, window))
            asked = pull.asked(window)
            for number, step in enumerate(steps, 1):
                if not asked:
                    tell(Noted("the client asked for no further step in time: the run ends"))
                    return
                asked = self._one(number, len(steps), step)
            if asked:
                pull.give(None)
        finally:
            for name in (PULL, client.REPORTING):
                (self._workplace / name).unlink(missing_ok=True)

    def _window(self, step: Step | None) -> float:
        timeout = step.timeout if step is not None else sum(s.timeout for s in self._profile.steps)
        return self._owner.order.timeout or timeout

    def _one(self, number: int, of: int, step: Step | None) -> bool:
        """One step from its beginning to its end; whether it ended in its window."""
        order, tell = self._owner.order, self._owner.tell
        name = step.name if step is not None else "everything"
        text = step.text if step is not None else "do the whole job"
        window = self._window(step)
        tell(StepBegan(number, of, name))
        if step is not None:
            self._control.begin_step(self._run, name)
            apply(self._directives(step), self._control, self._owner.clock, tell)
        doses = self._doses(step)
        with doses:
            if order.command:
                ended = self._launch(number, name, step, window, doses)
            elif self._pull is not None:
                env = self._environment({}, step)
                registration = str(self._registration)
                self._pull.give(
                    PulledStep(
                        step=name, number=number, of=of, text=text, window=window, registration=registration, environment=env
                    )
                )
                ended = self._asked_again(self._pull, name, window, doses)
            else:
                tell(YourTurn(text, window, self._registration))
                ended = self._wait(name, window, doses)
            self._owner.ended.append(ended)
            tell(ended)
        return not ended.timed_out

    def _asked_again(self, pull: Pull, name: str, window: float, doses: Doses) -> StepEnded:
        asked = pull.asked(window)
        if asked:
            doses.settle(window)
        return StepEnded(name, None, not asked, None)

    def _doses(self, step: Step | None) -> Doses:
        """What is planted and expected in a step; in the one step of `--once`, what is in all of them."""
        steps = [step] if step is not None else list(self._profile.steps)
        asked = [{key: one.directives[key] for key in ASKED if key in one.directives} for one in steps]
        return Doses(
            control=self._control,
            run=self._run,
            document=self._document,
            asked={key: value for one in asked for key, value in one.items()},
            given=self._owner.order.doses,
            clock=self._owner.clock,
            tell=lambda text: self._owner.tell(Noted(text)),
        )

    def _directives(self, step: Step) -> Directives:
        return Directives(
            run=self._run,
            application=str(self._document["application"]),
            environment=str(self._document["environment"]),
            values=self._values(step),
            settings=self._owner.settings(self._profile),
        )

    def _values(self, step: Step) -> Mapping[str, Any]:
        own = self._owner.order.step_settings.get(step.name)
        return {**step.directives, "settings": {**step.directives.get("settings", {}), **own}} if own else step.directives

    def _launch(self, number: int, name: str, step: Step | None, window: float, doses: Doses) -> StepEnded:
        order = self._owner.order
        env = self._environment(os.environ, step)
        log = order.out / "logs" / f"{number}-{name}.log"
        ended = order.runner(list(order.command or ()), env, timeout=window, log=log, finished=doses.finished)
        if ended.code == 0:
            doses.settle(window)
        noted = {"step": name, "exit_code": ended.code, "timed_out": ended.timed_out}
        self._control.event(self._run, "client-exited", noted)
        return StepEnded(name, ended.code, ended.timed_out, log)

    def _environment(self, base: Mapping[str, str], step: Step | None) -> dict[str, str]:
        return client.environment(
            base,
            registration=self._registration,
            profile=self._profile.name,
            step=step.name if step is not None else None,
            ca_file=self._ca_file,
            workplace=self._workplace,
            browser_log=self._owner.order.out.resolve() / "logs" / "browser.log",
            dicom=self._document.get("dicom"),
        )

    def _wait(self, name: str, window: float, doses: Doses) -> StepEnded:
        """Wait for traffic within the window, then until none has come for a moment."""
        if doses.finished is not None:
            return StepEnded(name, None, not doses.wait(window), None)
        seen = self._control.await_entry(run=self._run, operation=_awaited(name, self._profile), timeout=window)
        last = seen
        while last is not None:
            last = self._control.await_entry(run=self._run, after=last, timeout=QUIET)
        return StepEnded(name, None, seen is None, None)

    def _furnish(self) -> None:
        write_atomically(self._ca_file, self._control.ca_pem())
        self._document["ca_file"] = str(self._ca_file)
        data = json.dumps(self._document, indent=2).encode()
        write_atomically(self._registration, data, private=True)
        if self._owner.order.command is not None or self._pull is not None:
            reporting = Reporting(
                url=self._control.url, control_token=self._control.token, ca_file=str(self._ca_file), run=self._run
            )
            client.furnish(self._workplace, reporting)
        self._owner.tell(Registered(self._document, self._registration))


_AWAITED = {
    "sign-in": Operation.TOKEN,
    "sign-in-again": Operation.TOKEN,
    "refresh": Operation.TOKEN,
    "configure": "C-ECHO",
    "create": Operation.CDSR_POST,
}


def _awaited(step: str, profile: Profile) -> str:
    """The operation that shows that the client has begun a step; without a registry of exams, all else is about documents."""
    return _AWAITED.get(step, "nrdr.status" if profile.registries else "cdsr.post")


def certify(order: Order, handlers: Sequence[Handler] = ()) -> Result:
    """Drive and judge one run; a fault inside the harness is a `HarnessError`."""
    try:
        return Certification(order=order, handlers=handlers).run()
    except RefusedError as refusal:
        if refusal.status >= 500:
            raise HarnessError("the server failed during the run", actual=str(refusal)) from refusal
        raise
    except UnreachableError as error:
        if order.server.url is None:
            raise HarnessError("the run's own server went away", actual=str(error)) from error
        raise
