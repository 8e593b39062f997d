"""The header of an object: the top-level attributes that say whose it is, of what device and what study (PS3.3 section C.7)."""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock.dose.elements import INFLATED_MOST, UNTIL, Unreadable, top_level
from acrmock.dose.quick import quick_values
from acrmock.dose.text import codec, decode, trimmed

LAST = 0x00321060
"""The last element of the header: Requested Procedure Description."""


class Brief(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The few attributes of the header that the answer to a C-STORE rests on, or that are kept of a report at once.

    Text without padding; empty where absent. `station_name` keeps its padding, because stations are told apart by it, and is None
    where the element is absent.
    """

    study_uid: str = ""
    station_name: str | None = None
    patient_name: str = ""
    patient_id: str = ""
    other_ids: str = ""
    other_names: str = ""


class Header(Brief, frozen=True, kw_only=True, omit_defaults=True):
    """The header's attributes as text, as of `Brief`.

    Dates and times stand as written, however wrong: a birth date may read `0`.
    """

    sop_class: str = ""
    sop_instance: str = ""
    series_uid: str = ""
    charset: str = ""
    study_date: str = ""
    study_time: str = ""
    content_date: str = ""
    content_time: str = ""
    accession: str = ""
    modality: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    software: str = ""
    institution: str = ""
    study_description: str = ""
    series_description: str = ""
    requested_procedure: str = ""
    birth_date: str = ""
    patient_sex: str = ""
    patient_age: str = ""
    patient_size: str = ""
    patient_weight: str = ""


_FIELDS = {
    0x00080016: "sop_class",
    0x00080018: "sop_instance",
    0x00080020: "study_date",
    0x00080023: "content_date",
    0x00080030: "study_time",
    0x00080033: "content_time",
    0x00080050: "accession",
    0x00080060: "modality",
    0x00080070: "manufacturer",
    0x00080080: "institution",
    0x00081030: "study_description",
    0x0008103E: "series_description",
    0x00081090: "model",
    0x00100010: "patient_name",
    0x00100020: "patient_id",
    0x00100030: "birth_date",
    0x00100040: "patient_sex",
    0x00101000: "other_ids",
    0x00101001: "other_names",
    0x00101010: "patient_age",
    0x00101020: "patient_size",
    0x00101030: "patient_weight",
    0x00181000: "serial",
    0x00181020: "software",
    0x0020000D: "study_uid",
    0x0020000E: "series_uid",
    LAST: "requested_procedure",
}
_CHARSET = 0x00080005
_STATION = 0x00081010
_BRIEF = {tag: name for tag, name in _FIELDS.items() if name in Brief.__struct_fields__}
_OF_BRIEF = frozenset([_CHARSET, _STATION, *_BRIEF])


def read_header(data: bytes | memoryview, transfer_syntax: str, limit: int = INFLATED_MOST) -> Header:
    """The header of a data set; raises `Unreadable` for what stands up to Patient's Birth Date (0010,0030), or when nothing does.

    Later attributes are read as far as they can be. `limit` bounds what a deflated data set may inflate to, in bytes.
    """
    return header(_values(data, transfer_syntax, limit))


def read_brief(data: bytes, transfer_syntax: str, limit: int = INFLATED_MOST) -> Brief:
    """As `read_header`, of the few attributes only, quickly where the data set is one as nearly everybody sends it."""
    values = quick_values(data, transfer_syntax, _OF_BRIEF, LAST)
    if not values or min(values) > UNTIL:
        values = _values(data, transfer_syntax, limit)
    return Brief(**_texts(values, _BRIEF))


def header(values: dict[int, bytes]) -> Header:
    """The header made of raw top-level values by tag."""
    return Header(charset=_charset(values), **_texts(values, _FIELDS))


def _values(data: bytes | memoryview, transfer_syntax: str, limit: int) -> dict[int, bytes]:
    values = top_level(data, transfer_syntax, until=UNTIL, beyond=LAST, limit=limit)
    if not any(0x00080000 < tag <= UNTIL for tag in values):
        raise Unreadable("the data set has no element of a header", 0)
    return values


def _texts(values: dict[int, bytes], fields: dict[int, str]) -> dict[str, Any]:
    """The attributes' texts by name, among them the station's where it is there."""
    encoding = codec(_charset(values))
    texts = {fields[tag]: trimmed(raw, encoding) for tag, raw in values.items() if tag in fields}
    if _STATION in values:
        texts["station_name"] = decode(values[_STATION], encoding)
    return texts


def _charset(values: dict[int, bytes]) -> str:
    return values.get(_CHARSET, b"").decode("ascii", "replace").strip(" \0")
