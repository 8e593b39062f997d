"""The mandatory rows of the templates: each is missed where it is not there, and none where it need not be."""

from __future__ import annotations

import copy

import pytest
from dose_files import (
    EXPLICIT,
    container,
    ct_dose,
    ct_event,
    ct_head,
    ct_report,
    document,
    encoded,
    item,
    observer,
    projection_event,
    projection_report,
)
from pydicom import Dataset

from acrmock.dose.report import CtEvent, DoseReport, ProjectionEvent, missing, read_report, template_problems
from acrmock.facts import load_facts

DICTIONARY = load_facts().dose
YES, NO = "373066001,SCT", "373067005,SCT"
ENHANCED = "1.2.840.10008.5.1.4.1.1.88.76"
METHOD = item("CODE", "370129005,SCT", "113800,DCM")


def read(dataset: Dataset) -> DoseReport:
    """The report that a data set is."""
    return read_report(encoded(dataset, EXPLICIT), EXPLICIT, DICTIONARY)


def checks(kind: str, *answers: str) -> Dataset:
    """The details of a dose check; `answers` say whether a limit of DLP and of CTDIvol was configured."""
    first = 113901 if kind == "alert" else 113909
    parts = [item("CODE", f"{first + n},DCM", answer) for n, answer in enumerate(answers)]
    values = [item("NUM", f"{first + 2},DCM", ("900", "mGy.cm")), item("NUM", f"{first + 3},DCM", ("90", "mGy"))]
    return container("113900,DCM" if kind == "alert" else "113908,DCM", *parts, *values)


def whole_ct() -> Dataset:
    """A CT report with everything that brings rows with it."""
    dose = ct_dose()
    dose.ContentSequence.append(item("NUM", "113839,DCM", ("2", "mSv"), METHOD))
    dose.ContentSequence.append(item("NUM", "113930,DCM", ("6", "mGy"), METHOD))
    label = item("TEXT", "113605,DCM", "1", item("CODE", "113606,DCM", "113607,DCM"))
    return ct_report(ct_event(label, checks("alert", YES, YES), checks("notification", YES, YES), dose=dose))


def calibration() -> Dataset:
    """A calibration."""
    return container(
        "122505,DCM",
        item("CODE", "113794,DCM", "113777,DCM"),
        item("DATETIME", "113723,DCM", "20260101"),
        item("NUM", "122322,DCM", ("1", "1")),
        item("NUM", "113763,DCM", ("5", "%")),
        item("TEXT", "113724,DCM", "Synthetic Calibration"),
    )


def whole_projection(device: str, procedure: str = "113704,DCM") -> Dataset:
    """A report of projection X-ray with everything that brings rows with it."""
    pulsed = [item("CODE", "113732,DCM", "113631,DCM"), item("NUM", "113791,DCM", ("15", "{pulse}/s"))]
    pulsed += [item("NUM", "113768,DCM", ("90", "1")), item("NUM", "111631,DCM", ("1.2", "mGy"))]
    turned = item("CODE", "113743,DCM", "102538003,SCT", item("CODE", "113744,DCM", "40199007,SCT"))
    made = projection_report(projection_event(*pulsed, turned), device=device, procedure=procedure)
    plane = next(one for one in made.ContentSequence if one.ConceptNameCodeSequence[0].CodeValue == "113702")
    plane.ContentSequence += [calibration(), item("CODE", "113947,DCM", "113949,DCM"), item("NUM", "113731,DCM", ("3", "1"))]
    plane.ContentSequence.append(item("NUM", "111637,DCM", ("1.2", "mGy"), item("CODE", "272741003,SCT", "7771000,SCT")))
    return made


def whole_details() -> Dataset:
    """The details of an enhanced report, with every mandatory row of TID 10043, 10048 and 10050 to 10055."""
    during = (item("DATETIME", "111526,DCM", "20260102101100"), item("DATETIME", "111527,DCM", "20260102101300"))
    source = item("TEXT", "113832,DCM", "A")
    turned = item("CODE", "113743,DCM", "102538003,SCT", item("CODE", "113744,DCM", "40199007,SCT"))
    thing = (item("TEXT", "130527,DCM", "F1"), item("CODE", "128458,DCM", "113771,DCM"), item("CODE", "113772,DCM", "113650,DCM"))
    return container(
        "130505,DCM",
        *during,
        item("UIDREF", "112227,DCM", "2.25.40"),
        item("CODE", "130506,DCM", "130539,DCM"),
        container("130508,DCM", *during, source),
        container("130512,DCM", *during, source, container("130531,DCM", *thing)),
        container("130514,DCM", *during, source, item("NUM", "130515,DCM", ("50", "mGy"))),
        container("130519,DCM", *during, source, item("TABLE", "130520,DCM")),
        container("130524,DCM", *during, source, item("SCOORD3D", "130525,DCM")),
        container("130528,DCM", *during),
        container("130529,DCM", *during, source, item("NUM", "111638,DCM", ("21", "cm"))),
        container("130530,DCM", *during, item("NUM", "113832,DCM", ("1", "1")), turned),
    )


