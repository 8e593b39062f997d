"""CT exams: localizers, bolus monitoring, spiral and sequenced scans whose DLP is CTDIvol times length (IEC 60601-2-44)."""

from __future__ import annotations

from math import exp, sqrt
from typing import NamedTuple

from synthetic.dose import codes
from synthetic.dose.draw import Uids, between, clock, fixed, rounded
from synthetic.dose.elements import Code
from synthetic.dose.model import CtEvent, CtTotals, CtType, Patient
from synthetic.dose.style import Sitting, Style
from synthetic.dose.tables import CtProtocol, tables
from synthetic.randomness import Draws

_PAUSE = (4, 40)  # seconds between events
SIZED = frozenset({CtType.SPIRAL, CtType.SEQUENCED})
"""The scans of which a size-specific dose is told."""

_GROWN = 170  # cm, for which the lengths of the tables are meant


class _Scan(NamedTuple):
    """What is common to the events of one exam."""

    draws: Draws
    uids: Uids
    protocol: CtProtocol
    patient: Patient
    style: Style
    region: Code
    day: str


def ct_events(sitting: Sitting, protocol: CtProtocol) -> list[CtEvent]:
    """The events of one exam in the order in which they were made."""
    draws, uids, patient, style, day, begun = sitting
    scan = _Scan(draws, uids, protocol, patient, style, style.term(tables().regions[protocol.region]), day)
    at, top = begun, draws.integer(-200, 0)
    events = []
    for made in _plan(scan):
        event, seconds = _event(scan, made, at, top)
        events.append(event)
        at += seconds + draws.integer(*_PAUSE)
    return events


def ct_totals(events: list[CtEvent] | tuple[CtEvent, ...], *, localizers: bool) -> CtTotals:
    """Number of events and total DLP; without `localizers` their dose is not reported and so not in the total."""
    total = sum(event.dlp_hundredths for event in events if localizers or event.type is not CtType.LOCALIZER)
    return CtTotals(events=str(len(events)), dlp_total=fixed(total, 2))


def _plan(scan: _Scan) -> list[tuple[CtType, str]]:
    draws, protocol = scan.draws, scan.protocol
    plan = [(CtType.LOCALIZER, scan.style.localizer_name)] * (1 if protocol.head else draws.integer(1, 2))
    phases = draws.integer(*protocol.phases)
    for phase in range(phases):
        if phase == phases - 1 and (protocol.bolus or scan.style.force_bolus):
            plan += [(CtType.MONITORING, name) for name in scan.style.monitoring_names]
        plan.append((CtType(protocol.type), protocol.name if phases == 1 else f"{protocol.name} phase {phase + 1}"))
    return plan


