"""Tests of the hints: the shipped file fits its schema and its tables; a bad file and a user's overlay are handled clearly."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from acrmock.errors import SetupError
from acrmock.facts import EXAM, FactsError, load_facts, shipped
from acrmock.facts.yamlfile import Document, read_text
from acrmock.schema import RecordState, RecordValidator
from synthetic.coverage import coverage_set, uncovered
from synthetic.exammaker import ExamMaker, version_of
from synthetic.exams import exams
from synthetic.hints import Hints, hints_for, hints_schema, read_hints
from synthetic.violations import violations

AS_OF = date(2026, 3, 1)
FILES = sorted(path for path in (shipped.root() / "synthesis").glob("*.yaml") if path.stem != "dose")
OVERLAY = """schema: acrmock/layer/1
kind: registry
registry: lcsr
versions:
  1.8:
    elements:
      Synthetic_Extra:
        number: 900
        label: "an element that a user's own mapping has"
        {extra}
        level: complete
        provenance: third-party
        sources: [MOCK]
"""


def test_the_published_schema_is_the_one_in_use() -> None:
    """The published JSON Schema of hints is what the code reads."""
    published = json.loads((shipped.root() / "schema" / "synthesis.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(hints_schema()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_hints_fit(path: Path) -> None:
    """A shipped file is valid, named after its registry, and speaks only of elements and codes that its tables have."""
    jsonschema.Draft202012Validator(hints_schema()).validate(Document(path.name, read_text(path)).data)
    hints = read_hints(path)
    registry = load_facts().registry(hints.registry)
    assert registry is not None
    assert path.stem == registry.slug
    described = [version for version in registry.versions if version.described]
    for record, table in ((kind, hints.of(kind)) for kind in (EXAM, *hints.lists)):
        elements: dict[str, set[str]] = {}
        for element in (element for version in described for element in version.of(record)):
            elements.setdefault(element.name, set()).update(element.code_set)
        assert set(table) <= set(elements)
        for name, hint in table.items():
            assert {*hint.needs, *hint.unless, *hint.product_of, *filter(None, [hint.after])} <= set(elements)
            if elements[name]:
                assert {*hint.weights, *hint.alone} <= elements[name], name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        "schema: acrmock/synthesis/9",
        "age_years: [fifty]",
        "no_such_key: 1",
        "exam: {X: {person: soul}}",
        "exam: {X: {weights: {a: many}}}",
        "\x00",
        "a: &a [*a]",
    ],
)
def test_bad_hints_are_refused_with_their_file(tmp_path: Path, text: str) -> None:
    """A hints file that cannot be used is named."""
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FactsError, match=r"bad\.yaml") as caught:
        read_hints(path)
    assert "Traceback" not in str(caught.value)


def test_a_registry_without_hints_gets_defaults() -> None:
    """No file is no error: the tables alone make complete exams, and the coverage and the violations hold too."""
    assert hints_for("no-such-registry").exam == {}
    facts = load_facts()
    version = version_of(facts, "lcsr", "1.8", AS_OF)
    maker = ExamMaker(version, seed=1, as_of=AS_OF, hints=Hints(registry="lcsr"))
    validator = RecordValidator(facts, version)
    for index in range(50):
        verdict = validator.check(maker.exam(index), index=0, today=AS_OF, facility="F1")
        assert verdict.state is RecordState.COMPLETE


def overlaid(tmp_path: Path, extra: str) -> Any:
    """The facts with a user's element on top."""
    path = tmp_path / "mine.yaml"
    path.write_text(OVERLAY.format(extra=extra), encoding="utf-8")
    return load_facts([path])


@pytest.mark.parametrize(
    "extra",
    [
        'type: code\n        codes: {"a": "first", "b": "second"}',
        'type: code\n        multiple: true\n        codes: {"a": "first", "b": "second"}',
        "type: number\n        minimum: 1000\n        maximum: 1001",
        "type: number\n        minimum: -9.5\n        maximum: -5",
        "type: date",
        "max_length: 3",
        "identity: npi",
        'pattern: "^Q[0-9]{4}$"',
        r"pattern: '^\d{2}:\d{2}(:\d{2})?$'",
        "pattern: '^(?:AB|C[^D-F]|[g-i]+)-?\\w*$'\n        max_length: 8",
        "pattern: '.*'",
        "pattern: '^[A-Z]{3}[0-9]{6}$'\n        identity: id",
    ],
)
def test_a_users_element_is_made_without_code(tmp_path: Path, extra: str) -> None:
    """An element that only an overlay knows is filled in, covered and broken like any other."""
    facts = overlaid(tmp_path, extra)
    version = version_of(facts, "lcsr", "1.8", AS_OF)
    validator = RecordValidator(facts, version)
    for exam in exams(facts, "lcsr", "1.8", count=20, as_of=AS_OF):
        assert "Synthetic_Extra" in exam
        verdict = validator.check(exam, index=0, today=AS_OF, facility="F1")
        assert verdict.state is RecordState.COMPLETE, verdict.problems
    covering = coverage_set(facts, "lcsr", "1.8", as_of=AS_OF, facility="F1")
    assert uncovered(version, covering) == ()
    assert any(violation.element == "Synthetic_Extra" for violation in violations(version))


def test_texts_of_a_pattern_depend_on_the_seed_alone(tmp_path: Path) -> None:
    """The same seed draws the same texts, and one exam's text is seldom another's: as keys of patients need it."""
    facts = overlaid(tmp_path, "pattern: '^[A-Z]{3}[0-9]{6}$'")
    one, again, other = (
        [exam["Synthetic_Extra"] for exam in exams(facts, "lcsr", "1.8", count=30, seed=seed, as_of=AS_OF)] for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other
    assert len(set(one)) == len(one)


@pytest.mark.parametrize("pattern", ["^(?=a)b$", "^[0-9]{9999}$", "^[a-z]{60}$"])
def test_a_pattern_that_nothing_fits_is_said(tmp_path: Path, pattern: str) -> None:
    """A pattern of which no text can be drawn is told with its element, and the error says what to do."""
    facts = overlaid(tmp_path, f"pattern: '{pattern}'\n        max_length: 50")
    with pytest.raises(SetupError, match="Synthetic_Extra") as caught:
        list(exams(facts, "lcsr", "1.8", count=1, as_of=AS_OF))
    assert "words" in str(caught.value)
    assert pattern in str(caught.value)
