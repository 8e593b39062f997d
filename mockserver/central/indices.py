"""The registry's indices of a dose report (facts D1.23 to D1.26, D1b): pure functions of the report, constants from the facts.

CT: CTDIvol (mGy), DLP (mGy.cm) normalised to the phantom of the body part, effective diameter (cm), SSDE (mGy).
Fluoroscopy: fluoroscopy time (s), Ka,r (Gy), KAP (Gy.m2), mean Ka,r rate (Gy/s), mean field at the reference point (m2).
Radiography: exposure index, its target, deviation index (1) and KAP (Gy.m2) of each event, by age band.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec

from acrmock.dose.dictionary import Quantity
from acrmock.dose.model import CtEvent, DoseReport, PlaneTotals, ProjectionEvent
from acrmock.facts import Facts
from mockserver.central.ages import band_of

_MM_IN_CM = 10.0


class IndexName(StrEnum):
    """The indices, by the names that the registry's reports use."""

    CTDIVOL = "CTDIvol"
    DLP = "DLP"
    DIAMETER = "Effective diameter"
    SSDE = "SSDE"
    FLUOROSCOPY_TIME = "Fluoroscopy time"
    KAR = "Ka,r"
    KAP = "KAP"
    KAR_RATE = "Mean Ka,r rate"
    FIELD = "Mean field size"
    EI = "EI"
    EI_TARGET = "EI_T"
    DI = "DI"


class IndexValue(msgspec.Struct, frozen=True, kw_only=True):
    """One index: its value in `unit`; `event` counts from 1 (0: the whole exam), `band` is the age band of radiography."""

    name: IndexName
    value: float
    unit: str
    event: int = 0
    band: str = ""


class Polynomial(msgspec.Struct, frozen=True):
    """Coefficients of a polynomial of the second degree."""

    constant: float
    linear: float
    square: float

    def at(self, x: float) -> float:
        """Its value at `x`."""
        return self.constant + self.linear * x + self.square * x * x


class IndexRules(msgspec.Struct, frozen=True, kw_only=True):
    """The constants and word lists of the indices."""

    phantom_factor: float
    head_regions: frozenset[str]
    head_phantom: str
    body_phantom: str
    from_both: Polynomial
    from_ap: Polynomial
    from_lateral: Polynomial
    ssde_factor: float
    ssde_exponent: float
    localizers: frozenset[str]
    timing_protocols: tuple[str, ...]
    timing_exam_words: tuple[str, ...]
    all_planes: str
    age_bands: Mapping[str, float]


def index_rules(facts: Facts) -> IndexRules:
    """The rules in these facts; raises `FactsError` when a constant is missing."""

    def polynomial(key: str) -> Polynomial:
        parts = facts.mapping(key)
        return Polynomial(*(float(parts.get(name, 0)) for name in ("constant", "linear", "square")))

    return IndexRules(
        phantom_factor=facts.number("central.phantom.factor"),
        head_regions=frozenset(facts.texts("central.phantom.head_regions")),
        head_phantom=facts.text("central.phantom.head"),
        body_phantom=facts.text("central.phantom.body"),
        from_both=polynomial("central.diameter.both"),
        from_ap=polynomial("central.diameter.ap"),
        from_lateral=polynomial("central.diameter.lateral"),
        ssde_factor=facts.number("central.ssde.factor"),
        ssde_exponent=facts.number("central.ssde.exponent"),
        localizers=frozenset(facts.texts("central.ct.localizer")),
        timing_protocols=facts.texts("central.timing.protocols"),
        timing_exam_words=facts.texts("central.timing.exam_words"),
        all_planes=facts.text("central.planes.all"),
        age_bands={name: float(bound) for name, bound in facts.mapping("central.age_bands").items()},
    )


def indices(report: DoseReport, rules: IndexRules, *, exam_name: str = "") -> tuple[IndexValue, ...]:
    """The indices of a report, none where its modality has none; `exam_name` is the registry's name of the exam, if mapped."""
    by_modality: dict[str, Callable[[], Iterable[IndexValue]]] = {
        "CT": lambda: _ct(report, rules, exam_name),
        "RF": lambda: _fluoroscopy(report, rules),
        "DX": lambda: _radiography(report, rules),
    }
    makes = by_modality.get(report.modality)
    found = tuple(makes()) if report.dose and makes is not None else ()
    return tuple(index for index in found if math.isfinite(index.value))


def is_timing_run(event: CtEvent, rules: IndexRules, *, exam_name: str = "") -> bool:
    """Whether a CT event only times the contrast (fact D1.23): by its protocol, or by CTDIvol (mGy) above DLP (mGy.cm)."""
    protocol = _letters(event.protocol)
    if any(_letters(word) in protocol for word in rules.timing_protocols):
        return True
    ctdivol, dlp = _number(event.ctdivol), _number(event.dlp)
    named = exam_name.upper()
    return ctdivol is not None and dlp is not None and ctdivol > dlp and any(word in named for word in rules.timing_exam_words)


def normalisation(event: CtEvent, rules: IndexRules) -> float:
    """What CTDIvol and DLP of an event are multiplied by (fact D1.24); 1 where region or phantom is not known."""
    region, phantom = event.target_region.key, event.phantom.key
    if not region:
        return 1.0
    head = region in rules.head_regions
    if head and phantom == rules.body_phantom:
        return rules.phantom_factor
    return 1 / rules.phantom_factor if not head and phantom == rules.head_phantom else 1.0


