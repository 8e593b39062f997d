"""The registries as types: mapping versions with their dates, elements, value lists and rules."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property

from acrmock.facts.model import Origin, Struct
from acrmock.facts.provenance import Provenance, weakest


class ElementType(StrEnum):
    """The type of an element's value in JSON."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    INSTANT = "date-time"
    NUMBER = "number"


class Level(StrEnum):
    """Two levels of "required" (fact N2.8): to be accepted at all, and to be complete."""

    SUBMIT = "submit"
    COMPLETE = "complete"
    OPTIONAL = "optional"


class VersionState(StrEnum):
    """Whether a mapping version may be used on a day."""

    IN_FORCE = "in-force"
    OBSOLETE = "obsolete"
    NOT_YET = "not-yet"


EXAM = "exam"
"""The kind of a transaction's records; every other kind of record stands in one of the lists of an exam."""


class Bounds(StrEnum):
    """What a number outside its `minimum` and `maximum` is: implausible, or refused."""

    WARN = "warn"
    REJECT = "reject"


class RuleKind(StrEnum):
    """What a rule demands."""

    REQUIRES = "requires"
    FORBIDS = "forbids"
    ANY_OF = "any-of"
    LUHN_NPI = "luhn-npi"
    NOT_FUTURE = "not-future"
    NOT_BEFORE = "not-before"
    WITHIN_DAYS = "within-days"
    EQUALS_HEADER = "equals-header"
    UNIQUE_EXAM = "unique-exam"
    EXCLUDED = "excluded"
    PAIRS = "pairs"
    AMONG = "among"
    WITHIN_PERCENT = "within-percent"
    MEAN_IN_BANDS = "mean-in-bands"
    MONTH_PAST = "month-past"
    NEEDS_FORM = "needs-form"


class Code(Struct, frozen=True, kw_only=True):
    """One value of a value list."""

    code: str
    label: str


class Element(Struct, frozen=True, kw_only=True, dict=True):
    """One data element of a mapping version.

    `number` makes the stable part of its problem codes; `identity` says what kind of identifier it is (`ssn`, `mbi`,
    `hicn`, `npi`, `id`, `name`, `birth-date`) or is empty; `minimum` and `maximum` are bounds in `unit`, whose breach is a
    warning unless `bounds` says otherwise. `origins` tells of each attribute whose origin differs from the element's own.
    """

    name: str
    record: str
    label: str
    type: ElementType
    level: Level
    provenance: Provenance
    sources: tuple[str, ...]
    number: int | None = None
    section: str = ""
    codes: tuple[Code, ...] = ()
    multiple: bool = False
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    bounds: Bounds = Bounds.WARN
    unit: str = ""
    pattern: str = ""
    pattern_hint: str = ""
    identity: str = ""
    note: str = ""
    layer: str = ""
    origins: Mapping[str, Origin] = {}

    def origin(self, attribute: str) -> Origin:
        """The origin of one attribute (`codes`, `level`, `max_length`, …), else the element's own."""
        own = self.origins.get(attribute)
        return own or Origin(provenance=self.provenance, sources=self.sources, note=self.note, layer=self.layer)

    def provenance_of(self, attribute: str) -> Provenance:
        """Whose word one attribute rests on, never stronger than the element itself."""
        return weakest(self.provenance, self.origin(attribute).provenance)

    @cached_property
    def code_set(self) -> frozenset[str]:
        """The codes of the value list."""
        return frozenset(code.code for code in self.codes)

    @cached_property
    def tag(self) -> str:
        """The stable part of the element's problem codes: its number, or its name where a layer gave none."""
        return f"{self.number:03d}" if self.number is not None else self.name


class Condition(Struct, frozen=True, kw_only=True):
    """Holds when `element` has one of `values` (one at least, in a multi-select); without values, when it is present."""

    element: str
    values: tuple[str, ...] = ()


class Band(Struct, frozen=True, kw_only=True):
    """A band of values and the element that counts what lies in it; `most` is None where it is open."""

    element: str
    least: float
    most: float | None = None


class Rule(Struct, frozen=True, kw_only=True):
    """One rule across elements, as data; `id` is stable and makes the problem code.

    `level` submit makes a breach an error, complete makes it a warning and the record incomplete, optional a warning only.
    `other` is the second element of a comparison (in the record, else in its exam); `days` the width of a window, `percent`
    of a tolerance; `pairs` are the values that go with each value of `other`; `bands` what a mean is made of; `form` the form
    that must be there before, under the same header and the values of `elements`.
    """

    id: str
    kind: RuleKind
    record: str
    level: Level
    elements: tuple[str, ...]
    message: str
    provenance: Provenance
    sources: tuple[str, ...]
    when: Condition | None = None
    other: str = ""
    days: int = 0
    percent: float = 0.0
    pairs: Mapping[str, tuple[str, ...]] = {}
    bands: tuple[Band, ...] = ()
    form: str = ""
    note: str = ""
    layer: str = ""


class ChildList(Struct, frozen=True, kw_only=True):
    """A list of records in an exam: the kind of its records, its name on the wire, and how many there may be."""

    kind: str
    name: str
    label: str
    least: int
    most: int
    provenance: Provenance
    sources: tuple[str, ...]
    note: str = ""
    layer: str = ""


