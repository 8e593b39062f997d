"""Reading a layer's YAML, trimmed so that nothing is guessed and nothing can explode.

Only `true`/`false`, `null`, integers and floats are implicit; `Y`, `N`, dates and everything else stay text; mapping keys are
always text. Duplicate keys, anchors, aliases, tags and several documents are refused; size and depth are bounded.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from acrmock.facts.errors import FactsError

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 24

Path_ = tuple[str | int, ...]
Lines = dict[Path_, int]

_PARSER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT, _MAP, _SEQ = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\Z")
_FLOAT = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}(?:[eE][-+]?[0-9]{1,2})?\Z")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


class _Loader(_PARSER):  # type: ignore[misc, valid-type]
    """A composer that resolves nothing: scalars are read here, by the rules above."""

    def resolve(self, kind: type, _value: str, implicit: Any) -> str:
        """The tag of an untagged node; a plain scalar is marked by an empty tag."""
        if kind is yaml.ScalarNode:
            return "" if implicit[0] else _TEXT
        return _MAP if kind is yaml.MappingNode else _SEQ


class Document:
    """One YAML file read: `name` for messages, its `text`, its `data`, and the line of every key and item (from 1)."""

    def __init__(self, name: str, text: str, *, trusted: bool = False) -> None:
        self.name = name
        if not trusted:
            _guard(text, name)
        self.text = text
        self._lines: Lines | None = None
        self.data: Any = _compose(text, name, None)

    def line(self, path: Path_) -> int:
        """The line where `path` stands, or its nearest known ancestor."""
        if self._lines is None:
            self._lines = {}
            _compose(self.text, self.name, self._lines)
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)


def read_text(path: Path) -> str:
    """The text of a layer's file with line feeds only; raises `FactsError` when it is absent, empty, huge or binary."""
    name = str(path)
    try:
        if path.is_dir():
            raise FactsError("a directory, not a layer", file=name, fix="name a .yaml file")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise FactsError(f"the file has {size} bytes; a layer has at most {MAX_BYTES}", file=name)
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise FactsError("there is no such file", file=name) from error
    except OSError as error:
        raise FactsError(f"cannot be read: {error.strerror}", file=name) from error
    return decode(data, name)


def decode(data: bytes, name: str) -> str:
    """The text of a layer's bytes; raises `FactsError` when they are empty, too many, or no UTF-8 text."""
    if len(data) > MAX_BYTES:
        raise FactsError(f"more than {MAX_BYTES} bytes", file=name)
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FactsError("not UTF-8 text", file=name, line=data[: error.start].count(b"\n") + 1) from error
    found = _CONTROL.search(text)
    if found:
        reason = f"a control character (U+{ord(found.group()):04X}): this is no text file"
        raise FactsError(reason, file=name, line=text.count("\n", 0, found.start()) + 1)
    if not text.strip():
        raise FactsError("the file is empty", file=name, fix="a layer begins with `schema: acrmock/layer/1`")
    return text


def _guard(text: str, name: str) -> None:
    """Refuse by the flat stream of events what the recursive composer must never see."""
    depth = documents = 0
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            line = event.start_mark.line + 1 if event.start_mark else 0
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise FactsError("anchors and aliases are not allowed in a layer", file=name, line=line)
            tag = getattr(event, "tag", None)
            if tag:
                raise FactsError(f"the tag {tag} is not allowed in a layer", file=name, line=line)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > MAX_DEPTH:
                    raise FactsError(f"nested deeper than {MAX_DEPTH} levels", file=name, line=line)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise FactsError("more than one document in the file", file=name, line=line)
    except yaml.YAMLError as error:
        raise _not_yaml(error, name) from error


def _compose(text: str, name: str, lines: Lines | None) -> Any:
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise _not_yaml(error, name) from error
    if node is None:
        raise FactsError("the file is empty", file=name)
    return _value(node, (), name, lines)


def _value(node: Any, path: Path_, name: str, lines: Lines | None) -> Any:
    if lines is not None and path not in lines:
        lines[path] = node.start_mark.line + 1
    if node.tag == "":
        return _scalar(node.value)
    if node.tag == _TEXT:
        return node.value
    if node.tag == _SEQ:
        return [_value(item, (*path, index), name, lines) for index, item in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise FactsError("a key must be text", file=name, line=line)
        if key in result:
            raise FactsError(f"the key {key!r} stands twice", file=name, line=line)
        if lines is not None:
            lines[(*path, key)] = line
        result[key] = _value(value_node, (*path, key), name, lines)
    return result


def _scalar(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _not_yaml(error: yaml.YAMLError, name: str) -> FactsError:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return FactsError(f"not YAML: {reason}", file=name, line=mark.line + 1 if mark else 0)
