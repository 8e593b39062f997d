"""What becomes of a data set at once, in the unit in which it is made durable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mockserver.dirlink.model import REPORT, Copy, Received, Step, StoredReport

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.store import Unit


def received(unit: Unit, core: EngineCore, data_set: Received) -> StoredReport:
    """Remember a data set that was taken; the same bytes again change nothing, other bytes are kept as a copy (fact D1.9)."""
    scope, state = (data_set.application, data_set.environment), core.facts.text("dirlink.state.received")
    known = unit.get(REPORT, scope, data_set.sop_instance, StoredReport)
    if known is None:
        report = StoredReport(
            sop_instance=data_set.sop_instance,
            sop_class=data_set.sop_class,
            transfer_syntax=data_set.transfer_syntax,
            sha256=data_set.sha256,
            size=data_set.size,
            at=data_set.at,
            association=data_set.association,
            calling_ae=data_set.calling_ae,
            station=data_set.header.station_name,
            state=state,
            history=(Step(at=data_set.at, state=state),),
            study_uid=data_set.header.study_uid,
            planted=data_set.planted,
            synthetic=data_set.synthetic,
        )
    elif data_set.same:
        return known
    else:
        copy = Copy(
            sha256=data_set.sha256,
            size=data_set.size,
            at=data_set.at,
            transfer_syntax=data_set.transfer_syntax,
            calling_ae=data_set.calling_ae,
        )
        report = msgspec.structs.replace(known, copies=(*known.copies, copy))
    unit.put(REPORT, scope, report.sop_instance, report)
    return report
