"""What the answer to a C-STORE rests on: the top-level elements up to the patient's birth date."""

from __future__ import annotations

import msgspec

from acrmock.dose.elements import top_level


class Header(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Header elements as text; `station_name` keeps its padding and is None where absent."""

    sop_class: str = ""
    sop_instance: str = ""
    study_uid: str = ""
    station_name: str | None = None
    patient_name: str = ""
    patient_id: str = ""
    birth_date: str = ""
    study_date: str = ""
    study_time: str = ""
    charset: str = ""
    patient_age: str = ""
    sex: str = ""


def read_header(data: bytes | memoryview, transfer_syntax: str) -> Header:
    """The header of a data set; raises `Unreadable` when it cannot be read up to (0010,0030)."""
    found = top_level(data, transfer_syntax)

    def text(tag: int) -> str:
        return found.get(tag, b"").decode("latin-1").rstrip(" \0")

    station = found.get(0x00081010)
    return Header(
        sop_class=text(0x00080016),
        sop_instance=text(0x00080018),
        station_name=None if station is None else station.decode("latin-1"),
        patient_name=text(0x00100010),
        patient_id=text(0x00100020),
        birth_date=text(0x00100030),
        study_date=text(0x00080020),
        study_time=text(0x00080030),
        charset=text(0x00080005),
    )
