"""DICOM objects as they are sent: the bytes of a data set, and what an association must know of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from acrmock.dose.elements import Unreadable
from acrmock.dose.header import read_header
from acrmock.dose.part10 import split
from acrmock.dose.text import unpadded
from acrmock.errors import SetupError

MAX_BYTES = 1 << 31
_CLASS, _INSTANCE = 0x00020002, 0x00020003


class DicomObject(msgspec.Struct, frozen=True, kw_only=True):
    """An object to be sent: its data set as it is, never decoded; `name` is for people."""

    name: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    data: bytes
    station: str = ""


def read_object(path: Path) -> DicomObject:
    """The object in a file (PS3.10 section 7, or a bare data set); raises `SetupError` that says why it is none."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SetupError("the file is too large to be sent", where=str(path), expected=f"at most {MAX_BYTES} bytes")
        file = path.read_bytes()
    except OSError as error:
        raise SetupError("the file cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    try:
        parts = split(file)
        found = of_bytes(path.name, parts.data_set, parts.transfer_syntax)
    except Unreadable as error:
        raise SetupError("this is no DICOM object that can be sent", where=str(path), actual=str(error)) from error
    named = (_text(parts.meta.get(tag, b"")) for tag in (_CLASS, _INSTANCE))
    sop_class, sop_instance = (meta or own for meta, own in zip(named, (found.sop_class, found.sop_instance), strict=True))
    if not sop_class or not sop_instance:
        raise SetupError("the object has no SOP Class or SOP Instance UID", where=str(path))
    return msgspec.structs.replace(found, sop_class=sop_class, sop_instance=sop_instance)


def of_bytes(name: str, data: bytes, transfer_syntax: str) -> DicomObject:
    """The object that a data set is; raises `Unreadable`."""
    header = read_header(data, transfer_syntax)
    return DicomObject(
        name=name,
        sop_class=header.sop_class,
        sop_instance=header.sop_instance,
        transfer_syntax=transfer_syntax,
        data=data,
        station=unpadded(header.station_name),
    )


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and those in the folders named, in order; raises `SetupError` for what is not there."""
    for path in paths:
        if path.is_dir():
            yield from sorted(item for item in path.rglob("*") if item.is_file() and item.suffix != ".ndjson")
        elif path.is_file():
            yield path
        else:
            raise SetupError("there is no such file or folder", where=str(path))


def _text(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")
