"""Making a dose report of a content tree, by the dictionary's elements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from acrmock.dose.details import NOT_READ, Details, unread
from acrmock.dose.dictionary import Dictionary, Quantity, quantity
from acrmock.dose.elements import INFLATED_MOST
from acrmock.dose.header import header
from acrmock.dose.model import (
    BreastDose,
    CtEvent,
    CtSource,
    Device,
    DoseReport,
    Event,
    PlaneTotals,
    ProjectionEvent,
    Totals,
    plain,
)
from acrmock.dose.needs import missing, template_problems, warned
from acrmock.dose.tree import NO_CODE, Code, Document, Item, read_document
from acrmock.facts.dose import DoseElement
from acrmock.record import FieldProblem

__all__ = [
    "BreastDose",
    "CtEvent",
    "CtSource",
    "Device",
    "DoseReport",
    "Event",
    "PlaneTotals",
    "ProjectionEvent",
    "Totals",
    "missing",
    "plain",
    "read_report",
    "template_problems",
]

WARNINGS_MOST = 200

_OBSERVER = {
    "observer_uid": "uid",
    "observer_name": "name",
    "observer_manufacturer": "manufacturer",
    "observer_model": "model",
    "observer_serial": "serial",
    "observer_location": "location",
}
_SCOPE_UIDS = frozenset({"study_uid", "series_uid", "procedure_step_uid", "event_uid"})
_CT_ONLY, _PLANES, _DR = "ct_acquisition", "projection_accumulated", "irradiation_event"
_SUMMARY, _ACCUMULATED, _DETAILS, _CT = "event_summary", "accumulated", "irradiation_details", "ct"


def read_report(data: bytes | memoryview, transfer_syntax: str, dictionary: Dictionary, limit: int = INFLATED_MOST) -> DoseReport:
    """The dose report in a data set, or, with `dose` False, an object that is none; raises `Unreadable`.

    The root's concept makes a dose report, whatever its SOP class. `limit` bounds what a deflated data set inflates to, in bytes.
    """
    document = read_document(data, transfer_syntax, dictionary, limit)
    head = header(dict(document.values))
    root = dictionary.roots.get(document.root.concept.key)
    if root is None:
        return DoseReport(header=head, root=document.root.concept, template=document.template, tree=document.root)
    report = _Reader(dictionary, document).report(DoseReport(header=head, template=document.template))
    lacking = warned(report, dictionary)
    return msgspec.structs.replace(report, warnings=(*report.warnings, *lacking)) if lacking else report


class _Reader:
    """Reads one tree; notes what is odd."""

    def __init__(self, dictionary: Dictionary, document: Document) -> None:
        self.dictionary = dictionary
        self.tree = document.root
        self.odd = document.odd
        self.warnings: dict[tuple[str, str], FieldProblem] = {}
        self.parts: dict[int, dict[str, Any]] = {}
        self.details = Details(self.tree.all(_DETAILS), dictionary.details)

    def report(self, empty: DoseReport) -> DoseReport:
        """The report, with the header and template of `empty`."""
        tree, families = self.tree, self.dictionary.families
        stated = self._fields(families["report"], tree.children)
        stated.pop("sources", None)
        intent = stated.pop("intent", NO_CODE)
        procedure = _code(tree.first("procedure_reported"))
        enhanced = any(item.key in {_SUMMARY, _ACCUMULATED} for item in tree.children)
        planes = tuple(self._plane(item) for item in tree.all(_PLANES))
        if enhanced and procedure.key != _CT:
            planes += tuple(self._plane(item) for item in tree.all(_ACCUMULATED))
        if not planes and tree.concept.key == "siemens_summary":
            planes = (self._plane(tree),)
        events = self._events(procedure)
        modality = self._modality(procedure, stated.get("device_type", NO_CODE), events)
        root = self.dictionary.roots[tree.concept.key]
        rule = self.dictionary.modalities.get(modality)
        scope = tree.first("scope")
        uids = [item.text for item in scope.children if item.key in _SCOPE_UIDS] if scope else []
        self._oddities()
        if not root.collected:
            self._note(tree, f"{NOT_READ}: more than header and device, as the registry does not collect such reports")
        for item in tree.all(_DETAILS):
            for part, reason in unread(item, self.dictionary):
                self._note(part, reason)
        return DoseReport(
            enhanced=enhanced,
            header=empty.header,
            template=empty.template,
            dose=True,
            collected=root.collected and rule is not None and rule.collected,
            modality=modality,
            root=tree.concept,
            procedure=procedure,
            intent=intent if not intent.empty else self._intent(),
            scope_uid=uids[0] if uids else "",
            sources=tuple(item.code for item in tree.all("dose_source")),
            device=self._device(),
            totals=self._totals(planes),
            events=events,
            warnings=tuple(self.warnings.values()),
            tree=tree,
            **stated,
        )

    def _intent(self) -> Code:
        below = self.tree.first("procedure_reported")
        return _code(below.first("has_intent")) if below else NO_CODE

    def _device(self) -> Device:
        found: dict[str, str] = {}
        for item in self.tree.children:
            name = _OBSERVER.get(item.key)
            if name is not None:
                found.setdefault(name, item.text)
        return Device(**found)

    def _totals(self, planes: tuple[PlaneTotals, ...]) -> Totals:
        totals = self.tree.first("ct_accumulated") or self.tree.first(_ACCUMULATED)
        stated = self._fields(self.dictionary.families["total"], totals.walk()) if totals else {}
        return Totals(planes=planes, **stated)

    def _plane(self, container: Item) -> PlaneTotals:
        stated = self._fields(self.dictionary.families["plane"], container.walk())
        elements = self.dictionary.families["plane"]
        breasts = tuple(
            BreastDose(agd=self._quantity(elements[item.key], item), laterality=_code(item.first("laterality")))
            for item in container.all("agd_total")
            if "agd_total" in elements
        )
        return PlaneTotals(path=container.path, breasts=breasts, **stated)

    def _events(self, procedure: Code) -> tuple[Event, ...]:
        found: list[Event] = []
        for item in self.tree.children:
            if item.key == _CT_ONLY or (item.key == _SUMMARY and procedure.key == _CT):
                found.append(self._ct_event(item))
            elif item.key in {_DR, _SUMMARY}:
                stated = self._fields(self.dictionary.families["projection"], item.walk())
                self._detailed(item, "projection", stated)
                kind = stated.get("event_type", NO_CODE).key
                found.append(ProjectionEvent(path=item.path, kind=kind, **stated))
        return tuple(found)

    def _ct_event(self, item: Item) -> CtEvent:
        families = self.dictionary.families
        stated = self._fields(families["ct"], item.walk())
        self._detailed(item, "ct", stated)
        owners = (item, *item.all("ct_parameters"))
        sources = tuple(
            CtSource(**self._fields(families["source"], source.walk())) for owner in owners for source in owner.all("ct_source")
        )
        kind = stated.get("acquisition_type", NO_CODE).key
        return CtEvent(path=item.path, kind=kind, sources=sources, **stated)

    def _detailed(self, event: Item, family: str, stated: dict[str, Any]) -> None:
        """Add to what an event of an enhanced report states what the details say of its source and time."""
        if event.key != _SUMMARY:
            return
        for concept in self.dictionary.details:
            elements = self.dictionary.detailed.get((concept, family), {})
            found: dict[str, Any] = {}
            for part in self.details.of(event, concept) if elements else ():
                for name, value in self._of_part(part, elements).items():
                    if found.setdefault(name, value) != value:
                        self._note(part, f"{name} changes within an event, which is given what held at its beginning")
            for name, value in found.items():
                stated.setdefault(name, value)

    def _of_part(self, part: Item, elements: Mapping[str, DoseElement]) -> dict[str, Any]:
        """What a part of the details states; each is read once, however many events it applies to."""
        known = self.parts.get(id(part))
        if known is None:
            known = self.parts[id(part)] = self._fields(elements, part.walk())
        return known

    def _fields(self, family: Mapping[str, DoseElement], items: Iterable[Item]) -> dict[str, Any]:
        """The elements of a family among the items, the first of each; its concept's right code before any other."""
        found: dict[str, Any] = {}
        second: dict[str, Item] = {}
        for item in items:
            element = family.get(item.key)
            if element is None or element.name in found:
                continue
            if item.alternate:
                second.setdefault(item.key, item)
                continue
            value = self._value(element, item)
            if value is not None:
                found[element.name] = value
        for key, item in second.items():
            if family[key].name not in found:
                self._note(item, f"{item.concept} stands for {self.dictionary.concepts[key].meaning}")
                value = self._value(family[key], item)
                if value is not None:
                    found[family[key].name] = value
        return found

    def _value(self, element: DoseElement, item: Item) -> Any:
        if element.type == "number":
            return self._quantity(element, item) if item.type == "NUM" else None
        if element.type == "code":
            return item.code if item.type == "CODE" else Code(meaning=item.text) if item.text else None
        if element.type == "any":
            return item.text or item.code.meaning or item.code.value
        return item.text or item.code.meaning or None

    def _quantity(self, element: DoseElement, item: Item) -> Quantity:
        found = quantity(self.dictionary, item.numbers, item.unit, element.unit)
        if found.problem:
            self._note(item, found.problem, expected=element.unit, actual=f"{found.raw_value} {found.raw_unit}".strip())
        return found

    def _modality(self, procedure: Code, device: Code, events: tuple[Event, ...]) -> str:
        stated = self.dictionary.roots[self.tree.concept.key].modality
        if stated:
            return stated
        rules = [rule for rule in self.dictionary.modalities.values() if procedure.key and procedure.key in rule.procedures]
        if not rules:  # no procedure: the events say what it was
            key = "ct" if any(isinstance(event, CtEvent) for event in events) else "projection" if events else ""
            rules = [rule for rule in self.dictionary.modalities.values() if key in rule.procedures]
        named = [rule for rule in rules if device.key and device.key in rule.devices]
        by_event = [rule for rule in rules if any(event.kind in rule.events for event in events if event.kind)]
        others = [rule for rule in rules if not rule.events]
        chosen = named or by_event or others or rules
        return chosen[0].modality if chosen else ""

    def _oddities(self) -> None:
        for item in self.odd:
            self._note(item, f"the value type {item.odd} is read as {item.type}")

    def _note(self, item: Item, reason: str, expected: str = "", actual: str = "") -> None:
        """Note what is odd, once for each concept and reason."""
        place = (item.key, reason)
        if place not in self.warnings and len(self.warnings) < WARNINGS_MOST:
            name = item.concept.meaning or item.concept.value
            self.warnings[place] = FieldProblem(pointer=item.path, element=name, expected=expected, actual=actual, reason=reason)


def _code(item: Item | None) -> Code:
    return item.code if item is not None else NO_CODE
