"""A quick walk for the data sets that nearly everybody sends; whatever else comes is left to the careful one (`elements`).

It knows elements of stated length in ascending order, in explicit or implicit VR little endian. What it gives is what the
careful walk would give, which a property test holds it to.
"""

from __future__ import annotations

import struct
from collections.abc import Container

from acrmock.dose.elements import DEFLATED, EXPLICIT_BIG, IMPLICIT_LITTLE, LONG_VRS, SHORT_VRS

_MOST = 1000
"""Elements that are looked at; so many before the end of a header are not usual."""

_ITEM = b"\xfe\xff\x00\xe0"
_EXPLICIT = struct.Struct("<HH2sH").unpack_from
_IMPLICIT = struct.Struct("<HHI").unpack_from
_FOUR = struct.Struct("<I").unpack_from


def quick_values(data: bytes, transfer_syntax: str, wanted: Container[int], last: int) -> dict[int, bytes] | None:
    """The raw values of the top-level elements that are `wanted`, up to the tag `last`; None where the careful walk is due."""
    if transfer_syntax in {DEFLATED, EXPLICIT_BIG}:
        return None
    vr = data[4:6]
    if vr in SHORT_VRS or vr in LONG_VRS:
        return _explicit(data, wanted, last)
    return _implicit(data, wanted, last) if transfer_syntax == IMPLICIT_LITTLE else None


def _explicit(data: bytes, wanted: Container[int], last: int) -> dict[int, bytes] | None:
    values: dict[int, bytes] = {}
    pos, before, size = 0, -1, len(data)
    for _ in range(_MOST):
        if pos + 8 > size:
            return values
        group, element, vr, length = _EXPLICIT(data, pos)
        tag = group << 16 | element
        if tag > last:
            return values
        start = pos + 8
        if vr not in SHORT_VRS:
            if vr not in LONG_VRS or tag in wanted or pos + 12 > size:
                return None
            start, length = pos + 12, _FOUR(data, start)[0]
        pos = start + length
        if tag <= before or pos > size:  # an undefined length is one, too
            return None
        before = tag
        if tag in wanted:
            values[tag] = data[start:pos]
    return None


def _implicit(data: bytes, wanted: Container[int], last: int) -> dict[int, bytes] | None:
    values: dict[int, bytes] = {}
    pos, before, size = 0, -1, len(data)
    for _ in range(_MOST):
        if pos + 8 > size:
            return values
        group, element, length = _IMPLICIT(data, pos)
        tag = group << 16 | element
        if tag > last:
            return values
        start = pos + 8
        pos = start + length
        if tag <= before or pos > size:
            return None
        before = tag
        if tag in wanted:
            values[tag] = data[start:pos]
            if values[tag].startswith(_ITEM):
                return None
    return None
