"""What a violation is: an exam wrong in one named way, and how it must be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from acrmock.errors import HarnessError
from acrmock.facts.registry import Level, MappingVersion, RecordKind, Rule
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.wishing import Wish, Wisher


class Breach(StrEnum):
    """In which way an element or a rule is broken."""

    MISSING = "missing"
    TYPE = "wrong-type"
    CODE = "unknown-code"
    DATE = "no-date"
    NUMBER = "no-number"
    EMPTY = "empty-list"
    TWICE = "code-twice"
    TOO_LONG = "too-long"
    TOO_SHORT = "too-short"
    PATTERN = "pattern"
    BELOW = "below-range"
    ABOVE = "above-range"
    UNKNOWN = "unknown-element"
    RULE = "rule"


class Severity(StrEnum):
    """What becomes of the record: rejected, accepted as incomplete, or accepted with a warning."""

    REJECTED = "rejected"
    INCOMPLETE = "incomplete"
    WARNING = "warning"


Ago = tuple[int, int] | None
Wishing = Callable[[Wisher], Wish | None]
Change = Callable[[Record, ExamMaker, Record], Any]
Making = Callable[[ExamMaker, int], list[Record]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A problem that must be reported: its element or rule, its breach, and the pointer from the exam, RFC 6901."""

    breach: Breach
    pointer: str
    element: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One way to be wrong: `name` is stable, `main` the problem it is about, `also` what follows from it.

    `batch` violations need two exams; `make(maker, index)` gives the exams, the wrong one last.
    """

    name: str
    severity: Severity
    main: Answer
    make: Making
    also: tuple[Answer, ...] = ()
    batch: bool = False

    def exams(self, maker: ExamMaker, index: int = 0) -> list[Record]:
        """The exams of the violation, the wrong one last; all else in them is complete."""
        return self.make(maker, index)


SEVERITY = {Level.SUBMIT: Severity.REJECTED, Level.COMPLETE: Severity.INCOMPLETE, Level.OPTIONAL: Severity.WARNING}


class Bench:
    """Builds exams in which one record (the exam or its first follow-up) was changed after it was made complete."""

    def __init__(self, version: MappingVersion, record: RecordKind) -> None:
        self.version = version
        self.record = record
        self.own_list = version.follow_ups

    def pointer(self, name: str) -> str:
        """The pointer of an element of the record, from the exam."""
        token = name.replace("~", "~0").replace("/", "~1")
        return f"/{token}" if self.record is RecordKind.EXAM else f"/{self.own_list}/0/{token}"

    def making(self, wish: Wishing, change: Change, *, ago: Ago = None) -> Making:
        """The exams made under a wish and then changed by `change(record, maker, exam)`."""

        def make(maker: ExamMaker, index: int) -> list[Record]:
            wishes = wish(Wisher(self.version, self.record, maker.hints))
            if wishes is None:
                raise HarnessError(f"no exam of {self.version.registry} {self.version.version} can be wrong in that way")
            if self.record is RecordKind.EXAM:
                exam = maker.exam(index, wishes, (), ago=ago)
                change(exam, maker, exam)
            else:
                exam = maker.exam(index, {}, [wishes], ago=ago)
                change(exam[self.own_list][0], maker, exam)
            return [exam]

        return make


def rule_violation(
    bench: Bench,
    rule: Rule,
    name: str,
    wish: Wishing,
    change: Change,
    *,
    also: tuple[Answer, ...] = (),
    ago: Ago = None,
) -> Violation:
    """The violation of a rule at the element `name`: a record made under `wish`, then changed."""
    return Violation(
        name=f"{rule.id}:{name}",
        severity=SEVERITY[rule.level],
        main=Answer(breach=Breach.RULE, pointer=bench.pointer(name), element=name, rule=rule.id),
        make=bench.making(wish, change, ago=ago),
        also=also,
    )
