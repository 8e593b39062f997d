"""Compiling registries: versions with what they inherit, elements, and rules whose every name is checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from acrmock.facts.errors import FactsError
from acrmock.facts.layer import Layer
from acrmock.facts.merge import Entries, Entry, merge
from acrmock.facts.model import Source
from acrmock.facts.registry import (
    Code,
    Condition,
    Element,
    ElementType,
    Level,
    MappingVersion,
    RecordKind,
    Registry,
    Rule,
    RuleKind,
)
from acrmock.facts.registry_checks import check_element, check_version
from acrmock.facts.settings import check_citations
from acrmock.facts.yamlfile import Path_

_TABLES = ("elements", "follow_up_elements", "rules")
_HEAD_FIX = "give it title, header_word, provenance and sources"
_INHERITED = ("key_elements", "patient_elements", "unknown_elements", "unknown")


@dataclass(frozen=True, slots=True)
class Lists:
    """The names of the lists of exams in a transaction and of follow-ups in an exam."""

    exams: str
    follow_ups: str


@dataclass(slots=True)
class _Draft:
    """A registry while its layers are merged: its head, its versions' own attributes, and what each says of its tables."""

    slug: str
    file: str
    head: Entries = field(default_factory=dict)
    versions: Entries = field(default_factory=dict)
    patches: dict[str, list[tuple[Layer, Mapping[str, Any]]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Tables:
    """The merged tables of one version."""

    elements: Entries = field(default_factory=dict)
    follow_up_elements: Entries = field(default_factory=dict)
    rules: Entries = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> _Tables:
        """A copy whose tables can be patched apart."""
        return _Tables(dict(self.elements), dict(self.follow_up_elements), dict(self.rules), dict(self.attributes))


def compile_registries(layers: Iterable[Layer], sources: Mapping[str, Source], lists: Lists) -> tuple[Registry, ...]:
    """The registries of all layers; raises `FactsError` with the place of whatever does not fit together."""
    drafts: dict[str, _Draft] = {}
    for layer in layers:
        draft = drafts.setdefault(layer.data["registry"], _Draft(layer.data["registry"], layer.name))
        _take(draft, layer)
    return tuple(_Compiler(draft, sources, lists).registry() for draft in drafts.values())


def _take(draft: _Draft, layer: Layer) -> None:
    head = {key: value for key, value in layer.data.items() if key not in {"schema", "kind", "registry", "versions"}}
    if set(head) - {"provenance", "sources", "note", "facts"}:
        merge(draft.head, {draft.slug: head}, layer, ())
    for version, patch in (layer.data.get("versions") or {}).items():
        path: Path_ = ("versions", version)
        if patch is None:
            if version not in draft.versions:
                raise layer.error(f"{version} cannot be removed: no lower layer has it", path)
            del draft.versions[version]
            draft.patches.pop(version, None)
            continue
        if patch.get("replace"):
            draft.patches[version] = []
        own = {key: value for key, value in patch.items() if key not in _TABLES}
        if own:
            merge(draft.versions, {version: own}, layer, ("versions",))
        tables = {key: patch[key] for key in _TABLES if patch.get(key)}
        if tables:
            draft.patches.setdefault(version, []).append((layer, tables))


class _Compiler:
    """Compiles one registry; elements and rules that versions share are made once."""

    def __init__(self, draft: _Draft, sources: Mapping[str, Source], lists: Lists) -> None:
        self._draft = draft
        self._sources = sources
        self._lists = lists
        self._tables: dict[str, _Tables] = {}
        self._made: dict[tuple[int, RecordKind | None], Any] = {}

    def registry(self) -> Registry:
        """The registry with all its versions in the order of the layers."""
        draft = self._draft
        for version, patches in draft.patches.items():
            if version not in draft.versions:
                layer = patches[0][0]
                reason = f"the version {version} has elements or rules, but nothing says what it is"
                raise layer.error(reason, ("versions", version), "give it provenance, sources and dates")
        if draft.slug not in draft.head:
            raise FactsError(f"nothing says what the registry {draft.slug} is", file=draft.file, line=1, fix=_HEAD_FIX)
        head = draft.head[draft.slug]
        check_citations(head, self._sources)
        word = head.need("header_word")
        return Registry(
            slug=draft.slug,
            header_word=word,
            title=head.need("title"),
            aliases=tuple(head.get("aliases", ())),
            scope=head.get("scope", ""),
            versions=tuple(self._version(name, entry, word) for name, entry in draft.versions.items()),
            provenance=head.origin.provenance,
            sources=head.origin.sources,
            note=head.origin.note,
            layer=head.origin.layer,
        )

    def _resolve(self, name: str, seen: tuple[str, ...]) -> _Tables:
        entry = self._draft.versions[name]
        if name in seen:
            raise entry.error(f"extends itself: {' -> '.join((*seen, name))}", "extends")
        if name in self._tables:
            return self._tables[name]
        parent = entry.get("extends")
        if parent is not None and parent not in self._draft.versions:
            raise entry.error(f"extends {parent}, which is not a version of {self._draft.slug}", "extends")
        tables = self._resolve(parent, (*seen, name)).copy() if parent is not None else _Tables()
        tables.attributes.update({key: entry.get(key) for key in _INHERITED if entry.get(key) is not None})
        for layer, patch in self._draft.patches.get(name, ()):
            for table in _TABLES:
                merge(getattr(tables, table), patch.get(table) or {}, layer, ("versions", name, table))
        self._tables[name] = tables
        return tables

    def _version(self, name: str, entry: Entry, word: str) -> MappingVersion:
        check_citations(entry, self._sources)
        tables = self._resolve(name, ())
        exam = [self._element(key, item, RecordKind.EXAM) for key, item in tables.elements.items()]
        follow_up = [self._element(key, item, RecordKind.FOLLOW_UP) for key, item in tables.follow_up_elements.items()]
        start, end = _day(entry, "in_force_from"), _day(entry, "in_force_until")
        if start and end and start > end:
            raise entry.error(f"in force from {start} until {end}: the end is before the beginning", "in_force_until")
        version = MappingVersion(
            registry=self._draft.slug,
            header_word=word,
            version=name,
            in_force_from=start,
            in_force_until=end,
            provenance=entry.origin.provenance,
            sources=entry.origin.sources,
            elements=tuple(exam + follow_up),
            rules=tuple(self._rule(key, item) for key, item in tables.rules.items()),
            unknown=tables.attributes.get("unknown", "").strip(),
            key_elements=tuple(tables.attributes.get("key_elements", ())),
            patient_elements=tuple(tables.attributes.get("patient_elements", ())),
            unknown_elements=tables.attributes.get("unknown_elements", "reject"),
            exams=self._lists.exams,
            follow_ups=self._lists.follow_ups,
            note=entry.origin.note,
            layer=entry.origin.layer,
            origins=entry.origins,
        )
        check_version(version, entry, tables.elements | tables.follow_up_elements, tables.rules)
        return version

    def _element(self, name: str, entry: Entry, record: RecordKind) -> Element:
        key = (id(entry), record)
        if key not in self._made:
            check_citations(entry, self._sources)
            self._made[key] = check_element(_element(name, entry, record), entry)
        made: Element = self._made[key]
        return made

    def _rule(self, name: str, entry: Entry) -> Rule:
        key = (id(entry), None)
        if key not in self._made:
            check_citations(entry, self._sources)
            self._made[key] = _rule(name, entry)
        made: Rule = self._made[key]
        return made


def _element(name: str, entry: Entry, record: RecordKind) -> Element:
    codes = entry.get("codes") or {}
    return Element(
        name=name,
        record=record,
        label=entry.need("label"),
        type=ElementType(entry.get("type", "text")),
        level=Level(entry.get("level", "optional")),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        number=entry.get("number"),
        section=entry.get("section", ""),
        codes=tuple(Code(code=code, label=label) for code, label in codes.items()),
        multiple=entry.get("multiple", False),
        min_length=entry.get("min_length"),
        max_length=entry.get("max_length"),
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        unit=entry.get("unit", ""),
        pattern=entry.get("pattern", ""),
        pattern_hint=entry.get("pattern_hint", ""),
        identity=entry.get("identity", ""),
        note=entry.origin.note,
        layer=entry.origin.layer,
        origins=entry.origins,
    )


def _rule(name: str, entry: Entry) -> Rule:
    when = entry.get("when")
    return Rule(
        id=name,
        kind=RuleKind(entry.need("kind")),
        record=RecordKind(entry.get("record", "exam")),
        level=Level(entry.get("level", "submit")),
        elements=tuple(entry.get("elements", ())),
        message=entry.need("message"),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        when=Condition(element=when["element"], values=tuple(when.get("values", ()))) if when else None,
        other=entry.get("other", ""),
        days=entry.get("days", 0),
        note=entry.origin.note,
        layer=entry.origin.layer,
    )


def _day(entry: Entry, attribute: str) -> date | None:
    text = entry.get(attribute)
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise entry.error(f"`{attribute}` is no date: {text}", attribute) from error
