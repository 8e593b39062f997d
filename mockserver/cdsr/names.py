"""The names that stand in a document, read from the facts once per blueprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acrmock.facts import Facts

_TYPES = "cdsr.header_type."
_ELEMENTS = ".elements"


@dataclass(frozen=True, slots=True)
class HeaderType:
    """What a header type adds: the elements of the program's own part, and which of them are instants."""

    elements: tuple[str, ...]
    dates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names by what they mean, in the spelling of the layers; on the wire case does not matter (fact N5.2)."""

    path: str
    media_type: str
    header: str
    payload: str
    elements: tuple[str, ...]
    id: str
    dates: tuple[str, ...]
    version: str
    type: str
    specific: str
    types: Mapping[str, HeaderType]
    longest: int


def read_names(facts: Facts) -> Names:
    """The names in force; raises the facts' own error when a layer lacks one."""
    keys = [key for key in facts.settings if key.startswith(_TYPES) and key.endswith(_ELEMENTS)]
    words = [key[len(_TYPES) : -len(_ELEMENTS)] for key in keys]
    return Names(
        path=facts.text("cdsr.path"),
        media_type=facts.text("cdsr.media_type"),
        header=facts.text("cdsr.envelope.header"),
        payload=facts.text("cdsr.envelope.payload"),
        elements=facts.texts("cdsr.header.elements"),
        id=facts.text("cdsr.header.id"),
        dates=facts.texts("cdsr.header.dates"),
        version=facts.text("cdsr.header.version"),
        type=facts.text("cdsr.header.type"),
        specific=facts.text("cdsr.header.specific"),
        types={word: HeaderType(facts.texts(f"{_TYPES}{word}{_ELEMENTS}"), _dates(facts, word)) for word in words},
        longest=facts.integer("cdsr.limit.text"),
    )


def _dates(facts: Facts, word: str) -> tuple[str, ...]:
    key = f"{_TYPES}{word}.dates"
    return facts.texts(key) if key in facts.settings else ()
