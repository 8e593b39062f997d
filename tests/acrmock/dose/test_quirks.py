"""Each way in which real reports differ from the standard is read, told where it matters, and never fails."""

from __future__ import annotations

from typing import Any

import pytest
from dose_files import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    code,
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


def read(dataset: Dataset, syntax: str = EXPLICIT) -> DoseReport:
    """The report that a data set is."""
    return read_report(encoded(dataset, syntax), syntax, DICTIONARY)


def ct(report: DoseReport, index: int = 0) -> CtEvent:
    """A CT event of a report."""
    return report.ct_events[index]


def projection(report: DoseReport) -> ProjectionEvent:
    """The first projection event of a report."""
    return report.projection_events[0]


def reasons(report: DoseReport) -> str:
    """All warnings in one text."""
    return "\n".join(f"{warning.element}: {warning.reason}" for warning in report.warnings)


def value(quantity: Any) -> Any:
    """A quantity's value and unit."""
    return quantity if quantity is None else (quantity.value, quantity.unit)


def test_a_report_without_quirks() -> None:
    """A whole CT report: nothing is missing, nothing is odd, and every figure is there."""
    report = read(ct_report())
    assert (report.dose, report.collected, report.modality, report.template) == (True, True, "CT", "10011")
    assert missing(report, DICTIONARY) == template_problems(report, DICTIONARY) == report.warnings == ()
    event = ct(report)
    assert (event.kind, event.uid, event.protocol, event.target_region.key) == ("spiral", "2.25.20", "Chest", "chest")
    assert (value(event.ctdivol), value(event.dlp), event.phantom.key) == ((5.25, "mGy"), (157.5, "mGy.cm"), "body_phantom")
    assert (value(event.pitch), value(event.scanning_length)) == ((0.9, "{ratio}"), (300.0, "mm"))
    assert [(source.name, value(source.kvp)) for source in event.sources] == [("A", (120.0, "kV"))]
    assert (value(report.totals.dlp), report.start, report.intent.key) == ((157.5, "mGy.cm"), "20260102101500", "diagnostic")
    assert (report.scope.key, report.scope_uid, report.device.name) == ("scope_study", "2.25.8", "CT1")
    assert event.path == "0040A730[9]"


def test_a_projection_report_without_quirks() -> None:
    """A whole fluoroscopy report: totals by plane, event type and modality."""
    report = read(projection_report())
    assert missing(report, DICTIONARY) == template_problems(report, DICTIONARY) == report.warnings == ()
    assert (report.modality, report.collected, projection(report).kind) == ("RF", True, "fluoroscopy")
    (plane,) = report.totals.planes
    assert (value(plane.dap), value(plane.dose_rp), value(plane.fluoro_time)) == ((0.0012, "Gy.m2"), (0.05, "Gy"), (62.0, "s"))


@pytest.mark.parametrize(
    "sop_class", ["1.2.840.10008.5.1.4.1.1.88.22", "1.2.840.10008.5.1.4.1.1.88.33", "1.2.840.10008.5.1.4.1.1.7"]
)
def test_q1_q33_the_root_makes_a_dose_report(sop_class: str) -> None:
    """A dose report in another SR class, or attached to a secondary capture, is one."""
    assert read(ct_report(SOPClassUID=sop_class)).dose


def test_q2_another_document_is_none() -> None:
    """A structured report with another root, or an object without content, is no dose report and lacks nothing."""
    for other in (document(*ct_head(), root="18748-4,LN"), Dataset()):
        other.SOPInstanceUID = "2.25.1"
        report = read(other)
        assert (report.dose, report.modality, report.events) == (False, "", ())
        assert missing(report, DICTIONARY) == template_problems(report, DICTIONARY) == ()


