"""What becomes of a report whose header is synthetic and whose content names somebody (see `persons`).

It is put aside at once: its bytes are deleted, and what is written down says where, never who.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from acrmock.record import ReportFacts
from mockserver.dirlink.intake import retain
from mockserver.dirlink.model import StoredReport
from mockserver.dirlink.states import State, come_to, save

if TYPE_CHECKING:
    from mockserver.context import EngineCore
    from mockserver.dirlink.outcome import Reading
    from mockserver.store import Scope, Unit


def suspicion(reading: Reading) -> str:
    """Why a report that was taken for synthetic may name somebody; empty where nothing says so.

    A reader that died of it did not come to look for names, and they are not looked for elsewhere.
    """
    if reading.real:
        return f"not every name and patient ID inside is: {reading.real}"
    unseen = reading.fault and reading.facts.synthetic and not reading.facts.planted
    return f"what is inside could not be looked at: {reading.problem}" if unseen else ""


def put_aside(  # noqa: PLR0917 - as of its neighbours in `decode`
    core: EngineCore, unit: Unit, scope: Scope, report: StoredReport, facts: ReportFacts, seen: str
) -> tuple[StoredReport, ReportFacts]:
    """The report and its facts when there may be somebody in it, as `seen`, under a synthetic header.

    Real data that is taken all the same (`accept_real_data`) is only deleted in time. Else the bytes go: of the copy that has
    the names, or with the first bytes of the report everything under its UID.
    """
    if core.accept_real_data:
        retain(core, unit, scope, report.sop_instance, report.at)
        kept = msgspec.structs.replace(report, synthetic=False)
        save(core, unit, scope, kept, tell=False)
        return kept, msgspec.structs.replace(facts, synthetic=False)
    why = f"the header is synthetic, but {seen}; the bytes were deleted"
    bare = ReportFacts(
        sop_instance=facts.sop_instance,
        sha256=facts.sha256,
        sop_class=facts.sop_class,
        transfer_syntax=facts.transfer_syntax,
        readable=facts.readable,
        dose=facts.dose,
        modality=facts.modality,
        station=report.station,
        synthetic=False,
        state=State.QUARANTINED.word(core.facts),
    )
    if facts.sha256 != report.sha256:
        core.objects.delete(unit, scope, report.sop_instance, facts.sha256)
        kept = msgspec.structs.replace(report, reasons=(*report.reasons, f"of the copy {facts.sha256[:12]}: {why}"))
        save(core, unit, scope, kept, tell=False)
        return kept, bare
    core.objects.delete(unit, scope, report.sop_instance)
    bare_report = {"dose": facts.dose, "modality": facts.modality, "study_uid": "", "event_uids": (), "copies": ()}
    gone = come_to(core, scope[0], report, (State.QUARANTINED, why), **bare_report, deleted=True)
    save(core, unit, scope, gone)
    return gone, bare