class MappingVersion(Struct, frozen=True, kw_only=True, dict=True):
    """One mapping version of a registry: when it is in force, its elements and its rules.

    Dates are inclusive. `unknown` says what is not known of it, for every result that rests on it. `patient_elements`
    name a patient, first present first; `key_elements` with them and the facility name an exam (fact U16). `exams` is the
    name of the list in a transaction, `lists` are those in an exam. `form` names the form that a version is the layout of,
    where its records are no exams (fact N2.11).
    """

    registry: str
    header_word: str
    version: str
    in_force_from: date | None
    in_force_until: date | None
    provenance: Provenance
    sources: tuple[str, ...]
    elements: tuple[Element, ...]
    rules: tuple[Rule, ...]
    unknown: str = ""
    key_elements: tuple[str, ...] = ()
    patient_elements: tuple[str, ...] = ()
    exams: str
    lists: tuple[ChildList, ...] = ()
    form: str = ""
    unknown_elements: str = "reject"
    note: str = ""
    layer: str = ""
    origins: Mapping[str, Origin] = {}

    def state(self, day: date) -> VersionState:
        """Whether the version may be used on `day` (business date)."""
        if self.in_force_from is not None and day < self.in_force_from:
            return VersionState.NOT_YET
        if self.in_force_until is not None and day > self.in_force_until:
            return VersionState.OBSOLETE
        return VersionState.IN_FORCE

    @property
    def described(self) -> bool:
        """Whether its elements are known; a version that is only remembered by name has none."""
        return bool(self.elements)

    def element(self, name: str, record: str = EXAM) -> Element | None:
        """The element of that name, or None."""
        return self._by_name.get((record, name))

    def of(self, record: str) -> tuple[Element, ...]:
        """The elements of one kind of record, in order."""
        return tuple(element for element in self.elements if element.record == record)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of record: the exam, then those of its lists."""
        return (EXAM, *(child.kind for child in self.lists))

    def list_of(self, kind: str) -> ChildList | None:
        """The list of a kind of record, or None."""
        return next((child for child in self.lists if child.kind == kind), None)

    def listed(self, name: str) -> ChildList | None:
        """The list of that name on the wire, or None."""
        return next((child for child in self.lists if child.name == name), None)

    @cached_property
    def code_lists(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """By kind of record and element: each code of its value list, with `Element=code`; empty for one without a list."""
        found: dict[str, dict[str, dict[str, str]]] = {kind: {} for kind in self.kinds}
        for element in self.elements:
            found[element.record][element.name] = {code: f"{element.name}={code}" for code in element.code_set}
        return found

    @cached_property
    def coded(self) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
        """As `code_lists`, without the elements that have none."""
        return {kind: {name: codes for name, codes in lists.items() if codes} for kind, lists in self.code_lists.items()}

    @cached_property
    def identities(self) -> Mapping[str, Mapping[str, str]]:
        """By kind of record: the elements that identify somebody, with the kind of each."""
        found: dict[str, dict[str, str]] = {kind: {} for kind in self.kinds}
        for element in self.elements:
            if element.identity:
                found[element.record][element.name] = element.identity
        return found

    @cached_property
    def conditions_on(self) -> Mapping[str, Mapping[str, tuple[tuple[str, Condition], ...]]]:
        """By kind of record and the element that they look at: the rules that have a condition, each with its ID."""
        found: dict[str, dict[str, tuple[tuple[str, Condition], ...]]] = {kind: {} for kind in self.kinds}
        for kind, rule, when in self.conditions:
            found[kind][when.element] = (*found[kind].get(when.element, ()), (rule, when))
        return found

    @cached_property
    def window(self) -> Rule | None:
        """The rule that says within how many days of an exam what stands in a list of it must be (fact N2.16), or None."""
        return next((rule for rule in self.rules if rule.kind is RuleKind.WITHIN_DAYS and rule.record != EXAM), None)

    @cached_property
    def follow_ups(self) -> ChildList | None:
        """The list of an exam's follow-ups: that of which the window speaks; None where the mapping has none."""
        return self.list_of(self.window.record) if self.window is not None else None

    @cached_property
    def needs(self) -> tuple[Rule, ...]:
        """The rules by which a record needs another form before it."""
        return tuple(rule for rule in self.rules if rule.kind is RuleKind.NEEDS_FORM)

    @cached_property
    def conditions(self) -> tuple[tuple[str, str, Condition], ...]:
        """Each rule that has a condition in accepted records: of which kind of record, its ID and the condition."""
        rules = [rule for rule in self.rules if rule.kind is not RuleKind.EXCLUDED]
        return tuple((rule.record, rule.id, rule.when) for rule in rules if rule.when is not None)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Element]:
        return {(element.record, element.name): element for element in self.elements}


class Registry(Struct, frozen=True, kw_only=True):
    """A registry: `slug` in paths, `header_word` in the transaction header, `scope` asked for at sign-in."""

    slug: str
    header_word: str
    title: str
    aliases: tuple[str, ...]
    versions: tuple[MappingVersion, ...]
    provenance: Provenance
    sources: tuple[str, ...]
    scope: str = ""
    note: str = ""
    layer: str = ""

    def version(self, text: str) -> MappingVersion | None:
        """The mapping version written `text`, or None when it is unknown."""
        return next((version for version in self.versions if version.version == text), None)

    def in_force(self, day: date) -> tuple[MappingVersion, ...]:
        """The versions that may be used on `day`, oldest first."""
        return tuple(v for v in self.versions if v.described and v.state(day) is VersionState.IN_FORCE)

    def default(self, day: date) -> MappingVersion | None:
        """The newest version of exams in force on `day`, else of a form, or None."""
        usable = self.in_force(day)
        exams = tuple(version for version in usable if not version.form) or usable
        return exams[-1] if exams else None
