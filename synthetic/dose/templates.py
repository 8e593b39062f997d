"""The templates of dose reports as rows (PS3.16 TID 10001 to 10007 and 10011 to 10015), in their own order."""

from __future__ import annotations

from typing import NamedTuple

from synthetic.dose import codes
from synthetic.dose.elements import Code, Hole, HoleKind
from synthetic.dose.model import CtType, Kind
from synthetic.dose.rows import (
    HAS_CONCEPT_MOD,
    HAS_OBS_CONTEXT,
    HAS_PROPERTIES,
    INFERRED_FROM,
    Row,
    code,
    coded,
    container,
    fixed,
    num,
    text,
    uid,
    when,
)

ROOTS = {Kind.CT: "10011", Kind.FLUORO: "10001", Kind.DX: "10001", Kind.MG: "10001"}
DX_IMAGE = "1.2.840.10008.5.1.4.1.1.1.1"
MG_IMAGE = "1.2.840.10008.5.1.4.1.1.1.2"
IMAGE_CLASSES = {Kind.DX: DX_IMAGE, Kind.MG: MG_IMAGE}


class Extras(NamedTuple):
    """What a shape says beyond the mandatory rows."""

    location: bool = False
    dose_check: bool = False
    participant: bool = False
    comment: bool = False
    calibration: bool = False
    private: bool = False
    localizer_dose: bool = False
    ssde: bool = False


def root_rows(kind: Kind, extras: Extras) -> tuple[Row, ...]:
    """The rows of the root before the accumulated data: procedure, observer, time, scope."""
    procedure = {Kind.CT: codes.CT_PROCEDURE, Kind.MG: codes.MAMMOGRAPHY}.get(kind, codes.PROJECTION)
    intent = code(codes.HAS_INTENT, codes.DIAGNOSTIC_INTENT, HAS_CONCEPT_MOD)
    rows = [code(codes.PROCEDURE_REPORTED, procedure, HAS_CONCEPT_MOD, intent)]
    if kind in {Kind.FLUORO, Kind.DX}:
        rows.append(code(codes.DEVICE_TYPE, codes.GUIDED if kind is Kind.FLUORO else codes.INTEGRATED))
    rows += [
        code(codes.OBSERVER_TYPE, codes.DEVICE, HAS_OBS_CONTEXT),
        uid(codes.DEVICE_UID, "device_uid", HAS_OBS_CONTEXT),
        text(codes.DEVICE_NAME, "station", HAS_OBS_CONTEXT),
        text(codes.DEVICE_MANUFACTURER, "manufacturer", HAS_OBS_CONTEXT),
        text(codes.DEVICE_MODEL, "model", HAS_OBS_CONTEXT),
        text(codes.DEVICE_SERIAL, "serial", HAS_OBS_CONTEXT),
    ]
    if extras.location:
        rows.append(text(codes.DEVICE_LOCATION, "institution", HAS_OBS_CONTEXT))
    if kind is Kind.CT:
        rows += [when(codes.START, "start", HAS_OBS_CONTEXT), when(codes.END, "end", HAS_OBS_CONTEXT)]
    rows.append(code(codes.SCOPE, codes.STUDY, HAS_OBS_CONTEXT, uid(codes.STUDY_UID, "study_uid", HAS_PROPERTIES)))
    return tuple(rows)


def tail_rows() -> tuple[Row, ...]:
    """The rows of the root after the events."""
    return (code(codes.SOURCE, codes.AUTOMATED),)


