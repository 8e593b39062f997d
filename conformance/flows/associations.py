"""The stories of DICOM: associations with their operations, objects with all their copies, what was planted and expected."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from acrmock.dose.text import unpadded
from acrmock.record import (
    AssociationEntry,
    AssociationFacts,
    DimseEntry,
    DimseFacts,
    EventEntry,
    PlantedFacts,
    ReportFacts,
    Struct,
)
from acrmock.typed import convert
from conformance.flows.wire import seconds

T = TypeVar("T", ReportFacts, PlantedFacts)
STORE = "C-STORE"
ECHO = "C-ECHO"
_WARNINGS = range(0xB000, 0xC000)


def succeeded(status: int | None) -> bool:
    """Whether a status says that the object was stored, be it with a warning (PS3.7 Annex C)."""
    return status is not None and (status in {0, 1} or status in _WARNINGS)


class Operation(Struct, frozen=True, kw_only=True):
    """One DIMSE operation; `t` in seconds since 1970, `refusal` the code of the reason for which it was refused."""

    seq: int
    t: float
    environment: str
    step: str
    facts: DimseFacts
    refusal: str = ""

    @property
    def stored(self) -> bool:
        """Whether it is a C-STORE that was answered with success."""
        return self.facts.service == STORE and succeeded(self.facts.status)

    @property
    def told(self) -> bool:
        """Whether the sender knows that it was stored."""
        return self.stored and self.facts.delivered


class Association(Struct, frozen=True, kw_only=True):
    """An association from its request to its end; `began` and `ended` in seconds since 1970.

    `facts` is None where the recording ends before the association does; `seq` is then that of its first operation.
    """

    seq: int
    environment: str
    began: float
    ended: float
    step: str
    facts: AssociationFacts | None
    operations: tuple[Operation, ...] = ()
    refusal: str = ""

    @property
    def accepted(self) -> frozenset[str]:
        """The classes that were accepted."""
        contexts = self.facts.contexts if self.facts else ()
        return frozenset(context.abstract_syntax for context in contexts if context.result == 0)

    @property
    def stores(self) -> tuple[Operation, ...]:
        """Its C-STOREs."""
        return tuple(item for item in self.operations if item.facts.service == STORE)


class Reading(Struct, frozen=True, kw_only=True):
    """What was read of one object: the event's entry and the facts."""

    seq: int
    facts: ReportFacts


class Received(Struct, frozen=True, kw_only=True):
    """An object by its SOP Instance UID: every C-STORE of it in order, and what was read of its copies."""

    sop_instance: str
    environment: str
    copies: tuple[Operation, ...] = ()
    readings: tuple[Reading, ...] = ()

    @property
    def is_report(self) -> bool:
        """Whether it is a dose report: as it was read, else by its class (other SR classes may hold one too, fact D1.15)."""
        read = [reading.facts.dose for reading in self.readings if reading.facts.readable]
        return any(read) if read else any(copy.facts.dose for copy in self.copies)

    @property
    def arrived(self) -> Operation | None:
        """The first copy that was stored, or None."""
        return next((copy for copy in self.copies if copy.stored), None)


class Planted(Struct, frozen=True, kw_only=True):
    """A report that the harness planted at `t`, and what arrived of it (None: nothing)."""

    seq: int
    t: float
    environment: str
    facts: PlantedFacts
    received: Received | None = None


class Expected(Struct, frozen=True, kw_only=True):
    """Reports that the harness was told to expect: how many, or which."""

    seq: int
    environment: str
    count: int | None
    sop_instances: tuple[str, ...] = ()


class StationSet(Struct, frozen=True, kw_only=True):
    """A Station Name was configured, or removed (`configured` False)."""

    seq: int
    environment: str
    station: str
    configured: bool


class Dicom(Struct, frozen=True, kw_only=True):
    """All that a recording tells of DICOM."""

    associations: tuple[Association, ...] = ()
    objects: tuple[Received, ...] = ()
    planted: tuple[Planted, ...] = ()
    expected: tuple[Expected, ...] = ()
    stations: tuple[StationSet, ...] = ()

    def operations(self, service: str) -> tuple[Operation, ...]:
        """The operations of a service, in order."""
        found = (item for one in self.associations for item in one.operations if item.facts.service == service)
        return tuple(sorted(found, key=lambda item: item.seq))

    def configured(self, environment: str, station: str) -> bool:
        """Whether a Station Name was configured at any time, padding aside (`acrmock.dose.text.unpadded`)."""
        wanted = unpadded(station)
        return any(
            one.configured and unpadded(one.station) == wanted
            for one in self.stations
            if one.environment == environment or not environment or not one.environment
        )


