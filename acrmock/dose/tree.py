"""The content tree of a structured report, however it was written (PS3.3 section C.17.3).

Read from the bytes in one pass. What is malformed is read as what it must mean: a value type that no standard has is told from
what stands in the item, a missing relationship is not missed, several numbers stand as several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from acrmock.dose.elements import EXPLICIT_BIG, INFLATED_MOST, ITEM, ITEM_END, KNOWN, SEQUENCE_END, VALUE, Unreadable, plain, walk
from acrmock.dose.text import codec, trimmed
from acrmock.facts.dose import Dictionary

ITEMS_MOST = 200_000

CONTENT = 0x0040A730
CONCEPT_NAME = 0x0040A043
CONCEPT_CODE = 0x0040A168
MEASURED = 0x0040A300
UNITS = 0x004008EA
NUMERIC = 0x0040A30A
VALUE_TYPE = 0x0040A040
TEMPLATE = 0x0040A504
TEMPLATE_ID = 0x0040DB00
REFERENCED = 0x00081199

_CODES = frozenset([CONCEPT_NAME, CONCEPT_CODE, UNITS])
_KNOWN_MOST, _CODES_MOST = 512, 4096
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
_SCHEME, _MEANING = 0x00080102, 0x00080104
_TEXTS = {
    "TEXT": 0x0040A160,
    "DATETIME": 0x0040A120,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "PNAME": 0x0040A123,
    "UIDREF": 0x0040A124,
}
_OTHERS = {"CODE": CONCEPT_CODE, "NUM": MEASURED, "IMAGE": REFERENCED, "CONTAINER": CONTENT}
_TYPES = frozenset([*_TEXTS, *_OTHERS, "COMPOSITE", "WAVEFORM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE"])
_RETIRED = {"SNM3": "SRT", "99SDM": "SRT", "SNM": "SRT"}

Raw = dict[int, Any]
"""A data set by tag: a value's bytes, or a list of such data sets."""


