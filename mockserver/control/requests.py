"""The bodies of the control API as types; a field that is not named here is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from acrmock.record import HttpRequest, HttpResponse
from mockserver.faults import Always, Effect, Trigger, Value
from mockserver.plans import Plan

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of a request's body."""


class Nothing(Body, frozen=True, kw_only=True):
    """An empty object."""


class Move(Body, frozen=True, kw_only=True):
    """Move the authorization server's endpoints of an environment (again: back), or to where `moved` says."""

    environment: Word = "test"
    moved: bool | None = None


class Settings(Body, frozen=True, kw_only=True):
    """Overrides of layer settings for an environment; null takes one back."""

    settings: dict[str, Any]
    environment: Word = "test"


class StartRun(Body, frozen=True, kw_only=True):
    """Begin a run of `profile`; `launch` says that the client is started by the run. The application may follow."""

    profile: Word
    revision: Word | None = None
    claims: tuple[Word, ...] = ()
    application: Word | None = None
    launch: bool = False


class BeginStep(Body, frozen=True, kw_only=True):
    """Begin a step of a run's profile, ending the one before."""

    step: Word


class NoteEvent(Body, frozen=True, kw_only=True):
    """Something that happened beside the wires; `data` must hold no secret."""

    name: Literal["client-started", "client-exited", "dir-expected", "gap"]
    data: dict[str, Any] = {}


class Observation(Body, frozen=True, kw_only=True):
    """What the robot user saw at the vendor's redirect URL."""

    application: Word
    environment: Word
    request: HttpRequest
    response: HttpResponse
    run: Word | None = None


class MoveClock(Body, frozen=True, kw_only=True):
    """Change an application's business time; exactly one of set (RFC 3339), advance (seconds), freeze, resume."""

    application: Word
    set: str | None = None
    advance: float | None = None
    freeze: bool | None = None
    resume: bool | None = None


class SetPlan(Body, frozen=True, kw_only=True):
    """The plan for transactions accepted from now on, for one registry or all; `release` lifts the hold in force instead."""

    application: Word
    environment: Word = "test"
    registry: Word | None = None
    plan: Plan | None = None
    release: bool = False


class Reset(Body, frozen=True, kw_only=True):
    """Forget what an application (or every one) did; the registration and the journal stay."""

    application: Word | None = None


class Acknowledge(Body, frozen=True, kw_only=True):
    """Give a transaction's rejected records up: who decided so, and why."""

    application: Word
    transaction: Word
    who: Sentence
    why: Sentence
    environment: Word = "test"


class DecideFile(Body, frozen=True, kw_only=True):
    """What becomes of a file: its valid rows load (`continue`) or none does (`cancel`), or a plan that holds it lets it go."""

    decision: Literal["continue", "cancel", "release"]
    environment: Word = "test"


class SetFault(Body, frozen=True, kw_only=True):
    """A fault for the requests to come: an `error` of the catalogue, or an `effect`; where, and by which `trigger`.

    `operation` `control` stands for the control API itself, then without an application. `value`: only requests that hold it.
    """

    application: Word | None = None
    environment: Word = "test"
    operation: Annotated[str, msgspec.Meta(pattern="^[a-z]+([.][a-z-]+)?$", max_length=64)] | None = None
    registry: Word | None = None
    name: Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9._-]*$", max_length=128)] | None = None
    error: Word | None = None
    effect: Effect | None = None
    trigger: Trigger = Always()
    value: Value | None = None


class ConfigureStation(Body, frozen=True, kw_only=True):
    """Have the reports of a station go on, for one facility (none: the first that was issued)."""

    station: Word
    environment: Word = "test"
    facility: Word | None = None


class PlantedReport(Body, frozen=True, kw_only=True):
    """A report that is planted: its data set as on the wire (base64), and whether it is expected to come."""

    data: bytes
    transfer_syntax: Annotated[str, msgspec.Meta(pattern="^[0-9.]{1,64}$")]
    expected: bool = True


class Plant(Body, frozen=True, kw_only=True):
    """Reports that were given to a vendor to forward."""

    reports: Annotated[tuple[PlantedReport, ...], msgspec.Meta(max_length=1000)]
    environment: Word = "test"


class SetCentral(Body, frozen=True, kw_only=True):
    """How the central server answers: as it does by itself (nothing given), `down`, or `answer`; the next `first` times only."""

    application: Word = "default"
    environment: Word = "test"
    down: bool = False
    answer: Literal[202, 401, 409, 500, 502, 503, 504] | None = None
    first: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
