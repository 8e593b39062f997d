"""What becomes of one attribute outside the values of content items: the table, the lists, else its value representation."""

from __future__ import annotations

import re
from collections.abc import Callable

from mockserver.dirlink.age import day
from mockserver.dirlink.changes import BirthDates, Descriptors, Ledger, Policy, What
from mockserver.dirlink.content import Decision, coded
from mockserver.dirlink.dataset import Element, dictionary_vr
from mockserver.dirlink.deidentification import Action, Rules, TextRole
from mockserver.dirlink.identifying import Cleaner
from mockserver.dirlink.words import Words

_BIRTH_DATE = 0x00100030
_CODE_VALUES = frozenset({0x00080100, 0x00080119, 0x00080120, 0x00080102})
_SOP_CLASSES = frozenset({0x00080016, 0x00081150, 0x0008115A, 0x0008010C, 0x00080118, 0x00083002})
_TEXT = frozenset({"AE", "AS", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
_DATES = frozenset({"DA", "DT", "TM"})
_BINARY = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_NUMBERS = re.compile(rb"[0-9+\-eE. \\]*\Z")
_TIMES = re.compile(rb"[0-9.:+\- \\]*\Z")
_STANDARD_UID = re.compile(r"1\.2\.840\.10008(?:\.[0-9]{1,5}){1,9}\Z")
_LENGTHS = {"SH": 16, "LO": 64, "CS": 16}
_GONE = Decision(None)


class ElementRules:
    """Decides on attributes; what it changes it notes."""

    def __init__(
        self, rules: Rules, policy: Policy, ledger: Ledger, cleaner: Cleaner, *, uids: Callable[[str], str], birth_date: str
    ) -> None:
        self._rules = rules
        self._policy = policy
        self._ledger = ledger
        self._cleaner = cleaner
        self._uids = uids
        self._birth = day(birth_date)

    def element(self, element: Element, siblings: list[Element], path: str, words: Words) -> Decision:
        """What stays of an element."""
        decision = self._decided(element, siblings, words)
        if decision.element is not element and element.tag in self._rules.never_empty and "/" not in path:
            decision = _GONE
        after = decision.element
        if after is None:
            if element.tag & 0xFFFF:
                self._ledger.note(path, What.REMOVED, _shown(element, words), "")
        elif after.value != element.value or after.items != element.items:
            self._ledger.note(path, _what(element, after), _shown(element, words), words.read(after))
        return decision

    def _decided(self, element: Element, siblings: list[Element], words: Words) -> Decision:
        tag = element.tag
        known_vr = dictionary_vr(tag)
        if element.private:
            return Decision(element) if self._safe(element, siblings, words) else _GONE
        if known_vr is None or self._odd(element, known_vr):
            return _GONE
        if tag in self._rules.attributes:
            return self._text(element, self._rules.attributes[tag], siblings, words)
        return self._birth_date(element) if tag == _BIRTH_DATE else self._by_table(element, known_vr, words)

    def _odd(self, element: Element, known_vr: str) -> bool:
        """Whether an element has no place here: a group length, file meta, padding, one listed, or not of its own kind."""
        if not element.tag & 0xFFFF or element.tag >> 16 in {0x0002, 0xFFFC} or element.tag in self._rules.removed:
            return True
        return (element.vr == "SQ") != (known_vr == "SQ") or (known_vr in _BINARY and element.vr not in _BINARY)

    def _by_table(self, element: Element, known_vr: str, words: Words) -> Decision:
        action = self._rules.table.get(element.tag)
        if action is Action.REMOVE or (known_vr == "PN" and action is None):
            return _GONE
        if action is Action.EMPTY:
            return Decision(Element(element.tag, element.vr))
        return self._by_representation(element, known_vr, words)

    def _by_representation(self, element: Element, vr: str, words: Words) -> Decision:
        """An attribute that stays as far as its kind allows: a UID mapped, a number, a date; text and bytes go."""
        if vr == "SQ" or vr in _BINARY:
            return Decision(element)
        if vr == "UI":
            return Decision(self._mapped(element, words))
        if vr in {"DS", "IS"}:
            return Decision(element) if self._plain_number(element, words) else _GONE
        if vr in _DATES:
            listed = self._rules.table.get(element.tag) is Action.KEEP
            born = self._birth is not None and day(words.read(element)[:8]) == self._birth
            return _GONE if not _TIMES.match(element.value.strip(b"\0")) or (born and not listed) else Decision(element)
        return _GONE

    def _plain_number(self, element: Element, words: Words) -> bool:
        """Whether a number in text is one, and no identifier."""
        text = words.read(element)
        return bool(_NUMBERS.match(element.value.strip(b"\0"))) and self._cleaner.clean_strong(text) == text

    def _mapped(self, element: Element, words: Words) -> Element:
        values = words.read(element).split("\\")
        mapped = [value if not value or self._well_known(element.tag, value) else self._uids(value) for value in values]
        return element if mapped == values else Element(element.tag, "UI", "\\".join(mapped).encode())

    def _well_known(self, tag: int, uid: str) -> bool:
        """Whether a UID is one of the standard's own: it stands in PS3.6, or is a class by where it stands and how it looks."""
        from pydicom._uid_dict import UID_dictionary  # noqa: PLC0415 - the table of PS3.6 Annex A has no other door

        return uid in UID_dictionary or (tag in _SOP_CLASSES and bool(_STANDARD_UID.match(uid)))

    def _text(self, element: Element, role: TextRole, siblings: list[Element], words: Words) -> Decision:
        text = words.read(element)
        if role is TextRole.VERBATIM or (element.tag in _CODE_VALUES and self._standard(siblings, words)):
            return Decision(element)
        if role is TextRole.DESCRIPTOR and self._policy.descriptors is Descriptors.DROP:
            return Decision(Element(element.tag, element.vr)) if text else Decision(element)
        after = self._cleaner.clean_strong(text) if role is TextRole.KEPT else self._cleaner.clean(text)
        if after == text:
            return Decision(element)
        return Decision(Element(element.tag, element.vr, words.write(after[: _LENGTHS.get(element.vr)])))

    def _standard(self, siblings: list[Element], words: Words) -> bool:
        return coded(siblings, words).scheme in self._rules.standard_schemes

    def _birth_date(self, element: Element) -> Decision:
        keep = self._policy.birth_dates is BirthDates.KEEP and self._birth is not None
        return Decision(element if keep or not element.value else Element(element.tag, element.vr))

    def _safe(self, element: Element, siblings: list[Element], words: Words) -> bool:
        """Whether a private element, or the creator that reserves its block, is on the safe list."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        creator_tag = element.tag if number <= 0xFF else element.tag & 0xFFFF0000 | number >> 8
        creator = next((words.read(one) for one in siblings if one.tag == creator_tag), "")
        safe = [one for one in self._rules.safe_private if one.creator == creator and one.group == group]
        return bool(safe) if number <= 0xFF else any(one.element == number & 0xFF for one in safe)


def _what(before: Element, after: Element) -> What:
    if not after.value:
        return What.EMPTIED
    return What.MAPPED if before.vr == "UI" else What.CLEANED


def _shown(element: Element, words: Words) -> str:
    if element.vr == "SQ":
        return f"{len(element.items)} item(s)"
    return words.read(element) if element.vr in _TEXT | _DATES | {"PN", "UI", "DS", "IS"} else f"{len(element.value)} bytes"
