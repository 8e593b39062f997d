"""The dictionary of dose reports: concepts, units, elements, mandatory rows, and what a registry needs; compiled from layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from acrmock.facts.layer import Layer
from acrmock.facts.merge import Entries, Entry, merge
from acrmock.facts.model import Source, Struct
from acrmock.facts.provenance import Provenance
from acrmock.facts.settings import check_citations

_T = TypeVar("_T")


class Told(Struct, frozen=True, kw_only=True):
    """What every entry has: on whose word it rests."""

    provenance: Provenance
    sources: tuple[str, ...]
    note: str = ""
    layer: str = ""


class Concept(Told, frozen=True, kw_only=True):
    """A coded word: `written` are equal codes (`value,scheme`), `alternates` wrong ones met for it, `at_root` only there."""

    key: str
    meaning: str
    written: tuple[str, ...]
    alternates: tuple[str, ...] = ()
    at_root: tuple[str, ...] = ()


class Unit(Told, frozen=True, kw_only=True):
    """A unit's spelling: `factor` turns a value into the base of its `dimension`; `plain` says that UCUM spells it so."""

    name: str
    dimension: str
    factor: float
    plain: bool = True


class Level(StrEnum):
    """Where an element stands."""

    HEADER = "header"
    REPORT = "report"
    TOTAL = "total"
    PLANE = "plane"
    EVENT = "event"
    SOURCE = "source"


class DoseElement(Told, frozen=True, kw_only=True):
    """An element that the registry tries to collect: a header's `tag`, or the `concept` of a content item, and its unit."""

    key: str
    title: str
    level: Level
    tag: str = ""
    concept: str = ""
    type: str = "text"
    unit: str = ""

    @property
    def family(self) -> str:
        """What it belongs to: the key up to the dot (`ct`, `projection`, `plane` …)."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """The key after the dot."""
        return self.key.partition(".")[2]


class Condition(Struct, frozen=True, kw_only=True):
    """That the item `concept`, beside the parent or above it, has one of `values` (concepts)."""

    concept: str
    values: tuple[str, ...]


class TemplateRow(Told, frozen=True, kw_only=True):
    """A mandatory row of a template (PS3.16): `concept`, of one of `types`, stands directly below `parent` (or `root`).

    `enhanced`: of the templates of the Enhanced X-Ray Radiation Dose Report (TID 10040 and on); others are not of it.
    With `if_event` only in a report that has an event of such a kind.
    """

    key: str
    template: str
    modalities: tuple[str, ...]
    parent: str
    concept: str
    types: tuple[str, ...]
    enhanced: bool = False
    if_event: tuple[str, ...] = ()
    when: Condition | None = None
    unless: Condition | None = None


class Need(Told, frozen=True, kw_only=True):
    """What the registry needs: every element of `all` and one of `any`, `among` the header, the report, totals or events."""

    key: str
    text: str
    among: str
    severity: str
    modalities: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    if_event: tuple[str, ...] = ()


class Root(Told, frozen=True, kw_only=True):
    """A root concept that makes a dose report; without `modality`, the procedure decides. `collected` by the registry or not."""

    concept: str
    modality: str = ""
    collected: bool = True


class ModalityRule(Told, frozen=True, kw_only=True):
    """What makes a report of this modality: the procedure reported, then the device, then any such event."""

    modality: str
    collected: bool
    procedures: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    events: tuple[str, ...] = ()


class SopClass(Told, frozen=True, kw_only=True):
    """A SOP class that carries dose reports; `dose` when it carries nothing else."""

    uid: str
    name: str
    dose: bool


class Detail(Told, frozen=True, kw_only=True):
    """A part of an enhanced report's details (PS3.16 TID 10043): the `elements` that events are given of it."""

    concept: str
    elements: tuple[str, ...]