def test_q3_siemens_summary() -> None:
    """The flat summary of a mobile system: frames, fluoroscopy time and a dose area product in Gy.cm^2."""
    items = [("C-200", "3", "1"), ("C-202", "75", "s"), ("C-204", "2.5", "Gy.cm^2")]
    flat = [item("NUM", f"{concept},99SMS_RADSUM", (number, unit)) for concept, number, unit in items]
    report = read(document(*flat, root="C-10,99SMS_RADSUM", template="", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.22"))
    (plane,) = report.totals.planes
    assert (report.modality, value(plane.dap), value(plane.fluoro_time), value(plane.frames)) == (
        "RF",
        (0.00025, "Gy.m2"),
        (75.0, "s"),
        (3.0, "1"),
    )


def test_q4_intent_and_source_missing() -> None:
    """They are mandatory rows and warnings, not obstacles; an intent at the root counts."""
    bare = read(document(*ct_head(intent=False, source=False), ct_event()))
    assert missing(bare, DICTIONARY) == ()
    assert "the intent is not said" in reasons(bare)
    assert {problem.element for problem in template_problems(bare, DICTIONARY)} == {
        "(363703001,SCT) Has Intent",
        "(113854,DCM) Source of Dose Information",
    }
    at_root = read(document(*ct_head(intent=False), item("CODE", "G-C0E8,SRT", "R-408C3,SRT"), ct_event()))
    assert at_root.intent.key == "diagnostic"


@pytest.mark.parametrize("region", [None, []])
def test_q5_target_region_absent_or_empty(region: Any) -> None:
    """A region that is not there, or has no value, is a warning and a missing row."""
    report = read(ct_report(ct_event(region=region)))
    assert ct(report).target_region.empty
    assert "the region scanned is not said" in reasons(report)
    (problem,) = template_problems(report, DICTIONARY)
    assert (problem.element, problem.actual) == ("(123014,DCM) Target Region", "absent" if region is None else "without value")
    assert missing(report, DICTIONARY) == ()


def test_q6_private_region() -> None:
    """A private code stands as written, without a key; one with nothing but a meaning too."""
    report = read(ct_report(ct_event(region="00001,99GEMS"), ct_event(region=[code(",", "Other")])))
    assert (ct(report).target_region.scheme, ct(report).target_region.key) == ("99GEMS", "")
    assert (ct(report, 1).target_region.meaning, ct(report, 1).target_region.empty) == ("Other", False)


def test_q7_no_protocol() -> None:
    """A protocol that is not said is a warning."""
    assert "the protocol is not said" in reasons(read(ct_report(ct_event(protocol=None))))


@pytest.mark.parametrize(
    ("concept", "written", "unit", "name", "expected"),
    [
        ("122130,DCM", "12.3", "dGy.cm2", "dap", 0.000123),
        ("122130,DCM", "0.5", "Gym2", "dap", 0.5),
        ("122130,DCM", "2", "uGym2", "dap", 0.000002),
        ("113738,DCM", "7", "mGy", "dose_rp", 0.007),
        ("113736,DCM", "1488", "uAs", "exposure", 1488.0),
        ("113736,DCM", "1.5", "mA.s", "exposure", 1500.0),
        ("113791,DCM", "7.5", "pulse/s", "pulse_rate", 7.5),
        ("113824,DCM", "0.018", "s", "exposure_time", 18.0),
        ("122130,DCM", "1", "furlong", "dap", None),
        ("122130,DCM", "1", "s", "dap", None),
        ("122130,DCM", "1", "", "dap", None),
    ],
)
def test_q8_units(concept: str, written: str, unit: str, name: str, expected: float | None) -> None:
    """Known spellings and scales are converted and told; a unit that is unknown or of another kind leaves no value."""
    report = read(projection_report(projection_event(item("NUM", concept, (written, unit)))))
    found = getattr(projection(report), name)
    assert (found.value, found.raw_unit, float(found.raw_value)) == (expected, unit, float(written))
    assert report.warnings


def test_q8_dose_length() -> None:
    """`mGycm` is mGy.cm."""
    report = read(ct_report(ct_event(dose=ct_dose(dlp=("157.5", "mGycm")))))
    assert value(ct(report).dlp) == (157.5, "mGy.cm")
    assert "mGycm is not how UCUM spells mGy.cm" in reasons(report)


def test_q9_localizers() -> None:
    """A localizer may have a dose or none; alone it is no exam."""
    none = ct_event(kind="113805,DCM", dose=container("113829,DCM"))
    del none.ContentSequence[-1]
    both = read(ct_report(ct_event(kind="113805,DCM"), none, ct_event(uid="2.25.21")))
    assert [event.ctdivol is not None for event in both.ct_events] == [True, False, True]
    assert missing(both, DICTIONARY) == template_problems(both, DICTIONARY) == ()
    (problem,) = missing(read(ct_report(ct_event(kind="113805,DCM"))), DICTIONARY)
    assert problem.element == "ct.ctdivol, ct.dlp, ct.phantom, ct.uid"


def test_q10_q11_q12_q13_events_stand_as_they_are() -> None:
    """Bolus tracking, equal rows and further events are all kept, in order."""
    events = [
        ct_event(uid=f"2.25.{n}", protocol=name) for n, name in enumerate(["PreMonitoring", "Monitoring", "Chest", "Chest"], 40)
    ]
    report = read(ct_report(*events))
    assert [event.protocol for event in report.events] == ["PreMonitoring", "Monitoring", "Chest", "Chest"]
    assert report.event_uids == ("2.25.40", "2.25.41", "2.25.42", "2.25.43")


@pytest.mark.parametrize(
    ("procedure", "device", "kind", "modality", "collected"),
    [
        ("113704,DCM", "113957,DCM", "113611,DCM", "RF", True),
        ("113704,DCM", "113958,DCM", "44491008,SCT", "DX", True),
        ("113704,DCM", "113959,DCM", "113611,DCM", "DX", True),
        ("113704,DCM", None, "P5-06000,SRT", "RF", True),
        ("113704,DCM", None, "113611,DCM", "DX", True),
        ("71651007,SCT", None, "113611,DCM", "MG", False),
        ("P5-40010,SRT", None, "113611,DCM", "MG", False),
        ("1,99X", None, "44491008,SCT", "RF", True),
    ],
)
def test_q14_modality(procedure: str, device: str | None, kind: str, modality: str, collected: bool) -> None:  # noqa: FBT001
    """The procedure, then the device's type, then the events say which modality it was; mammography is not collected."""
    report = read(projection_report(projection_event(kind=kind), device=device, procedure=procedure))
    assert (report.modality, report.collected) == (modality, collected)


@pytest.mark.parametrize(("root", "modality"), [("113500,DCM", "NM"), ("128401,DCM", "")])
def test_other_dose_reports_are_not_collected(root: str, modality: str) -> None:
    """Radiopharmaceutical and patient dose reports are dose reports that the registry does not collect."""
    report = read(document(*observer(), root=root))
    assert (report.dose, report.collected, report.modality) == (True, False, modality)
    assert [problem.element for problem in missing(report, DICTIONARY)] == []


def test_q15_no_station() -> None:
    """Without a Station Name a report cannot be routed; a name of spaces is none."""
    for name in (None, "", "  "):
        (problem,) = missing(read(ct_report(StationName=name)), DICTIONARY)
        assert (problem.element, problem.pointer) == ("header.station_name", "00081010")


def test_q16_q17_empty_header() -> None:
    """Descriptions and the device block may be absent or empty."""
    report = read(ct_report(StudyDescription="", Manufacturer=""))
    assert (report.header.study_description, report.header.manufacturer, report.header.model) == ("", "", "")
    assert missing(report, DICTIONARY) == ()


def test_q18_no_template() -> None:
    """Without a template identification it is read all the same."""
    report = read(document(*ct_head(), ct_event(), template=""))
    assert (report.template, report.modality, len(report.events)) == ("", "CT", 1)


@pytest.mark.parametrize("syntax", [IMPLICIT, BIG])
def test_q19_transfer_syntaxes(syntax: str) -> None:
    """The report is the same in every transfer syntax."""
    report, plain = read(ct_report(), syntax), read(ct_report())
    assert (report.events, report.totals, report.header) == (plain.events, plain.totals, plain.header)


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        (None, b"Brust", "Brust"),
        (None, "Übersicht".encode("latin-1"), "Übersicht"),
        ("ISO_IR 100", "testæøå".encode("latin-1"), "testæøå"),
        ("ISO_IR 192", "胸部".encode(), "胸部"),
        ("ISO_IR 144", "Грудь".encode("iso8859-5"), "Грудь"),
        ("\\ISO 2022 IR 87", b"Neck \x1b$B6;It\x1b(B 2", "Neck 胸部 2"),
        ("GB18030", "胸部".encode("gb18030"), "胸部"),
        ("ISO_IR 999", "胸部".encode(), "胸部"),
        ("ISO_IR 192", b"\xff\xfeodd", "\ufffd\ufffdodd"),
    ],
)
def test_q20_character_sets(charset: str | None, raw: bytes, text: str) -> None:
    """Protocols in any character set, or in none that is said, are read; what cannot be decoded is replaced."""
    data = encoded(ct_report(ct_event(protocol="@" * (len(raw) + len(raw) % 2)), SpecificCharacterSet=charset))
    data = data.replace(b"@" * (len(raw) + len(raw) % 2), raw + b" " * (len(raw) % 2))
    assert read_report(data, EXPLICIT, DICTIONARY).events[0].protocol == text


