"""A dose report as the registry sees it: header, device, totals and events in the registry's units, and what was odd."""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock.dose.dictionary import Quantity
from acrmock.dose.header import Header
from acrmock.dose.tree import NO_CODE, Code, Item
from acrmock.record import FieldProblem


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The base of what stands in a report: frozen, by keyword."""


class Device(Struct, frozen=True, kw_only=True):
    """The device that reports (PS3.16 TID 1004), empty where it does not say."""

    uid: str = ""
    name: str = ""
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    location: str = ""


class CtSource(Struct, frozen=True, kw_only=True):
    """One X-ray source of a CT acquisition (PS3.16 TID 10014)."""

    name: str = ""
    kvp: Quantity | None = None
    max_current: Quantity | None = None
    current: Quantity | None = None
    rotation_time: Quantity | None = None
    filtration: Quantity | None = None


class Event(Struct, frozen=True, kw_only=True):
    """An irradiation event: `kind` is the concept of its type, `path` its item, `started` a DT as written."""

    path: str
    uid: str = ""
    kind: str = ""
    started: str = ""
    protocol: str = ""
    target_region: Code = NO_CODE
    comment: str = ""


class CtEvent(Event, frozen=True, kw_only=True):
    """A CT acquisition (PS3.16 TID 10013 to 10015); an absent element is None, or empty for codes and text."""

    acquisition_type: Code = NO_CODE
    procedure_context: Code = NO_CODE
    label: str = ""
    repeated: Code = NO_CODE
    repeat_reason: Code = NO_CODE
    reconstruction: Code = NO_CODE
    exposure_time: Quantity | None = None
    scanning_length: Quantity | None = None
    reconstructable_length: Quantity | None = None
    exposed_range: Quantity | None = None
    top_scanned: Quantity | None = None
    bottom_scanned: Quantity | None = None
    top_reconstructable: Quantity | None = None
    bottom_reconstructable: Quantity | None = None
    single_collimation: Quantity | None = None
    total_collimation: Quantity | None = None
    pitch: Quantity | None = None
    source_count: Quantity | None = None
    sources: tuple[CtSource, ...] = ()
    ctdivol: Quantity | None = None
    phantom: Code = NO_CODE
    dlp: Quantity | None = None
    free_air: Quantity | None = None
    effective_dose: Quantity | None = None
    ssde: Quantity | None = None
    lateral: Quantity | None = None
    ap: Quantity | None = None
    effective_diameter: Quantity | None = None
    modulation: str = ""
    alert_dlp: Quantity | None = None
    alert_ctdivol: Quantity | None = None
    alert_dlp_forward: Quantity | None = None
    alert_ctdivol_forward: Quantity | None = None
    alert_reason: str = ""
    notification_dlp: Quantity | None = None
    notification_ctdivol: Quantity | None = None
    notification_dlp_forward: Quantity | None = None
    notification_ctdivol_forward: Quantity | None = None


class ProjectionEvent(Event, frozen=True, kw_only=True):
    """An irradiation event of projection X-ray (PS3.16 TID 10003); `reference_point` is a code's meaning or a text."""

    plane: Code = NO_CODE
    event_type: Code = NO_CODE
    anatomy: Code = NO_CODE
    laterality: Code = NO_CODE
    view: Code = NO_CODE
    dap: Quantity | None = None
    dose_rp: Quantity | None = None
    agd: Quantity | None = None
    reference_point: str = ""
    entrance_exposure: Quantity | None = None
    thickness: Quantity | None = None
    orientation: Code = NO_CODE
    table_relation: Code = NO_CODE
    exposure_index: Quantity | None = None
    target_exposure_index: Quantity | None = None
    deviation_index: Quantity | None = None
    fluoro_mode: Code = NO_CODE
    pulse_rate: Quantity | None = None
    pulses: Quantity | None = None
    pulse_width: Quantity | None = None
    duration: Quantity | None = None
    kvp: Quantity | None = None
    current: Quantity | None = None
    average_current: Quantity | None = None
    exposure_time: Quantity | None = None
    exposure: Quantity | None = None
    focal_spot: Quantity | None = None
    anode: Code = NO_CODE
    grid: Code = NO_CODE
    field_area: Quantity | None = None
    field_height: Quantity | None = None
    field_width: Quantity | None = None
    primary_angle: Quantity | None = None
    secondary_angle: Quantity | None = None
    primary_end_angle: Quantity | None = None
    secondary_end_angle: Quantity | None = None
    table_tilt: Quantity | None = None
    table_rotation: Quantity | None = None
    table_cradle: Quantity | None = None
    table_longitudinal: Quantity | None = None
    table_lateral: Quantity | None = None
    table_height: Quantity | None = None
    source_isocenter: Quantity | None = None
    source_detector: Quantity | None = None
    compression: Quantity | None = None


