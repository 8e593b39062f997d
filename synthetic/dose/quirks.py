"""What real reports get wrong or do in their own way, Q1 to Q33, each on demand (measured on public files of many makers)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

from acrmock.dose.elements import EXPLICIT_BIG, IMPLICIT_LITTLE
from acrmock.errors import SetupError
from synthetic.dose import codes
from synthetic.dose.elements import Code, Element, Hole, in_order
from synthetic.dose.header import ENHANCED_SR
from synthetic.dose.model import Kind
from synthetic.dose.rows import HAS_PROPERTIES, Row

VARIANTS = 4  # what a quirk varies, it varies with the index, so that four reports show all of it
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MANY_EVENTS = 316

RowChange: TypeAlias = Callable[[Row, int], "Row | None"]
HeaderChange: TypeAlias = Callable[[list[Element], int], list[Element]]

_CT = frozenset({Kind.CT})
_FLUORO = frozenset({Kind.FLUORO})
_ALL = frozenset(Kind)
_PROJECTION = _ALL - _CT
_DAP = frozenset({Kind.FLUORO, Kind.DX})


class Quirk(NamedTuple):
    """One quirk: the kinds it can befall, what it is, and how rows, header or study change (None: another place knows it)."""

    what: str
    kinds: frozenset[Kind] = _ALL
    rows: RowChange | None = None
    header: HeaderChange | None = None


def parse(names: Iterable[str], kind: Kind) -> tuple[str, ...]:
    """The quirks named, e.g. `["Q8,Q15"]`, in their order; raises `SetupError` for one unknown or not of this kind."""
    found = {name.strip().upper() for text in names for name in text.split(",") if name.strip()}
    for name in sorted(found):
        if name not in QUIRKS:
            raise SetupError(f"there is no quirk {name[:20]}", expected=", ".join(QUIRKS), where="--quirk")
        if kind not in QUIRKS[name].kinds:
            raise SetupError(
                f"{name} ({QUIRKS[name].what}) does not befall a report of kind {kind}",
                expected="--kind " + " or ".join(sorted(QUIRKS[name].kinds)),
                where="--quirk",
            )
    _conflicts(found)
    return tuple(name for name in QUIRKS if name in found)


def _conflicts(found: set[str]) -> None:
    for together in ({"Q2", "Q3", "Q33"}, {"Q12", "Q13", "Q14"}, {"Q5", "Q6"}, {"Q4", "Q32"}):
        if len(found & together) > 1:
            names = " and ".join(sorted(found & together))
            raise SetupError(f"{names} exclude each other in one report", where="--quirk", fix="generate them apart")


def _dropped(*concepts: Code) -> RowChange:
    values = {concept.value for concept in concepts}
    return lambda row, _variant: None if row.concept.value in values else row


def _target_region_empty(row: Row, variant: int) -> Row | None:
    if row.concept != codes.TARGET_REGION:
        return row
    return row._replace(value=None) if variant % 2 else None


def _target_region_unknown(row: Row, variant: int) -> Row | None:
    if row.concept != codes.TARGET_REGION:
        return row
    return row._replace(value=Code("", "", "Other") if variant % 2 else Code("00001", "99GEMS", "Unknown"))


_UNITS = (
    {codes.MGY_CM: ("mGycm", 0), codes.SOURCES: ("X-ray sources", 0), codes.GY_M2: ("Gym2", 0), codes.UA_S: ("uAs", 0),
     codes.PULSE_RATE: ("pulse/s", 0)},
    {codes.MGY_CM: ("mGycm", 0), codes.SOURCES: ("X-ray sources", 0), codes.GY_M2: ("dGy.cm2", 5), codes.GY: ("mGy", 3)},
)  # fmt: skip # pairs read best side by side


def _units(row: Row, variant: int) -> Row | None:
    found = _UNITS[variant % 2].get(row.unit) if row.unit else None
    if found is None:
        return row
    name, places = found
    value = row.value._replace(shift=places) if isinstance(row.value, Hole) else row.value
    return row._replace(unit=codes.unit(name), value=value)


def _illegal_types(row: Row, _variant: int) -> Row | None:
    if row.concept in {codes.CT_ACQUISITION, codes.EVENT}:
        person = Row("CONTAINS", "PERSON NAME", codes.dcm("113870", "Person Name"), "SYNTHETIC^Operator")
        return row._replace(children=(*row.children, person))
    if row.concept.value == codes.HAS_INTENT.value:
        return row._replace(value_type="HAS CONCEPT MOD")
    return row


def _multiple(row: Row, variant: int) -> Row | None:
    if row.concept == codes.PULSE_WIDTH:
        return row._replace(value="3.3\\5.9\\5.8")
    if row.concept == codes.KVP:
        return row._replace(value="77\\74")
    if row.concept == codes.TUBE_CURRENT:
        return row._replace(value="79.5\\97.7\\98.4", relation="" if variant % 2 else row.relation)
    return row._replace(relation="") if row.concept in {codes.RATE, codes.FIELD_AREA} else row


def _unknown_dose(row: Row, _variant: int) -> Row | None:
    unknown = {codes.DAP_TOTAL, codes.RP_TOTAL, codes.DAP, codes.RP, codes.PRIMARY_ANGLE, codes.SECONDARY_ANGLE}
    return row._replace(value=None, unit=None) if row.concept in unknown else row


def _reference_text(row: Row, _variant: int) -> Row | None:
    if row.concept != codes.REFERENCE_POINT:
        return row
    return row._replace(value_type="TEXT", value="15cm below BeamIsocenter")


def _private_names(row: Row, _variant: int) -> Row | None:
    if row.concept != codes.EVENT:
        return row

    def private(number: str, meaning: str) -> Code:
        return Code(number, "99PHI-IXR-XPER", meaning)

    return row._replace(
        children=(
            *row.children,
            Row("CONTAINS", "NUM", private("003", "Number of Frames"), Hole("pulses"), codes.NO_UNITS),
            Row("CONTAINS", "TEXT", private("027", "Performing Physicians Name"), Hole("physician")),
            Row("CONTAINS", "TEXT", private("029", "Application Name"), Hole("xper")),
            Row("CONTAINS", "PNAME", codes.dcm("121114", "Performing Physician"), Hole("physician")),
        )
    )


_OTHER_CODES = {
    codes.EXPOSURE_TIME: codes.dcm("113735", "Exposure Time"),
    codes.ANODE: codes.dcm("113632", "Anode Target Material"),
    codes.DEVICE_TYPE: codes.dcm("113745", "X-Ray Detector Data Available"),
}


def _other_codes(row: Row, _variant: int) -> Row | None:
    if row.concept == codes.DEVICE_TYPE:
        return row._replace(concept=_OTHER_CODES[row.concept], value=codes.YES)
    return row._replace(concept=_OTHER_CODES.get(row.concept, row.concept))


def _from_screen(row: Row, _variant: int) -> Row | None:
    if row.concept == codes.SOURCE:
        return row._replace(value=codes.HUMAN_READABLE)
    technique = {codes.CT_PARAMETERS, codes.PROTOCOL, codes.MODULATION, codes.CONTEXT}
    return None if row.concept.value in {one.value for one in technique} else row


def _loose_images(row: Row, _variant: int) -> Row | None:
    if row.concept != codes.EVENT or any(child.value_type == "IMAGE" for child in row.children):
        return row
    image = Row("CONTAINS", "IMAGE", codes.ACQUIRED_IMAGE, Hole("image_uid"), image_class="1.2.840.10008.5.1.4.1.1.12.1")
    return row._replace(children=(*row.children, image))


def without(*tags: int) -> HeaderChange:
    """A header without these elements."""
    return lambda elements, _variant: [element for element in elements if element.tag not in tags]


def _put(elements: list[Element], *changes: Element) -> list[Element]:
    tags = {element.tag for element in changes}
    return list(in_order([*(element for element in elements if element.tag not in tags), *changes]))


def _carrier(elements: list[Element], _variant: int) -> list[Element]:
    return _put(elements, Element(0x00080016, "UI", ENHANCED_SR))


def _no_description(elements: list[Element], variant: int) -> list[Element]:
    return _put(elements, Element(0x00081030, "LO", "")) if variant % 2 else without(0x00081030)(elements, variant)


def _no_device(elements: list[Element], variant: int) -> list[Element]:
    return _put(without(0x00081090, 0x00181000, 0x00181020)(elements, variant), Element(0x00080070, "LO", ""))


def _bad_values(elements: list[Element], variant: int) -> list[Element]:
    found = _put(
        elements,
        Element(0x00100030, "DA", ("0", "99990101", "", "0")[variant]),
        Element(0x00101010, "AS", ("89Y", "37Y")[variant % 2]),
        Element(0x001021C0, "US", 0),
        Element(0x0020000E, "UI", Hole("odd_uid")),
    )
    return without(0x00100030)(found, variant) if variant == 2 else found


def _no_age(elements: list[Element], variant: int) -> list[Element]:
    found = without(0x00101010)(elements, variant)
    if variant == 1:
        return without(0x00100030)(found, variant)
    return found if variant == 0 else _put(found, Element(0x00100040, "CS", "O" if variant == 2 else ""))


def _charset(elements: list[Element], variant: int) -> list[Element]:
    return without(0x00080005)(elements, variant) if variant == 0 else elements


def _empty_sequences(elements: list[Element], variant: int) -> list[Element]:
    found = without(0x0040A375)(elements, variant)
    return _put(found, Element(0x00081110, "SQ", ()), Element(0x00081032, "SQ", ()))


def _on_capture(elements: list[Element], _variant: int) -> list[Element]:
    return _put(
        elements,
        Element(0x00080016, "UI", SECONDARY_CAPTURE),
        Element(0x00080064, "CS", "WSD"),
        Element(0x00280002, "US", 1),
        Element(0x00280004, "CS", "MONOCHROME2"),
        Element(0x00280010, "US", 4),
        Element(0x00280011, "US", 4),
        Element(0x00280100, "US", 8),
        Element(0x00280101, "US", 8),
        Element(0x00280102, "US", 7),
        Element(0x00280103, "US", 0),
    )


CAPTURE_PIXELS = Element(0x7FE00010, "OW", bytes(16))
_INTENT_AND_SOURCE = _dropped(codes.HAS_INTENT, codes.SOURCE)


def _institution(row: Row, _variant: int) -> Row | None:
    if row.concept != codes.SCOPE:
        return row
    where = Row(HAS_PROPERTIES, "TEXT", codes.DEVICE_LOCATION, Hole("institution"))
    return row._replace(children=(*row.children, where))


QUIRKS = {
    "Q1": Quirk("carried as Enhanced SR", header=_carrier),
    "Q2": Quirk("a non-dose Enhanced SR, root 18748-4 LN"),
    "Q3": Quirk("Enhanced SR of flat items, root C-10 99SMS_RADSUM, DAP in Gy.cm^2", _FLUORO),
    "Q4": Quirk("Has Intent and Source of Dose Information missing", rows=_INTENT_AND_SOURCE),
    "Q5": Quirk("Target Region absent or without a value", rows=_target_region_empty),
    "Q6": Quirk("Target Region private or with an empty code", rows=_target_region_unknown),
    "Q7": Quirk("Acquisition Protocol missing", rows=_dropped(codes.PROTOCOL)),
    "Q8": Quirk("units that are not UCUM, or of another scale", rows=_units),
    "Q9": Quirk("CTDIvol and DLP of localizers, counted in the total", _CT),
    "Q10": Quirk("bolus tracking as PreMonitoring and Monitoring", _CT),
    "Q11": Quirk("one event twice, counted twice"),
    "Q12": Quirk("cumulative: three reports of one study, each with all events of those before"),
    "Q13": Quirk("continued: two reports of one study, with different events"),
    "Q14": Quirk("one device, one study: a DX and an RF report", _DAP),
    "Q15": Quirk("Station Name absent", header=without(0x00081010)),
    "Q16": Quirk("Study Description absent or empty", header=_no_description),
    "Q17": Quirk("manufacturer empty; model, serial and software absent", header=_no_device),
    "Q18": Quirk("no Content Template Sequence at the root", header=without(0x0040A504)),
    "Q19": Quirk("implicit little endian or explicit big endian"),
    "Q20": Quirk("other character sets, with text beyond ASCII", header=_charset),
    "Q21": Quirk("birth date, age, pregnancy status and UIDs that break their rules", header=_bad_values),
    "Q22": Quirk("age absent; birth date absent or sex O or empty", header=_no_age),
    "Q23": Quirk("value types that do not exist", rows=_illegal_types),
    "Q24": Quirk("relationship types missing, several values in one number", _FLUORO, rows=_multiple),
    "Q25": Quirk("numbers without a value", _DAP, rows=_unknown_dose),
    "Q26": Quirk("Reference Point Definition as text", _PROJECTION, rows=_reference_text),
    "Q27": Quirk("private items, one with a person's name", _FLUORO, rows=_private_names),
    "Q28": Quirk("the institution's name inside the content", rows=_institution),
    "Q29": Quirk("another code for the same meaning", rows=_other_codes),
    "Q30": Quirk(f"{MANY_EVENTS} events", _PROJECTION),
    "Q31": Quirk("images referenced but not listed, empty sequences", _PROJECTION, rows=_loose_images, header=_empty_sequences),
    "Q32": Quirk("made from a dose screen: technique missing", _CT, rows=_from_screen),
    "Q33": Quirk("the content tree attached to a Secondary Capture image", header=_on_capture),
}
CHARSETS = ("", "ISO_IR 100", "ISO_IR 192", "\\ISO 2022 IR 87")
SUFFIXES = ("", " f\u00fcr Sch\u00e4del", " g\u0142owa", " \u982d\u90e8")
SYNTAXES = (IMPLICIT_LITTLE, EXPLICIT_BIG)


def change_rows(rows: tuple[Row, ...], names: Iterable[str], variant: int) -> tuple[Row, ...]:
    """The rows after all the quirks named."""
    for name in names:
        change = QUIRKS[name].rows
        if change is not None:
            rows = _apply(rows, change, variant)
    return rows


def _apply(rows: tuple[Row, ...], change: RowChange, variant: int) -> tuple[Row, ...]:
    found = []
    for row in rows:
        inner = row._replace(children=_apply(row.children, change, variant)) if row.children else row
        made = change(inner, variant)
        if made is not None:
            found.append(made)
    return tuple(found)


def change_header(elements: list[Element], names: Iterable[str], variant: int) -> list[Element]:
    """The header after all the quirks named."""
    for name in names:
        change = QUIRKS[name].header
        if change is not None:
            elements = change(elements, variant)
    return list(in_order(elements))
