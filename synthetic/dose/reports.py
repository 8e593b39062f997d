"""Dose reports by index: a study is drawn, its events are made, a report is written of it. Any index alone gives its bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import msgspec

from acrmock.errors import SetupError
from synthetic.dose.content import Content, Part
from synthetic.dose.ct import ct_events, ct_totals
from synthetic.dose.draw import Uids, clock
from synthetic.dose.encoding import TRANSFER_SYNTAXES
from synthetic.dose.header import DOSE_SR, ENHANCED_SR, images_of
from synthetic.dose.model import CtEvent, CtTotals, Exam, Heading, Kind, Patient, XEvent, XTotals
from synthetic.dose.patients import patient
from synthetic.dose.projection import dx_events, fluoro_events, mg_events, x_totals
from synthetic.dose.quirks import SECONDARY_CAPTURE, VARIANTS, parse
from synthetic.dose.recipe import Recipe, header_of, meta_of, recipe
from synthetic.dose.style import Sitting
from synthetic.dose.tables import tables, weighted, weighted_for_children
from synthetic.randomness import Draws, Stream

E = TypeVar("E", CtEvent, XEvent)

_STUDIES_PER = {"Q12": 3, "Q13": 2, "Q14": 2}
_WITHIN_DAYS = 365
_DAY_BEGINS, _DAY_ENDS = 7 * 3600, 19 * 3600
MAX_STATION = 16


class Values(NamedTuple):
    """What a report says, as text and numbers: for whoever must know the truth behind the bytes."""

    exam: Exam
    heading: Heading
    ct_totals: CtTotals | None
    x_totals: XTotals | None


class Report(NamedTuple):
    """One report: the file, the data set as it goes over the wire, and what both say."""

    kind: Kind
    number: int
    file_bytes: bytes
    data_set: bytes
    transfer_syntax: str
    sop_class: str
    sop_instance: str
    study_uid: str
    station: str
    shape: str
    quirks: tuple[str, ...]
    values: Values
    content: Content


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How reports are to be: `quirks` as for `--quirk`; `transfer_syntax` a word or a UID, empty for the shape's own."""

    kind: Kind
    seed: int
    as_of: date
    shape: str = "generic"
    quirks: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    transfer_syntax: str = ""


def generate(
    kind: str,
    seed: int | str,
    index: int,
    *,
    as_of: date,
    shape: str = "generic",
    quirks: Sequence[str] = (),
    station: str | None = None,
    transfer_syntax: str = "",
) -> Report:
    """Report `index` of a seed; raises `SetupError` for what cannot be used."""
    options = Options(
        kind=kind_named(kind),
        seed=whole_seed(seed),
        as_of=as_of,
        shape=shape,
        quirks=tuple(quirks),
        stations=(station,) if station is not None else (),
        transfer_syntax=transfer_syntax,
    )
    return Maker(options).report(index)


def kind_named(kind: str) -> Kind:
    """The kind of that name; raises `SetupError` for any other."""
    try:
        return Kind(kind)
    except ValueError as error:
        raise SetupError(f"there is no kind {kind[:20]!r}", expected=", ".join(Kind), where="--kind") from error


def whole_seed(seed: int | str) -> int:
    """A seed as a whole number; a word becomes the first 64 bits of its BLAKE2b digest."""
    return seed if isinstance(seed, int) else int.from_bytes(blake2b(seed.encode("utf-8"), digest_size=8).digest(), "big")