def test_q21_q22_bad_header_values() -> None:
    """A birth date of 0, a short age, an empty sex stand as written; without age and birth date there is a warning."""
    data = encoded(ct_report(PatientAge="037Y", PatientBirthDate="20000101", PatientSex="O"))
    header = read_report(data.replace(b"20000101", b"0       ").replace(b"037Y", b"37Y "), EXPLICIT, DICTIONARY).header
    assert (header.birth_date, header.patient_age, header.patient_sex) == ("0", "37Y", "O")
    assert "neither age nor birth date is said" in reasons(read(ct_report(PatientAge=None)))


def test_q23_illegal_value_types() -> None:
    """A value type that no standard has is read as what it must be, and told."""
    event = ct_event(item("TEXT", "121106,DCM", "a comment"))
    event.ContentSequence[-1].ValueType = "HAS CONCEPT MOD"
    event.ContentSequence[0].ValueType = "text"
    person = item("PNAME", "121008,DCM", "Doe^J")
    person.ValueType = "PERSON NAME"
    report = read(document(*ct_head(), person, event))
    assert (ct(report).comment, ct(report).protocol) == ("a comment", "Chest")
    assert "the value type HAS CONCEPT MOD is read as TEXT" in reasons(report)
    assert [found.text for found in report.tree.children if found.type == "PNAME"] == ["Doe^J"]


