"""Data sets written straight as bytes: a layout is compiled once, then filled with values at the speed of joining bytes.

Compiling turns every constant into bytes, every hole into a memory of finished fragments (the same number or code comes
again and again), and the lengths of enclosing sequences and items into sums over the sizes of the fragments. Filling is
then one formatting of bytes. The result equals what pydicom writes for the same description (`tree.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from operator import attrgetter, getitem, itemgetter
from struct import Struct, pack
from typing import Any, TypeGuard

from synthetic.dose.elements import Code, DataSet, Element, Hole, HoleKind, Value, code_items, shifted
from synthetic.dose.encoding import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Encoding, encode_text

_REMEMBERED = 256


class _Fragments(dict[Any, bytes]):
    """The finished bytes of one hole by value; bounded, made anew when full."""

    __slots__ = ("make", "most")

    def __init__(self, make: Callable[[Any], bytes], most: int) -> None:
        super().__init__()
        self.make = make
        self.most = most

    def __missing__(self, value: Any) -> bytes:
        made = self.make(value)
        if self.most:
            if len(self) >= self.most:
                self.clear()
            self[value] = made
        return made


class _Program:
    """What compiling collects: constants between slots; a slot is a hole's fragment or a length over a range of holes."""

    def __init__(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.format = bytearray()
        self.names: list[str] = []
        self.fragments: list[_Fragments] = []
        self.order: list[tuple[str, int]] = []
        self.lengths: list[tuple[int, int, int]] = []  # constant bytes inside, first hole, last hole + 1
        self.constant = 0

    def raw(self, data: bytes) -> None:
        """Append constant bytes."""
        self.format += data.replace(b"%", b"%%")
        self.constant += len(data)

    def hole(self, name: str, fragments: _Fragments) -> None:
        """Append the fragment of the next hole."""
        self.format += b"%b"
        self.order.append(("hole", len(self.names)))
        self.names.append(name)
        self.fragments.append(fragments)

    def measured(self, write: Callable[[], None]) -> None:
        """Append a length of four bytes of what `write` appends, then that."""
        at, slot, length = len(self.format), len(self.order), len(self.lengths)
        self.constant += 4
        self.lengths.append((0, 0, 0))
        before, first = self.constant, len(self.names)
        write()
        inside = self.constant - before
        if first == len(self.names):  # nothing varies inside
            self.lengths[length] = (inside, 0, 0)
            self.format[at:at] = self.encoding.long(inside).replace(b"%", b"%%")
        else:
            self.lengths[length] = (inside, first, len(self.names))
            self.format[at:at] = b"%b"
            self.order.insert(slot, ("length", length))


class Layout:
    """A compiled run of elements or items; `fill(values)` gives its bytes. Safe to share between threads."""

    def __init__(self, program: _Program) -> None:
        self._constant = bytes(program.format).replace(b"%%", b"%")
        self._format = bytes(program.format)
        self.names = tuple(program.names)
        self._fragments = tuple(program.fragments)
        kept = [number for kind, number in program.order if kind == "length"]
        self._lengths = tuple(program.lengths[number] for number in kept)
        place = {number: index for index, number in enumerate(kept)}
        order = [number if kind == "hole" else len(self.names) + place[number] for kind, number in program.order]
        self._pack = Struct("<L" if program.encoding.little else ">L").pack
        self._get = _tuple_getter(attrgetter(*self.names), len(self.names)) if self.names else None
        self._arrange = _tuple_getter(itemgetter(*order), len(order)) if order else None

    def fill(self, values: object) -> bytes:
        """The bytes with each hole filled from the attribute of its name."""
        if self._get is None or self._arrange is None:
            return self._constant
        slots = list(map(getitem, self._fragments, self._get(values)))
        sums = list(accumulate(map(len, slots), initial=0))
        if self._lengths:
            put = self._pack
            slots += [put(inside + sums[last] - sums[first]) for inside, first, last in self._lengths]
        return self._format % self._arrange(slots)


def _tuple_getter(getter: Callable[[Any], Any], count: int) -> Callable[[Any], tuple[Any, ...]]:
    return getter if count > 1 else lambda values: (getter(values),)


def compile_elements(elements: DataSet, encoding: Encoding) -> Layout:
    """A layout of elements that stand side by side."""
    program = _Program(encoding)
    for element in elements:
        _element(program, element)
    return Layout(program)


def compile_items(items: tuple[DataSet, ...], encoding: Encoding) -> Layout:
    """A layout of items of a sequence, one after the other, without the sequence around them."""
    program = _Program(encoding)
    for item in items:
        _item(program, item)
    return Layout(program)


def sequence_bytes(tag: int, items: bytes, encoding: Encoding) -> bytes:
    """A sequence around finished items."""
    if encoding.undefined:
        return encoding.head(tag, "SQ", UNDEFINED) + items + encoding.tag(SEQUENCE_END) + encoding.long(0)
    return encoding.head(tag, "SQ", len(items)) + items


def _element(program: _Program, element: Element) -> None:
    tag, vr, value = element
    encoding = program.encoding
    if isinstance(value, Hole):
        program.hole(value.name, _fragments(element, value, encoding))
    elif _is_sequence(value):
        _sequence(program, tag, value)
    elif isinstance(value, str | bytes | int):
        encoded = _constant(vr, value, encoding)
        program.raw(encoding.head(tag, vr, len(encoded)) + encoded)


def _constant(vr: str, value: str | bytes | int, encoding: Encoding) -> bytes:
    if isinstance(value, str):
        return encoding.value(vr, value)
    if isinstance(value, int):
        return pack(("<" if encoding.little else ">") + {"US": "H", "UL": "L", "SS": "h"}[vr], value)
    return value if len(value) % 2 == 0 else value + b"\0"


def _sequence(program: _Program, tag: int, items: tuple[DataSet, ...]) -> None:
    encoding = program.encoding

    def inside() -> None:
        for item in items:
            _item(program, item)

    program.raw(encoding.head(tag, "SQ", 0)[:-4])
    if encoding.undefined:
        program.raw(encoding.long(UNDEFINED))
        inside()
        program.raw(encoding.tag(SEQUENCE_END) + encoding.long(0))
    else:
        program.measured(inside)


def _item(program: _Program, elements: DataSet) -> None:
    """Append an item; what has a single hole becomes one fragment, so that its lengths are worked out once per size."""
    if _holes(elements) != 1:
        _measured_item(program, elements)
        return
    inner = _Program(program.encoding)
    _measured_item(inner, elements)
    program.hole(inner.names[0], _Wrapped(inner).fragments())


def _is_sequence(value: Value) -> TypeGuard[tuple[DataSet, ...]]:
    return isinstance(value, tuple) and not isinstance(value, Hole)


def _holes(elements: DataSet) -> int:
    """How many holes there are in these elements and below."""
    found = 0
    for element in elements:
        if isinstance(element.value, Hole):
            found += 1
        elif _is_sequence(element.value):
            found += sum(_holes(item) for item in element.value)
    return found


class _Wrapped:
    """An item around one hole: all its lengths enclose the hole, so they stand before it."""

    def __init__(self, inner: _Program) -> None:
        self._inside = inner.fragments[0]
        before, _, after = bytes(inner.format).rpartition(b"%b")
        self._before = before
        self._after = after.replace(b"%%", b"%")
        self._lengths = [inner.lengths[number][0] for kind, number in inner.order if kind == "length"]
        self._put = inner.encoding.long
        self._prefixes: dict[int, bytes] = {}

    def fragments(self) -> _Fragments:
        """The memory of the whole item in place of the hole's own."""
        return _Fragments(self._wrap, self._inside.most)

    def _wrap(self, value: Any) -> bytes:
        inside = self._inside.make(value)
        size = len(inside)
        prefix = self._prefixes.get(size)
        if prefix is None:
            prefix = self._prefixes[size] = self._before % tuple(self._put(length + size) for length in self._lengths)
        return prefix + inside + self._after


def _measured_item(program: _Program, elements: DataSet) -> None:
    encoding = program.encoding

    def inside() -> None:
        for element in elements:
            _element(program, element)

    program.raw(encoding.tag(ITEM))
    if encoding.undefined:
        program.raw(encoding.long(UNDEFINED))
        inside()
        program.raw(encoding.tag(ITEM_END) + encoding.long(0))
    else:
        program.measured(inside)


def _fragments(element: Element, hole: Hole, encoding: Encoding) -> _Fragments:
    tag, vr, _ = element
    if hole.kind is HoleKind.CODE:

        def coded(value: Code) -> bytes:
            return compile_elements((Element(tag, vr, (code_items(value),)),), encoding).fill(None)

        return _Fragments(coded, _REMEMBERED)
    return _Fragments(_texted(tag, vr, hole.shift, encoding), 0 if hole.kind is HoleKind.UID else _REMEMBERED)


def _texted(tag: int, vr: str, places: int, encoding: Encoding) -> Callable[[str], bytes]:
    """A function from text to the whole element; the heads for each length are made once."""
    codec, padding = encoding.codec(vr), encoding.padding(vr)
    heads = _Heads(tag, vr, encoding)
    simple = codec != "iso2022_jp"

    def plain(value: str) -> bytes:
        encoded = value.encode(codec) if simple else encode_text(value, codec)
        size = len(encoded)
        if size & 1:
            return heads[size + 1] + encoded + padding
        return heads[size] + encoded

    return (lambda value: plain(shifted(value, places))) if places else plain


class _Heads(dict[int, bytes]):
    """Everything before the value of one element, by the value's length."""

    __slots__ = ("_element",)

    def __init__(self, tag: int, vr: str, encoding: Encoding) -> None:
        super().__init__()
        self._element = (tag, vr, encoding)

    def __missing__(self, length: int) -> bytes:
        tag, vr, encoding = self._element
        made = self[length] = encoding.head(tag, vr, length)
        return made