class Maker:
    """The reports of one set of options; `report(index)` in any order, from any thread."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._quirks = parse(options.quirks, options.kind)
        self._syntax = _syntax(options.transfer_syntax)
        self._stations = options.stations or tables().stations[options.kind]
        for station in self._stations:
            _check_station(station)
        self._per_study = max((_STUDIES_PER[one] for one in self._quirks if one in _STUDIES_PER), default=1)
        family = "dual" if "Q14" in self._quirks else options.kind
        self._studies = Stream(options.seed, f"dose/{family}/study")
        recipe(options.kind, options.shape, self._quirks, 0)

    def report(self, index: int) -> Report:
        """Report `index`, written."""
        kind, content, values = self.content(index)
        data_set = content.data_set()
        heading = values.heading
        return Report(
            kind=kind,
            number=index,
            file_bytes=content.file(data_set),
            data_set=data_set,
            transfer_syntax=content.encoding.transfer_syntax,
            sop_class=heading.sop_class,
            sop_instance=heading.sop_instance,
            study_uid=heading.study_uid,
            station=heading.station,
            shape=self.options.shape,
            quirks=recipe(kind, self.options.shape, self._quirks, index % VARIANTS).quirks,
            values=values,
            content=content,
        )

    def content(self, index: int) -> tuple[Kind, Content, Values]:
        """Report `index`, not yet written."""
        study, step = divmod(index, self._per_study)
        kind = self._kind(step)
        made = recipe(kind, self.options.shape, self._quirks, index % VARIANTS)
        values = self._values(kind, made, index, study, step)
        images = [event.image_uid for event in values.exam.x_events] if kind in {Kind.DX, Kind.MG} and made.accumulated else []
        if images:
            values = values._replace(heading=msgspec.structs.replace(values.heading, images=images_of(images)))
        encoding = made.encoding._replace(transfer_syntax=self._syntax) if self._syntax else made.encoding
        content = Content(
            encoding=encoding,
            header=header_of(kind, self.options.shape, self._quirks, index % VARIANTS, len(images)),
            values=values.heading,
            meta=meta_of(encoding.transfer_syntax),
            parts=_parts(made, values),
            trailer=made.trailer,
        )
        return kind, content, values

    def _kind(self, step: int) -> Kind:
        if "Q14" in self._quirks and step:
            return Kind.DX if self.options.kind is Kind.FLUORO else Kind.FLUORO
        return self.options.kind

    def _values(self, kind: Kind, made: Recipe, index: int, study: int, step: int) -> Values:
        draws = self._studies.item(study)
        exam, uids = _exam(kind, made, draws, study, self.options)
        exam = _part_of(exam, made.quirks, step)
        ct = ct_totals(exam.ct_events, localizers=made.localizer_dose) if kind is Kind.CT else None
        day = uids.day
        other = None if ct is not None else x_totals(exam.x_events, day)
        return Values(exam, self._heading(made, exam, uids, index, other), ct, other)

    def _heading(self, made: Recipe, exam: Exam, study: _Study, index: int, totals: XTotals | None) -> Heading:
        own = Uids(_report_stream(self.options.seed, exam.kind).item(index))
        device = tables().devices[self.options.shape]
        station = self._stations[study.station % len(self._stations)]
        device_uid, serial = _machine(self.options.seed, station)
        person = exam.patient
        after = min(exam.ended + 60, 86_399)
        return Heading(
            sop_class=_sop_class(made.quirks),
            sop_instance=own.new(),
            series_uid=own.new(),
            study_uid=study.study_uid,
            frame_uid=study.frame_uid,
            device_uid=device_uid,
            study_date=study.day,
            study_time=clock(study.begun),
            content_date=study.day,
            content_time=clock(after),
            accession=study.accession,
            study_id=study.accession[-6:],
            study_description=exam.study_description,
            series_description=made.shape.series,
            station=station,
            manufacturer=device.manufacturer,
            model=device.model[exam.kind],
            serial=serial,
            software=device.software,
            institution=tables().institution,
            referring="SYNTHETIC^Referrer",
            performing="SYNTHETIC^Physician",
            charset=made.encoding.charset,
            completion=made.shape.completion,
            start=study.day + clock(exam.begun),
            end=study.day + clock(exam.ended),
            odd_uid=study.study_uid + (".00" if index % 2 else ".-1"),
            image_series=own.new(),
            images=None,
            totals=totals,
            patient_name=person.patient_name,
            patient_id=person.patient_id,
            birth_date=person.birth_date,
            patient_sex=person.patient_sex,
            patient_age=person.patient_age,
            patient_size=person.patient_size,
            patient_weight=person.patient_weight,
        )


class _Study(NamedTuple):
    """What all reports of one study share."""

    study_uid: str
    frame_uid: str
    uids: Uids
    day: str
    begun: int
    accession: str
    station: int


@cache
def _report_stream(seed: int, kind: str) -> Stream:
    return Stream(seed, f"dose/{kind}/report")


@cache
def _machine(seed: int, station: str) -> tuple[str, str]:
    """The device observer UID and the serial number of the device at a station."""
    draws = Stream(seed, f"dose/device/{station}").item(0)
    return Uids(draws).new(), f"SN{draws.digits(6)}"


def _syntax(text: str) -> str:
    if not text:
        return ""
    found = TRANSFER_SYNTAXES.get(text, text)
    if found not in TRANSFER_SYNTAXES.values():
        raise SetupError(
            f"there is no transfer syntax {text[:64]!r}", expected=", ".join(TRANSFER_SYNTAXES), where="--transfer-syntax"
        )
    return found


def _check_station(name: str) -> None:
    """Station Name is a short string (PS3.5 section 6.2): at most 16 characters, no backslash, no control characters."""
    if not 0 < len(name) <= MAX_STATION or "\\" in name or not name.isascii() or not name.isprintable():
        raise SetupError(
            "that station name cannot be used", expected="1 to 16 printable ASCII characters", actual=name[:40], where="--station"
        )


def _sop_class(quirks: tuple[str, ...]) -> str:
    if "Q33" in quirks:
        return SECONDARY_CAPTURE
    return ENHANCED_SR if {"Q1", "Q2", "Q3"} & set(quirks) else DOSE_SR


def _exam(kind: Kind, made: Recipe, draws: Draws, study: int, options: Options) -> tuple[Exam, _Study]:
    when = options.as_of - timedelta(days=draws.below(_WITHIN_DAYS))
    day, begun = when.strftime("%Y%m%d"), draws.integer(_DAY_BEGINS, _DAY_ENDS)
    uids = Uids(draws)
    common = _Study(
        study_uid=uids.new(),
        frame_uid=uids.new(),
        uids=uids,
        day=day,
        begun=begun,
        accession=f"SYN{study % 10**7:07d}{draws.digits(3)}",
        station=draws.below(1 << 32),
    )
    child = kind in {Kind.CT, Kind.DX} and "Q14" not in made.quirks and draws.chance(getattr(tables(), kind).child_share)
    person = patient(draws, study, when, child=child, sex="F" if kind is Kind.MG else "")
    return _clinical(kind, made, draws, person, common), common


def _clinical(kind: Kind, made: Recipe, draws: Draws, person: Patient, study: _Study) -> Exam:
    ct: list[CtEvent] = []
    other: list[XEvent] = []
    begun = study.begun + 120
    sitting = Sitting(draws, study.uids, person, made.style, study.day, begun)
    if kind is Kind.MG:
        description = draws.choice(tables().mg.study)
        other = mg_events(sitting)
    else:
        child = person.years < 18 and kind is not Kind.FLUORO
        protocol = draws.weighted(weighted_for_children(kind) if child else weighted(kind))
        description = protocol.study
        if kind is Kind.CT:
            ct = ct_events(sitting, protocol)
        else:
            make = fluoro_events if kind is Kind.FLUORO else dx_events
            other = make(sitting, protocol)
    if "Q11" in made.quirks:
        ct, other = [*ct, *map(_again(study.uids), ct[-1:])], [*other, *map(_again(study.uids), other[-1:])]
    last = (ct or other)[-1].started
    ended = int(last[8:10]) * 3600 + int(last[10:12]) * 60 + int(last[12:14]) + 1
    return Exam(
        kind=kind,
        patient=person,
        study_description=description,
        begun=begun,
        ended=ended,
        ct_events=tuple(ct),
        x_events=tuple(other),
    )


def _again(uids: Uids) -> Callable[[E], E]:
    return lambda event: msgspec.structs.replace(event, event_uid=uids.new())


def _part_of(exam: Exam, quirks: tuple[str, ...], step: int) -> Exam:
    """The events that report number `step` of a study has: all of them, but for cumulative and continued ones."""
    ct, other = exam.ct_events, exam.x_events
    count = len(ct) + len(other)
    if "Q12" in quirks:
        first, last = 0, -(-count * (step + 1) // 3)
    elif "Q13" in quirks:
        first, last = (0, count // 2 or 1) if step == 0 else (count // 2, count)
    else:
        return exam
    return msgspec.structs.replace(exam, ct_events=ct[first:last], x_events=other[first:last])


def _parts(made: Recipe, values: Values) -> list[tuple[Part, object]]:
    heading = values.heading
    parts: list[tuple[Part, object]] = [(made.root, heading)]
    if made.accumulated is None:
        return parts
    parts.append((made.accumulated, values.ct_totals or values.x_totals))
    parts += [(made.of_ct(event), event) for event in values.exam.ct_events]
    parts += [(made.events[event.fluoroscopy], event) for event in values.exam.x_events]
    if made.tail.items:
        parts.append((made.tail, heading))
    return parts
