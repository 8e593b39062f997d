"""What the pytest fixtures give: a server and applications under test, as objects. Fixtures and marker: `acrmock_pytest`."""

from __future__ import annotations

import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from acrmock.clock import SystemClock, parse_rfc3339, rfc3339
from acrmock.errors import HarnessError, SetupError
from acrmock.facts import load_facts
from conformance.control import Control, read_ready
from conformance.recording import read
from conformance.reports import terminal
from conformance.result import Result, Verdict
from conformance.runs.application import ApplicationRequest
from conformance.runs.judging import Question, check_question, judge_recording
from conformance.runs.python import command
from conformance.runs.robot import Registration, Reporting, Robot, Visit, Where

if TYPE_CHECKING:
    from datetime import datetime

    from acrmock.record import AnyEntry

START = 60.0
STOP = 15.0


class ApplicationClock:
    """The business time of an application: holds, sunsets and status plans go by it (tokens go by the wall)."""

    def __init__(self, control: Control, application: str) -> None:
        self._control = control
        self._application = application

    def now(self) -> datetime:
        """What time it is there."""
        return parse_rfc3339(str(self._control.clock(self._application)["now"]))

    def set(self, when: datetime) -> None:
        """Put it to `when` (aware)."""
        self._control.move_clock(self._application, set=rfc3339(when))

    def advance(self, seconds: float) -> None:
        """Put it `seconds` forward."""
        self._control.move_clock(self._application, advance=seconds)

    def freeze(self) -> None:
        """Stop it."""
        self._control.move_clock(self._application, freeze=True)

    def resume(self) -> None:
        """Let it run again."""
        self._control.move_clock(self._application, resume=True)


class ApplicationUnderTest(Mapping[str, Any]):
    """A registered application: its registration document, by item and by attribute, and what one can ask of it.

    `run` is the run that its traffic belongs to, `profile` what `verdict` judges it by.
    """

    def __init__(self, document: Mapping[str, Any], control: Control, *, run: str, profile: str, claims: tuple[str, ...]) -> None:
        self._document = dict(document)
        self._control = control
        self._claims = claims
        self.run = run
        self.profile = profile
        self.clock = ApplicationClock(control, str(document["application"]))

    def __getitem__(self, key: str) -> Any:
        return self._document[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._document)

    def __len__(self) -> int:
        return len(self._document)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._document:
            raise AttributeError(f"the registration document has no {name!r}")
        return self._document[name]

    def __repr__(self) -> str:
        return f"<application {self._document['application']} in {self._document['environment']}>"

    # --- moving it -----------------------------------------------------------------------------------------------

    def settings(self, values: Mapping[str, Any] | None = None, **more: Any) -> None:
        """Override layer values for it, e.g. `settings({"auth.access_token_lifetime": 5})`; in keywords `__` stands for a dot."""
        named = {key.replace("__", "."): value for key, value in more.items()}
        self._control.settings(self["application"], self["environment"], {**(values or {}), **named})

    def plan(self, plan: Mapping[str, Any], registry: str | None = None) -> None:
        """How the statuses of its transactions to come shall go."""
        self._control.plan(self["application"], self["environment"], plan, registry)

    def move_endpoints(self) -> None:
        """Move its authorization server's endpoints; discovery tells where to."""
        self._control.move_endpoints(self["application"], self["environment"])

    def step(self, name: str) -> None:
        """A step of the profile begins, e.g. `refresh`; some checks ask what was done in which."""
        self._control.begin_step(self.run, name)

    def reset(self) -> None:
        """Forget what it did; its registration and the journal stay."""
        self._control.reset(self["application"])

    # --- its user ------------------------------------------------------------------------------------------------

    def browse(self, url: str) -> None:
        """A person opens `url`, signs in, allows, and comes back to the client's own listener on its redirect URL."""
        Robot(self._robot(), self._reporting()).run(url)

    def sign_in(self, url: str, *, decision: str = "allow") -> str:
        """The address that a person who opens `url` and signs in is sent back to, with its query; nobody opens that address.

        `decision` is the button of the consent page: allow or deny. Raises `SetupError` when it does not come to that.
        """
        robot = _Landing(self._robot(), decision=decision)
        robot.run(url)
        return robot.landed

    def _robot(self) -> Registration:
        from acrmock.typed import convert

        names = Registration.__struct_fields__
        return convert({name: self._document[name] for name in names if self._document.get(name) is not None}, Registration)

    def _reporting(self) -> Reporting:
        return Reporting(
            url=self._control.url, control_token=self._control.token, ca_file=self._control.ca_file or "", run=self.run
        )

    # --- what was seen -------------------------------------------------------------------------------------------

    def journal(self) -> tuple[AnyEntry, ...]:
        """Everything that went over its wires so far, redacted, in order."""
        return tuple(read(self._control.journal(run=self.run)).entries)

    def verdict(self, profile: str | None = None, only: str | Sequence[str] = ()) -> Result:
        """What the judge says of it so far, by a profile (its own by default), all of it or `only` groups and checks."""
        return self._judged(profile, only)[0]

    def assert_ready(self, profile: str | None = None, only: str | Sequence[str] = ()) -> Result:
        """Its verdict; raises `AssertionError` with the whole report where it is not ready."""
        result, report = self._judged(profile, only)
        if result.verdict is not Verdict.READY:
            raise AssertionError(f"{self['application']} is {result.verdict}\n{report}")
        return result

    def _judged(self, profile: str | None, only: str | Sequence[str]) -> tuple[Result, str]:
        asked = Question(
            profile=profile or self.profile, claims=self._claims, only=(only,) if isinstance(only, str) else tuple(only)
        )
        facts = load_facts()
        check_question(asked, facts.profile(asked.profile or self.profile))
        recording = read(self._control.journal(run=self.run))
        result = judge_recording(recording, facts, asked)
        return result, terminal.render(result, recording, 120)


