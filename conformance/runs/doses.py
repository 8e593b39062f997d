"""What the harness does about dose reports while a step's client runs: plant them, expect them, and tell when all have come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.facts import Profile
from acrmock.record import AssociationEntry, DimseEntry, decode_line
from conformance.control import Control
from conformance.runs.planting import Planting, Target, crops

ASKED = ("plant", "expect")
QUIET_SECONDS = 2.0
LOOK_SECONDS = 0.3
CLOSING_SECONDS = 15.0
"""How long an association may stay open after all has come, before the recording ends without it."""
GIVE_UP_SECONDS = 10.0
"""After so long without a report, a forwarder to which all were given is held to have sent what it will send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DosesGiven:
    """What the flags say: where reports are planted, from which seed, and which are expected (a number, or SOP Instance UIDs)."""

    target: Target | None = None
    seed: int = 1
    expect: int | tuple[str, ...] | None = None


def check_given(profile: Profile, given: DosesGiven) -> None:
    """Raise `SetupError` where the flags and what the profile does about reports do not fit together."""
    asked = {key for step in profile.steps for key in step.directives if key in ASKED}
    if "plant" in asked and given.target is None:
        raise SetupError(
            "this profile plants reports with the sender",
            where=profile.name,
            fix="say where it takes them: --plant-to AE@HOST:PORT or --plant-dir DIR",
        )
    if "plant" not in asked and given.target is not None:
        raise SetupError(
            "this profile plants no reports", where="--plant-to, --plant-dir", expected="a profile that does", actual=profile.name
        )
    if "expect" not in asked and given.expect is not None:
        raise SetupError(
            "this profile does not ask which reports to expect",
            where="--expect",
            expected="a profile in which the sender makes the reports",
            actual=profile.name,
        )


@dataclass(slots=True, kw_only=True)
class Doses:
    """The dose reports of one step, while its context is open; `asked` are the profile's directives about them."""

    control: Control
    run: str
    document: Mapping[str, Any]
    asked: Mapping[str, Any]
    given: DosesGiven
    clock: Clock
    tell: Callable[[str], None]
    finished: Callable[[], bool] | None = None
    _planting: Planting | None = None
    _wanted: frozenset[str] = frozenset()
    _count: int = 0
    _came: int = 0
    _since: float = 0.0

    def __enter__(self) -> Self:
        self._since = self.clock.monotonic()
        if "plant" in self.asked:
            self._plant(self.asked["plant"])
        if "expect" in self.asked:
            self._expect(self.asked["expect"])
        return self

    def __exit__(self, *_: object) -> None:
        if self._planting is not None:
            self._planting.end()

    def wait(self, seconds: float) -> bool:
        """Wait until all has come, at most so long; whether it has."""
        until = self.clock.monotonic() + seconds
        while self.finished is not None and not self.finished():
            if self.clock.monotonic() > until:
                return False
            self.clock.wait(LOOK_SECONDS)
        return True

    def settle(self, seconds: float) -> None:
        """After the client has ended: wait for what was planted, for it may only have set a service of its own going."""
        if self._planting is not None:
            self.wait(seconds)

    def _plant(self, how: Mapping[str, Any]) -> None:
        if self.given.target is None:
            raise SetupError("there is no place to plant reports in")
        made = crops(
            self.given.seed, int(how["reports"]), int(how.get("unwanted", 0)), self.document.get("stations", ()), self.clock
        )
        self.tell(f"planting {len(made)} reports (--seed {self.given.seed})")
        self._wanted = frozenset(crop.object.sop_instance for crop in made if crop.expected)
        self._planting = Planting(
            control=self.control,
            application=str(self.document["application"]),
            environment=str(self.document["environment"]),
            target=self.given.target,
            crops=made,
            clock=self.clock,
            tell=self.tell,
        )
        self.finished = self._all_came
        self._planting.begin()

    def _expect(self, how: Mapping[str, Any]) -> None:
        expected = self.given.expect if self.given.expect is not None else int(how["reports"])
        data: dict[str, Any] = {"environment": self.document["environment"]}
        if isinstance(expected, int):
            self._count = expected
            data["count"] = expected
        else:
            self._wanted = frozenset(expected)
            data["sop_instances"] = list(expected)
        self.control.event(self.run, "dir-expected", data)
        self.finished = self._all_came

    def _all_came(self) -> bool:
        """Whether all that was expected has come, and nothing more for a moment; or nothing has come for long."""
        environment = str(self.document["environment"])
        came = {report["sop_instance"] for report in self.control.reports(str(self.document["application"]), environment)}
        now = self.clock.monotonic()
        if len(came) != self._came or (self._planting is not None and not self._planting.done):
            self._came, self._since = len(came), now
        quiet = now - self._since
        if self._wanted <= came and len(came) >= self._count:
            return quiet >= QUIET_SECONDS
        return self._planting is not None and quiet >= GIVE_UP_SECONDS


def await_associations(control: Control, run: str, clock: Clock, seconds: float = CLOSING_SECONDS) -> None:
    """Wait until each association of a run that did something has ended, at most so long: senders keep one open for a while."""
    until = clock.monotonic() + seconds
    while _open(control, run) and clock.monotonic() < until:
        clock.wait(LOOK_SECONDS)


def _open(control: Control, run: str) -> bool:
    began: set[str] = set()
    for line in control.journal(run=run):
        entry = decode_line(line)
        if isinstance(entry, DimseEntry):
            began.add(entry.facts.association)
        elif isinstance(entry, AssociationEntry):
            began.discard(entry.facts.association)
    return bool(began)


def read_expected(text: str | None) -> int | tuple[str, ...] | None:
    """What `--expect` says: a number of reports, or a file with a SOP Instance UID a line; raises `SetupError`."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 6:
        if int(text) == 0:
            raise SetupError("no report is expected", where="--expect", expected="a number from 1, or a file", actual=text)
        return int(text)
    try:
        lines = Path(text).read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            "the expected reports cannot be read", where="--expect", expected="a number or a file", actual=text[:80]
        ) from error
    if not lines:
        raise SetupError("no report is expected", where="--expect", actual=text[:80])
    return tuple(lines)
