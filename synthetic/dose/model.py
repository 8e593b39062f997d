"""What a synthetic exam is: patient, heading and irradiation events, with values as the text that DICOM carries.

Texts are decimals with a fixed number of places, so that sums are exact; counts behind them stand beside as whole numbers.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from synthetic.dose.elements import Code


class Kind(StrEnum):
    """Kinds of report that can be asked for."""

    CT = "ct"
    FLUORO = "fluoro"
    DX = "dx"
    MG = "mg"


class CtType(StrEnum):
    """How a CT acquisition was made (CID 10013)."""

    LOCALIZER = "localizer"
    MONITORING = "monitoring"
    SPIRAL = "spiral"
    SEQUENCED = "sequenced"


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """A synthetic patient on the day of the exam; size in m, weight in kg, effective diameter of the trunk in cm."""

    patient_name: str
    patient_id: str
    birth_date: str
    patient_sex: str
    patient_age: str
    patient_size: str
    patient_weight: str
    years: int
    height_cm: int
    diameter_cm: float


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """What header and root of a report say beside its events."""

    sop_class: str
    sop_instance: str
    series_uid: str
    study_uid: str
    frame_uid: str
    device_uid: str
    study_date: str
    study_time: str
    content_date: str
    content_time: str
    accession: str
    study_id: str
    study_description: str
    series_description: str
    station: str
    manufacturer: str
    model: str
    serial: str
    software: str
    institution: str
    referring: str
    performing: str
    charset: str
    completion: str
    start: str
    end: str
    odd_uid: str
    image_series: str
    images: object
    totals: object
    patient_name: str
    patient_id: str
    birth_date: str
    patient_sex: str
    patient_age: str
    patient_size: str
    patient_weight: str


class CtEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One CT irradiation event: s, mm, kV, mA, mGy, mGy.cm; `dlp_hundredths` is the DLP as a whole number.

    `ssde` with the patient's `lateral` and `ap` dimensions are empty but for scans of the trunk.
    """

    type: CtType
    protocol: str
    region: Code
    context: Code
    event_uid: str
    series_uid: str
    started: str
    exposure_time: str
    scanning_length: str
    exposed_range: str
    single_collimation: str
    total_collimation: str
    pitch: str
    kvp: str
    maximum_ma: str
    ma: str
    rotation: str
    ctdi_vol: str
    phantom: Code
    dlp: str
    dlp_hundredths: int
    ssde: str
    lateral: str
    ap: str
    modulation: str
    comment: str
    top_mm: int
    length_mm: int


class CtTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The accumulated data of a CT report."""

    events: str
    dlp_total: str


class XEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One irradiation event of projection X-ray: Gy.m2, Gy, s, ms, kV, mA, uA.s, mm, deg; counts in nGy.m2 and uGy."""

    fluoroscopy: bool
    protocol: str
    region: Code
    anatomy: Code
    view: Code
    side: Code
    event_uid: str
    started: str
    dap: str
    rp: str
    nano_dap: int
    micro_rp: int
    deci_seconds: int
    frames: int
    duration: str
    pulses: str
    rate: str
    width: str
    kvp: str
    ma: str
    exposure_time: str
    exposure: str
    filter_mm: str
    primary: str
    secondary: str
    field: str
    index: str
    target: str
    deviation: str
    image_uid: str
    agd: str
    agd_hundredths: int
    thickness: str
    force: str
    entrance: str
    xper: str
    physician: str
    comment: str


class XTotals(msgspec.Struct, frozen=True, kw_only=True):
    """The accumulated data of a projection X-ray report."""

    dap_total: str
    rp_total: str
    fluoro_dap: str
    fluoro_rp: str
    fluoro_time: str
    acquisition_dap: str
    acquisition_rp: str
    acquisition_time: str
    frames: str
    calibrated: str
    agd_right: str
    agd_left: str


class Exam(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one study's events say, before a report is written of it."""

    kind: Kind
    patient: Patient
    study_description: str
    begun: int
    ended: int
    ct_events: tuple[CtEvent, ...] = ()
    x_events: tuple[XEvent, ...] = ()
