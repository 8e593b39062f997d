"""Imported elements as a layer of one mapping version, on top of what is known of it.

The document decides: an element of lower layers that it does not have is removed, with the rules that need it. Every value
says that it was imported, and the version says so in each result that rests on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import msgspec
import yaml

from acrmock.errors import SetupError
from acrmock.facts.facts import Facts
from acrmock.facts.importing.elements import ImportedElement
from acrmock.facts.layer import LAYER_SCHEMA
from acrmock.facts.provenance import Provenance
from acrmock.facts.registry import EXAM, Bounds, Element, ElementType, MappingVersion, Registry, Rule, RuleKind

SOURCE = "IMPORTED"
"""The source that stands for a document of the user's own; a citation names the file and the row."""


_KEYS = ("key_elements", "patient_elements")
_DAYS = {ElementType.DATE, ElementType.INSTANT}


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """A layer made of a document: its text, and what it does to what was known.

    `keyless`: nothing tells one exam from another any more, so that each replaces the one before.
    """

    text: str
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    dropped_rules: tuple[str, ...]
    keyless: bool = False


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where the elements come from: the file's name and the digest of its bytes.

    They count as a third party's word, for nobody but their holder can vouch for them. `keep` leaves elements alone that the
    document does not have. `title` makes a registry that nobody knew; `key_elements` and `patient_elements` say what tells its
    exams and patients apart, or those of a version that is known by other elements.
    """

    file: str
    sha256: str
    in_force_from: date | None = None
    in_force_until: date | None = None
    keep: bool = False
    title: str = ""
    key_elements: tuple[str, ...] = ()
    patient_elements: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: str, data: bytes, **more: Any) -> Origin:
        """The origin of a file with these bytes."""
        return cls(file=file, sha256=hashlib.sha256(data).hexdigest(), **more)


def write_layer(facts: Facts, registry: str, version: str, elements: Iterable[ImportedElement], origin: Origin) -> Imported:
    """The layer that makes `elements` the version's; `keep` leaves elements alone that the document does not have.

    A version that nobody knew begins as a copy of the newest one of its registry. Raises `SetupError` where nothing would tell
    one exam of a new registry from another.
    """
    found = tuple(elements)
    known = facts.registry(registry)
    base = _base(known, version)
    here = {(item.kind, item.name) for item in found}
    before = {(item.record, item.name): item for item in base.elements} if base is not None else {}
    gone = () if origin.keep else tuple(key for key in before if key not in here)
    names = {name for _, name in gone}
    if origin.keep:
        # what is kept keeps its number, so that no number stands for two
        held = {item.number for key, item in before.items() if key not in here}
        found = tuple(msgspec.structs.replace(item, number=None) if item.number in held else item for item in found)
    keys = _keys(base, found, names, origin)
    patch: dict[str, Any] = _head(base, version, origin) | keys
    for kind in dict.fromkeys((*(kind for kind, _ in gone), *(item.kind for item in found))):
        table = "elements" if kind == EXAM else f"{kind}_elements"
        rows: dict[str, Any] = {name: None for other, name in gone if other == kind}
        rows |= {item.name: _entry(item, origin, before.get((kind, item.name))) for item in found if item.kind == kind}
        if rows:
            patch[table] = rows
    rules = _rules(base, names | _of_another_type(found, before), found, origin)
    if rules:
        patch["rules"] = rules
    layer = {"schema": LAYER_SCHEMA, "kind": "registry", "registry": registry}
    layer |= _registry(registry, origin) if known is None else {}
    return Imported(
        text=_comment(origin)
        + yaml.safe_dump(layer | {"versions": {version: patch}}, sort_keys=False, allow_unicode=True, width=120),
        added=tuple(item.name for item in found if (item.kind, item.name) not in before),
        changed=tuple(item.name for item in found if (item.kind, item.name) in before),
        removed=tuple(name for _, name in gone),
        dropped_rules=tuple(name for name, kept in rules.items() if kept is None),
        keyless=not any(keys.get(name, getattr(base, name, ())) for name in _KEYS),
    )


def _base(known: Registry | None, version: str) -> MappingVersion | None:
    """The version itself where its elements are known, else the newest of its registry, or of the form that it names."""
    if known is None:
        return None
    own = known.version(version)
    if own is not None and own.described:
        return own
    described = [item for item in known.versions if item.described]
    form = next((item.form for item in described if item.form and version.startswith(f"{item.form}-")), "")
    return next((item for item in reversed(described) if item.form == form), None)


def _registry(slug: str, origin: Origin) -> dict[str, Any]:
    """The head of a registry that nobody knew: words that are built like those of the known ones."""
    return {"title": origin.title, "header_word": slug.upper(), "scope": f"{slug}_data_submission", **_word(origin)}


def _head(base: MappingVersion | None, version: str, origin: Origin) -> dict[str, Any]:
    statement = (
        f"The elements of {version} were imported from the document {origin.file} (SHA-256 {origin.sha256}); "
        "acrmock cannot vouch for them."
    )
    head: dict[str, Any] = {**_word(origin), "unknown": statement}
    itself = base is not None and base.version == version
    if base is not None and not itself:
        head["extends"] = base.version
    for name in ("in_force_from", "in_force_until"):
        day = getattr(origin, name) or (getattr(base, name, None) if itself else None)
        if day is not None:
            head[name] = day.isoformat()
    return head


def _keys(base: MappingVersion | None, elements: tuple[ImportedElement, ...], gone: set[str], origin: Origin) -> dict[str, Any]:
    """What tells an exam and a patient apart: as it was said, else as known, without the elements that are no longer there."""
    here = {item.name for item in elements if item.kind == EXAM}
    found: dict[str, list[str]] = {}
    for name, option in zip(_KEYS, ("--key", "--patient"), strict=True):
        told = getattr(origin, name)
        for item in told:
            if item not in here:
                raise SetupError(f"{option} names an element that the table does not have", actual=item[:100])
        found[name] = [*told] or [item for item in getattr(base, name, ()) if item not in gone]
    if base is None and not any(found.values()):
        raise SetupError(
            "nothing says what tells one exam of a new registry from another",
            fix="name elements with --key (of the exam, e.g. its date) and --patient (of the patient, e.g. a number)",
        )
    return {name: items for name, items in found.items() if tuple(items) != getattr(base, name, ())}


def _entry(item: ImportedElement, origin: Origin, known: Element | None) -> dict[str, Any]:
    """An element; whom it identifies stays as it is known, for no table says it but by a type."""
    entry: dict[str, Any] = {"replace": True, "label": item.label, "type": str(item.type), "level": str(item.level)}
    for name in ("number", "min_length", "max_length", "minimum", "maximum", "pattern", "pattern_hint", "unit"):
        value = getattr(item, name)
        if value not in {None, ""}:
            entry[name] = value
    if (item.minimum, item.maximum) != (None, None):
        entry["bounds"] = str(Bounds.REJECT)  # values that a document admits, as codes are
    if item.codes:
        entry["codes"] = dict(item.codes)
    identity = known.identity if known is not None and known.identity else item.identity
    if not identity and item.name in origin.patient_elements and item.kind == EXAM and item.type is ElementType.TEXT:
        identity = "id"
    if identity:
        entry["identity"] = identity
    if item.multiple:
        entry["multiple"] = True
    return entry | _word(origin, f" {_plain(item.sheet)} row {item.row}" if item.sheet else f" row {item.row}")


def _word(origin: Origin, place: str = "") -> dict[str, Any]:
    return {"provenance": str(Provenance.THIRD_PARTY), "sources": [f"{SOURCE} {_plain(origin.file)[:150]}{place}"]}


def _of_another_type(elements: Iterable[ImportedElement], before: Mapping[tuple[str, str], Element]) -> set[str]:
    """The elements whose type the document changed so much that what was ruled of their values says nothing any more."""
    known = ((item, before.get((item.kind, item.name))) for item in elements)
    return {item.name for item, old in known if old is not None and item.type is not old.type and {item.type, old.type} != _DAYS}


def _rules(base: MappingVersion | None, gone: set[str], elements: tuple[ImportedElement, ...], origin: Origin) -> dict[str, Any]:
    """The rules that name what is no longer there, an element or a code: one of several elements is left out, else the rule goes.

    A rule that goes is None.
    """
    codes = {item.name: set(item.codes) for item in elements if item.codes}
    found: dict[str, Any] = {}
    for rule in base.rules if base is not None else ():
        if rule.when is not None and {*rule.when.values} - codes.get(rule.when.element, {*rule.when.values}):
            found[rule.id] = None
            continue
        if not gone & _names(rule):
            continue
        rest = [name for name in rule.elements if name not in gone]
        whole = rule.kind is RuleKind.ANY_OF and rest and not gone & (_names(rule) - {*rule.elements})
        found[rule.id] = {"elements": rest, **_word(origin)} if whole else None
    return found


def _names(rule: Rule) -> set[str]:
    named = {*rule.elements, rule.other}
    if rule.when is not None:
        named.add(rule.when.element)
    return named - {""}


def _comment(origin: Origin) -> str:
    return (
        f"# Imported from {_plain(origin.file)}, SHA-256 {origin.sha256}.\n"
        "# It holds what that document holds: keep it as you keep the document.\n"
    )


def _plain(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())
