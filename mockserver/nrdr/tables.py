"""What is compiled from the facts once and shared by all calls: names, envelope schemas and record validators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import jsonschema_rs

from acrmock.pointer import pointer_of
from acrmock.record import FieldProblem
from acrmock.schema import RecordValidator, envelope_schema
from mockserver.nrdr.names import Names, read_names

if TYPE_CHECKING:
    from acrmock.facts import Facts, MappingVersion, Registry

MOST_PROBLEMS = 20
SHOWN = 200


@dataclass(slots=True)
class Tables:
    """Compiled validators, made at first use; made twice at worst, since a validator has no state."""

    facts: Facts
    names: Names
    _envelopes: dict[str, Any] = field(default_factory=dict)
    _records: dict[tuple[str, str], RecordValidator] = field(default_factory=dict)

    def envelope(self, registry: Registry) -> Any:
        """The validator of the registry's envelope."""
        found = self._envelopes.get(registry.slug)
        if found is None:
            schema = envelope_schema(self.facts, registry)
            found = self._envelopes[registry.slug] = jsonschema_rs.validator_for(schema, validate_formats=False)
        return found

    def records(self, version: MappingVersion) -> RecordValidator:
        """The validator of one mapping version's records."""
        key = (version.registry, version.version)
        found = self._records.get(key)
        if found is None:
            found = self._records[key] = RecordValidator(self.facts, version)
        return found

    def envelope_problems(self, registry: Registry, value: Any) -> Iterator[FieldProblem]:
        """What the envelope schema finds wrong, with pointers; at most twenty, none of them shows a value."""
        envelope = self.envelope(registry)
        if envelope.is_valid(value):
            return
        for index, error in enumerate(envelope.iter_errors(value)):
            if index == MOST_PROBLEMS:
                return
            yield _problem(error)


@lru_cache(maxsize=8)
def tables_for(facts: Facts) -> Tables:
    """The tables of `facts`, compiled once and shared by all engines that run on them; nothing in them ever changes."""
    return Tables(facts, read_names(facts))


def _problem(error: Any) -> FieldProblem:
    path = [str(step) for step in error.instance_path]
    kind = error.kind
    name = str(getattr(kind, "name", "schema"))
    missing = str(getattr(kind, "property", "") or "")
    if missing:
        path.append(missing)
    stranger = next((item for item in getattr(kind, "unexpected", ()) if len(item) <= SHOWN // 2), None)
    if stranger is not None:
        path.append(stranger)
    element = path[-1][:SHOWN] if path else ""
    expected = f"a value of {element}" if missing else "left out" if stranger is not None else _expected(error, name)
    reason = "missing" if missing else name
    return FieldProblem(pointer=pointer_of(path)[:SHOWN], element=element, expected=expected, reason=reason)


def _expected(error: Any, name: str) -> str:
    """What the schema wanted, in a few words and without the value that was there."""
    for attribute in ("types", "expected_value", "options", "limit", "pattern", "format"):
        found = getattr(error.kind, attribute, None)
        if found not in (None, ""):
            return f"{name} {found}"[:SHOWN]
    return name