def effective_diameter(ap: float | None, lateral: float | None, rules: IndexRules) -> float | None:
    """The effective diameter in cm from AP and lateral dimension in cm (fact D1.25); None without either."""
    if ap is not None and lateral is not None:
        found = rules.from_both.at(ap + lateral)
    elif ap is not None:
        found = rules.from_ap.at(ap)
    elif lateral is not None:
        found = rules.from_lateral.at(lateral)
    else:
        return None
    return found if math.isfinite(found) and found > 0 else None


def ssde(ctdivol: float, diameter: float, rules: IndexRules) -> float:
    """The size-specific dose estimate in mGy of a body exam, from normalised CTDIvol in mGy and diameter in cm (fact D1.25)."""
    return rules.ssde_factor * math.exp(rules.ssde_exponent * diameter) * ctdivol


def _ct(report: DoseReport, rules: IndexRules, exam_name: str) -> Iterable[IndexValue]:
    total: list[float] = []
    for number, event in enumerate(report.ct_events, 1):
        if event.kind in rules.localizers or is_timing_run(event, rules, exam_name=exam_name):
            continue
        dlp = _number(event.dlp)
        if dlp is not None:
            total.append(dlp * normalisation(event, rules))
        yield from _ct_event(event, number, rules)
    if total:
        yield IndexValue(name=IndexName.DLP, value=math.fsum(total), unit="mGy.cm")


def _ct_event(event: CtEvent, number: int, rules: IndexRules) -> Iterable[IndexValue]:
    factor, ctdivol, dlp = normalisation(event, rules), _number(event.ctdivol), _number(event.dlp)
    if dlp is not None:
        yield IndexValue(name=IndexName.DLP, value=dlp * factor, unit="mGy.cm", event=number)
    if ctdivol is None:
        return
    yield IndexValue(name=IndexName.CTDIVOL, value=ctdivol * factor, unit="mGy", event=number)
    region = event.target_region.key
    diameter = effective_diameter(_centimetres(event.ap), _centimetres(event.lateral), rules)
    if region and region not in rules.head_regions and diameter is not None:
        yield IndexValue(name=IndexName.DIAMETER, value=diameter, unit="cm", event=number)
        yield IndexValue(name=IndexName.SSDE, value=ssde(ctdivol * factor, diameter, rules), unit="mGy", event=number)


def _fluoroscopy(report: DoseReport, rules: IndexRules) -> Iterable[IndexValue]:
    planes = _planes(report, rules)
    time = _sum(plane.fluoro_time for plane in planes)
    kar = _sum(plane.dose_rp for plane in planes)
    kap = _sum(plane.dap for plane in planes)
    if time is not None:
        yield IndexValue(name=IndexName.FLUOROSCOPY_TIME, value=time, unit="s")
    if kar is not None:
        yield IndexValue(name=IndexName.KAR, value=kar, unit="Gy")
    if kap is not None:
        yield IndexValue(name=IndexName.KAP, value=kap, unit="Gy.m2")
    if kar is not None and time:
        yield IndexValue(name=IndexName.KAR_RATE, value=kar / time, unit="Gy/s")
    if kap is not None and kar:
        yield IndexValue(name=IndexName.FIELD, value=kap / kar, unit="m2")


def _planes(report: DoseReport, rules: IndexRules) -> tuple[PlaneTotals, ...]:
    """The planes to add up: those of all planes together where a report gives them, else each."""
    together = tuple(plane for plane in report.totals.planes if plane.plane.key == rules.all_planes)
    return together[:1] or report.totals.planes


def _radiography(report: DoseReport, rules: IndexRules) -> Iterable[IndexValue]:
    band = band_of(report.header.patient_age, report.header.birth_date, report.header.study_date, rules.age_bands)
    for number, event in enumerate(report.projection_events, 1):
        for name, value, unit in _radiograph(event):
            if value is not None:
                yield IndexValue(name=name, value=value, unit=unit, event=number, band=band)


def _radiograph(event: ProjectionEvent) -> Iterable[tuple[IndexName, float | None, str]]:
    """The indices of one radiograph; a deviation index that is not given is that of IEC 62494-1, 10 log10(EI / EI_T)."""
    exposure, target = _number(event.exposure_index), _number(event.target_exposure_index)
    deviation = event.deviation_index.value if event.deviation_index is not None else None
    if deviation is None and exposure and target:
        deviation = 10 * math.log10(exposure / target)
    yield IndexName.EI, exposure, "1"
    yield IndexName.EI_TARGET, target, "1"
    yield IndexName.DI, deviation, "1"
    yield IndexName.KAP, _number(event.dap), "Gy.m2"


def _number(quantity: Quantity | None) -> float | None:
    """A quantity's value where it is one that an index can rest on: finite and not negative."""
    value = quantity.value if quantity is not None else None
    return value if value is not None and math.isfinite(value) and value >= 0 else None


def _centimetres(quantity: Quantity | None) -> float | None:
    """A length given in mm, in cm; a length of zero is none."""
    value = _number(quantity)
    return value / _MM_IN_CM if value else None


def _sum(quantities: Iterable[Quantity | None]) -> float | None:
    values = [value for value in map(_number, quantities) if value is not None]
    return math.fsum(values) if values else None


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()
