"""An overlay of one's own: begun from what is known, and compared with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from acrmock.facts.errors import FactsError
from acrmock.facts.facts import Facts
from acrmock.facts.layer import LAYER_SCHEMA, parse, read_overlay
from acrmock.facts.model import Struct
from acrmock.facts.show import Row, show

ABSENT = "(absent)"


class Change(Struct, frozen=True, kw_only=True):
    """One fact that differs: its key, and value with whose word it is before and after (`ABSENT` where it is not there)."""

    key: str
    before: str
    after: str


def begin(facts: Facts, prefixes: Iterable[str]) -> str:
    """A settings layer (YAML) with the present values of all settings whose keys begin so; raises `FactsError` for none."""
    chosen: dict[str, Any] = {}
    for prefix in prefixes:
        here = {key: fact for key, fact in facts.settings.items() if key == prefix or key.startswith(prefix.rstrip(".") + ".")}
        if not here:
            raise FactsError(f"no setting begins with {prefix[:80]}", file="settings", fix="see all with `acrmock facts show`")
        chosen |= {
            key: {"value": _plain(fact.value), "provenance": "mock-choice", "sources": ["MOCK"], "note": fact.title}
            for key, fact in here.items()
        }
    text = yaml.safe_dump(
        {"schema": LAYER_SCHEMA, "kind": "settings", "settings": chosen}, sort_keys=False, allow_unicode=True, width=120
    )
    return (
        "# An overlay: change values, and say of each on whose word it rests (provenance, sources); the others keep their word.\n"
        f"# Check it with `acrmock facts check`, use it with --overlay.\n{text}"
    )


def checked(text: str, name: str, overlays: Sequence[Path] = ()) -> Facts:
    """The facts with the layer in `text` on top of all; raises `FactsError` where they do not fit together."""
    facts = Facts([*(read_overlay(path) for path in overlays), parse(text, name, shipped=False)], "")
    facts.compile_all()
    return facts


def compare(before: Facts, after: Facts, *, words: bool = False) -> list[Change]:
    """What differs between two sets of facts, in the order of the keys.

    A setting with the same value on somebody else's word is the same, unless `words` are asked for. Elsewhere a row does not show
    all that a fact is made of, so another word there tells of a change that may not be seen.
    """
    old, new = _by_key(show(before)), _by_key(show(after))
    return [
        Change(key=key, before=old.get(key, ABSENT), after=new.get(key, ABSENT))
        for key in dict.fromkeys((*old, *new))
        if old.get(key) != new.get(key) and (words or not _same_value(key, before, after))
    ]


def _same_value(key: str, before: Facts, after: Facts) -> bool:
    """Whether both have that setting, with the same value."""
    old, new = before.settings.get(key), after.settings.get(key)
    return old is not None and new is not None and old.value == new.value


def _by_key(rows: Sequence[Row]) -> dict[str, str]:
    return {row.key: f"{row.value} [{row.provenance}: {', '.join(row.sources)}]" for row in rows}


def _plain(value: Any) -> Any:
    """A value as YAML writes it: tuples as lists, mappings as such."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return dict(value) if hasattr(value, "items") else value