class Dictionary:
    """The compiled dictionary; its mappings are never changed.

    `memo` is what a reader keeps of the codes that it met, so that each is read once; the reader bounds it.
    """

    def __init__(self, layers: Iterable[Layer], sources: Mapping[str, Source]) -> None:
        tables = _tables(list(layers), sources)
        self.concepts = _compiled(tables["concepts"], _concept)
        self.units = _compiled(tables["units"], _unit)
        self.elements = _compiled(tables["elements"], _element)
        self.rows = _compiled(tables["rows"], _row)
        self.needs = _compiled(tables["needs"], _need)
        self.roots = _compiled(tables["roots"], _root)
        self.modalities = _compiled(tables["modalities"], _modality)
        self.classes = _compiled(tables["classes"], _class)
        self.details = _compiled(tables["details"], _detail)
        self.memo: dict[str, dict[bytes, Any]] = {}
        self._check(tables)

    @cached_property
    def by_code(self) -> Mapping[tuple[str, str], str]:
        """The key of each code (value, scheme), an alternate's after all that are written so."""
        found: dict[tuple[str, str], str] = {}
        for codes in ((c.written for c in self.concepts.values()), (c.alternates for c in self.concepts.values())):
            for key, texts in zip(self.concepts, codes, strict=True):
                for text in texts:
                    found.setdefault(_split(text), key)
        return MappingProxyType(found)

    @cached_property
    def at_root(self) -> Mapping[tuple[str, str], str]:
        """The key of codes that mean something else directly below the root."""
        return MappingProxyType({_split(text): key for key, concept in self.concepts.items() for text in concept.at_root})

    @cached_property
    def wrong(self) -> frozenset[tuple[str, str]]:
        """The codes that are alternates: understood, and told."""
        return frozenset(_split(text) for concept in self.concepts.values() for text in concept.alternates)

    @cached_property
    def families(self) -> Mapping[str, Mapping[str, DoseElement]]:
        """The elements of each family by their concept (of the header's, by their name)."""
        found: dict[str, dict[str, DoseElement]] = {}
        for element in self.elements.values():
            found.setdefault(element.family, {})[element.concept or element.name] = element
        return found

    @cached_property
    def detailed(self) -> Mapping[tuple[str, str], Mapping[str, DoseElement]]:
        """The elements that are taken of a part of the details, by the part's concept and the family, then by their concept."""
        found: dict[tuple[str, str], dict[str, DoseElement]] = {}
        for detail in self.details.values():
            for element in (self.elements[name] for name in detail.elements):
                found.setdefault((detail.concept, element.family), {})[element.concept] = element
        return found

    def _check(self, tables: Mapping[str, Entries]) -> None:
        """Check what the tables name of each other; raises `FactsError` at the entry that is wrong."""
        for element in self.elements.values():
            entry = tables["elements"][element.key]
            self._known(entry, "concept", [element.concept] if element.concept else [], self.concepts)
            self._known(entry, "unit", [element.unit] if element.unit else [], self.units)
        for row in self.rows.values():
            named = [row.concept, *row.if_event, *([] if row.parent == "root" else [row.parent])]
            named += [name for c in (row.when, row.unless) if c for name in (c.concept, *c.values)]
            self._known(tables["rows"][row.key], "concept", named, self.concepts)
        for need in self.needs.values():
            self._known(tables["needs"][need.key], "all", (*need.all, *need.any), self.elements)
            self._known(tables["needs"][need.key], "except", (*need.excepted, *need.if_event), self.concepts)
            for name in (*need.all, *need.any):
                if self.elements[name].family not in _AMONG[need.among]:
                    reason = f"asks for {name} among {need.among}, where it never stands"
                    raise tables["needs"][need.key].error(reason, "all" if name in need.all else "any")
        for key in self.roots:
            self._known(tables["roots"][key], "concept", [key], self.concepts)
        self._check_details(tables["details"])
        for rule in self.modalities.values():
            named = [*rule.procedures, *rule.devices, *rule.events]
            self._known(tables["modalities"][rule.modality], "procedures", named, self.concepts)

    def _check_details(self, entries: Entries) -> None:
        for key, detail in self.details.items():
            self._known(entries[key], "concept", [key], self.concepts)
            self._known(entries[key], "elements", detail.elements, self.elements)
            for name in detail.elements:
                if self.elements[name].family not in _AMONG["each-event"]:
                    raise entries[key].error(f"gives {name}, which is no element of an event", "elements")

    @staticmethod
    def _known(entry: Entry, attribute: str, names: Iterable[str], table: Mapping[str, Any]) -> None:
        for name in names:
            if name not in table:
                raise entry.error(f"names {name}, which is not known", attribute if attribute in entry.data else None)


