"""A dose report made anonymous before it leaves the site (PS3.15 Annex E; facts D1.2, D1.17, D1.18, D4, D8).

The Basic profile with the options Retain Device Identity, Full Dates, Patient Characteristics, Clean Descriptors and Clean
Structured Content. Doses and every other number of the content tree stay as they are. What is to stay is listed; what nobody
listed goes. A report that cannot be read whole is refused (`CannotAnonymise`) and must never be forwarded.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from acrmock.dose.elements import Unreadable
from mockserver.dirlink.age import day, settled
from mockserver.dirlink.changes import (
    Anonymised,
    BirthDates,
    CannotAnonymise,
    Change,
    Descriptors,
    Ledger,
    Policy,
    What,
    policy_of,
    uid_map,
)
from mockserver.dirlink.collecting import known_values
from mockserver.dirlink.content import ContentRules, code_of
from mockserver.dirlink.dataset import Element, read, write
from mockserver.dirlink.deidentification import Rules, shipped_rules
from mockserver.dirlink.elementrules import ElementRules
from mockserver.dirlink.identifying import Cleaner
from mockserver.dirlink.words import Words

__all__ = [
    "Anonymised",
    "BirthDates",
    "CannotAnonymise",
    "Change",
    "Descriptors",
    "Policy",
    "What",
    "anonymise",
    "policy_of",
    "uid_map",
]

_BIRTH_DATE, _AGE, _STUDY_DATE = 0x00100030, 0x00101010, 0x00080020
_REMOVED, _METHOD, _METHOD_CODES, _TEMPORAL = 0x00120062, 0x00120063, 0x00120064, 0x00280303
_VERIFICATION = 0x0040A493


def anonymise(
    data: bytes, transfer_syntax: str, policy: Policy, uids: Callable[[str], str], *, rules: Rules | None = None
) -> Anonymised:
    """The report without what identifies anybody, as an explicit little endian data set, and what was changed.

    `data` is the data set as received, in `transfer_syntax`. Raises `CannotAnonymise` when it cannot be read to its end.
    """
    try:
        elements = read(data, transfer_syntax, inflated_limit=policy.inflated_limit)
    except Unreadable as error:
        raise CannotAnonymise(error.what, error.where) from error
    if not elements:
        raise CannotAnonymise("there is no data element", 0)
    return _Report(elements, policy, uids, rules or shipped_rules()).anonymised()


class _Report:
    """One report on its way to being anonymous."""

    def __init__(self, elements: list[Element], policy: Policy, uids: Callable[[str], str], rules: Rules) -> None:
        self._elements = elements
        self._policy = policy
        self._rules = rules
        self._ledger = Ledger(policy)
        self._words = Words().inside(elements)
        self._known = known_values(elements, rules)
        cleaner = Cleaner(self._known, rules)
        self._plain = ElementRules(rules, policy, self._ledger, cleaner, uids=uids, birth_date=self._text(_BIRTH_DATE))
        self._content = ContentRules(rules, policy, self._ledger, cleaner, uids)

    def anonymised(self) -> Anonymised:
        """The report's new data set."""
        birth_date, age = self._text(_BIRTH_DATE), self._age()
        kept = self._data_set(self._elements, "", self._words)
        self._settle_age(kept, age)
        kept += self._said_so(kept)
        born = day(birth_date)
        aside = None
        if born is not None and self._policy.birth_dates is BirthDates.HASH:
            aside = hmac.new(self._policy.key, f"birth-date:{born:%Y%m%d}".encode(), hashlib.sha256).hexdigest()
        return Anonymised(data=write(kept), changes=tuple(self._ledger.changes), birth_date_hash=aside)

    def _data_set(self, elements: list[Element], path: str, outer: Words) -> list[Element]:
        """What stays of a data set or item, its content item's own value first decided by the rules of the content tree."""
        words = outer.inside(elements)
        concept = code_of(elements, words)
        kept: list[Element] = []
        for element in elements:
            here = f"{path}{element.tag:08X}"
            decided = self._content.value(element, concept, here, words) or self._plain.element(element, elements, here, words)
            if decided.element is None:
                continue
            if decided.element is not element or element.vr != "SQ":
                kept.append(decided.element)
                continue
            items = self._items(element, here, words)
            if items or not element.items:  # a sequence that lost all its items is none
                kept.append(Element(element.tag, "SQ", items=items))
        return kept

    def _items(self, sequence: Element, path: str, words: Words) -> list[list[Element]]:
        items = []
        for number, item in enumerate(sequence.items):
            here = f"{path}[{number}]"
            if self._content.goes(item, words.inside(item)):
                self._ledger.note(here, What.REMOVED, self._content.shown(item, words.inside(item)), "")
            else:
                items.append(self._data_set(item, f"{here}/", words))
        return items

    def _age(self) -> str:
        return settled(
            self._text(_AGE),
            self._text(_BIRTH_DATE),
            self._text(_STUDY_DATE),
            oldest=self._rules.oldest_age,
            capped=self._rules.oldest_age_written,
        )

    def _settle_age(self, kept: list[Element], age: str) -> None:
        before = self._text(_AGE)
        kept[:] = [element for element in kept if element.tag != _AGE]
        if age:
            kept.append(Element(_AGE, "AS", age.encode()))
        if age != before:
            self._ledger.note(f"{_AGE:08X}", What.REPLACED if before else What.ADDED, before, age)

    def _said_so(self, kept: list[Element]) -> list[Element]:
        """The attributes that say of a data set that it was de-identified, and how (PS3.15 E.1.1, PS3.3 C.7.1.1)."""
        for element in kept:
            if element.tag == _VERIFICATION and element.value.strip(b" \0") == b"VERIFIED":
                element.value = b"UNVERIFIED"
                self._ledger.note(f"{_VERIFICATION:08X}", What.REPLACED, "VERIFIED", "UNVERIFIED")
        ours = {_REMOVED, _METHOD, _METHOD_CODES, _TEMPORAL}
        kept[:] = [element for element in kept if element.tag not in ours]
        codes = [
            [
                Element(0x00080100, "SH", code.value.encode()),
                Element(0x00080102, "SH", b"DCM"),
                Element(0x00080104, "LO", code.meaning.encode()[:64]),
            ]
            for code in self._rules.codes
        ]
        said = {
            _REMOVED: "YES",
            _METHOD: self._rules.method[:64],
            _METHOD_CODES: ", ".join(code.value for code in self._rules.codes),
            _TEMPORAL: "UNMODIFIED",
        }
        for tag, text in said.items():
            self._ledger.note(f"{tag:08X}", What.ADDED, "", text)
        return [
            Element(_REMOVED, "CS", b"YES"),
            Element(_METHOD, "LO", self._rules.method.encode()[:64]),
            Element(_METHOD_CODES, "SQ", items=codes),
            Element(_TEMPORAL, "CS", b"UNMODIFIED"),
        ]

    def _text(self, tag: int) -> str:
        return next((self._words.read(element) for element in self._elements if element.tag == tag), "")
