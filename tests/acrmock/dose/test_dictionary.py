"""The dictionary is data: an overlay changes what is read, and a bad one is refused with file, line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest
from dose_files import EXPLICIT, ct_report, encoded

from acrmock.dose.header import Header
from acrmock.dose.report import (
    CtEvent,
    CtSource,
    DoseReport,
    PlaneTotals,
    ProjectionEvent,
    Totals,
    missing,
    plain,
    read_report,
    template_problems,
)
from acrmock.facts import FactsError, load_facts

HEAD = "schema: acrmock/layer/1\nkind: dose\n"
OURS = "provenance: mock-choice, sources: [MOCK]"
FAMILIES = {
    "header": Header,
    "report": DoseReport,
    "total": Totals,
    "plane": PlaneTotals,
    "ct": CtEvent,
    "source": CtSource,
    "projection": ProjectionEvent,
}


def overlay(tmp_path: Path, text: str) -> Path:
    """A layer on top."""
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD + text, encoding="utf-8")
    return path


def test_every_element_has_its_place() -> None:
    """Each element of the dictionary is a field of what is read, and each family's fields are elements."""
    dictionary = load_facts().dose
    for element in dictionary.elements.values():
        assert element.name in FAMILIES[element.family].__struct_fields__, element.key
    for family in ("ct", "projection", "source", "plane"):
        known = {element.name for element in dictionary.elements.values() if element.family == family}
        made_otherwise = {"path", "kind", "sources", "breasts"}
        assert set(FAMILIES[family].__struct_fields__) - made_otherwise <= known, family


def test_no_code_means_two_things() -> None:
    """A code is written for one concept only; no alternate is another's code."""
    dictionary = load_facts().dose
    written = [code for concept in dictionary.concepts.values() for code in concept.written]
    assert len(written) == len(set(written))
    assert not set(written) & {code for concept in dictionary.concepts.values() for code in concept.alternates}


def test_an_overlay_changes_what_is_read(tmp_path: Path) -> None:
    """Another code, another unit and another need take effect without code."""
    path = overlay(
        tmp_path,
        f"""
concepts:
  ctdivol: {{written: ["1,99MINE"], {OURS}}}
elements:
  ct.dlp: {{unit: "Gy.cm", {OURS}}}
rows:
  10013-ct_dose-ctdivol: null
needs:
  ct-dose: null
  study: {{text: "no description", among: header, severity: reject, all: [header.study_description], {OURS}}}
""",
    )
    dictionary = load_facts([path]).dose
    report = read_report(encoded(ct_report()), EXPLICIT, dictionary)
    (event,) = report.ct_events
    assert event.ctdivol is None
    assert event.dlp is not None
    assert (event.dlp.value, event.dlp.unit, event.dlp.converted) == (0.1575, "Gy.cm", True)
    assert [problem.reason for problem in missing(report, dictionary)] == ["no description"]
    assert template_problems(report, dictionary) == ()


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("concepts:\n  x: {meaning: m, written: [nocomma], " + OURS + "}\n", 4, "nocomma"),
        ("concepts:\n  x: {meaning: m, written: ['1,DCM']}\n", 4, "provenance"),
        ("concepts:\n  x: {meaning: m, " + OURS + "}\n", 4, "`written` is missing"),
        ("concepts:\n  ctdivol: null\n", 0, "ctdivol, which is not known"),
        ("concepts:\n  x: {meaning: m, written: ['1,DCM'], provenance: acr, sources: [NOBODY 1]}\n", 4, "NOBODY is not known"),
        ("units:\n  mGy: {factor: 0, " + OURS + "}\n", 4, "factor"),
        ("units:\n  mGy: {factor: many, " + OURS + "}\n", 4, "must be number"),
        ("units:\n  mGy.cm: null\n", 0, "mGy.cm, which is not known"),
        ("elements:\n  ct.mine: {title: t, level: event, " + OURS + "}\n", 4, "neither added nor removed"),
        ("elements:\n  ct.dlp: {unit: furlong, " + OURS + "}\n", 4, "furlong, which is not known"),
        ("needs:\n  x: {text: t, among: header, severity: warn, all: [ct.dlp], " + OURS + "}\n", 4, "where it never stands"),
        ("needs:\n  x: {text: t, among: nowhere, severity: warn, " + OURS + "}\n", 4, "must be one of"),
        (
            "rows:\n  x: {template: '1', parent: nobody, concept: dlp, types: [NUM], " + OURS + "}\n",
            4,
            "nobody, which is not known",
        ),
        ("rows:\n  x: {template: '1', parent: root, concept: dlp, types: [WORD], " + OURS + "}\n", 4, "must be one of"),
        ("roots:\n  dlp: {collected: true, " + OURS + "}\n", 4, "neither added nor removed"),
        ("mine: {}\n", 3, "unknown key"),
    ],
)
def test_a_bad_overlay_is_refused(tmp_path: Path, text: str, line: int, reason: str) -> None:
    """A bad layer is refused before anything uses it, with its file, the line and the reason."""
    path = overlay(tmp_path, text)
    with pytest.raises(FactsError) as caught:
        load_facts([path])
    assert reason in str(caught.value)
    if line:
        assert (caught.value.file, caught.value.line) == (str(path), line)


def test_a_report_as_data() -> None:
    """A report can be shown as JSON holds it, without its tree and without what is absent."""
    shown = plain(read_report(encoded(ct_report()), EXPLICIT, load_facts().dose))
    assert shown["events"][0]["dlp"]["value"] == 157.5
    assert "tree" not in shown
    assert "ssde" not in shown["events"][0]


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        (f"nowhere: {{elements: [ct.dlp], {OURS}}}", "names nowhere, which is not known"),
        (f"attenuation: {{elements: [ct.nothing], {OURS}}}", "names ct.nothing, which is not known"),
        (f"attenuation: {{elements: [plane.dap], {OURS}}}", "gives plane.dap, which is no element of an event"),
    ],
)
def test_a_bad_detail_is_refused(tmp_path: Path, detail: str, reason: str) -> None:
    """A part of the details, or an element given of it, that is not known is refused with its line."""
    with pytest.raises(FactsError, match=reason) as caught:
        _ = load_facts([overlay(tmp_path, f"details:\n  {detail}\n")]).dose
    assert "mine.yaml:4" in str(caught.value)
