"""What a report of one kind, shape and set of quirks is made of: header and parts, described once, filled for each report."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from acrmock.dose.elements import EXPLICIT_LITTLE
from synthetic.dose import codes
from synthetic.dose.content import Elements, Part, file_meta
from synthetic.dose.ct import SIZED
from synthetic.dose.elements import Code, Hole, HoleKind
from synthetic.dose.encoding import Encoding
from synthetic.dose.header import evidence, header
from synthetic.dose.model import CtEvent, CtType, Kind
from synthetic.dose.quirks import CAPTURE_PIXELS, CHARSETS, SUFFIXES, SYNTAXES, change_header, change_rows
from synthetic.dose.rows import HAS_CONCEPT_MOD, Row, code, container, num, row_elements, text
from synthetic.dose.shapes import Shape, shape_named
from synthetic.dose.style import Style
from synthetic.dose.templates import (
    IMAGE_CLASSES,
    ROOTS,
    accumulated_rows,
    ct_event_rows,
    root_rows,
    tail_rows,
    x_event_rows,
)

MANY_EVENTS = 316
NON_DOSE_TITLE = Code("18748-4", "LN", "Diagnostic Imaging Report")
SUMMARY_TITLE = Code("C-10", "99SMS_RADSUM", "Radiation Summary")


class Recipe(NamedTuple):
    """The described parts, and the style, charset and transfer syntax that go with them; `events` by CT type or fluoroscopy."""

    kind: Kind
    shape: Shape
    quirks: tuple[str, ...]
    style: Style
    encoding: Encoding
    root: Part
    accumulated: Part | None
    events: dict[CtType | bool, Part]
    sized: dict[CtType, Part]
    tail: Part
    trailer: Elements
    localizer_dose: bool
    variant: int

    def of_ct(self, event: CtEvent) -> Part:
        """What says a CT event, with its size-specific dose where it has one and the shape tells it."""
        return (event.ssde and self.sized.get(event.type)) or self.events[event.type]


@cache
def recipe(kind: Kind, shape_name: str, quirks: tuple[str, ...], variant: int) -> Recipe:
    """The recipe; raises `SetupError` for an unknown shape."""
    shape = shape_named(shape_name)
    own = tuple(one for one in shape.quirks.get(kind, ()) if not _replaced(one, quirks))
    names = tuple(sorted({*own, *quirks}, key=lambda name: int(name[1:])))
    extras = shape.extras._replace(localizer_dose=shape.extras.localizer_dose or "Q9" in names)
    style = _style(shape.style, names, variant)

    def part(rows: tuple[Row, ...]) -> Part:
        return Part([row_elements(row) for row in _spoken(change_rows(rows, names, variant), style)])

    events: dict[CtType | bool, Part] = {}
    sized: dict[CtType, Part] = {}
    flat = bool({"Q2", "Q3"} & set(names))
    if flat:
        root, accumulated, tail = part(_flat_rows(names)), None, part(())
    else:
        root, tail = part(root_rows(kind, extras)), part(tail_rows())
        accumulated = part(accumulated_rows(kind, extras))
        if kind is Kind.CT:
            for made in CtType:
                events[made] = part(ct_event_rows(made, extras))
            if extras.ssde:
                sized = {made: part(ct_event_rows(made, extras, sized=True)) for made in SIZED}
        else:
            for seen in (True, False):
                events[seen] = part(x_event_rows(kind, extras, fluoroscopy=seen))
    charset = CHARSETS[variant] if "Q20" in names else shape.charset
    syntax = SYNTAXES[variant % 2] if "Q19" in names else EXPLICIT_LITTLE
    return Recipe(
        kind=kind,
        shape=shape,
        quirks=names,
        style=style,
        encoding=Encoding(syntax, charset, undefined=shape.undefined),
        root=root,
        accumulated=accumulated,
        events=events,
        sized=sized,
        tail=tail,
        trailer=Elements((CAPTURE_PIXELS,) if "Q33" in names else ()),
        localizer_dose=extras.localizer_dose,
        variant=variant,
    )


def _replaced(own: str, asked: tuple[str, ...]) -> bool:
    """Whether a quirk of the shape gives way to one that was asked for and excludes it."""
    return any(own in pair and set(asked) & (pair - {own}) for pair in ({"Q5", "Q6"}, {"Q4", "Q32"}))


def _style(style: Style, names: tuple[str, ...], variant: int) -> Style:
    if "Q10" in names:
        style = style._replace(monitoring_names=("PreMonitoring", "Monitoring"), force_bolus=True)
    if "Q20" in names:
        style = style._replace(protocol_suffix=SUFFIXES[variant])
    return style._replace(many_events=MANY_EVENTS) if "Q30" in names else style


def _spoken(rows: tuple[Row, ...], style: Style) -> tuple[Row, ...]:
    """The rows with their constants in the style's codes."""
    return tuple(
        row._replace(
            concept=style.code(row.concept),
            value=style.code(row.value) if type(row.value) is Code else row.value,
            children=_spoken(row.children, style),
        )
        for row in rows
    )


def _flat_rows(names: tuple[str, ...]) -> tuple[Row, ...]:
    if "Q2" in names:
        return (
            code(
                Code("121049", "DCM", "Language of Content Item and Descendants"),
                Code("en", "RFC5646", "English"),
                HAS_CONCEPT_MOD,
            ),
            container(
                Code("121070", "DCM", "Findings"),
                [Row("CONTAINS", "TEXT", Code("121071", "DCM", "Finding"), "Synthetic finding, no patient behind it")],
            ),
        )

    def own(number: str, meaning: str) -> Code:
        return Code(number, "99SMS_RADSUM", meaning)

    return (
        text(own("C-11", "Device"), "model"),
        text(own("C-12", "Study"), "study_description"),
        num(own("C-20", "Total Dose Area Product"), "totals.dap_total", codes.unit("Gy.cm^2"))._replace(
            value=Hole("totals.dap_total", HoleKind.TEXT, 4)
        ),
        num(own("C-21", "Total Fluoroscopy Time"), "totals.fluoro_time", codes.SECONDS),
        num(own("C-22", "Total Number of Frames"), "totals.frames", codes.NO_UNITS),
        text(own("C-30", "Operator"), "performing"),
        text(own("C-31", "Location"), "institution"),
    )


@cache
def header_of(kind: Kind, shape_name: str, quirks: tuple[str, ...], variant: int, images: int) -> Elements:
    """The header for a report that names so many images."""
    title, template = codes.REPORT, ROOTS[kind]
    if "Q2" in quirks:
        title, template = NON_DOSE_TITLE, ""
    elif "Q3" in quirks:
        title, template = SUMMARY_TITLE, ""
    found = header(title, template)
    if images:
        found.append(evidence(IMAGE_CLASSES[kind], images))
    names = recipe(kind, shape_name, quirks, variant).quirks
    return Elements(tuple(change_header(found, (*names, *(["Q1"] if {"Q2", "Q3"} & set(names) else [])), variant)))


@cache
def meta_of(transfer_syntax: str) -> Elements:
    """The file meta information for a transfer syntax; the SOP class is a hole."""
    return file_meta(Hole("sop_class", HoleKind.UID), transfer_syntax)
