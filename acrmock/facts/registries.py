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
    EXAM,
    Band,
    Bounds,
    ChildList,
    Code,
    Condition,
    Element,
    ElementType,
    Level,
    MappingVersion,
    Registry,
    Rule,
    RuleKind,
)
from acrmock.facts.registry_checks import check_element, check_version
from acrmock.facts.settings import check_citations
from acrmock.facts.yamlfile import Path_

_OF_KIND = "_elements"
_ATTRIBUTES = frozenset({"key_elements", "patient_elements", "unknown_elements"})
_LONGEST_LIST = 100
_HEAD_FIX = "give it title, header_word, provenance and sources"
_INHERITED = ("key_elements", "patient_elements", "unknown_elements", "unknown", "form")


@dataclass(frozen=True, slots=True)
class Lists:
    """The name of the list of exams in a transaction, and of lists in an exam that have no name of their own, by kind."""

    exams: str
    kinds: Mapping[str, str]


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
    """The merged tables of one version; `elements` by kind of record."""

    elements: dict[str, Entries] = field(default_factory=lambda: {EXAM: {}})
    lists: Entries = field(default_factory=dict)
    rules: Entries = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)

    def copy(self) -> _Tables:
        """A copy whose tables can be patched apart."""
        elements = {kind: dict(entries) for kind, entries in self.elements.items()}
        return _Tables(elements, dict(self.lists), dict(self.rules), dict(self.attributes))

    def table(self, key: str) -> Entries:
        """The table that a layer calls `key`: `elements`, `rules`, `lists`, or `<kind>_elements`."""
        if key in {"rules", "lists"}:
            return self.rules if key == "rules" else self.lists
        kind = EXAM if key == "elements" else key.removesuffix(_OF_KIND)
        return self.elements.setdefault(kind, {})


def _is_table(key: str) -> bool:
    return key in {"elements", "rules", "lists"} or (key.endswith(_OF_KIND) and key not in _ATTRIBUTES)


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
        own = {key: value for key, value in patch.items() if not _is_table(key)}
        if own:
            merge(draft.versions, {version: own}, layer, ("versions",))
        tables = {key: value for key, value in patch.items() if _is_table(key) and value}
        if tables:
            draft.patches.setdefault(version, []).append((layer, tables))


class _Compiler:
    """Compiles one registry; elements and rules that versions share are made once."""

    def __init__(self, draft: _Draft, sources: Mapping[str, Source], lists: Lists) -> None:
        self._draft = draft
        self._sources = sources
        self._lists = lists
        self._tables: dict[str, _Tables] = {}
        self._made: dict[tuple[int, str], Any] = {}

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
            for table, entries in patch.items():
                merge(tables.table(table), entries, layer, ("versions", name, table))
        self._tables[name] = tables
        return tables

    def _version(self, name: str, entry: Entry, word: str) -> MappingVersion:
        check_citations(entry, self._sources)
        tables = self._resolve(name, ())
        kinds = [kind for kind, entries in tables.elements.items() if entries]
        elements = [self._element(key, item, kind) for kind in kinds for key, item in tables.elements[kind].items()]
        for kind, listed in tables.lists.items():
            if kind not in kinds:
                raise listed.error(f"{name} has no element of the kind {kind}", None, f"name them in `{kind}_elements`")
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
            elements=tuple(elements),
            rules=tuple(self._rule(key, item) for key, item in tables.rules.items()),
            unknown=tables.attributes.get("unknown", "").strip(),
            key_elements=tuple(tables.attributes.get("key_elements", ())),
            patient_elements=tuple(tables.attributes.get("patient_elements", ())),
            unknown_elements=tables.attributes.get("unknown_elements", "reject"),
            exams=self._lists.exams,
            lists=tuple(self._list(kind, tables, entry) for kind in kinds if kind != EXAM),
            form=tables.attributes.get("form", ""),
            note=entry.origin.note,
            layer=entry.origin.layer,
            origins=entry.origins,
        )
        check_version(version, entry, tables.elements, tables.rules)
        return version

    def _list(self, kind: str, tables: _Tables, version: Entry) -> ChildList:
        entry = tables.lists.get(kind)
        name = entry.get("name") if entry is not None else None
        name = name or self._lists.kinds.get(kind)
        if not name:
            fix = f"give `lists` an entry `{kind}` with a name, provenance and sources"
            first = next(iter(tables.elements[kind].values()))
            raise first.error(f"is of the kind {kind}, but nothing says in which list such elements stand", None, fix)
        place = entry or version
        check_citations(place, self._sources)
        least, most = (entry.get("least", 0), entry.get("most", _LONGEST_LIST)) if entry is not None else (0, _LONGEST_LIST)
        if least > most:
            raise place.error("`least` is above `most`", "least")
        return ChildList(
            kind=kind,
            name=name,
            label=(entry.get("label") if entry is not None else None) or kind.replace("_", "-"),
            least=least,
            most=most,
            provenance=place.origin.provenance,
            sources=place.origin.sources,
            note=place.origin.note,
            layer=place.origin.layer,
        )

    def _element(self, name: str, entry: Entry, record: str) -> Element:
        key = (id(entry), record)
        if key not in self._made:
            check_citations(entry, self._sources)
            self._made[key] = check_element(_element(name, entry, record), entry)
        made: Element = self._made[key]
        return made

    def _rule(self, name: str, entry: Entry) -> Rule:
        key = (id(entry), "")
        if key not in self._made:
            check_citations(entry, self._sources)
            self._made[key] = _rule(name, entry)
        made: Rule = self._made[key]
        return made


def _element(name: str, entry: Entry, record: str) -> Element:
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
        bounds=Bounds(entry.get("bounds", "warn")),
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
        record=entry.get("record", EXAM),
        level=Level(entry.get("level", "submit")),
        elements=tuple(entry.get("elements", ())),
        message=entry.need("message"),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        when=Condition(element=when["element"], values=tuple(when.get("values", ()))) if when else None,
        other=entry.get("other", ""),
        days=entry.get("days", 0),
        percent=float(entry.get("percent", 0)),
        pairs={value: tuple(allowed) for value, allowed in entry.get("pairs", {}).items()},
        bands=tuple(Band(element=b["element"], least=b["least"], most=b.get("most")) for b in entry.get("bands", ())),
        form=entry.get("form", ""),
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
