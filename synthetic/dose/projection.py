"""Projection X-ray exams: fluoroscopy, radiography and mammography; totals are the sums of the events."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

from synthetic.dose import codes
from synthetic.dose.draw import Uids, between, clock, fixed, rounded
from synthetic.dose.elements import Code
from synthetic.dose.model import XEvent, XTotals
from synthetic.dose.style import Sitting
from synthetic.dose.tables import DxProtocol, FluoroProtocol, tables
from synthetic.randomness import Draws

_PAUSE = (5, 90)  # seconds between events
_NANO = 100_000  # Gy.cm2 -> nGy.m2
_RATES = (4, 8, 15, 30)
NO_CODE = Code("", "", "")


def fluoro_events(sitting: Sitting, protocol: FluoroProtocol) -> list[XEvent]:
    """Fluoroscopy and acquisitions under it; the first event is fluoroscopy."""
    draws, _, _, style, day, begun = sitting
    region = style.term(tables().regions[protocol.region])
    at, events = begun, []
    for number in range(style.many_events or draws.integer(*protocol.events)):
        fluoroscopy = number == 0 or not draws.chance(protocol.acquisition_share)
        event = _fluoro_event(sitting, protocol, day + clock(at), region, fluoroscopy=fluoroscopy)
        events.append(event)
        at += event.deci_seconds // 10 + (1 if style.many_events else draws.integer(*_PAUSE))
    return events


def _fluoro_event(sitting: Sitting, protocol: FluoroProtocol, started: str, region: Code, *, fluoroscopy: bool) -> XEvent:
    draws, uids, patient, style, _, _ = sitting
    rate = draws.choice(_RATES)
    deci = (
        draws.integer(protocol.fluoro_seconds[0] * 10, protocol.fluoro_seconds[1] * 10) if fluoroscopy else draws.integer(10, 60)
    )
    thick = 0.6 + patient.diameter_cm / 70
    kap = between(draws, *protocol.kap_rate) * deci / 10 * thick * (1 if fluoroscopy else 6)
    nano = max(1, rounded(kap * _NANO))
    field = draws.integer(*protocol.field_cm2)
    pulses = max(1, rate * deci // 10)
    milliamperes = draws.integer(*protocol.ma)
    width = draws.integer(3, 12)
    return _event(
        draws,
        uids,
        fluoroscopy=fluoroscopy,
        protocol=f"{protocol.name} {'FL' if fluoroscopy else 'ACQ'} {rate}/s" + style.protocol_suffix,
        region=region,
        anatomy=region,
        started=started,
        nano_dap=nano,
        micro_rp=max(1, rounded(nano * 10 / field)),  # nGy.m2 / cm2 = 10 uGy
        deci_seconds=deci,
        frames=0 if fluoroscopy else pulses,
        pulses=pulses,
        rate=rate,
        width=width,
        kvp=draws.integer(*protocol.kvp),
        ma=milliamperes,
        milliseconds=pulses * width,
        field=field,
    )


def dx_events(sitting: Sitting, protocol: DxProtocol) -> list[XEvent]:
    """One event for each view; the deviation index is 10 log10(EI / EIT), to one decimal (IEC 62494-1)."""
    draws, uids, patient, style, day, begun = sitting
    region = style.term(tables().regions[protocol.region])
    small = max(0.05, min(1.0, patient.height_cm / 170) ** 2) if patient.years < 18 else 1.0
    at, events = begun, []
    for number in range(style.many_events or len(protocol.views)):
        view = protocol.views[number % len(protocol.views)]
        index = max(1, protocol.target * draws.integer(36, 280) // 100)
        nano = max(1, rounded(between(draws, *protocol.kap) * small * _NANO))
        field = max(60, rounded(draws.integer(*protocol.field_cm2) * small))
        milliamperes, milliseconds = draws.integer(*protocol.ma), draws.integer(*protocol.ms)
        events.append(
            _event(
                draws,
                uids,
                protocol=f"{protocol.name} {view.upper()}" + style.protocol_suffix,
                region=region,
                anatomy=region,
                view=style.term(tables().views[view]),
                started=day + clock(at),
                nano_dap=nano,
                micro_rp=max(1, rounded(nano * 10 / field)),
                frames=1,
                kvp=draws.integer(*protocol.kvp),
                ma=milliamperes,
                milliseconds=milliseconds,
                field=field,
                index=index,
                target=protocol.target,
            )
        )
        at += 1 if style.many_events else draws.integer(*_PAUSE)
    return events


def mg_events(sitting: Sitting) -> list[XEvent]:
    """The four standard views, now and then one more; a thicker breast gets more dose."""
    draws, uids, _, style, day, begun = sitting
    table = tables().mg
    sides = {"R": style.code(codes.RIGHT_BREAST), "L": style.code(codes.LEFT_BREAST)}
    thickness = {side: draws.integer(*table.thickness) for side in sides}
    views = [("R", "cc"), ("L", "cc"), ("R", "mlo"), ("L", "mlo")]
    if draws.chance(table.extra_view_share):
        views.append(draws.choice(views))
    if style.many_events:
        views = [views[number % len(views)] for number in range(style.many_events)]
    at, events = begun, []
    low, high = table.thickness
    for side, view in views:
        millimetres = min(high, thickness[side] + draws.integer(0, 6))
        share = 0.3 * between(draws, 0, 1) + 0.7 * (millimetres - low) / (high - low)
        agd = rounded((table.agd[0] + (table.agd[1] - table.agd[0]) * share) * 100)
        milliamperes, milliseconds = draws.integer(60, 180), draws.integer(300, 1400)
        events.append(
            _event(
                draws,
                uids,
                protocol=f"{side} {view.upper()}" + style.protocol_suffix,
                region=style.term(tables().regions["breast"]),
                anatomy=style.term(tables().regions["breast"]),
                view=style.term(tables().views[view]),
                side=sides[side],
                started=day + clock(at),
                nano_dap=max(1, agd * 3),
                micro_rp=agd * 38,
                frames=1,
                kvp=draws.integer(*table.kvp),
                ma=milliamperes,
                milliseconds=milliseconds,
                field=draws.integer(200, 690),
                agd=agd,
                thickness=millimetres,
                force=draws.integer(*table.compression),
            )
        )
        at += 1 if style.many_events else draws.integer(*_PAUSE)
    return events


def _event(
    draws: Draws, uids: Uids, *, protocol: str, region: Code, anatomy: Code, started: str, nano_dap: int, micro_rp: int,
    frames: int, kvp: int, ma: int, milliseconds: int, field: int, fluoroscopy: bool = False,
    view: Code = NO_CODE, side: Code = NO_CODE,
    deci_seconds: int = 0, pulses: int = 1, rate: int = 1, width: int = 1, index: int = 1, target: int = 1, agd: int = 0,
    thickness: int = 0, force: int = 0,
) -> XEvent:  # fmt: skip # keywords in a block
    return XEvent(
        fluoroscopy=fluoroscopy,
        protocol=protocol,
        region=region,
        anatomy=anatomy,
        view=view,
        side=side,
        event_uid=uids.new(),
        started=started,
        dap=fixed(nano_dap, 9),
        rp=fixed(micro_rp, 6),
        nano_dap=nano_dap,
        micro_rp=micro_rp,
        deci_seconds=deci_seconds,
        frames=frames,
        duration=fixed(deci_seconds, 1),
        pulses=str(pulses),
        rate=str(rate),
        width=str(width),
        kvp=str(kvp),
        ma=str(ma),
        exposure_time=str(milliseconds),
        exposure=str(ma * milliseconds),
        filter_mm=("0.1", "0.3", "0.6", "0.9")[draws.below(4)],
        primary=fixed(draws.integer(-400, 400), 1),
        secondary=fixed(draws.integer(-300, 300), 1),
        field=fixed(field, 4),
        index=str(index),
        target=str(target),
        deviation=deviation(index, target),
        image_uid=uids.new(),
        agd=fixed(agd, 2),
        agd_hundredths=agd,
        thickness=str(thickness),
        force=str(force),
        entrance=fixed(micro_rp, 3),
        xper="Vascular synthetic",
        physician="SYNTHETIC^Physician",
        comment="Synthetic event, no patient behind it",
    )


def deviation(index: int, target: int) -> str:
    """The deviation index to one decimal (IEC 62494-1); log10 of a ratio of small whole numbers is never near a tie."""
    tenths = 100 * log10(index / target)
    return fixed(int(tenths + 0.5) if tenths >= 0 else -int(0.5 - tenths), 1)


def x_totals(events: Sequence[XEvent], day: str) -> XTotals:
    """The sums over the events."""
    fluoro = [event for event in events if event.fluoroscopy]
    other = [event for event in events if not event.fluoroscopy]
    right = sum(event.agd_hundredths for event in events if event.side.value in {"73056007", "T-04020"})
    left = sum(event.agd_hundredths for event in events if event.side.value in {"80248007", "T-04030"})
    return XTotals(
        dap_total=fixed(sum(event.nano_dap for event in events), 9),
        rp_total=fixed(sum(event.micro_rp for event in events), 6),
        fluoro_dap=fixed(sum(event.nano_dap for event in fluoro), 9),
        fluoro_rp=fixed(sum(event.micro_rp for event in fluoro), 6),
        fluoro_time=fixed(sum(event.deci_seconds for event in fluoro), 1),
        acquisition_dap=fixed(sum(event.nano_dap for event in other), 9),
        acquisition_rp=fixed(sum(event.micro_rp for event in other), 6),
        acquisition_time=fixed(sum(event.deci_seconds for event in other), 1),
        frames=str(sum(event.frames for event in events)),
        calibrated=day + "060000",
        agd_right=fixed(right, 2),
        agd_left=fixed(left, 2),
    )
