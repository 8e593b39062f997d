"""The real dose reports beside the project: eleven are recognised, one is not, and doses are what pydicom shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pydicom
from dose_files import real_files

from acrmock.dose.part10 import split
from acrmock.dose.report import DoseReport, missing, read_report
from acrmock.facts import load_facts

DICTIONARY = load_facts().dose
FIELDS = {"113830": "ctdivol", "113838": "dlp", "122130": "dap", "113738": "dose_rp"}
TOTALS = {"113722": "dap", "113725": "dose_rp", "113730": "fluoro_time"}
MODALITIES = {"CT-": "CT", "DX-": "DX", "RF-": "RF", "phi": "RF", "sie": "RF"}


def read(path: Path) -> DoseReport:
    """The report in a file."""
    part = split(path.read_bytes())
    return read_report(part.data_set, part.transfer_syntax, DICTIONARY)


def content(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """Every content item of a data set, as pydicom has it."""
    for item in dataset.get("ContentSequence", ()):
        yield item
        yield from content(item)


def shown(path: Path) -> Iterator[tuple[str, str]]:
    """Every NUM of a file as pydicom shows it: (code of its concept, number as written)."""
    for item in content(pydicom.dcmread(path)):
        if item.get("ValueType") == "NUM" and item.MeasuredValueSequence:
            yield item.ConceptNameCodeSequence[0].CodeValue, str(item.MeasuredValueSequence[0].NumericValue)


def test_eleven_are_dose_reports() -> None:
    """All are read; one is no dose report, and the modalities are told."""
    reports = {path.name: read(path) for path in real_files()}
    assert [name for name, report in reports.items() if not report.dose] == ["ESR_non-dose.dcm"]
    assert len(reports) == 12
    for name, report in reports.items():
        assert report.modality == (MODALITIES[name[:3]] if report.dose else ""), name
        assert report.collected is report.dose
        assert report.header.sop_instance


def test_doses_are_what_pydicom_shows() -> None:
    """Each dose of each event and total is there as often and with the same number as in an independent walk."""
    compared = 0
    for path in real_files():
        report, theirs = read(path), Counter(shown(path))
        ours: Counter[tuple[str, str]] = Counter()
        for fields, things in ((FIELDS, report.events), (TOTALS, report.totals.planes)):
            for code, name in fields.items():
                stated = [value for thing in things if (value := getattr(thing, name, None)) is not None]
                ours.update((code, value.raw_value) for value in stated)
                assert [value.value for value in stated] == [float(value.raw_value) for value in stated], path.name
        if report.totals.dlp is not None:
            ours["113813", report.totals.dlp.raw_value] += 1
        expected = Counter({key: n for key, n in theirs.items() if key[0] in {*FIELDS, *TOTALS, "113813"}})
        numbers = {key: (key[0], float(key[1])) for key in [*ours, *expected]}
        assert Counter(numbers[key] for key in ours.elements()) == Counter(numbers[key] for key in expected.elements()), path.name
        compared += sum(ours.values())
    assert compared > 250


def test_the_total_is_the_sum_of_the_events() -> None:
    """The DLP total of each real CT report is the sum of its events' DLP."""
    reports = [report for path in real_files() if (report := read(path)).modality == "CT"]
    assert len(reports) == 5
    for report in reports:
        total = sum(event.dlp.value or 0 for event in report.ct_events if event.dlp)
        assert report.totals.dlp is not None
        assert abs(total - (report.totals.dlp.value or 0)) < 0.05


def test_the_second_of_a_pair_is_a_superset() -> None:
    """The second report of a cumulative study has the first one's events and more."""
    first, second = (read(path) for path in real_files() if "Multi" in path.name)
    assert set(first.event_uids) < set(second.event_uids)
    assert first.header.study_uid == second.header.study_uid
    assert first.header.sop_instance != second.header.sop_instance


def test_what_real_reports_lack() -> None:
    """What cannot be processed says why; what can says nothing."""
    lacking = {path.stem: [problem.element for problem in missing(read(path), DICTIONARY)] for path in real_files()}
    assert {name: what for name, what in lacking.items() if what} == {
        "CT-RDSR-Siemens-Multi-1": ["ct.ctdivol, ct.dlp, ct.phantom, ct.uid"],
        "siemens_axiom_example_procedure": ["header.station_name"],
    }


def test_text_that_is_not_ascii() -> None:
    """A protocol with letters beyond ASCII is read as pydicom reads it."""
    (path,) = (path for path in real_files() if "Flash" in path.name)
    items = content(pydicom.dcmread(path))
    theirs = [item.TextValue for item in items if item.ConceptNameCodeSequence[0].CodeValue == "125203"]
    assert [event.protocol for event in read(path).events] == theirs
    assert not theirs[0].isascii()
