"""What becomes of a transaction and when: its status as a pure function of a plan, business time and polls.

Nothing moves by itself: a status is computed when it is read (fact N2.2 for the eight words, U12 and U18 for the order).
Keys such as `loading` name a status; the facts layer gives the word that goes over the wire (`nrdr.status.word.*`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

from mockserver.store import Reader, Scope, Stored, Unit

RECORD_KIND = "plan"
CURRENT_KIND = "plan-current"
ANY_REGISTRY = "*"


class StatusKey(StrEnum):
    """The eight statuses of fact N2.2, by key; the layer's `nrdr.status.word.<key>` is ACR's word."""

    LOADING = "loading"
    FAILED = "failed"
    RECEIVED = "received"
    VALIDATION_FAIL = "validation_fail"
    VALIDATION_SUCCESSFUL = "validation_successful"
    POSTED = "posted"
    PARTIALLY_SUCCESSFUL = "partially_successful"
    UPDATED = "updated_with_new_transaction"

    @property
    def terminal(self) -> bool:
        """Whether nothing follows, save that a loaded transaction can still be replaced (U18)."""
        return self not in _STEPS

    @property
    def loaded(self) -> bool:
        """Whether records of the transaction stand in the database."""
        return self in {StatusKey.POSTED, StatusKey.PARTIALLY_SUCCESSFUL, StatusKey.UPDATED}


_STEPS = (StatusKey.LOADING, StatusKey.RECEIVED, StatusKey.VALIDATION_SUCCESSFUL)
_FAILURES = (StatusKey.FAILED, StatusKey.VALIDATION_FAIL, StatusKey.FAILED)

Seconds = Annotated[float, msgspec.Meta(ge=0, le=366 * 86400)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class _Plan(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """The base of the plans; `kind` tells them apart in JSON."""


class Immediate(_Plan, frozen=True, kw_only=True, tag="immediate"):
    """The end is there at the first look."""


class After(_Plan, frozen=True, kw_only=True, tag="after"):
    """The end is reached `seconds` of business time after the transaction was accepted; the steps share the time evenly."""

    seconds: Seconds


class Polls(_Plan, frozen=True, kw_only=True, tag="polls"):
    """`count` polls see a step on the way, the next one sees the end."""

    count: Count


class Hold(_Plan, frozen=True, kw_only=True, tag="hold"):
    """The transaction stands at step `at` (1 loading, 2 received, 3 validated) until released; then the end is there."""

    at: Annotated[int, msgspec.Meta(ge=1, le=3)] = 2


class Fail(_Plan, frozen=True, kw_only=True, tag="fail"):
    """The transaction fails in step `step` (1 and 3: Failed, 2: ValidationFail), `seconds` after it was accepted.

    With `heal_after` n only the first n transactions under this plan fail; the next ones reach their own end.
    """

    step: Annotated[int, msgspec.Meta(ge=1, le=3)]
    seconds: Seconds = 0.0
    heal_after: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None


class Partial(_Plan, frozen=True, kw_only=True, tag="partial"):
    """The last `reject` of the records that could be loaded are rejected; the end is reached after `seconds`.

    With more records than that it is PartiallySuccessful, else nothing is left to load.
    """

    reject: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    seconds: Seconds = 0.0


class Superseded(_Plan, frozen=True, kw_only=True, tag="superseded"):
    """What was loaded is replaced at once, as if by a later transaction; the end is reached after `seconds`."""

    seconds: Seconds = 0.0


Plan = Immediate | After | Polls | Hold | Fail | Partial | Superseded


class PlanRecord(Stored, frozen=True, kw_only=True):
    """A plan as stored: `id`, the registry it is for (`*` all), how many transactions took it, when it was released."""

    remembered: ClassVar[bool] = True

    id: str
    plan: Plan
    registry: str = ANY_REGISTRY
    set_at: datetime | None = None
    taken: int = 0
    released_at: datetime | None = None


class Assignment(Stored, frozen=True, kw_only=True):
    """Which plan a transaction took (empty: the default) and as the how-manieth; stored inside the transaction."""

    remembered: ClassVar[bool] = True

    plan_id: str = ""
    ordinal: int = 1


def failure(plan: Plan, ordinal: int = 1) -> StatusKey | None:
    """The status in which `plan` makes the `ordinal`-th transaction end whatever it holds, or None."""
    if not isinstance(plan, Fail) or (plan.heal_after is not None and ordinal > plan.heal_after):
        return None
    return _FAILURES[plan.step - 1]


def status(
    plan: Plan,
    *,
    end: StatusKey,
    elapsed: float,
    polls: int,
    ordinal: int = 1,
    released: bool = False,
) -> StatusKey:
    """The status of a transaction whose content leads to `end` (posted, partially_successful or validation_fail).

    `elapsed`: business seconds since it was accepted; `polls`: status answers given before this one; `released`: a hold was
    lifted. That later transactions replaced a loaded one is not a plan's to say (`mockserver.nrdr.lifecycle`).
    """
    forced = failure(plan, ordinal)
    target = forced or (StatusKey.UPDATED if isinstance(plan, Superseded) and end.loaded else end)
    steps = _path(plan, target, forced=forced is not None)
    reached = _progress(plan, len(steps), elapsed=elapsed, polls=polls, released=released)
    return steps[reached] if reached < len(steps) else target


def _path(plan: Plan, target: StatusKey, *, forced: bool) -> tuple[StatusKey, ...]:
    """The steps seen before `target`; a hold shows its own step even where the content would fail before it."""
    if forced and isinstance(plan, Fail):
        return _STEPS[: plan.step]
    if isinstance(plan, Hold):
        return _STEPS[: plan.at]
    return _STEPS[:2] if target is StatusKey.VALIDATION_FAIL else _STEPS


def _progress(plan: Plan, steps: int, *, elapsed: float, polls: int, released: bool) -> int:
    """How many of `steps` lie behind the transaction."""
    match plan:
        case Immediate():
            return steps
        case After(seconds=seconds) | Fail(seconds=seconds) | Partial(seconds=seconds) | Superseded(seconds=seconds):
            return _share(elapsed, seconds, steps)
        case Polls(count=count):
            return _share(float(polls), float(count), steps)
        case Hold():
            return steps if released else steps - 1


def _share(done: float, whole: float, steps: int) -> int:
    """The steps behind when `done` of `whole` is done; never all of them before the whole is done."""
    if done >= whole:
        return steps
    return min(steps - 1, max(0, int(done / whole * steps)))


def settles_after(plan: Plan, *, elapsed: float) -> float | None:
    """The business seconds until the end, or None where the clock alone does not bring it (polls, a hold)."""
    match plan:
        case Immediate():
            return 0.0
        case After(seconds=seconds) | Fail(seconds=seconds) | Partial(seconds=seconds) | Superseded(seconds=seconds):
            return max(0.0, seconds - elapsed)
        case _:
            return None


def set_plan(
    unit: Unit, scope: Scope, plan: Plan, *, new_id: Callable[[], str], registry: str = "", now: datetime | None = None
) -> PlanRecord:
    """`plan` stored for the transactions that `scope` accepts from now on, for one registry or (empty) for all."""
    record = PlanRecord(id=new_id(), plan=plan, registry=registry or ANY_REGISTRY, set_at=now)
    unit.put(RECORD_KIND, scope, record.id, record)
    unit.put(CURRENT_KIND, scope, record.registry, Assignment(plan_id=record.id))
    return record


def current(unit: Reader, scope: Scope, registry: str) -> PlanRecord | None:
    """The plan in force for `registry`: its own, else the one for all, else None (the default applies)."""
    for key in dict.fromkeys((registry or ANY_REGISTRY, ANY_REGISTRY)):
        pointer = unit.get(CURRENT_KIND, scope, key, Assignment)
        if pointer is not None:
            return unit.get(RECORD_KIND, scope, pointer.plan_id, PlanRecord)
    return None


def assign(unit: Unit, scope: Scope, registry: str) -> Assignment:
    """The plan that a transaction accepted now takes; counts it. Store the answer inside the transaction."""
    record = current(unit, scope, registry)
    if record is None:
        return Assignment()
    taken = msgspec.structs.replace(record, taken=record.taken + 1)
    unit.put(RECORD_KIND, scope, record.id, taken)
    return Assignment(plan_id=record.id, ordinal=taken.taken)


def assigned(unit: Reader, scope: Scope, assignment: Assignment, default: Plan) -> PlanRecord:
    """The plan of a transaction as it stands now (a hold may have been released since), or `default`."""
    record = unit.get(RECORD_KIND, scope, assignment.plan_id, PlanRecord) if assignment.plan_id else None
    return record or PlanRecord(id="", plan=default)


def release(unit: Unit, scope: Scope, registry: str, now: datetime) -> PlanRecord | None:
    """The hold in force for `registry`, lifted for all that took it and will; None where no hold is in force."""
    record = current(unit, scope, registry)
    if record is None or not isinstance(record.plan, Hold):
        return None
    released = msgspec.structs.replace(record, released_at=now)
    unit.put(RECORD_KIND, scope, record.id, released)
    return released
