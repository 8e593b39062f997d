"""Which column means what, and what stands in the cells: a small mapping that people may see and change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from acrmock.errors import SetupError
from acrmock.facts.importing.table import plain
from acrmock.facts.patterns import why_unreadable
from acrmock.facts.shipped import read_file

SCHEMA = "acrmock/import-columns/1"
_MAX_BYTES = 1024 * 1024
Words = tuple[str, ...]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A type of texts: the `words` for it, the `pattern` of its values, how people call it, and whom it identifies."""

    words: Words
    pattern: str
    hint: str = ""
    identity: str = ""


class Columns(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mapping: `headings` by meaning, words of types, of yes and no, of kinds of record, and what separates codes.

    `yes_or_no` are types whose codes are `yes_and_no`, `multiple_types` those that are lists of codes, `shapes` texts of a shape.
    """

    headings: dict[str, Words]
    types: dict[str, Words]
    said_yes: Words
    said_no: Words
    records: dict[str, Words] = {}
    shapes: dict[str, Shape] = {}
    multiple_types: Words = ()
    yes_or_no: Words = ()
    yes_and_no: dict[str, str] = {}
    code_separators: Words = ("\n", ";")
    label_separators: Words = ("=",)
    schema: str = SCHEMA

    def roles(self) -> dict[str, str]:
        """The meaning of each heading, as `plain` writes headings."""
        return {plain(heading): role for role, headings in reversed(self.headings.items()) for heading in reversed(headings)}


def shipped_text() -> str:
    """The shipped mapping as it is written."""
    return read_file("import/columns.yaml")


def shipped_columns() -> Columns:
    """The mapping that acrmock ships."""
    return _convert(yaml.safe_load(shipped_text()), "columns.yaml")


def load_columns(path: Path) -> Columns:
    """Somebody's own mapping; raises `SetupError` that says what is wrong with it."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SetupError("the column mapping is too large", where=str(path), expected=f"at most {_MAX_BYTES} bytes")
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("the column mapping cannot be read", where=str(path), actual=str(error)[:200]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise SetupError("the column mapping is no YAML", where=str(path), actual=str(error)[:200]) from error
    return _convert(value, str(path))


def _convert(value: Any, where: str) -> Columns:
    fix = "begin with what `acrmock facts columns` prints"
    try:
        columns = msgspec.convert(value, Columns)
    except msgspec.ValidationError as error:
        raise SetupError("the column mapping cannot be used", where=where, actual=str(error)[:200], fix=fix) from error
    if columns.schema != SCHEMA:
        raise SetupError(
            "the column mapping is of another kind", where=where, expected=SCHEMA, actual=columns.schema[:80], fix=fix
        )
    for name, shape in columns.shapes.items():
        reason = why_unreadable(shape.pattern)
        if reason:
            raise SetupError(f"the pattern of the shape {name[:40]} cannot be read", where=where, actual=reason)
    if not columns.headings.get("name"):
        raise SetupError("no heading stands for the name of an element", where=where, fix=fix)
    return columns
