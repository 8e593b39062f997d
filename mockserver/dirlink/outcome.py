"""What reading and anonymising a data set come to, in a shape that travels between processes."""

from __future__ import annotations

import msgspec

from acrmock.record import ReportFacts
from mockserver.dirlink.changes import Change


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data set as read: what the journal says of it, and what its way depends on.

    With a `problem` it could not be read. `collected` says whether the registry takes such reports, `kind` is
    its SOP class by name. `fault`: that is the
    harness's own (the process that read it died), not the sender's. `real` says where names or IDs stand that are not synthetic,
    though the header is (see `persons`).
    """

    facts: ReportFacts
    problem: str = ""
    study_uid: str = ""
    collected: bool = False
    kind: str = ""
    real: str = ""
    fault: bool = False


class Outgoing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An anonymised report: its data set in explicit little endian, the changes, the birth date as the policy has it.

    With a `problem` there is no data set: the report cannot be anonymised, and so not be sent on. `fault` as of `Reading`.
    """

    data: bytes = b""
    changes: tuple[Change, ...] = ()
    birth_date: str = ""
    problem: str = ""
    fault: bool = False