def accumulated_rows(kind: Kind, extras: Extras) -> tuple[Row, ...]:
    """The accumulated data: TID 10012 for CT, TID 10002 with 10004, 10005 or 10007 for projection X-ray."""
    if kind is Kind.CT:
        total = num(codes.DLP_TOTAL, "dlp_total", codes.MGY_CM)
        return (container(codes.CT_ACCUMULATED, [num(codes.TOTAL_EVENTS, "events", codes.EVENTS), total], template="10012"),)
    plane = code(codes.PLANE, codes.SINGLE_PLANE, HAS_CONCEPT_MOD)
    rows = [plane, *([_calibration()] if extras.calibration else [])]
    if kind is Kind.MG:
        rows += [_accumulated_agd("agd_right", codes.RIGHT_BREAST), _accumulated_agd("agd_left", codes.LEFT_BREAST)]
        return (container(codes.ACCUMULATED, rows, template="10002"),)
    rows += [num(codes.DAP_TOTAL, "dap_total", codes.GY_M2), num(codes.RP_TOTAL, "rp_total", codes.GY)]
    if kind is Kind.FLUORO:
        rows += [
            num(codes.FLUORO_DAP, "fluoro_dap", codes.GY_M2),
            num(codes.FLUORO_RP, "fluoro_rp", codes.GY),
            num(codes.FLUORO_TIME, "fluoro_time", codes.SECONDS),
            num(codes.ACQUISITION_DAP, "acquisition_dap", codes.GY_M2),
            num(codes.ACQUISITION_RP, "acquisition_rp", codes.GY),
            num(codes.ACQUISITION_TIME, "acquisition_time", codes.SECONDS),
        ]
    rows += [num(codes.FRAMES, "frames", codes.NO_UNITS), code(codes.REFERENCE_POINT, _reference(kind))]
    return (container(codes.ACCUMULATED, rows, template="10002"),)


def _reference(kind: Kind) -> Code:
    return {Kind.FLUORO: codes.ISOCENTER_15, Kind.MG: codes.BREAST_SURFACE}.get(kind, codes.DETECTOR_PLANE)


def _accumulated_agd(name: str, side: Code) -> Row:
    return num(codes.ACCUMULATED_AGD, name, codes.MGY)._replace(children=(code(codes.LATERALITY, side, HAS_CONCEPT_MOD),))


def _calibration() -> Row:
    return container(
        codes.CALIBRATION,
        [
            code(codes.CALIBRATION_DEVICE, codes.DOSIMETER, HAS_CONCEPT_MOD),
            when(codes.CALIBRATION_DATE, "calibrated"),
            fixed(codes.CALIBRATION_FACTOR, "1.0", codes.NO_UNITS),
            fixed(codes.CALIBRATION_UNCERTAINTY, "5", codes.PERCENT),
            Row("CONTAINS", "TEXT", codes.CALIBRATION_PARTY, "Synthetic Calibration"),
        ],
    )


def _participant() -> Row:
    return code(
        codes.ROLE,
        codes.IRRADIATING,
        "CONTAINS",
        Row(HAS_PROPERTIES, "TEXT", codes.ROLE_MANUFACTURER, "Synthetic Devices"),
        Row(HAS_PROPERTIES, "TEXT", codes.ROLE_MODEL, "Synthetic"),
        Row(HAS_PROPERTIES, "TEXT", codes.ROLE_SERIAL, "0001"),
    )


_TYPES = {
    CtType.LOCALIZER: codes.CONSTANT_ANGLE,
    CtType.MONITORING: codes.STATIONARY_CT,
    CtType.SPIRAL: codes.SPIRAL,
    CtType.SEQUENCED: codes.SEQUENCED,
}


def ct_event_rows(made: CtType, extras: Extras, *, sized: bool = False) -> tuple[Row, ...]:
    """One CT acquisition (TID 10013): dose is not required of a localizer, pitch only of spiral and sequenced ones.

    `sized`: with the size-specific dose and the dimensions that it rests on.
    """
    rows = [
        text(codes.PROTOCOL, "protocol"),
        coded(codes.TARGET_REGION, "region"),
        code(codes.ACQUISITION_TYPE, _TYPES[made]),
        coded(codes.CONTEXT, "context"),
        uid(codes.EVENT_UID, "event_uid"),
        container(codes.CT_PARAMETERS, _ct_parameters(made)),
    ]
    if made is not CtType.LOCALIZER or extras.localizer_dose:
        dose = [num(codes.CTDI_VOL, "ctdi_vol", codes.MGY), coded(codes.PHANTOM, "phantom"), num(codes.DLP, "dlp", codes.MGY_CM)]
        dose += [_ssde()] if sized else []
        rows.append(container(codes.CT_DOSE, [*dose, *(_dose_check() if extras.dose_check else ())]))
    rows.append(text(codes.MODULATION, "modulation"))
    if extras.comment:
        rows.append(text(codes.COMMENT, "comment"))
    if extras.participant:
        rows.append(_participant())
    return (container(codes.CT_ACQUISITION, rows, template="10013"),)


