"""Compiling settings and sources."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from acrmock.facts.forms import Form, misshapen
from acrmock.facts.layer import Layer
from acrmock.facts.merge import Entries, Entry, merge
from acrmock.facts.model import Fact, Origin, Source
from acrmock.facts.provenance import Provenance, weakest

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def compile_sources(layers: Iterable[Layer]) -> dict[str, Source]:
    """The sources of all layers by key."""
    sources: dict[str, Source] = {}
    for layer in layers:
        for key, data in layer.data["sources"].items():
            if data is None:
                sources.pop(key, None)
                continue
            sources[key] = Source(
                key=key,
                title=data["title"],
                url=data.get("url", ""),
                version=data.get("version", ""),
                seen=data.get("seen", ""),
                kind=Provenance(data["kind"]),
            )
    return sources


def compile_settings(layers: Iterable[Layer], sources: Mapping[str, Source]) -> dict[str, Fact]:
    """The settings of all layers by key; raises `FactsError` for a value of another type or outside its bounds."""
    entries: Entries = {}
    for layer in layers:
        patches = layer.data["settings"]
        for key, patch in patches.items():
            if not layer.shipped and patch is not None:
                _refuse_unknown(entries, key, patch, layer)
            elif patch is not None and key in entries:
                raise layer.error(f"the setting {key} stands in another layer too", ("settings", key))
        before = dict(entries)
        merge(entries, patches, layer, ("settings",))
        for key in patches:
            if key in before and key in entries:
                _check_type(before[key], entries[key], key)
                entries[key] = _with_its_word(before[key], entries[key])
    return {key: _fact(key, entry, sources) for key, entry in entries.items()}


def _with_its_word(below: Entry, entry: Entry) -> Entry:
    """An entry whose value a layer only repeats, as our choice: it keeps the word on which it rested.

    So an overlay that was begun from what is known, and changed in one place, weakens nothing else.
    """
    said = entry.origins.get("value", entry.origin)
    if said.provenance is not Provenance.MOCK_CHOICE or entry.get("value") != below.get("value"):
        return entry
    return replace(entry, origins={**entry.origins, "value": below.origins.get("value", below.origin)})


def check_citations(entry: Entry, sources: Mapping[str, Source]) -> None:
    """Check that every citation of an entry names a known source; raises `FactsError`."""
    for attribute, origin in (("sources", entry.origin), *entry.origins.items()):
        for citation in origin.sources:
            key = citation.partition(" ")[0]
            if key not in sources:
                raise entry.error(f"the source {key} is not known", attribute, fix="add it to a layer of kind `sources`")


def problem_with(fact: Fact, value: Any) -> str:
    """Why `value` cannot stand for this setting, or an empty string."""
    if not _same_type(fact.value, value):
        return f"must be like {fact.value!r}, not {value!r:.80}"
    if fact.choices and value not in fact.choices:
        return f"must be one of {', '.join(map(str, fact.choices))}, not {value!r:.80}"
    if fact.minimum is not None and value < fact.minimum:
        return f"must be at least {fact.minimum:g}, not {value!r:.80}"
    if fact.maximum is not None and value > fact.maximum:
        return f"must be at most {fact.maximum:g}, not {value!r:.80}"
    return misshapen(fact.form, value) if fact.form is not None else ""


def _refuse_unknown(entries: Entries, key: str, patch: Mapping[str, Any], layer: Layer) -> None:
    if key in entries or patch.get("new"):
        return
    near = difflib.get_close_matches(key, entries, n=1)
    fix = f"did you mean {near[0]}? " if near else ""
    raise layer.error(f"there is no setting {key}", ("settings", key), fix + "To add one, say `new: true`.")


def _check_type(below: Entry, above: Entry, key: str) -> None:
    if not _same_type(below.get("value"), above.get("value")):
        reason = f"must be like {below.get('value')!r}, not {above.get('value')!r:.80}"
        raise above.layer.error(f"settings.{key}.value: {reason}", ("settings", key, "value"))
    known, named = _placeholders(below.get("value")), _placeholders(above.get("value"))
    if unknown := sorted(named - known):
        reason = f"has the placeholder {{{unknown[0]}}}, which nothing fills"
        fix = f"there are: {', '.join(f'{{{name}}}' for name in sorted(known)) or 'none'}"
        raise above.layer.error(f"settings.{key}.value: {reason}", ("settings", key, "value"), fix)


def _placeholders(value: Any) -> frozenset[str]:
    """The names in braces of a path or pattern that holds placeholders."""
    return frozenset(_PLACEHOLDER.findall(value)) if isinstance(value, str) else frozenset()


def _same_type(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return isinstance(one, bool) and isinstance(other, bool)
    if isinstance(one, int) and isinstance(other, float):
        return other.is_integer()
    if isinstance(one, (int, float)):
        return isinstance(other, (int, float))
    if isinstance(one, (list, tuple)):
        return isinstance(other, (list, tuple)) and all(isinstance(item, str) for item in other)
    return type(one) is type(other)


def _fact(key: str, entry: Entry, sources: Mapping[str, Source]) -> Fact:
    check_citations(entry, sources)
    origin: Origin = entry.origins.get("value", entry.origin)
    value = entry.get("value")
    if value is None:
        raise entry.error("`value` is missing")
    fact = Fact(
        key=key,
        value=tuple(value) if isinstance(value, list) else value,
        title=entry.need("title"),
        provenance=weakest(origin.provenance),
        sources=origin.sources,
        note=origin.note,
        layer=origin.layer,
        minimum=entry.get("minimum"),
        maximum=entry.get("maximum"),
        choices=tuple(entry.get("choices", ())),
        form=Form(form) if (form := entry.get("form")) else None,
    )
    reason = problem_with(fact, fact.value)
    if reason:
        raise entry.error(reason, "value")
    return fact