def test_q24_no_relationship_and_several_values() -> None:
    """A missing relationship is not missed; of several numbers the mean stands, and is told."""
    event = projection_event(item("NUM", "113793,DCM", (["3", "4", "5"], "ms")), item("NUM", "113733,DCM", (["70", "80"], "kV")))
    for child in event.ContentSequence:
        del child.RelationshipType
    report = read(projection_report(event))
    width = projection(report).pulse_width
    assert width is not None
    assert (width.value, width.raw_value) == (4.0, "3\\4\\5")
    assert value(projection(report).kvp) == (75.0, "kV")
    assert "there are 3 values, their mean stands" in reasons(report)


def test_q25_a_number_without_value() -> None:
    """An empty measured value is no value, and is missing where the registry needs one."""
    totals = (item("NUM", "113722,DCM", None), item("NUM", "113725,DCM", None), item("NUM", "113730,DCM", ("5", "s")))
    report = read(projection_report(totals=totals))
    (plane,) = report.totals.planes
    assert plane.dap is not None
    assert (plane.dap.value, plane.dap.problem) == (None, "no value is given")
    (problem,) = missing(report, DICTIONARY)
    assert (problem.element, problem.pointer) == ("plane.dap, plane.dose_rp", plane.path)


@pytest.mark.parametrize("written", ["1,5", "abc", "1e999", "nan", "1_0", "-", "0x10"])
def test_a_number_that_is_none(written: str) -> None:
    """What is no number leaves no value and is told."""
    data = encoded(projection_report(projection_event(item("NUM", "122130,DCM", ("7.77777777", "Gy.m2")))))
    data = data.replace(b"7.77777777", written.encode().ljust(10))
    found = projection(read_report(data, EXPLICIT, DICTIONARY)).dap
    assert found is not None
    assert (found.value, found.raw_value, found.problem) == (None, written, "this is no number")


@pytest.mark.parametrize(("kind", "stated"), [("TEXT", "15cm below BeamIsocenter"), ("CODE", "113860,DCM")])
def test_q26_reference_point_as_text_or_code(kind: str, stated: str) -> None:
    """The reference point is said by a text or by a code."""
    totals = [
        item("NUM", "113722,DCM", ("1", "Gy.m2")),
        item("NUM", "113726,DCM", ("1", "Gy.m2")),
        item("NUM", "113725,DCM", ("1", "Gy")),
        item("NUM", "113730,DCM", ("1", "s")),
    ]
    report = read(projection_report(totals=[*totals, item(kind, "113780,DCM", stated)]))
    assert report.totals.planes[0].reference_point == (stated if kind == "TEXT" else "a meaning")
    assert template_problems(report, DICTIONARY) == ()


def test_q27_q28_private_items_and_places() -> None:
    """Private items are kept in the tree, and the device's place is read."""
    private = item("TEXT", "027,99PHI-IXR-XPER", "Doe^J")
    report = read(document(*ct_head(), item("TEXT", "121017,DCM", "Hospital One"), private, ct_event()))
    assert report.device.location == "Hospital One"
    assert [found.text for found in report.tree.walk() if found.concept.scheme.startswith("99")] == ["Doe^J"]


