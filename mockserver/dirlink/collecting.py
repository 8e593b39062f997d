"""Gathers the identifying values of one report from wherever they stand in it."""

from __future__ import annotations

from mockserver.dirlink.content import code_of
from mockserver.dirlink.dataset import Element
from mockserver.dirlink.deidentification import Rules, TextRole
from mockserver.dirlink.identifying import Known, fold
from mockserver.dirlink.words import Words

_BIRTH_DATES = frozenset({0x00100030, 0x00100033, 0x00100034})
_TEXT_VALUE = 0x0040A160
_STANDARD = "1.2.840.10008."


def known_values(elements: list[Element], rules: Rules) -> Known:
    """Every name, identifier, place and date of birth that stands in the report, at any depth."""
    known = Known()
    _devices(elements, rules, Words(), known)
    _gather(elements, rules, Words(), known)
    return known


def _devices(elements: list[Element], rules: Rules, outer: Words, known: Known) -> None:
    """What names the device and stays: it is no place, even where a sender wrote it as one."""
    words = outer.inside(elements)
    for element in elements:
        if rules.attributes.get(element.tag) is TextRole.VERBATIM:
            known.devices.add(fold(words.read(element))[0])


def _gather(elements: list[Element], rules: Rules, outer: Words, known: Known) -> None:
    words = outer.inside(elements)
    concept = code_of(elements, words)
    for element in elements:
        for item in element.items:
            _gather(item, rules, words, known)
        if element.items or element.private:
            continue
        text = words.read(element)
        as_text = element.tag == _TEXT_VALUE and concept is not None
        if element.vr == "PN":
            known.add_name(text)
        elif element.tag in _BIRTH_DATES:
            known.add_birth_date(text)
        elif element.vr == "UI":
            if not text.startswith(_STANDARD):
                known.add_uid(text)
        elif element.tag in rules.identifiers or (as_text and concept is not None and concept.value in rules.identifier_concepts):
            known.add_identifier(text)
        elif element.tag in rules.places or (as_text and concept is not None and concept.value in rules.place_concepts):
            known.add_place(text, rules.common_words)
