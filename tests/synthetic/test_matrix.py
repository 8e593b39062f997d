"""Every element and rule of every table of every registry: what is right is accepted, what is wrong is answered as it must be."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest
from oracle import oracle

from acrmock.facts import Level, MappingVersion, RuleKind, load_facts
from acrmock.schema import RecordState, record_schema
from synthetic import matrix
from synthetic.exammaker import version_of
from synthetic.exams import exams
from synthetic.violation import Breach

AS_OF = date(2026, 3, 1)
FACTS = load_facts()
VERSIONS = [(r.slug, v.version) for r in FACTS.registries for v in r.versions if v.described]
NEWEST = {(r.slug, v.version) for r in FACTS.registries for v in r.versions if v == r.default(AS_OF) or v.form}
SECOND_LAYER = {Breach.BELOW, Breach.ABOVE, Breach.RULE}
IN_SCHEMA = {RuleKind.REQUIRES, RuleKind.FORBIDS, RuleKind.ANY_OF}


@cache
def version(slug: str, text: str) -> MappingVersion:
    """A mapping version."""
    return version_of(FACTS, slug, text, AS_OF)


@cache
def tried(slug: str, text: str) -> tuple[matrix.Cell, ...]:
    """All violations of a version, of several exams for the newest."""
    indices = (0, 1, 12345) if (slug, text) in NEWEST else (1,)
    return tuple(matrix.cells(FACTS, version(slug, text), as_of=AS_OF, indices=indices))


@pytest.mark.parametrize(("slug", "text"), VERSIONS)
def test_each_violation_is_answered_as_its_rule_says(slug: str, text: str) -> None:
    """The matrix of a version: every value and branch is accepted, each violation has its state, code and pointer, no more."""
    row = matrix.row(FACTS, version(slug, text), as_of=AS_OF, found=tried(slug, text))
    assert row.wrong == ()
    assert row.uncovered == ()
    assert row.accepted == row.covering
    assert row.rejected > row.elements


@pytest.mark.parametrize(("slug", "text"), VERSIONS)
def test_nothing_is_left_unbroken(slug: str, text: str) -> None:
    """Every element has a violation, missing where it is required, and every rule but what only the store can judge."""
    found = [cell.violation for cell in tried(slug, text)]
    known = version(slug, text)
    assert {violation.element for violation in found} >= {element.name for element in known.elements}
    missing = {violation.element for violation in found if violation.breach is Breach.MISSING}
    assert missing >= {element.name for element in known.elements if element.level is not Level.OPTIONAL}
    judged = {rule.id for rule in known.rules if rule.kind is not RuleKind.NEEDS_FORM}
    assert {violation.rule for violation in found if violation.rule} == judged


@pytest.mark.parametrize(("slug", "text"), VERSIONS)
def test_a_second_validator_agrees(slug: str, text: str) -> None:
    """`jsonschema` accepts what is complete at both levels, and refuses just the violations that a schema can say."""
    known = version(slug, text)
    submit, complete = (oracle(record_schema(known, level)) for level in (Level.SUBMIT, Level.COMPLETE))
    for exam in exams(FACTS, slug, text, count=6, as_of=AS_OF):
        assert submit.is_valid(exam)
        assert complete.is_valid(exam)
    kinds = {rule.id: rule.kind for rule in known.rules}
    disagreed = []
    for cell in tried(slug, text)[:: 1 if (slug, text) in NEWEST else 7]:
        violation = cell.violation
        sayable = violation.breach not in SECOND_LAYER or kinds.get(violation.rule) in IN_SCHEMA
        rejected = sayable and violation.state is RecordState.REJECTED
        incomplete = sayable and violation.state is RecordState.INCOMPLETE
        if submit.is_valid(cell.exam) is rejected or complete.is_valid(cell.exam) is (rejected or incomplete):
            disagreed.append(violation.name)
    assert disagreed == []


def test_the_matrix_prints_its_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints a row for each described version, and succeeds as nothing is wrong."""
    assert matrix.main(["ctc", "mips"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[1:]] == [["ctc", "1.0"], ["ctc", "1.1"], ["ctc", "1.3"], ["mips", "1.0"]]
    assert all(line.split()[-1] == "0" for line in printed[1:])
