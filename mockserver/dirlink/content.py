"""The content items of a structured report: which go, and what stays of the others' values (PS3.3 C.17.3, PS3.15 E.3.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mockserver.dirlink.changes import Descriptors, Ledger, Policy, What
from mockserver.dirlink.dataset import Element, walk
from mockserver.dirlink.deidentification import Rules, TextRole
from mockserver.dirlink.identifying import Cleaner
from mockserver.dirlink.words import Words

VALUE_TYPE, CONCEPT_NAME, CONTENT = 0x0040A040, 0x0040A043, 0x0040A730
TEXT_VALUE, PERSON_NAME, NUMERIC_VALUE = 0x0040A160, 0x0040A123, 0x0040A30A
_MEASURED = 0x0040A300
_CODES = (0x00080100, 0x00080119, 0x00080120)
_SCHEME, _MEANING = 0x00080102, 0x00080104
_DICOM = "DCM"
_NUMBER = "NUM"
_UID = re.compile(r"[0-9]+(?:\.[0-9]+){5,}\Z")
_PERSON_TYPES = frozenset({"PNAME", "PERSON NAME"})


@dataclass(frozen=True, slots=True)
class Concept:
    """A coded concept: code value, coding scheme designator and meaning."""

    value: str
    scheme: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What stays of an element; None: nothing."""

    element: Element | None


def code_of(elements: list[Element], words: Words) -> Concept | None:
    """The concept name of a content item, or None where the elements are no content item or it has no name."""
    name = next((element for element in elements if element.tag == CONCEPT_NAME and element.items), None)
    return coded(name.items[0], words) if name is not None else None


def coded(item: list[Element], words: Words) -> Concept:
    """The code of an item of a code sequence; what is absent is empty."""
    inner = words.inside(item)
    texts = {element.tag: inner.read(element) for element in item}
    value = next((texts[tag] for tag in _CODES if texts.get(tag)), "")
    return Concept(value, texts.get(_SCHEME, ""), texts.get(_MEANING, ""))


class ContentRules:
    """Decides on content items by their concept, value type and text."""

    def __init__(self, rules: Rules, policy: Policy, ledger: Ledger, cleaner: Cleaner, uids: Callable[[str], str]) -> None:
        self._rules = rules
        self._policy = policy
        self._ledger = ledger
        self._cleaner = cleaner
        self._uids = uids

    def goes(self, item: list[Element], words: Words) -> bool:
        """Whether a content item is removed whole: it names a person, place or subject, or is free text that nobody needs.

        An item that holds a number somewhere below stays without its own value, so that no dose is lost.
        """
        value_type = _value_type(item, words)
        if value_type == _NUMBER:
            return self._listed(code_of(item, words), self._rules.removed_concepts)
        if value_type is None or _holds_number(item):
            return False
        named = any(element.tag == PERSON_NAME for element in item)
        return named or value_type in _PERSON_TYPES or self._dropped(item, code_of(item, words), words)

    def shown(self, item: list[Element], words: Words) -> str:
        """A removed content item in a few words, for the ledger."""
        concept = code_of(item, words)
        values = [words.read(element) for element in item if element.tag in {TEXT_VALUE, PERSON_NAME}]
        return ": ".join([concept.meaning if concept else "", *values])

    def value(self, element: Element, concept: Concept | None, path: str, words: Words) -> Decision | None:
        """What stays of the element that is a content item's value; None where the element is no such thing."""
        if element.tag == NUMERIC_VALUE:
            return Decision(element)
        if element.tag != TEXT_VALUE:
            return None
        text = words.read(element)
        after = self._text(text, concept)
        if after == text:
            return Decision(element)
        what = What.MAPPED if _UID.match(text) else What.CLEANED
        self._ledger.note(path, what, text, after)
        return Decision(Element(element.tag, element.vr, words.write(after)))

    def _text(self, text: str, concept: Concept | None) -> str:
        if _UID.match(text):
            return self._uids(text)
        role = self._role(concept)
        if role is TextRole.VERBATIM:
            return text
        if role is TextRole.KEPT:
            return self._cleaner.clean_strong(text)
        if role is TextRole.DESCRIPTOR and self._policy.descriptors is Descriptors.CLEAN:
            return self._cleaner.clean(text)
        return self._rules.replacement

    def _dropped(self, item: list[Element], concept: Concept | None, words: Words) -> bool:
        if self._listed(concept, self._rules.removed_concepts):
            return True
        if self._listed(concept, self._rules.blanked_concepts):
            return False
        text = next((words.read(element) for element in item if element.tag == TEXT_VALUE), None)
        if text is None or _UID.match(text):
            return False
        role = self._role(concept)
        return role is None or (role is TextRole.DESCRIPTOR and self._policy.descriptors is Descriptors.DROP)

    def _listed(self, concept: Concept | None, concepts: frozenset[str]) -> bool:
        return concept is not None and concept.scheme == _DICOM and concept.value in concepts

    def _role(self, concept: Concept | None) -> TextRole | None:
        """The role of a text; a private concept has none, whatever its code."""
        if concept is None or concept.scheme != _DICOM or concept.value in self._rules.removed_concepts:
            return None
        return self._rules.concepts.get(concept.value)


def _value_type(item: list[Element], words: Words) -> str | None:
    return next((words.read(element) for element in item if element.tag == VALUE_TYPE), None)


def _holds_number(item: list[Element]) -> bool:
    return any(element.tag in {NUMERIC_VALUE, _MEASURED} for _, _, element in walk(item))