TABLES = ("concepts", "units", "elements", "rows", "needs", "roots", "modalities", "classes", "details")
_AMONG = {
    "header": {"header"},
    "report": {"report", "header"},
    "some-plane": {"plane", "total"},
    "some-event": {"ct", "projection"},
    "each-event": {"ct", "projection"},
}
_FIXED = frozenset({"elements", "roots"})


def _tables(layers: list[Layer], sources: Mapping[str, Source]) -> dict[str, Entries]:
    tables: dict[str, Entries] = {name: {} for name in TABLES}
    for layer in layers:
        for name, entries in tables.items():
            patches = layer.data.get(name, {})
            for key, patch in patches.items():
                if layer.shipped and key in entries:
                    raise layer.error(f"{key} stands in another layer too", (name, key))
                if name in _FIXED and not layer.shipped and (key not in entries or patch is None):
                    raise layer.error(f"{name} can be changed, neither added nor removed: {key}", (name, key))
            merge(entries, patches, layer, (name,))
    for entries in tables.values():
        for entry in entries.values():
            check_citations(entry, sources)
    return tables


def _compiled(entries: Entries, make: Callable[[str, Entry], _T]) -> Mapping[str, _T]:
    return MappingProxyType({key: make(key, entry) for key, entry in entries.items()})


def _split(text: str) -> tuple[str, str]:
    value, _, scheme = text.rpartition(",")
    return value, scheme


def _texts(entry: Entry, attribute: str) -> tuple[str, ...]:
    return tuple(entry.get(attribute, ()))


def _told(entry: Entry) -> dict[str, Any]:
    origin = entry.origin
    return {"provenance": origin.provenance, "sources": origin.sources, "note": origin.note, "layer": origin.layer}


def _concept(key: str, entry: Entry) -> Concept:
    return Concept(
        key=key,
        meaning=entry.need("meaning"),
        written=tuple(entry.need("written")),
        alternates=_texts(entry, "alternates"),
        at_root=_texts(entry, "at_root"),
        **_told(entry),
    )


def _unit(key: str, entry: Entry) -> Unit:
    factor = float(entry.need("factor"))
    return Unit(name=key, dimension=entry.need("dimension"), factor=factor, plain=entry.get("plain", True), **_told(entry))


def _element(key: str, entry: Entry) -> DoseElement:
    return DoseElement(
        key=key,
        title=entry.need("title"),
        level=Level(entry.need("level")),
        tag=entry.get("tag", ""),
        concept=entry.get("concept", ""),
        type=entry.get("type", "text"),
        unit=entry.get("unit", ""),
        **_told(entry),
    )


def _condition(entry: Entry, attribute: str) -> Condition | None:
    stated = entry.get(attribute)
    return Condition(concept=stated["concept"], values=tuple(stated["values"])) if stated else None


def _row(key: str, entry: Entry) -> TemplateRow:
    return TemplateRow(
        key=key,
        template=entry.need("template"),
        modalities=_texts(entry, "modalities"),
        parent=entry.need("parent"),
        concept=entry.need("concept"),
        types=tuple(entry.need("types")),
        enhanced=entry.get("enhanced", False),
        if_event=_texts(entry, "if_event"),
        when=_condition(entry, "when"),
        unless=_condition(entry, "unless"),
        **_told(entry),
    )


def _need(key: str, entry: Entry) -> Need:
    return Need(
        key=key,
        text=entry.need("text"),
        among=entry.need("among"),
        severity=entry.need("severity"),
        modalities=_texts(entry, "modalities"),
        all=_texts(entry, "all"),
        any=_texts(entry, "any"),
        excepted=_texts(entry, "except"),
        if_event=_texts(entry, "if_event"),
        **_told(entry),
    )


def _root(key: str, entry: Entry) -> Root:
    return Root(concept=key, modality=entry.get("modality", ""), collected=entry.get("collected", True), **_told(entry))


def _modality(key: str, entry: Entry) -> ModalityRule:
    return ModalityRule(
        modality=key,
        collected=entry.need("collected"),
        procedures=_texts(entry, "procedures"),
        devices=_texts(entry, "devices"),
        events=_texts(entry, "events"),
        **_told(entry),
    )


def _class(key: str, entry: Entry) -> SopClass:
    return SopClass(uid=key, name=entry.need("name"), dose=entry.need("dose"), **_told(entry))


def _detail(key: str, entry: Entry) -> Detail:
    return Detail(concept=key, elements=tuple(entry.need("elements")), **_told(entry))