def _ct_parameters(made: CtType) -> list[Row]:
    turning = made is not CtType.LOCALIZER
    rows = [num(codes.EXPOSURE_TIME, "exposure_time", codes.SECONDS), num(codes.SCANNING_LENGTH, "scanning_length", codes.MM)]
    if made is CtType.SPIRAL:
        rows.append(num(codes.EXPOSED_RANGE, "exposed_range", codes.MM))
    rows += [
        num(codes.SINGLE_COLLIMATION, "single_collimation", codes.MM),
        num(codes.TOTAL_COLLIMATION, "total_collimation", codes.MM),
    ]
    if made in {CtType.SPIRAL, CtType.SEQUENCED}:
        rows.append(num(codes.PITCH, "pitch", codes.RATIO))
    source = [
        Row("CONTAINS", "TEXT", codes.SOURCE_ID, "A"),
        num(codes.KVP, "kvp", codes.KV),
        num(codes.MAXIMUM_CURRENT, "maximum_ma", codes.MA),
        num(codes.TUBE_CURRENT, "ma", codes.MA),
        *([num(codes.ROTATION_TIME, "rotation", codes.SECONDS)] if turning else []),
    ]
    return [*rows, fixed(codes.X_RAY_SOURCES, "1", codes.SOURCES), container(codes.SOURCE_PARAMETERS, source)]


def _ssde() -> Row:
    return num(codes.SSDE, "ssde", codes.MGY)._replace(
        children=(
            code(codes.METHOD, codes.SSDE_FROM_BOTH, HAS_CONCEPT_MOD),
            num(codes.LATERAL_DIMENSION, "lateral", codes.MM)._replace(relation=INFERRED_FROM),
            num(codes.AP_DIMENSION, "ap", codes.MM)._replace(relation=INFERRED_FROM),
        )
    )


def _dose_check() -> tuple[Row, ...]:
    alert = [
        code(codes.DLP_ALERT_SET, codes.NO),
        code(codes.CTDI_ALERT_SET, codes.YES),
        fixed(codes.CTDI_ALERT, "1000", codes.MGY),
    ]
    notification = [code(codes.DLP_NOTIFICATION_SET, codes.NO), code(codes.CTDI_NOTIFICATION_SET, codes.NO)]
    return (container(codes.ALERT, alert), container(codes.NOTIFICATION, notification))


def x_event_rows(kind: Kind, extras: Extras, *, fluoroscopy: bool) -> tuple[Row, ...]:
    """One irradiation event of projection X-ray (TID 10003 with 10003a, b, c)."""
    made = codes.FLUOROSCOPY if fluoroscopy else codes.STATIONARY
    rows = [
        code(codes.PLANE, codes.SINGLE_PLANE, HAS_CONCEPT_MOD),
        uid(codes.EVENT_UID, "event_uid"),
        when(codes.STARTED, "started"),
        code(codes.EVENT_TYPE, made),
        text(codes.PROTOCOL, "protocol"),
    ]
    side = (coded(codes.LATERALITY, "side", HAS_CONCEPT_MOD),) if kind is Kind.MG else ()
    rows.append(coded(codes.ANATOMY, "anatomy", "CONTAINS", *side))
    if kind is not Kind.FLUORO:
        rows.append(coded(codes.IMAGE_VIEW, "view"))
    rows.append(coded(codes.TARGET_REGION, "region"))
    rows += {Kind.FLUORO: _fluoro_dose, Kind.DX: _dx_dose}.get(kind, _mg_dose)(fluoroscopy)
    if extras.comment:
        rows.append(text(codes.COMMENT, "comment"))
    if extras.private:
        rows.append(Row("CONTAINS", "TEXT", Code("029", "99SYN-IXR", "Application Name"), Hole("xper")))
    if extras.participant:
        rows.append(_participant())
    return (container(codes.EVENT, rows, template="10003"),)


