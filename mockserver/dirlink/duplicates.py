"""Which of the reports of one study go on: by the sets of their irradiation events (PS3.16 TID 10003 and 10013, code 113769).

The same events or fewer: dropped. More: the earlier report is replaced (a console that sends the whole exam again after each
series). None in common: both stay (an exam that went on later). Some in common: both stay, and it is said.
"""

from __future__ import annotations

from collections.abc import Iterable

from mockserver.store import Reader, Scope, Stored, Unit

STUDY = "dir-study"
"""The kind under which the reports that go on are stored by study, scope (application, environment), key STUDY/SOP."""


class InStudy(Stored, frozen=True, kw_only=True):
    """A report of a study that goes on, with its irradiation events."""

    sop_instance: str
    events: tuple[str, ...] = ()


class Ruling(Stored, frozen=True, kw_only=True):
    """What becomes of a report: dropped for another (`duplicate_of`), or kept, replacing others; `overlaps` share some events."""

    duplicate_of: str = ""
    replaces: tuple[str, ...] = ()
    overlaps: tuple[str, ...] = ()


def judge(sop_instance: str, events: Iterable[str], others: Iterable[InStudy]) -> Ruling:
    """The ruling over a report among the others of its study that go on; one without events is compared with none."""
    mine = frozenset(events)
    if not mine:
        return Ruling()
    replaces: list[str] = []
    overlaps: list[str] = []
    for other in others:
        theirs = frozenset(other.events)
        if other.sop_instance == sop_instance or not theirs & mine:
            continue
        if mine <= theirs:
            return Ruling(duplicate_of=other.sop_instance)
        (replaces if theirs < mine else overlaps).append(other.sop_instance)
    return Ruling(replaces=tuple(replaces), overlaps=tuple(overlaps))


def of_study(reader: Reader, scope: Scope, study: str) -> list[InStudy]:
    """The reports of a study that go on; none for a study without a UID."""
    return [item for _, item in reader.scan(STUDY, scope, InStudy, prefix=f"{study}/")] if study else []


def enter(unit: Unit, scope: Scope, study: str, sop_instance: str, events: tuple[str, ...]) -> None:
    """Remember that a report of the study goes on."""
    if study:
        unit.put(STUDY, scope, f"{study}/{sop_instance}", InStudy(sop_instance=sop_instance, events=events))


def leave(unit: Unit, scope: Scope, study: str, sop_instance: str) -> None:
    """Forget that a report of the study goes on."""
    unit.delete(STUDY, scope, f"{study}/{sop_instance}")