class Code(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A code as written; `key` is its concept in the dictionary, empty for one that it does not know."""

    value: str = ""
    scheme: str = ""
    meaning: str = ""
    key: str = ""

    @property
    def empty(self) -> bool:
        """Whether neither a value nor a meaning is given."""
        return not self.value and not self.meaning

    def __str__(self) -> str:
        return f'({self.value}, {self.scheme}, "{self.meaning}")'


NO_CODE = Code()


class Item(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A content item: `key` is its concept in the dictionary, or empty.

    `type` is its value type as it must be meant; `text` the value of a text, date, person or UID, or a reference's SOP Instance
    UID; `numbers` and `unit` those of a NUM; `code` that of a CODE. `odd`: the value type written, where the standard has none
    such. `alternate`: the concept's code is another than the template's. `place` is the parent's place with the index below it.
    """

    key: str
    concept: Code
    type: str
    place: Any = None
    text: str = ""
    code: Code = NO_CODE
    numbers: tuple[str, ...] = ()
    unit: str = ""
    children: tuple[Item, ...] = ()
    odd: str = ""
    alternate: bool = False

    @property
    def path(self) -> str:
        """Its tag path, items counted from 0: `0040A730[2]/0040A730[0]`; empty for the root."""
        parts = []
        place = self.place
        while place is not None:
            place, index = place
            parts.append(f"0040A730[{index}]")
        return "/".join(reversed(parts))

    @property
    def empty(self) -> bool:
        """Whether it has no value where its type needs one; a NUM may say that its value is unknown."""
        if self.type == "CODE":
            return self.code.empty
        return not self.text if self.type in _TEXTS else False

    def all(self, key: str) -> Iterator[Item]:
        """The items of that concept directly below."""
        return (child for child in self.children if child.key == key)

    def first(self, key: str) -> Item | None:
        """The first item of that concept directly below, or None."""
        return next(self.all(key), None)

    def walk(self) -> Iterator[Item]:
        """All items below, in the order of the document."""
        waiting = list(reversed(self.children))
        while waiting:
            item = waiting.pop()
            yield item
            waiting.extend(reversed(item.children))


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A data set with its content tree: `values` are its raw top-level values by tag, `items` how many content items it has.

    `odd` are the items, of concepts that the dictionary knows, whose value type the standard does not have.
    """

    values: Mapping[int, bytes]
    root: Item
    template: str = ""
    items: int = 0
    odd: tuple[Item, ...] = ()


def read_document(data: bytes | memoryview, transfer_syntax: str, dictionary: Dictionary, limit: int = INFLATED_MOST) -> Document:
    """The data set and its content tree; raises `Unreadable`. An object without content has a root without children."""
    memo = dictionary.memo.setdefault(transfer_syntax if transfer_syntax == EXPLICIT_BIG else "", {})
    raw = parse(plain(data, transfer_syntax, limit), transfer_syntax, memo)
    values = {tag: value for tag, value in raw.items() if isinstance(value, bytes)}
    charset = values.get(0x00080005, b"").decode("ascii", "replace").strip(" \0")
    builder = _Builder(dictionary, codec(charset))
    root = builder.build(raw, None, at_root=False)
    templates = raw.get(TEMPLATE)
    template = builder.text(templates[0], TEMPLATE_ID) if isinstance(templates, list) and templates else ""
    return Document(values=values, root=root, template=template, items=builder.items, odd=tuple(builder.odd))


class Codes(list[Raw]):
    """A code sequence; equal ones are read once. `made` is its first code, by character set."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[str, Code] = {}


def parse(data: bytes, transfer_syntax: str, known: dict[bytes, Codes]) -> Raw:
    """The whole data set by tag, nested as it is; raises `Unreadable`, for more than `ITEMS_MOST` items in all, too.

    `known` are code sequences met before in this byte order, by VR and bytes; new ones are added while it is not full.
    """
    frame: Raw = {}
    left = ITEMS_MOST
    items: list[Raw] = []
    frames: list[Raw] = []
    lists: list[tuple[list[Raw], int, bytes]] = []
    for tag, what, start, stop, vr in walk(data, transfer_syntax, known=known, codes=_CODES):
        if what == VALUE and tag < ITEM:
            frame[tag] = data[start:stop]
        elif what == KNOWN:
            frame[tag] = known[vr + data[start:stop]]
        elif what != VALUE:
            lists.append((items, start, vr))
            items = Codes() if tag in _CODES else []
            frame[tag] = items
        elif tag == ITEM:
            frames.append(frame)
            frame = {}
            items.append(frame)
            left -= 1
            if left < 0:
                raise Unreadable("the data set has too many items", start)
        elif tag == ITEM_END:
            frame = frames.pop()
        elif tag == SEQUENCE_END:
            done = items
            items, began, mode = lists.pop()
            if type(done) is Codes and stop - began < _KNOWN_MOST and len(known) < _CODES_MOST:
                known[mode + data[began:stop]] = done
    return frame


class _Builder:
    """Makes items of raw data sets; codes that stand often are made once."""

    def __init__(self, dictionary: Dictionary, encoding: str) -> None:
        self.items = 0
        self._encoding = encoding
        self._by_code = dictionary.by_code
        self._at_root = dictionary.at_root
        self._wrong = dictionary.wrong
        self.odd: list[Item] = []

    def text(self, raw: Raw, tag: int) -> str:
        value = raw.get(tag)
        return trimmed(value, self._encoding) if value and isinstance(value, bytes) else ""

    def build(self, raw: Raw, place: Any, *, at_root: bool) -> Item:
        """The item of a raw data set at its place; it calls itself for those below, of which the walk bounds the levels."""
        self.items += 1
        concept = self._code(raw.get(CONCEPT_NAME))
        key = self._at_root.get((concept.value, concept.scheme), concept.key) if at_root else concept.key
        written = raw.get(VALUE_TYPE, b"")
        type_ = written.decode("latin-1").strip(" \0") if isinstance(written, bytes) else ""
        odd = "" if type_ in _TYPES else type_ or "none"
        if odd:
            type_ = _meant(type_, raw)
        text, unit, code = "", "", NO_CODE
        numbers: tuple[str, ...] = ()
        if type_ == "NUM":
            numbers, unit = self._number(raw.get(MEASURED))
        elif type_ == "CODE":
            code = self._code(raw.get(CONCEPT_CODE))
        elif type_ in _TEXTS:
            text = self.text(raw, _TEXTS[type_])
        elif type_ in {"IMAGE", "COMPOSITE"}:
            text = self._reference(raw)
        below = raw.get(CONTENT)
        children = []
        if below and isinstance(below, list):
            for index, child in enumerate(below):
                children.append(self.build(child, (place, index), at_root=place is None))
        item = Item(
            key=key,
            concept=concept,
            type=type_,
            place=place,
            text=text,
            code=code,
            numbers=numbers,
            unit=unit,
            children=tuple(children),
            odd=odd,
            alternate=(concept.value, concept.scheme) in self._wrong,
        )
        if odd and key:
            self.odd.append(item)
        return item

    def _code(self, sequence: Any) -> Code:
        if not sequence or type(sequence) is not Codes:
            return NO_CODE
        made: Code | None = sequence.made.get(self._encoding)
        if made is None:
            made = sequence.made[self._encoding] = self._read(sequence[0])
        return made

    def _read(self, raw: Raw) -> Code:
        value = next((raw[tag] for tag in _CODE_VALUES if isinstance(raw.get(tag), bytes) and raw[tag]), b"")
        scheme, meaning = raw.get(_SCHEME, b""), raw.get(_MEANING, b"")
        if not (isinstance(scheme, bytes) and isinstance(meaning, bytes)):
            return NO_CODE
        return self._made(value, scheme, meaning)

    def _made(self, value: bytes, scheme: bytes, meaning: bytes) -> Code:
        texts = [trimmed(part, self._encoding) for part in (value, scheme, meaning)]
        found = self._by_code.get((texts[0], _RETIRED.get(texts[1], texts[1])), "")
        return Code(value=texts[0], scheme=texts[1], meaning=texts[2], key=found)

    def _number(self, measured: Any) -> tuple[tuple[str, ...], str]:
        if not measured or not isinstance(measured, list):
            return (), ""
        raw = measured[0]
        written = raw.get(NUMERIC, b"")
        text = written.decode("latin-1").strip(" \0") if isinstance(written, bytes) else ""
        numbers = tuple(part.strip() for part in text.split("\\")) if "\\" in text else (text,) if text else ()
        return numbers, self._code(raw.get(UNITS)).value

    def _reference(self, raw: Raw) -> str:
        sequence = raw.get(REFERENCED)
        return self.text(sequence[0], 0x00081155) if sequence and isinstance(sequence, list) else ""


def _meant(written: str, raw: Raw) -> str:
    """The value type that an item must have, told from what stands in it."""
    if written.upper() in _TYPES:
        return written.upper()
    for type_, tag in (*_TEXTS.items(), *_OTHERS.items()):
        if tag in raw:
            return type_
    return "CONTAINER"