def _fluoro_dose(fluoroscopy: bool) -> list[Row]:  # noqa: FBT001 - one of three with the same shape
    rows = [
        num(codes.DAP, "dap", codes.GY_M2),
        num(codes.RP, "rp", codes.GY),
        code(codes.REFERENCE_POINT, codes.ISOCENTER_15),
        num(codes.PRIMARY_ANGLE, "primary", codes.DEGREES),
        num(codes.SECONDARY_ANGLE, "secondary", codes.DEGREES),
        num(codes.FIELD_AREA, "field", codes.M2),
        _filter(codes.STRIP_FILTER, codes.COPPER),
    ]
    if fluoroscopy:
        rows.append(code(codes.FLUORO_MODE, codes.PULSED))
    return [
        *rows,
        num(codes.RATE, "rate", codes.PULSE_RATE),
        num(codes.PULSES, "pulses", codes.NO_UNITS),
        num(codes.PULSE_WIDTH, "width", codes.MILLISECONDS),
        num(codes.DURATION, "duration", codes.SECONDS),
        *_technique(),
        fixed(codes.FOCAL_SPOT, "0.6", codes.MM),
        code(codes.TABLE_RELATION, codes.HEADFIRST),
        code(codes.ORIENTATION, codes.RECUMBENT, "CONTAINS", code(codes.ORIENTATION_MODIFIER, codes.SUPINE, HAS_CONCEPT_MOD)),
        fixed(codes.SOURCE_TO_DETECTOR, "1071", codes.MM),
        fixed(codes.SOURCE_TO_ISOCENTER, "785", codes.MM),
    ]


def _technique() -> list[Row]:
    return [
        num(codes.KVP, "kvp", codes.KV),
        num(codes.TUBE_CURRENT, "ma", codes.MA),
        num(codes.EXPOSURE_TIME, "exposure_time", codes.MILLISECONDS),
        num(codes.EXPOSURE, "exposure", codes.UA_S),
    ]


def _filter(kind: Code, material: Code) -> Row:
    return container(
        codes.FILTERS,
        [
            code(codes.FILTER_TYPE, kind),
            code(codes.FILTER_MATERIAL, material),
            num(codes.FILTER_MINIMUM, "filter_mm", codes.MM),
            num(codes.FILTER_MAXIMUM, "filter_mm", codes.MM),
        ],
    )


def _dx_dose(_fluoroscopy: bool) -> list[Row]:  # noqa: FBT001 - one of three with the same shape
    return [
        num(codes.DAP, "dap", codes.GY_M2),
        code(codes.REFERENCE_POINT, codes.DETECTOR_PLANE),
        num(codes.EXPOSURE_INDEX, "index", codes.NO_UNITS),
        num(codes.TARGET_INDEX, "target", codes.NO_UNITS),
        num(codes.DEVIATION_INDEX, "deviation", codes.NO_UNITS),
        _image(DX_IMAGE),
        num(codes.RP, "rp", codes.GY),
        fixed(codes.PULSES, "1", codes.NO_UNITS),
        *_technique(),
        num(codes.FIELD_AREA, "field", codes.M2),
        fixed(codes.SOURCE_TO_DETECTOR, "1150", codes.MM),
    ]


def _mg_dose(_fluoroscopy: bool) -> list[Row]:  # noqa: FBT001 - one of three with the same shape
    return [
        code(codes.REFERENCE_POINT, codes.BREAST_SURFACE),
        num(codes.ENTRANCE, "entrance", codes.MGY),
        _image(MG_IMAGE),
        num(codes.AGD, "agd", codes.MGY),
        fixed(codes.PULSES, "1", codes.NO_UNITS),
        *_technique(),
        fixed(codes.FOCAL_SPOT, "0.3", codes.MM),
        code(codes.ANODE, codes.TUNGSTEN),
        _filter(codes.FLAT_FILTER, codes.RHODIUM),
        num(codes.COMPRESSION_THICKNESS, "thickness", codes.MM),
        num(codes.COMPRESSION_FORCE, "force", codes.NEWTON),
        fixed(codes.SOURCE_TO_DETECTOR, "660", codes.MM),
    ]


def _image(image_class: str) -> Row:
    return Row("CONTAINS", "IMAGE", codes.ACQUIRED_IMAGE, Hole("image_uid", HoleKind.UID), image_class=image_class)