def enhanced(procedure: str, *, totals: tuple[Dataset, ...], event: tuple[Dataset, ...], **attributes: str) -> Dataset:
    """An Enhanced X-Ray Radiation Dose Report of one source and one event."""
    intent = item("CODE", "363703001,SCT", "261004008,SCT")
    source = item("TEXT", "113832,DCM", "A")
    summary = container(
        "130501,DCM",
        item("UIDREF", "113769,DCM", "2.25.20"),
        item("DATETIME", "111526,DCM", "20260102101112"),
        item("DATETIME", "111527,DCM", "20260102101212"),
        source,
        item("CODE", "113721,DCM", "113613,DCM"),
        *event,
    )
    head = [item("CODE", "121058,DCM", procedure, intent), *observer()]
    details = whole_details()
    parts = (*head, container("130500,DCM", source, *totals), summary, details)
    return document(*parts, template="10040", SOPClassUID=ENHANCED, **attributes)


def enhanced_ct() -> Dataset:
    """One of a CT."""
    dose = (
        item("NUM", "113830,DCM", ("5.25", "mGy")),
        item("CODE", "113835,DCM", "113691,DCM"),
        item("NUM", "113838,DCM", ("157.5", "mGy.cm")),
    )
    return enhanced("77477000,SCT", totals=(item("NUM", "113813,DCM", ("157.5", "mGy.cm")),), event=dose)


def enhanced_fluoroscopy() -> Dataset:
    """One of a projection X-ray system."""
    totals = (
        item("NUM", "113722,DCM", ("0.0012", "Gy.m2")),
        item("NUM", "113725,DCM", ("0.05", "Gy")),
        item("NUM", "113730,DCM", ("62", "s")),
    )
    return enhanced("113704,DCM", totals=totals, event=(item("NUM", "113738,DCM", ("0.05", "Gy")),))


WHOLE = (
    whole_ct(),
    whole_projection("113957,DCM"),
    whole_projection("113958,DCM"),
    whole_projection("113959,DCM"),
    whole_projection("113958,DCM", "71651007,SCT"),
    enhanced_ct(),
    enhanced_fluoroscopy(),
)
KINDS = [(report.modality, report.enhanced) for report in map(read, WHOLE)]


def without(dataset: Dataset, parent: str, concept: str, here: str = "root") -> int:
    """Drop the items of that concept directly below each such parent; how many there were."""
    found = 0
    kept = []
    for child in dataset.get("ContentSequence", ()):
        name = child.ConceptNameCodeSequence[0]
        key = DICTIONARY.by_code.get((name.CodeValue, name.CodingSchemeDesignator), "")
        if here == parent and key == concept:
            found += 1
            continue
        found += without(child, parent, concept, key)
        kept.append(child)
    if "ContentSequence" in dataset:
        dataset.ContentSequence = kept
    return found


@pytest.mark.parametrize("number", range(len(WHOLE)))
def test_a_whole_report_misses_no_row(number: int) -> None:
    """A report that has every mandatory row of its template is told to miss none."""
    assert [one.reason for one in template_problems(read(WHOLE[number]), DICTIONARY)] == []


@pytest.mark.parametrize("key", DICTIONARY.rows)
def test_each_row_is_missed(key: str) -> None:
    """Each mandatory row, dropped from a report that has it, is told with its template; so no row is there for nothing."""
    row = DICTIONARY.rows[key]
    told = []
    for whole, (modality, is_enhanced) in zip(WHOLE, KINDS, strict=True):
        broken = copy.deepcopy(whole) if modality in row.modalities and is_enhanced == row.enhanced else None
        if broken is not None and without(broken, row.parent, row.concept) and not told:
            told += [one.reason for one in template_problems(read(broken), DICTIONARY)]
    assert f"TID {row.template} asks for {DICTIONARY.concepts[row.concept].meaning} here" in told


def test_a_limit_that_was_not_configured_has_no_value() -> None:
    """The values of a dose check are asked for only where its limit was configured (TID 10015)."""
    check = checks("alert", NO, NO)
    check.ContentSequence = check.ContentSequence[:2]
    assert template_problems(read(ct_report(ct_event(check))), DICTIONARY) == ()


def test_the_dose_of_an_enhanced_ct_report() -> None:
    """Of an enhanced report of a CT total, CTDIvol, DLP, phantom, UID and times are read; nothing lacks."""
    report = read(enhanced_ct())
    (event,) = report.events
    assert (report.dose, report.collected, report.enhanced, report.modality) == (True, True, True, "CT")
    assert isinstance(event, CtEvent)
    assert (event.uid, event.started, event.phantom.key) == ("2.25.20", "20260102101112", "body_phantom")
    assert [one.value for one in (event.ctdivol, event.dlp, report.totals.dlp) if one is not None] == [5.25, 157.5, 157.5]
    assert report.device.name == "CT1"
    assert missing(report, DICTIONARY) == ()
    assert "not read: Attenuator Position, Beam Position, Filtration, Radiation Output, Radiation Source Char" in "".join(
        one.reason for one in report.warnings
    )


def test_the_dose_of_an_enhanced_projection_report() -> None:
    """Of one of a projection X-ray system: KAP, Ka,r and time in total, the dose of each event."""
    report = read(enhanced_fluoroscopy())
    (event,), (plane,) = report.events, report.totals.planes
    assert (report.modality, report.collected) == ("DX", True)
    assert isinstance(event, ProjectionEvent)
    stated = (plane.dap, plane.dose_rp, plane.fluoro_time, event.dose_rp)
    assert [one.value for one in stated if one is not None] == [0.0012, 0.05, 62, 0.05]


def test_an_element_of_matter_is_no_report() -> None:
    """(113710,DCM) is niobium: nothing with that for a title is a dose report."""
    assert not read(document(*ct_head(), ct_event(), root="113710,DCM")).dose
