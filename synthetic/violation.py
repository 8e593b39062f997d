"""What a violation is: an exam wrong in one named way, and how it must be answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from acrmock.errors import HarnessError
from acrmock.facts.registry import EXAM, Level, MappingVersion, Rule, RuleKind
from acrmock.pointer import pointer_of
from acrmock.schema import RecordState, rule_code
from synthetic.exammaker import ExamMaker
from synthetic.makers import Record
from synthetic.plan import PRESENT
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
    LIST = "no-list"
    TOO_MANY = "too-many-records"
    TOO_FEW = "too-few-records"
    RECORD = "no-object"
    RULE = "rule"


Ago = tuple[int, int] | None
Wishing = Callable[[Wisher], Wish | None]
Change = Callable[[Record, ExamMaker, Record], Any]
Making = Callable[[ExamMaker, int], list[Record]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A problem that must be reported: its code, and its RFC 6901 pointer from the exam (empty: the exam itself)."""

    code: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Violation:
    """One way to be wrong: `name` is stable, `state` what becomes of the record, `answer` the problem it is about.

    `also` is what follows from it, where it cannot be wrong alone; `element` and `rule` say what is broken, and how
    (`breach`). A `batch` violation needs two exams in one transaction.
    """

    name: str
    breach: Breach
    state: RecordState
    answer: Answer
    make: Making
    element: str = ""
    rule: str = ""
    also: tuple[Answer, ...] = ()
    batch: bool = False

    def exams(self, maker: ExamMaker, index: int = 0) -> list[Record]:
        """The exams of the violation, the wrong one last; all else in them is complete."""
        return self.make(maker, index)


STATE = {
    Level.SUBMIT: RecordState.REJECTED,
    Level.COMPLETE: RecordState.INCOMPLETE,
    Level.OPTIONAL: RecordState.COMPLETE,
}


class Bench:
    """Builds exams in which one record (the exam or the first of a list) was changed after it was made complete."""

    def __init__(self, version: MappingVersion, record: str) -> None:
        self.version = version
        self.record = record
        self.child = version.list_of(record)
        self.here = "" if self.child is None else pointer_of((self.child.name, "0"))

    def pointer(self, name: str) -> str:
        """The pointer of an element of the record, from the exam."""
        return self.here + pointer_of((name,))

    def making(self, wish: Wishing, change: Change, *, ago: Ago = None) -> Making:
        """The exams made under a wish and then changed by `change(record, maker, exam)`."""

        def make(maker: ExamMaker, index: int) -> list[Record]:
            wishes = wish(Wisher(self.version, self.record, maker.hints))
            if wishes is None:
                raise HarnessError(f"no exam of {self.version.registry} {self.version.version} can be wrong in that way")
            if self.child is None:
                exam = maker.exam(index, wishes, {}, ago=ago)
                change(exam, maker, exam)
            else:
                around = Wisher(self.version, EXAM, maker.hints).add({}, self.child.name, PRESENT)
                exam = maker.exam(index, around or {}, {self.child.kind: [wishes]}, ago=ago)
                change(exam[self.child.name][0], maker, exam)
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
    pointer = "" if rule.kind is RuleKind.ANY_OF else bench.pointer(name)
    return Violation(
        name=f"{rule.id}:{name}",
        breach=Breach.RULE,
        state=STATE[rule.level],
        answer=Answer(rule_code(bench.version, rule), pointer or bench.here),
        make=bench.making(wish, change, ago=ago),
        element=name,
        rule=rule.id,
        also=also,
    )