class _Landing(Robot):
    """A robot user who stops at the vendor's door."""

    landed = ""

    def _open(self, visit: Visit) -> Visit | None:
        if self.where(visit.url) is not Where.VENDOR:
            return super()._open(visit)
        mark = "&" if "?" in visit.url else "?"
        self.landed = visit.url + (mark + urlencode(visit.form) if visit.form else "")
        return None


class ServerUnderTest:
    """A simulated ACR: where it is, and a way to register applications. `process` tells whether it has one of its own."""

    def __init__(self, control: Control, *, process: bool) -> None:
        self.control = control
        self.process = process

    @property
    def url(self) -> str:
        """Its URL, without a slash at the end."""
        return self.control.url

    @property
    def ca_file(self) -> str:
        """The certificate authority to trust, a PEM file."""
        return self.control.ca_file or ""

    @property
    def control_token(self) -> str:
        """The token of its control API."""
        return self.control.token

    def register(
        self,
        *,
        profile: str = "lcsr",
        claims: Sequence[str] | None = None,
        settings: Mapping[str, Any] | None = None,
        label: str = "",
        **flags: Any,
    ) -> ApplicationUnderTest:
        """Register an application; `flags` are those of `acrmock register` in snake case, what is not given has a default.

        `label` is its name where none is given: for people, and not judged. Raises `SetupError` with all reasons when it is
        refused.
        """
        facts = load_facts()
        known = facts.profile(profile)
        claimed = tuple(claims) if claims is not None else known.default_claims
        check_question(Question(profile=profile, claims=claimed), known)
        try:
            given = {name: _several(name, value) for name, value in flags.items()}
            request = ApplicationRequest(**given, settings=settings or {})
        except TypeError as error:
            raise SetupError("acrmock register has no such flag", where="@pytest.mark.acrmock", actual=str(error)) from error
        run = self.control.start_run(profile=known.name, revision=known.revision, claims=claimed, launch=False)
        body = request.body_with_defaults(known, facts, run=run)
        if label and "name" not in body["given"]:
            body["name"] = label
        document = self.control.register(body)
        document["ca_file"] = self.ca_file
        return ApplicationUnderTest(document, self.control, run=run, profile=known.name, claims=claimed)


def _several(name: str, value: Any) -> Any:
    """A flag that repeats, given as one text."""
    return (value,) if name in {"redirect_url", "ip", "local_source", "registry", "user"} and isinstance(value, str) else value


@contextmanager
def serving(*, strangers: Sequence[str] = ()) -> Iterator[ServerUnderTest]:
    """A server while the context is open: in this process, or where `strangers` bear its packages' names in one of its own."""
    with ExitStack() as stack:
        if strangers:
            warnings.warn(
                f"acrmock runs in a process of its own: this project has a top-level package {' and '.join(strangers)}, and so "
                "has acrmock",
                stacklevel=2,
            )
        opened = _own_process() if strangers else _in_process()
        control = stack.enter_context(stack.enter_context(opened))
        yield ServerUnderTest(control, process=bool(strangers))


@contextmanager
def _in_process() -> Iterator[Control]:
    from mockserver import Engine

    with Engine() as engine:
        ready = engine.ready
        if ready is None:
            raise HarnessError("the server did not start")
        yield Control(ready.url, ready.control_token, str(ready.ca_file or ""))


@contextmanager
def _own_process() -> Iterator[Control]:
    with _directory() as name:
        data, log = Path(name) / "data", Path(name) / "server.log"
        clock = SystemClock()
        with log.open("wb") as out:
            process = subprocess.Popen(  # noqa: S603 - our own module
                command("conformance.cli", "serve", "--port", "0", "--data", str(data)),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        try:
            deadline = clock.monotonic() + START
            while not (data / "ready.json").is_file():
                if process.poll() is not None or clock.monotonic() > deadline:
                    raise HarnessError("the server did not start", actual=log.read_text("utf-8", "replace")[-2000:])
                clock.wait(0.05)
            ready = read_ready(data)
            yield Control(ready.url, ready.control_token, ready.ca_file)
        finally:
            process.terminate()
            try:
                process.wait(STOP)
            except subprocess.TimeoutExpired:
                process.kill()


def _directory() -> AbstractContextManager[str]:
    return tempfile.TemporaryDirectory(prefix="acrmock-", ignore_cleanup_errors=True)
