"""What is done to which attribute and content item of a dose report: the table of PS3.15 Annex E and our choices, as data.

The data stand in `fixtures/anonymisation/rules.yaml`; nothing here knows a tag.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from acrmock.facts import FactsError, shipped
from acrmock.facts.yamlfile import Document, read_text

FILE = "anonymisation/rules.yaml"
SCHEMA = "acrmock/anonymisation/1"
_BASIC = "basic"


class Action(StrEnum):
    """What happens to an attribute (PS3.15 Table E.1-1a, without what has no place in a dose report)."""

    KEEP = "keep"
    CLEAN = "clean"
    REMOVE = "remove"
    EMPTY = "empty"
    MAP = "map"


class TextRole(StrEnum):
    """What a text is: kept to the letter, kept, words beside a code, a description that the policy decides about."""

    VERBATIM = "verbatim"
    KEPT = "kept"
    CLEANED = "cleaned"
    DESCRIPTOR = "descriptor"


@dataclass(frozen=True, slots=True)
class MethodCode:
    """A code of CID 7050 for (0012,0064)."""

    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class SafePrivate:
    """A private element that is known to be safe (PS3.15 Table E.3.10-1): its creator, group and last byte."""

    creator: str
    group: int
    element: int


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole of how a report is de-identified. Ages are in years; tags are whole numbers, concepts code values of DCM."""

    method: str
    codes: tuple[MethodCode, ...]
    replacement: str
    oldest_age: int
    oldest_age_written: str
    table: Mapping[int, Action]
    attributes: Mapping[int, TextRole]
    concepts: Mapping[str, TextRole]
    removed: frozenset[int]
    removed_concepts: frozenset[str]
    blanked_concepts: frozenset[str]
    never_empty: frozenset[int]
    identifiers: frozenset[int]
    places: frozenset[int]
    identifier_concepts: frozenset[str]
    place_concepts: frozenset[str]
    common_words: frozenset[str]
    patterns: re.Pattern[str]
    standard_schemes: frozenset[str]
    safe_private: tuple[SafePrivate, ...]


@cache
def shipped_rules() -> Rules:
    """The rules that acrmock ships; read once."""
    return rules_of(read_text(shipped.root() / FILE), f"{shipped.PUBLISHED}/{FILE}")


def rules_of(text: str, name: str) -> Rules:
    """The rules written in `text`; raises `FactsError` with the file when something is missing or of another type."""
    data = Document(name, text).data
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        raise FactsError(f"`schema` must be {SCHEMA}", file=name, line=1)
    try:
        return _rules(data)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise FactsError(f"the rules of anonymisation are incomplete or wrong: {error!r}"[:300], file=name) from error


def _rules(data: dict[str, Any]) -> Rules:
    options = data["options"]
    wanted = tuple(option for option in options if option != _BASIC)
    identifying, safe = data["identifying"], data["safe_private"]
    codes = [MethodCode(option["code"], option["meaning"]) for option in options.values()]
    if safe["elements"]:
        codes.append(MethodCode(safe["code"], safe["meaning"]))
    return Rules(
        method=data["method"],
        codes=tuple(sorted(codes, key=lambda code: code.value)),
        replacement=data["replacement"],
        oldest_age=data["oldest_age"]["years"],
        oldest_age_written=data["oldest_age"]["written"],
        table={
            **{int(tag, 16): _action(row, wanted) for tag, row in data["table"]["rows"].items()},
            **dict.fromkeys(_tags(data["emptied"]["attributes"]), Action.EMPTY),
        },
        attributes={int(tag, 16): role for tag, role in _roles(data, "attributes").items()},
        concepts=_roles(data, "concepts"),
        removed=_tags(data["removed"]["attributes"]),
        removed_concepts=frozenset(data["removed"]["concepts"]),
        blanked_concepts=frozenset(data["blanked"]["concepts"]),
        never_empty=_tags(data["never_empty"]["attributes"]),
        identifiers=_tags(identifying["identifiers"]),
        places=_tags(identifying["places"]),
        identifier_concepts=frozenset(identifying["identifier_concepts"]),
        place_concepts=frozenset(identifying["place_concepts"]),
        common_words=frozenset(identifying["common_words"]),
        patterns=re.compile("|".join(f"(?:{one})" for one in data["patterns"]["expressions"]), re.IGNORECASE),
        standard_schemes=frozenset(data["standard_schemes"]["names"]),
        safe_private=tuple(
            SafePrivate(one["creator"], int(one["group"], 16), int(one["element"], 16)) for one in safe["elements"]
        ),
    )


def _action(row: dict[str, str], options: tuple[str, ...]) -> Action:
    """The action of one row under the options taken: an option that keeps wins, then one that cleans, then the basic profile."""
    taken = {row[option] for option in options if option in row}
    if "K" in taken:
        return Action.KEEP
    if "C" in taken:
        return Action.CLEAN
    basic = row[_BASIC].split("/")
    if "U" in basic:
        return Action.MAP
    return Action.EMPTY if "Z" in basic else Action.REMOVE


def _roles(data: dict[str, Any], part: str) -> dict[str, TextRole]:
    """The role of each text; what is listed twice has the role that keeps more."""
    lists = (
        ("descriptors", TextRole.DESCRIPTOR),
        ("cleaned", TextRole.CLEANED),
        ("kept", TextRole.KEPT),
        ("verbatim", TextRole.VERBATIM),
    )
    return {key: role for section, role in lists for key in data[section].get(part, {})}


def _tags(mapping: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(int(tag, 16) for tag in mapping)