@pytest.mark.parametrize(
    ("concept", "right", "name"), [("113735,DCM", "113824,DCM", "exposure_time"), ("113632,DCM", "111632,DCM", "anode")]
)
def test_q29_wrong_codes(concept: str, right: str, name: str) -> None:
    """A neighbouring code is understood and told; the right one wins where both stand."""

    def made(text: str, number: str) -> Dataset:
        return item("NUM", text, (number, "ms")) if name == "exposure_time" else item("CODE", text, f"{number},DCM")

    wrong = read(projection_report(projection_event(made(concept, "31"))))
    found = getattr(projection(wrong), name)
    assert (found.raw_value if name == "exposure_time" else found.value) == "31"
    assert "stands for" in reasons(wrong)
    both = read(projection_report(projection_event(made(concept, "31"), made(right, "32"))))
    found = getattr(projection(both), name)
    assert (found.raw_value if name == "exposure_time" else found.value) == "32"


def test_q29_the_code_of_a_table_relation_at_the_root() -> None:
    """Directly below the root, 113745 says whether detector data are there; in an event it is the table relation."""
    data = document(*ct_head(), item("CODE", "113745,DCM", "R-0038D,SRT"), ct_event())
    assert read(data).tree.first("detector_data") is not None
    event = projection_event(item("CODE", "113745,DCM", "F-10470,SRT"))
    assert projection(read(projection_report(event))).table_relation.value == "F-10470"


def test_q30_many_events() -> None:
    """Three hundred events are read whole."""
    report = read(projection_report(*(projection_event(uid=f"2.25.{n}") for n in range(1000, 1300))))
    assert len(set(report.event_uids)) == 300


def test_q31_images_and_empty_sequences() -> None:
    """References that no evidence lists and empty sequences do no harm."""
    image = item("CODE", "113795,DCM", "1,DCM")
    image.ValueType = "IMAGE"
    image.ReferencedSOPSequence = [Dataset()]
    image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "2.25.77"
    report = read(projection_report(projection_event(image), ReferencedStudySequence=[], ProcedureCodeSequence=[]))
    assert [found.text for found in report.tree.walk() if found.type == "IMAGE"] == ["2.25.77"]


def test_q32_made_from_a_screen() -> None:
    """A report made from a dose screen lacks rows but can be processed."""
    thin = container("113819,DCM", item("CODE", "113820,DCM", "P5-08001,SRT"), item("UIDREF", "113769,DCM", "2.25.5"), ct_dose())
    report = read(document(*ct_head(source=False), item("CODE", "113854,DCM", "113868,DCM"), thin))
    assert missing(report, DICTIONARY) == ()
    assert [source.key for source in report.sources] == ["from_screen"]
    assert {problem.pointer for problem in template_problems(report, DICTIONARY)} == {report.events[0].path}


def test_radiography_needs_an_index() -> None:
    """Each exposure of radiography states an index or a dose area product; fluoroscopy states its time."""
    bare, whole = (
        projection_event(kind="113611,DCM"),
        projection_event(item("NUM", "113845,DCM", ("250", "1")), kind="113611,DCM"),
    )
    (problem,) = missing(read(projection_report(whole, bare, device="113958,DCM")), DICTIONARY)
    assert problem.reason.startswith("each exposure")
    (problem,) = missing(read(projection_report(totals=[item("NUM", "113722,DCM", ("1", "Gy.m2"))])), DICTIONARY)
    assert problem.element == "plane.fluoro_time"


@pytest.mark.parametrize("gone", ["Has Intent", "113769,DCM", "113830,DCM", "113832,DCM", "113812,DCM", "113854,DCM"])
def test_every_row_that_is_taken_away_is_told(gone: str) -> None:
    """A mandatory row that is not there is the one that is told."""
    wanted = "363703001" if gone == "Has Intent" else gone.split(",", maxsplit=1)[0]

    def without(dataset: Dataset) -> None:
        kept = [child for child in dataset.get("ContentSequence", ()) if child.ConceptNameCodeSequence[0].CodeValue != wanted]
        if "ContentSequence" in dataset:
            dataset.ContentSequence = kept
        for child in kept:
            without(child)

    made = ct_report()
    without(made)
    (problem,) = template_problems(read(made), DICTIONARY)
    assert wanted in problem.element
    assert problem.actual == "absent"


def test_a_report_of_very_many_events_is_bounded() -> None:
    """Thousands of empty events are read; what is told of them is bounded."""
    report = read(document(*ct_head(), *[container("113819,DCM")] * 2000))
    assert len(report.events) == 2000
    assert len(template_problems(report, DICTIONARY)) == 1000
    assert len(report.warnings) <= 1200
