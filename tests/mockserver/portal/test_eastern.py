"""US Eastern time without tables: the changes of the clocks, and the night after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from mockserver.plans import After, Fail, Hold, Immediate, Partial, Polls, Superseded
from mockserver.planwords import plan_of
from mockserver.portal.eastern import eastern, night_after
from mockserver.portal.words import check, plain

FACTS = load_facts()
MOMENTS = st.datetimes(datetime(2007, 4, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it


@pytest.mark.skipif("America/New_York" not in available_timezones(), reason="this system has no table of time zones")
@given(MOMENTS)
def test_as_the_tables_have_it(moment: datetime) -> None:
    """Every moment of the present rules has the offset that the time zones' table gives."""
    assert eastern(FACTS, moment).utcoffset() == moment.astimezone(ZoneInfo("America/New_York")).utcoffset()


@given(MOMENTS)
@example(datetime(2020, 3, 8, 6, tzinfo=UTC))
@example(datetime(2020, 3, 7, 12, tzinfo=UTC))
@example(datetime(2020, 11, 1, 5, 30, tzinfo=UTC))
def test_the_night_comes_within_a_day(moment: datetime) -> None:
    """It is later, within a day (25 hours where the clocks change), at the hour of the layer."""
    due = night_after(FACTS, moment)
    assert timedelta(0) < due - moment <= timedelta(hours=25)
    assert eastern(FACTS, due).hour in {2, 3}, "2 a.m. does not exist in the night in which daylight time begins"


def test_plans_by_word() -> None:
    """Each text of the layers is a plan; what is none is refused with its place."""
    texts = {
        "immediate": Immediate(), "after 2": After(seconds=2), "polls 3": Polls(count=3), "hold 1": Hold(at=1),
        "fail 2": Fail(step=2),
        "partial 1": Partial(reject=1), "superseded": Superseded(),
    }  # fmt: skip
    assert {text: plan_of(text) for text in texts} == texts
    for text in FACTS.mapping("nrdr.magic.words").values():
        assert plan_of(text)
    for wrong in ("never", "after", "after x", "hold 9", "immediate 1", "after 1 2", ""):
        with pytest.raises(SetupError):
            plan_of(wrong)


@pytest.mark.parametrize("name", ["a/b", "a\\b", "a\0b", "..", "a:b", "a\nb", 'a"b', "a|b"])
def test_names_that_are_paths(name: str) -> None:
    """No name with a path, a control character or a sign that a system gives a meaning."""
    assert not plain(name)
    assert plain(Path("lcsr_exam_x.txt").name)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("portal.plans", {"x": "end nonsense"}),
        ("portal.plans", {"x": "never"}),
        ("nrdr.magic.words", {"x": "hold 9"}),
        ("portal.name.pattern", {"*": "("}),
        ("portal.name.form_pattern", "("),
        ("portal.format.groups", {"follow_up": "many"}),
        ("portal.channel", {"lcsr": "nowhere"}),
    ],
)
def test_a_layer_that_cannot_be_is_refused_at_the_start(key: str, value: Any, tmp_path: Path) -> None:
    """An overlay with a plan, pattern, number or channel that cannot be is refused when the server starts, not later."""
    layer = {"schema": "acrmock/layer/1", "kind": "settings"}
    entry = {"value": value, "provenance": "mock-choice", "sources": ["MOCK"]}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump({**layer, "settings": {key: entry}}), "utf-8")
    check(FACTS)
    with pytest.raises(SetupError) as caught:
        check(load_facts((path,)))
    assert caught.value.what
