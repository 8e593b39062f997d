"""A transaction's status as a pure function of plan, business time and polls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver import plans
from mockserver.plans import After, Assignment, Fail, Hold, Immediate, Plan, Polls, StatusKey, status

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SCOPE = ("app", "test")
ENDS = st.sampled_from([StatusKey.POSTED, StatusKey.PARTIALLY_SUCCESSFUL, StatusKey.VALIDATION_FAIL])
PLANS = st.one_of(
    st.just(Immediate()),
    st.builds(After, seconds=st.floats(0, 1000)),
    st.builds(Polls, count=st.integers(0, 50)),
    st.builds(Hold, at=st.integers(1, 3)),
    st.builds(Fail, step=st.integers(1, 3), seconds=st.floats(0, 1000)),
)
ORDER = {key: place for place, key in enumerate([StatusKey.LOADING, StatusKey.RECEIVED, StatusKey.VALIDATION_SUCCESSFUL])}


class Shelf:
    """As much of a unit as plans need, in memory."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, Any, str], Any] = {}

    def get(self, kind: str, scope: Any, key: str, type: type) -> Any:  # noqa: A002 - the store's name
        """The row or None."""
        value = self.rows.get((kind, scope, key))
        assert value is None or isinstance(value, type)
        return value

    def put(self, kind: str, scope: Any, key: str, value: Any) -> None:
        """The row written."""
        self.rows[(kind, scope, key)] = value


def test_after_walks_through_the_steps() -> None:
    """A plan of six seconds shows loading, received and validated for two seconds each, then the end."""
    seen = [status(After(seconds=6), end=StatusKey.POSTED, elapsed=t, polls=0) for t in (0, 1.9, 2, 4, 5.99, 6, 100)]
    assert [key.value for key in seen] == [
        "loading",
        "loading",
        "received",
        "validation_successful",
        "validation_successful",
        "posted",
        "posted",
    ]


def test_content_that_fails_never_validates() -> None:
    """A transaction whose records are all rejected goes from received to validation_fail."""
    seen = {status(After(seconds=10), end=StatusKey.VALIDATION_FAIL, elapsed=t, polls=0) for t in range(12)}
    assert seen == {StatusKey.LOADING, StatusKey.RECEIVED, StatusKey.VALIDATION_FAIL}


def test_polls_count_answers_not_seconds() -> None:
    """Three polls see a step on the way and the fourth the end, however long it takes."""
    seen = [status(Polls(count=3), end=StatusKey.POSTED, elapsed=9999, polls=n).terminal for n in range(5)]
    assert seen == [False, False, False, True, True]


def test_hold_stands_until_released() -> None:
    """A hold shows its step for ever and ends at once when released."""
    assert status(Hold(at=1), end=StatusKey.POSTED, elapsed=1e9, polls=10**6) is StatusKey.LOADING
    assert status(Hold(), end=StatusKey.POSTED, elapsed=1e9, polls=10**6) is StatusKey.RECEIVED
    assert status(Hold(), end=StatusKey.POSTED, elapsed=0, polls=0, released=True) is StatusKey.POSTED


@pytest.mark.parametrize(("step", "key"), [(1, "failed"), (2, "validation_fail"), (3, "failed")])
def test_fail_ends_by_step(step: int, key: str) -> None:
    """Each step has its own way to fail."""
    assert status(Fail(step=step), end=StatusKey.POSTED, elapsed=0, polls=0).value == key


def test_heal_after_n_lets_the_next_one_pass() -> None:
    """Two transactions fail, the third reaches its own end."""
    plan = Fail(step=2, heal_after=2)
    ends = [status(plan, end=StatusKey.POSTED, elapsed=0, polls=0, ordinal=n).value for n in (1, 2, 3)]
    assert ends == ["validation_fail", "validation_fail", "posted"]


@given(PLANS, ENDS, st.lists(st.tuples(st.floats(0, 2000), st.integers(0, 100)), min_size=2, max_size=8))
def test_never_back(plan: Plan, end: StatusKey, looks: list[tuple[float, int]]) -> None:
    """As time and polls grow, a status only goes forward and a terminal one stays."""
    times = sorted(t for t, _ in looks)
    counts = sorted(n for _, n in looks)
    seen = [status(plan, end=end, elapsed=t, polls=n) for t, n in zip(times, counts, strict=True)]
    places = [ORDER.get(key, 99) for key in seen]
    assert places == sorted(places)
    assert len({key for key in seen if key.terminal}) <= 1


@given(PLANS)
def test_json_both_ways(plan: Plan) -> None:
    """A plan survives its own JSON."""
    assert msgspec.json.decode(msgspec.json.encode(plan), type=Plan) == plan


@pytest.mark.parametrize(
    "text",
    [
        '{"kind": "later"}',
        "{}",
        "[]",
        '{"kind": "after", "seconds": -1}',
        '{"kind": "after", "seconds": "5"}',
        '{"kind": "after"}',
        '{"kind": "fail", "step": 0}',
        '{"kind": "fail", "step": 4}',
        '{"kind": "polls", "count": 1.5}',
        '{"kind": "hold", "until": "never"}',
        '{"kind": "after", "seconds": 1e300}',
    ],
)
def test_bad_plans_are_refused(text: str) -> None:
    """What is no plan is refused at the edge."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=Plan)


def test_the_registry_s_own_plan_wins_and_is_counted() -> None:
    """A plan for one registry stands before the one for all, and each transaction gets its number."""
    shelf = Shelf()
    names = iter(("p1", "p2"))
    plans.set_plan(shelf, SCOPE, After(seconds=1), new_id=lambda: next(names), now=NOW)
    plans.set_plan(shelf, SCOPE, Fail(step=1, heal_after=1), new_id=lambda: next(names), registry="lcsr", now=NOW)
    taken = [plans.assign(shelf, SCOPE, slug) for slug in ("lcsr", "grid", "lcsr")]
    assert [(a.plan_id, a.ordinal) for a in taken] == [("p2", 1), ("p1", 1), ("p2", 2)]


def test_release_reaches_what_is_held() -> None:
    """A transaction that took a hold sees its release; a later plan does not change it."""
    shelf = Shelf()
    names = iter(("p1", "p2"))
    plans.set_plan(shelf, SCOPE, Hold(), new_id=lambda: next(names), now=NOW)
    held = plans.assign(shelf, SCOPE, "lcsr")
    assert plans.release(shelf, SCOPE, "lcsr", NOW) is not None
    plans.set_plan(shelf, SCOPE, Immediate(), new_id=lambda: next(names), now=NOW)
    record = plans.assigned(shelf, SCOPE, held, Immediate())
    assert record.plan == Hold()
    assert record.released_at == NOW
    assert plans.release(shelf, SCOPE, "lcsr", NOW) is None


def test_without_a_plan_the_default_applies() -> None:
    """Where nothing was set, the layer's default decides."""
    shelf = Shelf()
    assert plans.assign(shelf, SCOPE, "lcsr") == Assignment()
    assert plans.assigned(shelf, SCOPE, Assignment(), After(seconds=2)).plan == After(seconds=2)
