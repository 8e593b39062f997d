"""Content items as rows of a template: relation, value type, concept, value or hole, children (PS3.3 section C.17.3).

Rows are what shapes and quirks transform; `row_elements` says what a row is as data elements.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

from synthetic.dose.elements import Code, DataSet, Element, Hole, HoleKind, code_sequence, in_order

CONTAINS = "CONTAINS"
HAS_CONCEPT_MOD = "HAS CONCEPT MOD"
HAS_OBS_CONTEXT = "HAS OBS CONTEXT"
HAS_PROPERTIES = "HAS PROPERTIES"
INFERRED_FROM = "INFERRED FROM"

Filling: TypeAlias = "str | Code | Hole | None"


class Row(NamedTuple):
    """One content item; `value` None is a container, or a code or number without a value."""

    relation: str
    value_type: str
    concept: Code
    value: Filling = None
    unit: Code | None = None
    children: tuple[Row, ...] = ()
    template: str = ""
    continuity: str = "SEPARATE"
    image_class: str = ""


def container(concept: Code, children: Iterable[Row], *, template: str = "") -> Row:
    """A CONTAINER below another."""
    return Row(CONTAINS, "CONTAINER", concept, children=tuple(children), template=template)


def num(concept: Code, name: str, unit: Code) -> Row:
    """A NUM whose value is the decimal text in the hole `name`."""
    return Row(CONTAINS, "NUM", concept, Hole(name), unit)


def fixed(concept: Code, number: str, unit: Code) -> Row:
    """A NUM that is the same in every report."""
    return Row(CONTAINS, "NUM", concept, number, unit)


def text(concept: Code, name: str, relation: str = CONTAINS) -> Row:
    """A TEXT from the hole `name`."""
    return Row(relation, "TEXT", concept, Hole(name))


def when(concept: Code, name: str, relation: str = CONTAINS) -> Row:
    """A DATETIME from the hole `name`."""
    return Row(relation, "DATETIME", concept, Hole(name))


def uid(concept: Code, name: str, relation: str = CONTAINS) -> Row:
    """A UIDREF from the hole `name`."""
    return Row(relation, "UIDREF", concept, Hole(name, HoleKind.UID))


def code(concept: Code, value: Code, relation: str = CONTAINS, *children: Row) -> Row:
    """A CODE that is the same in every report."""
    return Row(relation, "CODE", concept, value, children=children)


def coded(concept: Code, name: str, relation: str = CONTAINS, *children: Row) -> Row:
    """A CODE from the hole `name`."""
    return Row(relation, "CODE", concept, Hole(name, HoleKind.CODE), children=children)


def row_elements(row: Row) -> DataSet:
    """The data elements of one content item (PS3.3 tables C.17-5, C.17-6, C.18.1-1 to C.18.8-1)."""
    elements = [code_sequence(0x0040A043, row.concept), Element(0x0040A040, "CS", row.value_type)]
    if row.relation:
        elements.append(Element(0x0040A010, "CS", row.relation))
    elements += _value_elements(row)
    if row.template:
        elements.append(template_identification(row.template))
    if row.children:
        elements.append(Element(0x0040A730, "SQ", tuple(row_elements(child) for child in row.children)))
    return in_order(elements)


def template_identification(template: str) -> Element:
    """The Content Template Sequence of a template of PS3.16."""
    return Element(0x0040A504, "SQ", ((Element(0x00080105, "CS", "DCMR"), Element(0x0040DB00, "CS", template)),))


_TEXTUAL = {
    "TEXT": (0x0040A160, "UT"),
    "DATETIME": (0x0040A120, "DT"),
    "UIDREF": (0x0040A124, "UI"),
    "PNAME": (0x0040A123, "PN"),
    "PERSON NAME": (0x0040A123, "PN"),  # not a value type, but met (quirk Q23)
}


def _value_elements(row: Row) -> list[Element]:
    if row.value_type in _TEXTUAL:
        tag, vr = _TEXTUAL[row.value_type]
        return [Element(tag, vr, _plain(row.value))]
    if row.value_type in {"CODE", HAS_CONCEPT_MOD}:
        return [_code_value(row.value)]
    if row.value_type == "NUM":
        return [_measured(row)]
    if row.value_type == "IMAGE":
        reference = (Element(0x00081150, "UI", row.image_class), Element(0x00081155, "UI", _plain(row.value)))
        return [Element(0x00081199, "SQ", (reference,))]
    return [Element(0x0040A050, "CS", row.continuity)]


def _plain(value: Filling) -> str | Hole:
    if isinstance(value, Code) or value is None:
        raise TypeError(f"a text or a hole is needed here, not {value!r}")
    return value


def _code_value(value: Filling) -> Element:
    if value is None:
        return Element(0x0040A168, "SQ", ())
    if isinstance(value, str):
        raise TypeError(f"a code or a hole is needed here, not {value!r}")
    return code_sequence(0x0040A168, value)


def _measured(row: Row) -> Element:
    if row.value is None:
        return Element(0x0040A300, "SQ", ())
    if row.unit is None:
        raise TypeError(f"{row.concept.meaning} has no unit")
    return Element(0x0040A300, "SQ", ((code_sequence(0x004008EA, row.unit), Element(0x0040A30A, "DS", _plain(row.value))),))
