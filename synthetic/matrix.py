"""The matrix of a mapping version: every way in which its tables can be broken, and whether each is answered as its rule says.

`python -m synthetic.matrix [REGISTRY ...]` prints one row for each described version, with the counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

import msgspec

from acrmock.clock import SystemClock, today
from acrmock.facts import Facts, MappingVersion, load_facts
from acrmock.schema import RecordState, RecordValidator
from synthetic.coverage import coverage_set, uncovered
from synthetic.exammaker import ExamMaker
from synthetic.violation import Answer, Violation
from synthetic.violations import violations

FACILITY = "F1"


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One violation tried: how it must be answered, and how it was; `exam` is the wrong record."""

    violation: Violation
    state: RecordState
    answers: frozenset[Answer]
    exam: Any

    @property
    def right(self) -> bool:
        """Whether the answer is the one that the rule asks for, and no other problem is told."""
        return self.state is self.violation.state and self.answers == {self.violation.answer, *self.violation.also}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """The counts of one mapping version; `wrong` names the violations that were answered otherwise than their rule says."""

    registry: str
    version: str
    elements: int
    rules: int
    accepted: int
    covering: int
    uncovered: tuple[str, ...]
    rejected: int
    incomplete: int
    warned: int
    wrong: tuple[str, ...]


def cells(facts: Facts, version: MappingVersion, *, as_of: date, indices: Sequence[int] = (0,), seed: int = 8) -> Iterator[Cell]:
    """Each violation of a version, made from the exams of `indices`, with its answer."""
    maker = ExamMaker(version, seed=seed, as_of=as_of)
    validator = RecordValidator(facts, version)
    for violation in violations(version):
        for index in indices:
            made = violation.exams(maker, index)
            verdict = validator.check_all(made, today=as_of, facility=FACILITY)[-1]
            base = f"/{version.exams}/{len(made) - 1}"
            found = frozenset(Answer(p.code, p.pointer.removeprefix(base)) for p in verdict.problems)
            yield Cell(violation=violation, state=verdict.state, answers=found, exam=made[-1])


def row(facts: Facts, version: MappingVersion, *, as_of: date, found: Iterable[Cell]) -> Row:
    """The counts of the cells `found`, and of the coverage set, whose exams must all be complete without a problem."""
    tried = list(found)
    covering = coverage_set(facts, version.registry, version.version, as_of=as_of, facility=FACILITY)
    verdicts = RecordValidator(facts, version).check_all(covering, today=as_of, facility=FACILITY)
    states = [cell.violation.state for cell in tried]
    return Row(
        registry=version.registry,
        version=version.version,
        elements=len(version.elements),
        rules=len(version.rules),
        accepted=sum(1 for verdict in verdicts if verdict.state is RecordState.COMPLETE and not verdict.problems),
        covering=len(covering),
        uncovered=uncovered(version, covering),
        rejected=states.count(RecordState.REJECTED),
        incomplete=states.count(RecordState.INCOMPLETE),
        warned=states.count(RecordState.COMPLETE),
        wrong=tuple(cell.violation.name for cell in tried if not cell.right),
    )


def main(arguments: Sequence[str]) -> int:
    """Print the matrix of the registries named, or of all; 1 when anything is answered otherwise than its rule says."""
    facts = load_facts()
    as_of = today(SystemClock())
    sys.stdout.write("registry  mapping               elements rules   valid rejected incomplete warning  wrong\n")
    bad = 0
    for registry in facts.registries:
        if arguments and registry.slug not in arguments:
            continue
        for version in (version for version in registry.versions if version.described):
            made = row(facts, version, as_of=as_of, found=cells(facts, version, as_of=as_of))
            failed = made.wrong or made.uncovered or made.accepted < made.covering
            bad += bool(failed)
            sys.stdout.write(
                f"{made.registry:9} {made.version:21} {made.elements:8} {made.rules:5} {made.accepted:3}/{made.covering:<3}"
                f" {made.rejected:7} {made.incomplete:10} {made.warned:7}  {len(made.wrong):5}\n"
            )
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