class BreastDose(Struct, frozen=True, kw_only=True):
    """The accumulated average glandular dose of one breast, or of both (PS3.16 TID 10005)."""

    agd: Quantity
    laterality: Code = NO_CODE


class PlaneTotals(Struct, frozen=True, kw_only=True):
    """What was accumulated for one plane (PS3.16 TID 10002, 10004 to 10007)."""

    path: str
    plane: Code = NO_CODE
    dap: Quantity | None = None
    dose_rp: Quantity | None = None
    fluoro_dap: Quantity | None = None
    fluoro_dose_rp: Quantity | None = None
    fluoro_time: Quantity | None = None
    acquisition_dap: Quantity | None = None
    acquisition_dose_rp: Quantity | None = None
    acquisition_time: Quantity | None = None
    frames: Quantity | None = None
    reference_distance: Quantity | None = None
    reference_point: str = ""
    detector_type: Code = NO_CODE
    agd: Quantity | None = None
    breasts: tuple[BreastDose, ...] = ()


class Totals(Struct, frozen=True, kw_only=True):
    """What a report totals: CT's own figures (PS3.16 TID 10012), and one entry for each plane of projection X-ray."""

    irradiation_events: Quantity | None = None
    dlp: Quantity | None = None
    effective_dose: Quantity | None = None
    planes: tuple[PlaneTotals, ...] = ()


class DoseReport(Struct, frozen=True, kw_only=True):
    """An object read as a dose report; one that is none has `dose` False and nothing but its header and root.

    `modality` is `CT`, `RF`, `DX`, `MG`, `NM` or empty; `collected` says whether the registry takes such reports. `warnings` say
    what was odd or missing though the report can be processed. `tree` is the content tree that all this was read from.
    `enhanced`: it is an Enhanced X-Ray Radiation Dose Report (PS3.16 TID 10040), of which the summaries are read, and of the
    details what gives elements of events (TID 10053, 10054).
    """

    header: Header
    dose: bool = False
    collected: bool = False
    enhanced: bool = False
    modality: str = ""
    root: Code = NO_CODE
    template: str = ""
    procedure: Code = NO_CODE
    intent: Code = NO_CODE
    device_type: Code = NO_CODE
    scope: Code = NO_CODE
    scope_uid: str = ""
    sources: tuple[Code, ...] = ()
    start: str = ""
    end: str = ""
    device: Device = Device()
    totals: Totals = Totals()
    events: tuple[Event, ...] = ()
    warnings: tuple[FieldProblem, ...] = ()
    tree: Item = Item(key="", concept=NO_CODE, type="CONTAINER")

    @property
    def ct_events(self) -> tuple[CtEvent, ...]:
        """The CT acquisitions."""
        return tuple(event for event in self.events if isinstance(event, CtEvent))

    @property
    def projection_events(self) -> tuple[ProjectionEvent, ...]:
        """The events of projection X-ray."""
        return tuple(event for event in self.events if isinstance(event, ProjectionEvent))

    @property
    def event_uids(self) -> tuple[str, ...]:
        """The Irradiation Event UIDs, in the order of the report."""
        return tuple(event.uid for event in self.events if event.uid)


def plain(value: Any) -> Any:
    """A report, or a part of it, as what JSON can hold, without the content tree and without what is absent."""
    if isinstance(value, msgspec.Struct):
        found = {name: plain(getattr(value, name)) for name in value.__struct_fields__ if name != "tree"}
        return {name: part for name, part in found.items() if part not in (None, "", [], {})}
    return [plain(part) for part in value] if isinstance(value, tuple) else value