def _event(scan: _Scan, made: tuple[CtType, str], at: int, top: int) -> tuple[CtEvent, int]:
    kind, name = made
    shape = _SHAPES[kind](scan)
    # hundredths of mGy times tenths of cm: halves up, exact in whole numbers
    dlp = (shape.ctdi * shape.length + 5) // 10
    size = _size(scan, shape.ctdi) if kind in SIZED and not scan.protocol.head else ("", "", "")
    contrast = scan.protocol.contrast and kind is not CtType.LOCALIZER
    event = CtEvent(
        type=kind,
        protocol=name + scan.style.protocol_suffix,
        region=scan.region,
        context=scan.style.code(codes.WITH_CONTRAST if contrast else codes.WITHOUT_CONTRAST),
        event_uid=scan.uids.new(),
        series_uid=scan.uids.new(),
        started=scan.day + clock(at),
        exposure_time=fixed(shape.exposure, 2),
        scanning_length=fixed(shape.length * 100, 2),
        exposed_range=fixed((shape.length + shape.overrange) * 100, 2),
        single_collimation=shape.single,
        total_collimation=shape.total,
        pitch=fixed(shape.pitch, 3),
        kvp=str(shape.kvp),
        maximum_ma=str(shape.ma + shape.ma // 5),
        ma=str(shape.ma),
        rotation=shape.rotation,
        ctdi_vol=fixed(shape.ctdi, 2),
        phantom=codes.HEAD_PHANTOM if scan.protocol.head else codes.BODY_PHANTOM,
        dlp=fixed(dlp, 2),
        dlp_hundredths=dlp,
        ssde=size[0],
        lateral=size[1],
        ap=size[2],
        modulation="NONE" if kind in {CtType.LOCALIZER, CtType.MONITORING} else "XYZ_EC",
        comment="Synthetic scan, no patient behind it",
        top_mm=top,
        length_mm=shape.length,
    )
    return event, shape.exposure // 100 + 1


def _size(scan: _Scan, ctdi: int) -> tuple[str, str, str]:
    """SSDE in mGy, lateral and AP dimension in mm, by AAPM report 204 for the phantom of 32 cm; the trunk is an ellipse."""
    table = tables().ct.ssde
    lateral = rounded(scan.patient.diameter_cm * 10 * sqrt(table.wider))
    ap = rounded(scan.patient.diameter_cm * 10 / sqrt(table.wider))
    factor = table.factor * exp(table.exponent * sqrt(lateral * ap) / 10)
    return fixed(rounded(ctdi * factor), 2), str(lateral), str(ap)


class _Shape(NamedTuple):
    """Technique of one event: hundredths of s and mGy, mm, thousandths of pitch."""

    exposure: int
    length: int
    overrange: int
    single: str
    total: str
    pitch: int
    kvp: int
    ma: int
    rotation: str
    ctdi: int


def _localizer(scan: _Scan) -> _Shape:
    draws, table = scan.draws, tables().ct.localizer
    length = draws.integer(*table.length) * scan.patient.height_cm // _GROWN if not scan.protocol.head else 256
    ctdi = rounded(between(draws, *table.ctdi) * 100)
    return _Shape(length, length, 0, "0.60", "3.60", 0, _volts(draws, table.kvp), draws.integer(*table.ma), "1.00", ctdi)


def _monitoring(scan: _Scan) -> _Shape:
    draws, table = scan.draws, tables().ct.monitoring
    images = 1 if scan.style.monitoring_names[-1] != scan.style.monitoring_names[0] else draws.integer(*table.images)
    ctdi = rounded(between(draws, *table.ctdi_each) * 100) * images
    return _Shape(images * 50, 10, 0, table.collimation, table.collimation, 0, 100, draws.integer(*table.ma), "0.50", ctdi)


def _spiral(scan: _Scan) -> _Shape:
    draws, protocol = scan.draws, scan.protocol
    single, total = draws.choice(tables().ct.collimations)
    pitch = rounded(between(draws, *protocol.pitch) * 1000)
    rotation = draws.choice(protocol.rotation)
    length = _length(scan)
    # mm over (pitch times mm) rotations, each of `rotation` seconds
    exposure = rounded(length * 1000 / (pitch * float(total)) * float(rotation) * 100)
    return _Shape(
        exposure,
        length,
        rounded(float(total)),
        single,
        total,
        pitch,
        _volts(draws, protocol.kvp),
        _current(scan),
        rotation,
        _ctdi(scan),
    )


def _sequenced(scan: _Scan) -> _Shape:
    draws, protocol = scan.draws, scan.protocol
    single, total = draws.choice(tables().ct.collimations)
    rotation = draws.choice(protocol.rotation)
    rotations = -(-_length(scan) * 100 // rounded(float(total) * 100))
    length = rounded(rotations * float(total))
    exposure = rounded(rotations * float(rotation) * 100)
    return _Shape(exposure, length, 0, single, total, 1000, _volts(draws, protocol.kvp), _current(scan), rotation, _ctdi(scan))


_SHAPES = {
    CtType.LOCALIZER: _localizer,
    CtType.MONITORING: _monitoring,
    CtType.SPIRAL: _spiral,
    CtType.SEQUENCED: _sequenced,
}


def _volts(draws: Draws, kvp: tuple[int, int]) -> int:
    low, high = kvp
    return low + 20 * draws.below((high - low) // 20 + 1)


def _length(scan: _Scan) -> int:
    length = scan.draws.integer(*scan.protocol.length)
    return length if scan.protocol.head else max(60, length * scan.patient.height_cm // _GROWN)


def _thickness(patient: Patient) -> float:
    """0 for a thin adult, 1 for a large one, from the effective diameter."""
    return min(1.0, max(0.0, (patient.diameter_cm - 24) / 14))


def _current(scan: _Scan) -> int:
    low, high = scan.protocol.ma
    return rounded(low + (high - low) * (0.3 * between(scan.draws, 0, 1) + 0.7 * _thickness(scan.patient)))


def _ctdi(scan: _Scan) -> int:
    """Mean CTDIvol in hundredths of mGy: it grows with the patient, and children get less (about a third when newborn)."""
    low, high = scan.protocol.ctdi
    share = between(scan.draws, 0, 1) if scan.protocol.head else 0.3 * between(scan.draws, 0, 1) + 0.7 * _thickness(scan.patient)
    grown = min(1.0, 0.35 + 0.65 * scan.patient.years / 18)
    return max(1, rounded((low + (high - low) * share) * grown * 100))
