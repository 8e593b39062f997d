"""Merging layers: an entry keeps, attribute by attribute, where it comes from.

A later layer changes an entry (its attributes replace, its mappings merge), adds one, discards what stood below
(`replace: true`), or removes it (`null`; an attribute or a mapping's key likewise).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from acrmock.facts.layer import Layer
from acrmock.facts.model import Origin
from acrmock.facts.provenance import Provenance
from acrmock.facts.yamlfile import Path_

_META = frozenset({"provenance", "sources", "note", "facts", "replace", "new"})
_MERGED = frozenset({"codes", "headers", "weights", "settings"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One merged entry: its attributes, its own origin, the origins of attributes that differ, and where it was last touched."""

    data: Mapping[str, Any]
    origin: Origin
    layer: Layer
    path: Path_
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def get(self, attribute: str, default: Any = None) -> Any:
        """The value of an attribute."""
        return self.data.get(attribute, default)

    def need(self, attribute: str) -> Any:
        """The value of an attribute that an entry cannot be without; raises `FactsError`."""
        if attribute not in self.data:
            raise self.error(f"`{attribute}` is missing")
        return self.data[attribute]

    def error(self, reason: str, attribute: str | None = None, fix: str = "") -> Exception:
        """The error that `reason` is, at the place where this entry was last touched."""
        path = self.path if attribute is None else (*self.path, attribute)
        name = ".".join(str(part) for part in self.path)
        return self.layer.error(f"{name}: {reason}", path, fix)


Entries = dict[str, Entry]


def origin_of(layer: Layer, data: Mapping[str, Any], path: Path_, fallback: Origin | None = None) -> Origin:
    """The origin that an entry states for itself; raises `FactsError` when it states none."""
    if "provenance" not in data or not data.get("sources"):
        if fallback is not None:
            return fallback
        missing = "sources" if "provenance" in data else "provenance"
        raise layer.error(f"{'.'.join(map(str, path))}: `{missing}` is missing: on whose word does it rest?", path)
    return Origin(
        provenance=Provenance(data["provenance"]),
        sources=tuple(data["sources"]),
        note=data.get("note") or "",
        layer=layer.name,
    )


def merge(entries: Entries, patches: Mapping[str, Any], layer: Layer, path: Path_, skip: frozenset[str] = frozenset()) -> None:
    """Merge what a layer says of several entries into `entries`; attributes in `skip` are somebody else's."""
    for key, patch in patches.items():
        place = (*path, key)
        if patch is None:
            if key not in entries:
                raise layer.error(f"{key} cannot be removed: no lower layer has it", place)
            del entries[key]
        elif key in entries and not patch.get("replace"):
            entries[key] = _patched(entries[key], patch, layer, place, skip)
        else:
            entries[key] = _new(patch, layer, place, skip)


def _new(patch: Mapping[str, Any], layer: Layer, path: Path_, skip: frozenset[str]) -> Entry:
    stated = ((key, _combined({}, value) if value and key in _MERGED else value) for key, value in _attributes(patch, skip))
    data = {key: value for key, value in stated if value is not None}
    origins = _stated(patch, layer)
    for attribute in origins:
        if attribute not in data and attribute not in patch:
            raise layer.error(f"facts names `{attribute}`, which the entry lacks", (*path, "facts", attribute))
    return Entry(data=data, origin=origin_of(layer, patch, path), origins=origins, layer=layer, path=path)


def _patched(below: Entry, patch: Mapping[str, Any], layer: Layer, path: Path_, skip: frozenset[str]) -> Entry:
    attributes = dict(_attributes(patch, skip))
    own = origin_of(layer, patch, path, fallback=below.origin if not attributes else None)
    stated = _stated(patch, layer)
    data, origins = dict(below.data), dict(below.origins)
    for key, value in attributes.items():
        if value is None:
            data.pop(key, None)
            origins.pop(key, None)
            continue
        data[key] = _combined(data.get(key), value) if key in _MERGED else value
        origins[key] = stated.get(key, own)
    origins.update(stated)
    return Entry(data=data, origin=below.origin, origins=origins, layer=layer, path=path)


def _combined(below: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**(below or {}), **patch}
    return {key: value for key, value in merged.items() if value is not None}


def _attributes(patch: Mapping[str, Any], skip: frozenset[str]) -> Iterator[tuple[str, Any]]:
    return ((key, value) for key, value in patch.items() if key not in _META and key not in skip)


def _stated(patch: Mapping[str, Any], layer: Layer) -> dict[str, Origin]:
    return {
        attribute: Origin(
            provenance=Provenance(stated["provenance"]),
            sources=tuple(stated["sources"]),
            note=stated.get("note") or "",
            layer=layer.name,
        )
        for attribute, stated in (patch.get("facts") or {}).items()
    }
