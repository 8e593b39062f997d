"""One layer: a file of facts of one kind, read and checked against the published schema of its kind."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from acrmock.facts.errors import FactsError
from acrmock.facts.yamlfile import Document, Path_, read_text

LAYER_SCHEMA = "acrmock/layer/1"


class Kind(StrEnum):
    """What a layer is about."""

    SOURCES = "sources"
    SETTINGS = "settings"
    REGISTRY = "registry"
    REQUIREMENTS = "requirements"
    ERRORS = "errors"
    PROFILE = "profile"
    DOSE = "dose"


class Layer:
    """A file of facts: its `kind`, its `data`, and the lines of its keys for messages; `shipped` when it is our own."""

    def __init__(self, document: Document, kind: Kind, *, shipped: bool) -> None:
        self.document = document
        self.kind = kind
        self.shipped = shipped
        self.data: dict[str, Any] = document.data

    @property
    def name(self) -> str:
        """The file as messages and facts show it."""
        return self.document.name

    def error(self, reason: str, path: Path_ = (), fix: str = "") -> FactsError:
        """The error that `reason` is, at the line of `path`."""
        return FactsError(reason, file=self.name, line=self.document.line(path), fix=fix)


def read_overlay(path: Path) -> Layer:
    """A user's layer, wholly distrusted; raises `FactsError` with file, line and reason."""
    return parse(read_text(path), str(path), shipped=False)


def parse(text: str, name: str, *, shipped: bool) -> Layer:
    """The layer written in `text`; one of our own is not checked against its schema again (a test does that)."""
    document = Document(name, text, trusted=shipped)
    if not isinstance(document.data, dict):
        raise FactsError("a layer is a mapping", file=name, line=1, fix=f"begin with `schema: {LAYER_SCHEMA}`")
    kind = document.data.get("kind")
    if document.data.get("schema") != LAYER_SCHEMA:
        raise FactsError(f"`schema` must be {LAYER_SCHEMA}", file=name, line=document.line(("schema",)))
    if kind not in list(Kind):
        reason = f"`kind` must be one of {', '.join(Kind)}; here it is {kind!r}"
        raise FactsError(reason, file=name, line=document.line(("kind",)))
    layer = Layer(document, Kind(kind), shipped=shipped)
    if not shipped:
        check_schema(layer)
    return layer


def check_schema(layer: Layer) -> None:
    """Check a layer against the schema of its kind; raises `FactsError` for the first thing that is wrong."""
    found = sorted(
        ((layer.document.line(path), path, reason) for path, reason in _schema_problems(layer)),
        key=lambda problem: (problem[0], len(problem[1]) * -1),
    )
    if found:
        line, path, reason = found[0]
        place = ".".join(str(part) for part in path)
        raise FactsError(f"{place}: {reason}" if place else reason, file=layer.name, line=line)


def _schema_problems(layer: Layer) -> list[tuple[Path_, str]]:
    problems: list[tuple[Path_, str]] = []
    for error in _validator(layer.kind).iter_errors(layer.data):
        path: Path_ = tuple(error.instance_path)
        kind = type(error.kind).__name__.rpartition("_")[2]
        unexpected = getattr(error.kind, "unexpected", None)
        if kind == "AdditionalProperties" and unexpected:
            problems += [((*path, key), "unknown key") for key in unexpected]
        elif kind == "Required":
            problems.append((path, f"`{error.kind.property}` is missing"))
        elif kind == "PropertyNames":
            problems.append((path, f"a name in it is not allowed: {error.message[:200]}"))
        else:
            problems.append((path, _wording(kind, error)))
    return problems


def _wording(kind: str, error: Any) -> str:
    if kind == "Type":
        types = " or ".join(str(name) for name in error.kind.types)
        hint = "; write it in quotes" if "string" in types and isinstance(error.instance, (int, float)) else ""
        return f"must be {types}, not {_shown(error.instance)}{hint}"
    if kind == "Enum":
        return f"must be one of {', '.join(str(option) for option in error.kind.options)}, not {_shown(error.instance)}"
    return str(error.message)[:300]


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


@cache
def _validator(kind: Kind) -> Any:
    import jsonschema_rs  # noqa: PLC0415 - only overlays need it

    from acrmock.facts.shipped import schema_text  # noqa: PLC0415 - shipped reads layers itself

    return jsonschema_rs.validator_for(json.loads(schema_text(kind)))
