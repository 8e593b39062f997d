"""The registry's name of an exam: stated in the report, or mapped from the facility's own name (facts D1.21, D1.22, D2a).

An exam that nobody mapped is no error: it is left out of aggregate reports and shown apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from acrmock.dose.elements import Unreadable
from acrmock.dose.model import DoseReport
from acrmock.facts import Facts, FactsError
from mockserver.dirlink.content import Concept, coded
from mockserver.dirlink.dataset import Element, read
from mockserver.dirlink.words import Words

EVERYBODY = "*"
ACCOUNT = "account:"
_CODES = frozenset({0x00080100, 0x00080119})
_INFLATED_MOST = 64 * 1024 * 1024


class How(StrEnum):
    """How an exam came by its name."""

    STATED = "stated"
    MAPPED = "mapped"
    UNMAPPED = "unmapped"


class ExamName(msgspec.Struct, frozen=True, kw_only=True):
    """An exam's `local` name and the attribute that carried it; `code` and `meaning` in `system`, empty when unmapped."""

    local: str
    carrier: str
    how: How
    system: str = ""
    code: str = ""
    meaning: str = ""


class Row(msgspec.Struct, frozen=True):
    """For whom a name is mapped (a facility, `account:ID` or `*`), of which modality, and the name folded."""

    scope: str
    modality: str
    name: str


class NamingRules(msgspec.Struct, frozen=True, kw_only=True):
    """The mapping tables, and where names stand."""

    systems: Mapping[str, str]
    carriers: tuple[str, ...]
    schemes: frozenset[str]
    pattern: str
    stated_in: frozenset[int]
    rows: Mapping[Row, str]
    meanings: Mapping[str, str]


def naming_rules(facts: Facts) -> NamingRules:
    """The rules in these facts; raises `FactsError` for a row that is not `scope|modality|name`."""
    rows = {_row(key, facts): str(code) for key, code in facts.mapping("central.naming.rows").items()}
    return NamingRules(
        systems=facts.mapping("central.naming.systems"),
        carriers=facts.texts("central.naming.carriers"),
        schemes=frozenset(facts.texts("central.naming.stated_schemes")),
        pattern=facts.text("central.naming.stated_pattern"),
        stated_in=frozenset(int(tag, 16) for tag in facts.texts("central.naming.stated_in")),
        rows=rows,
        meanings=facts.mapping("central.naming.meanings"),
    )


def name_exam(
    report: DoseReport, rules: NamingRules, *, facility: str = "", account: str = "", stated: Concept | None = None
) -> ExamName:
    """The name of an exam: `stated` where the report gives one, else by the facility's table, the account's, everybody's."""
    carrier, local = _local(report, rules)
    system = rules.systems.get(report.modality, "")
    if stated is not None and system == rules.systems.get("CT"):
        meaning = rules.meanings.get(stated.value, stated.meaning)
        return ExamName(local=local, carrier=carrier, how=How.STATED, system=system, code=stated.value, meaning=meaning)
    scopes = [scope for scope in (facility, f"{ACCOUNT}{account}" if account else "", EVERYBODY) if scope]
    rows = (Row(scope, report.modality, folded(local)) for scope in scopes)
    code = next((rules.rows[row] for row in rows if row in rules.rows), "") if local else ""
    if not code:
        return ExamName(local=local, carrier=carrier, how=How.UNMAPPED)
    meaning = rules.meanings.get(code, "")
    return ExamName(local=local, carrier=carrier, how=How.MAPPED, system=system, code=code, meaning=meaning)


def stated_code(data_set: bytes, transfer_syntax: str, rules: NamingRules) -> Concept | None:
    """The playbook identifier that a report states in a procedure code, a request or its content; None where it states none."""
    try:
        elements = read(data_set, transfer_syntax, inflated_limit=_INFLATED_MOST)
    except Unreadable:
        return None
    found = [element for element in elements if element.tag in rules.stated_in]
    return _find(found, rules, Words().inside(elements))


def folded(name: str) -> str:
    """A local name as tables hold it: case, punctuation between words and repeated spaces make no difference."""
    return " ".join(re.split(r"[\s_^.,;/-]+", name)).strip().casefold()


def _find(elements: list[Element], rules: NamingRules, words: Words) -> Concept | None:
    for element in elements:
        for item in element.items:
            if any(part.tag in _CODES for part in item):
                code = coded(item, words)
                if code.scheme in rules.schemes and re.fullmatch(rules.pattern, code.value):
                    return code
            below = _find(item, rules, words.inside(item))
            if below is not None:
                return below
    return None


def _local(report: DoseReport, rules: NamingRules) -> tuple[str, str]:
    for carrier in rules.carriers:
        name = getattr(report.header, carrier, "").strip()
        if name:
            return carrier, name
    return "", ""


def _row(key: str, facts: Facts) -> Row:
    parts = [part.strip() for part in key.split("|")]
    if len(parts) != 3 or not all(parts):
        layer = facts.fact("central.naming.rows").layer
        raise FactsError(f"the row {key!r} is not `scope|modality|name`", file=layer, fix="write *|CT|CT CHEST, or FACILITY|CT|…")
    return Row(parts[0], parts[1], folded(parts[2]))
