"""What the central server reads of a report, in a shape that travels between processes."""

from __future__ import annotations

import msgspec

from mockserver.central.indices import IndexValue


class Described(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A report as the registry keeps it; `exam` is a digest of what tells exams apart, empty where that cannot be said.

    With a `problem` it could not be read.
    """

    dose: bool = False
    sop_instance: str = ""
    station: str = ""
    modality: str = ""
    exam_name: str = ""
    mapped: str = ""
    mapped_meaning: str = ""
    indices: tuple[IndexValue, ...] = ()
    warnings: tuple[str, ...] = ()
    exam: str = ""
    problem: str = ""
