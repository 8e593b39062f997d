"""What the events of an Enhanced X-Ray Radiation Dose Report are given of its details (PS3.16 TID 10043, 10053, 10054)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from dose_files import EXPLICIT, container, document, encoded, item, observer
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from acrmock.dose.details import LOOKED_AT, Period, moment
from acrmock.dose.dictionary import Quantity
from acrmock.dose.report import CtEvent, DoseReport, ProjectionEvent, read_report
from acrmock.facts import load_facts

DICTIONARY = load_facts().dose
CT, PROJECTION = "77477000,SCT", "113704,DCM"


def times(start: str, end: str) -> list[Dataset]:
    """From when to when, of one day; an empty one is left out."""
    stated = (("111526,DCM", start), ("111527,DCM", end))
    return [item("DATETIME", concept, f"20260102{text}") for concept, text in stated if text]


def summary(start: str = "101112", end: str = "101212", source: str = "A", *extra: Dataset, uid: str = "2.25.20") -> Dataset:
    """The summary of an event."""
    named = [item("TEXT", "113832,DCM", source)] if source else []
    return container("130501,DCM", item("UIDREF", "113769,DCM", uid), *times(start, end), *named, *extra)


def procedure(protocol: str, start: str = "101000", end: str = "102000", source: Any = "A", *extra: Dataset) -> Dataset:
    """Procedure Characteristics; `source` is a text, or a number as TID 10054 has it."""
    named = item("NUM", "113832,DCM", (source, "1")) if isinstance(source, int) else item("TEXT", "113832,DCM", source)
    return container(
        "130530,DCM", *times(start, end), *([named] if source != "" else []), item("TEXT", "125203,DCM", protocol), *extra
    )


def patient(*stated: Dataset, start: str = "101000", end: str = "102000", source: str = "A") -> Dataset:
    """Patient Attenuation Characteristics."""
    return container("130529,DCM", *times(start, end), item("TEXT", "113832,DCM", source), *stated)


def read(*parts: Dataset, kind: str = PROJECTION, details: bool = True) -> DoseReport:
    """The report of these summaries and details."""
    codes = [part.ConceptNameCodeSequence[0].CodeValue for part in parts]
    summaries = [part for part, code in zip(parts, codes, strict=True) if code == "130501"]
    others = [part for part, code in zip(parts, codes, strict=True) if code != "130501"]
    head = [item("CODE", "121058,DCM", kind), *observer(), *summaries]
    made = document(*head, *([container("130505,DCM", *others)] if details else others), template="10040")
    return read_report(encoded(made), EXPLICIT, DICTIONARY)


def protocols(*parts: Dataset) -> list[str]:
    """The protocols of the events."""
    return [event.protocol for event in read(*parts).events]


def told(report: DoseReport) -> str:
    """What is said to be odd."""
    return "\n".join(f"{one.element}: {one.reason}" for one in report.warnings)


def value(found: Quantity | None) -> float | None:
    """The number."""
    return None if found is None else found.value


def test_a_projection_event_is_given_what_the_details_say() -> None:
    """Protocol, region with its side, orientation, table, grid, distance and thickness, in the registry's units."""
    side = item("CODE", "272741003,SCT", "7771000,SCT", relationship="HAS CONCEPT MOD")
    stated = [
        item("CODE", "113745,DCM", "102540008,SCT"),
        item("CODE", "113743,DCM", "102538003,SCT", item("CODE", "113744,DCM", "40199007,SCT")),
        item("CODE", "123014,DCM", "51185008,SCT", side),
        item("CODE", "111635,DCM", "111641,DCM"),
        item("NUM", "113750,DCM", ("1.2", "m")),
    ]
    report = read(
        summary(), procedure("Thorax", "101000", "102000", "A", *stated), patient(item("NUM", "111638,DCM", ("21", "cm")))
    )
    (event,) = report.events
    assert isinstance(event, ProjectionEvent)
    assert (event.protocol, event.target_region.value, event.laterality.value) == ("Thorax", "51185008", "7771000")
    assert (event.orientation.value, event.table_relation.value, event.grid.value) == ("102538003", "102540008", "111641")
    assert (value(event.source_detector), value(event.thickness)) == (1200, 210)
    assert "converted from cm" in told(report)
    assert "not read" not in told(report)


def test_a_ct_event_is_given_what_the_details_say() -> None:
    """Of a CT: protocol, region and the patient's lateral dimension; what the registry does not ask for is not taken."""
    stated = (item("NUM", "113931,DCM", ("305", "mm")), item("NUM", "111638,DCM", ("21", "cm")))
    (event,) = read(
        summary(),
        procedure("Chest", "101000", "102000", "A", item("CODE", "123014,DCM", "51185008,SCT")),
        patient(*stated),
        kind=CT,
    ).events
    assert isinstance(event, CtEvent)
    assert (event.protocol, event.target_region.value, value(event.lateral)) == ("Chest", "51185008", 305)