class DicomReader:
    """Takes the entries and events of DICOM one by one; an operation stands before the entry of its association."""

    def __init__(self) -> None:
        self._open: dict[str, list[Operation]] = {}
        self._done: list[Association] = []
        self._copies: dict[tuple[str, str], list[Operation]] = {}
        self._readings: dict[tuple[str, str], list[Reading]] = {}
        self._planted: dict[tuple[str, str], Planted] = {}
        self._expected: list[Expected] = []
        self._stations: list[StationSet] = []

    def association(self, entry: AssociationEntry, step: str) -> None:
        """Take an association that ended."""
        facts = entry.facts
        ended = seconds(entry.t)
        self._done.append(
            Association(
                seq=entry.seq,
                environment=entry.environment or "",
                began=seconds(facts.began) if facts.began else ended,
                ended=ended,
                step=step,
                facts=facts,
                operations=tuple(self._open.pop(facts.association, ())),
                refusal=entry.refusal.code if entry.refusal else "",
            )
        )

    def operation(self, entry: DimseEntry, step: str) -> None:
        """Take an operation."""
        where = entry.environment or ""
        taken = Operation(
            seq=entry.seq,
            t=seconds(entry.t),
            environment=where,
            step=step,
            facts=entry.facts,
            refusal=entry.refusal.code if entry.refusal else "",
        )
        self._open.setdefault(entry.facts.association, []).append(taken)
        if entry.facts.service == STORE and entry.facts.sop_instance:
            self._copies.setdefault((where, entry.facts.sop_instance), []).append(taken)

    def event(self, entry: EventEntry) -> None:
        """Take an event; what is none of DICOM's, or cannot be read, is left."""
        handler = _EVENTS.get(entry.name)
        if handler is not None:
            handler(self, entry, _environment(entry))

    def _report(self, entry: EventEntry, where: str) -> None:
        facts = _typed(entry.data, ReportFacts)
        if facts is not None:
            self._readings.setdefault((where, facts.sop_instance), []).append(Reading(seq=entry.seq, facts=facts))

    def _plant(self, entry: EventEntry, where: str) -> None:
        facts = _typed(entry.data, PlantedFacts)
        if facts is not None:
            planted = Planted(seq=entry.seq, t=seconds(entry.t), environment=where, facts=facts)
            self._planted.setdefault((where, facts.sop_instance), planted)

    def _expect(self, entry: EventEntry, where: str) -> None:
        count, named = entry.data.get("count"), entry.data.get("sop_instances")
        names = tuple(one for one in named if isinstance(one, str)) if isinstance(named, list | tuple) else ()
        number = count if isinstance(count, int) and not isinstance(count, bool) else None
        if names or number is not None:
            self._expected.append(Expected(seq=entry.seq, environment=where, count=number, sop_instances=names))

    def _station(self, entry: EventEntry, where: str) -> None:
        name = entry.data.get("station")
        if isinstance(name, str):
            configured = entry.name == "station-configured"
            self._stations.append(StationSet(seq=entry.seq, environment=where, station=name, configured=configured))

    def dicom(self) -> Dicom:
        """Everything so far, also associations that have not ended."""
        objects = {
            key: Received(
                sop_instance=key[1],
                environment=key[0],
                copies=tuple(self._copies.get(key, ())),
                readings=tuple(self._readings.get(key, ())),
            )
            for key in sorted({*self._copies, *self._readings}, key=self._first)
        }
        planted = (msgspec.structs.replace(one, received=objects.get(key)) for key, one in self._planted.items())
        return Dicom(
            associations=(*self._done, *(_unended(items) for items in self._open.values())),
            objects=tuple(objects.values()),
            planted=tuple(planted),
            expected=tuple(self._expected),
            stations=tuple(self._stations),
        )

    def _first(self, key: tuple[str, str]) -> int:
        copies = [item.seq for item in self._copies.get(key, ())]
        return min((*copies, *(item.seq for item in self._readings.get(key, ()))))


_EVENTS = {
    "dir-report": DicomReader._report,  # noqa: SLF001 - the table of its own methods
    "dir-planted": DicomReader._plant,  # noqa: SLF001 - as above
    "dir-expected": DicomReader._expect,  # noqa: SLF001 - as above
    "station-configured": DicomReader._station,  # noqa: SLF001 - as above
    "station-removed": DicomReader._station,  # noqa: SLF001 - as above
}


def _unended(items: list[Operation]) -> Association:
    first, last = items[0], items[-1]
    return Association(
        seq=first.seq,
        environment=first.environment,
        began=first.t,
        ended=last.t,
        step=first.step,
        facts=None,
        operations=tuple(items),
    )


def _environment(entry: EventEntry) -> str:
    where = entry.data.get("environment")
    return where if isinstance(where, str) else entry.environment or ""


def _typed(data: dict[str, Any], kind: type[T]) -> T | None:
    try:
        return convert(data, kind)
    except msgspec.ValidationError:
        return None
