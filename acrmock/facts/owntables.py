"""An overlay of a registry's elements and rules, begun from what is known of them, to be changed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import yaml

from acrmock.facts.errors import FactsError
from acrmock.facts.facts import Facts
from acrmock.facts.layer import LAYER_SCHEMA
from acrmock.facts.registry import EXAM, Element, MappingVersion, Rule

PREFIX = "registry."
_HEAD = (
    "# An overlay: change what your documents say otherwise, remove what stays as it is (an element, code or rule that is null\n"
    "# goes), and say on whose word it rests. Check it with `acrmock facts check`, use it with --overlay.\n"
)
_OF_PLACE = frozenset({"name", "id", "record", "provenance", "sources", "note", "layer", "origins"})


def begin_tables(facts: Facts, selectors: Sequence[str]) -> str:
    """A registry's layer (YAML) with the elements and rules that are named as `acrmock facts show` names them.

    `registry.SLUG.VERSION` stands for all of a version. Raises `FactsError` for what is not there, and for two registries.
    """
    slugs = {selector.split(".")[1] for selector in selectors if selector.count(".") >= 2}
    if len(slugs) != 1:
        raise FactsError(
            "an overlay of elements is of one version's registry", file="registry", fix="as registry.lcsr.1.8.CTDIvol"
        )
    (slug,) = slugs
    versions: dict[str, dict[str, Any]] = {}
    for selector in selectors:
        version, rest = _version(facts, slug, selector)
        found = _chosen(version, rest)
        if not found:
            raise _unknown(selector)
        tables = versions.setdefault(version.version, {})
        for table, name, entry in found:
            tables.setdefault(table, {})[name] = entry
    layer = {"schema": LAYER_SCHEMA, "kind": "registry", "registry": slug, "versions": versions}
    return _HEAD + yaml.safe_dump(layer, sort_keys=False, allow_unicode=True, width=120)


def _version(facts: Facts, slug: str, selector: str) -> tuple[MappingVersion, str]:
    registry = facts.registry(slug)
    rest = selector.removeprefix(f"{PREFIX}{slug}.")
    known = registry.versions if registry is not None else ()
    fits = [item for item in known if rest == item.version or rest.startswith(f"{item.version}.")]
    if not fits:
        raise _unknown(selector)
    version = max(fits, key=lambda item: len(item.version))
    return version, rest.removeprefix(version.version).removeprefix(".")


def _unknown(selector: str) -> FactsError:
    return FactsError(f"nothing is called {selector[:80]}", file="registry", fix="see all with `acrmock facts show registry`")


def _chosen(version: MappingVersion, rest: str) -> list[tuple[str, str, dict[str, Any]]]:
    elements = [
        ("elements" if item.record == EXAM else f"{item.record}_elements", item.name, _entry(item))
        for item in version.elements
        if rest in {"", item.name}
    ]
    return elements + [("rules", rule.id, _entry(rule)) for rule in version.rules if rest in {"", f"rule.{rule.id}"}]


def _entry(item: Element | Rule) -> dict[str, Any]:
    """What a layer says of an element or a rule, without what is so anyway."""
    said = _said(item, msgspec.structs.fields(item))
    if isinstance(item, Element) and item.codes:
        said["codes"] = {code.code: code.label for code in item.codes}
    if isinstance(item, Rule) and item.record != EXAM:
        said["record"] = item.record
    return said | {"provenance": "mock-choice", "sources": ["MOCK"]}


def _said(item: Element | Rule, fields: Iterable[msgspec.structs.FieldInfo]) -> dict[str, Any]:
    named = (field for field in fields if field.name not in _OF_PLACE)
    told = {field.name: getattr(item, field.name) for field in named if getattr(item, field.name) != field.default}
    plain: dict[str, Any] = msgspec.to_builtins(told)
    return {name: value for name, value in plain.items() if value not in (None, "", [], {})}