def test_what_the_event_states_itself_stands() -> None:
    """A summary's own word goes before that of the details."""
    assert protocols(summary("101112", "101212", "A", item("TEXT", "125203,DCM", "Own")), procedure("Other")) == ["Own"]


def test_each_event_has_what_held_at_its_time() -> None:
    """Periods that end where the next begins give each event its own; before and after all there is none."""
    first, second = procedure("One", "101000", "102000"), procedure("Two", "102000", "103000")
    times_ = (("100000", "100500"), ("101500", "102000"), ("102000", "102100"), ("103000", "103100"), ("102959", "104000"))
    events = [summary(start, end, uid=f"2.25.{number}") for number, (start, end) in enumerate(times_)]
    assert protocols(*events, second, first) == ["", "One", "Two", "", "Two"]


def test_a_change_within_an_event_is_told() -> None:
    """An event during which a value changes has the one that held at its beginning, and it is said."""
    report = read(summary("101500", "102500"), procedure("One", "101000", "102000"), procedure("Two", "102000", "103000"))
    assert [event.protocol for event in report.events] == ["One"]
    assert "changes within an event" in told(report)


def test_each_source_has_its_own() -> None:
    """Two sources at one time do not mix; a number for a source is its text; "A and B" has what all have."""
    parts = (procedure("Left", source=1), procedure("Right", source="2"))
    events = (summary(source="1", uid="2.25.1"), summary(source="2", uid="2.25.2"))
    assert protocols(*events, *parts) == ["Left", "Right"]
    assert protocols(summary(source="1 and 2"), procedure("Both", source=1)) == ["Both"]
    assert protocols(summary(source=""), procedure("Both", source="A")) == ["Both"]
    assert protocols(summary(source="A"), procedure("Of any", source="")) == ["Of any"]


def test_details_without_times_hold_always() -> None:
    """A part, or an event, that does not say when, or not in a DT, is taken to overlap."""
    assert protocols(summary("", ""), procedure("One")) == ["One"]
    assert protocols(summary(), procedure("One", "", "")) == ["One"]
    assert protocols(summary("101112", ""), procedure("One", "101000", "102000")) == ["One"]
    assert protocols(summary(), procedure("One", "noon", "later")) == ["One"]


def test_what_is_not_read_of_the_details_is_said() -> None:
    """The parts by name, unknown ones as others, never in the report's own words; a table of values over time."""
    parts = (
        container("130511,DCM", item("NUM", "113733,DCM", ("80", "kV"))),
        container("1,99MINE"),
        patient(item("TABLE", "111638,DCM")),
    )
    report = read(summary(), *parts)
    (event,) = report.projection_events
    assert (event.kvp, event.thickness) == (None, None)
    assert "not read: Radiation Technique, others;" in told(report)
    assert "not read: a table of values over time" in told(report)


def test_parts_outside_the_details_are_none() -> None:
    """Procedure Characteristics that stand beside the details, not in them, are not taken."""
    assert [event.protocol for event in read(summary(), procedure("One"), details=False).events] == [""]


def test_many_changes_are_read_in_bounded_work() -> None:
    """A report of four hundred events and as many changes is read; each event has its own."""
    stamps = [f"{10 + number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}" for number in range(401)]
    spans = list(pairwise(stamps))
    events = [summary(start, end, uid=f"2.25.{number + 1}") for number, (start, end) in enumerate(spans)]
    parts = [procedure(f"P{number}", start, end) for number, (start, end) in enumerate(spans)]
    report = read(*events, *reversed(parts))
    assert [event.protocol for event in report.events] == [f"P{number}" for number in range(400)]
    assert LOOKED_AT < 100


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260102101112", "2026-01-02 10:11:12"),
        ("20260102101112.5", "2026-01-02 10:11:12.500000"),
        ("20260102121112+0200", "2026-01-02 10:11:12"),
        ("20260102081112-0200", "2026-01-02 10:11:12"),
        ("2026", "2026-01-01 00:00:00"),
        ("20261301", "None"),
        ("00010101000000+1400", "None"),
        ("2026-01-02", "None"),
        ("", "None"),
    ],
)
def test_a_dt_is_a_moment(text: str, expected: str) -> None:
    """A DT of any precision is a moment, with its offset in UTC; anything else is none (PS3.5 section 6.2)."""
    assert str(moment(text)) == expected


@given(st.lists(st.integers(0, 40), min_size=4, max_size=4))
def test_overlapping_is_what_it_says(minutes: list[int]) -> None:
    """Two periods overlap when they have a minute in common, or the event begins in the other."""
    first, last, start, end = *sorted(minutes[:2]), *sorted(minutes[2:])
    at = [moment(f"2026010210{minute:02d}") for minute in range(41)]
    common = set(range(first, last)) & set(range(start, end))
    begins = first <= start < last or first == start
    within = start < first < end
    assert Period(at[first], at[last]).holds(Period(at[start], at[end])) == bool(common or begins or within)
