"""Identifiers of people and practitioners: well formed or not, and whether they could be somebody's.

Synthetic by construction are: Social Security numbers of the areas 000 and 666 or with an all-zero group or serial number
(never assigned), Medicare Beneficiary Identifiers with `S` in the second place (CMS uses no S), National Provider
Identifiers with a leading 9 (CMS issues 1 and 2), and telephone numbers 555-0100 to 555-0199 (reserved for fiction).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

Kind = Literal["synthetic", "issuable", "malformed"]

_SSN = re.compile(r"([0-9]{3})-?([0-9]{2})-?([0-9]{4})\Z")
_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI = re.compile(
    rf"[1-9](?:S|{_LETTER})[0-9AC-HJKMNP-RT-Y][0-9]{_LETTER}[0-9AC-HJKMNP-RT-Y][0-9]{_LETTER}{_LETTER}[0-9][0-9]\Z",
)
_NPI = re.compile(r"[0-9]{10}\Z")
_PHONE = re.compile(r"(?:\+?1[-. ]?)?\(?([2-9][0-9]{2})\)?[-. ]?([0-9]{3})[-. ]?([0-9]{4})\Z")
_SSN_IN_TEXT = re.compile(r"(?<![0-9-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9-])")
_NPI_PREFIX = "80840"


@lru_cache(maxsize=4096)
def luhn_npi(text: str) -> bool:
    """Whether ten digits carry a right check digit (Luhn over 80840 and the number, CMS); remembered for some."""
    return bool(_NPI.match(text)) and _luhn(_NPI_PREFIX + text) == 0


def npi_check_digit(nine: str) -> str:
    """The check digit that makes nine digits a National Provider Identifier; raises `ValueError` on anything else."""
    if not re.fullmatch(r"[0-9]{9}", nine):
        raise ValueError("a check digit is computed over nine digits")
    return str(-_luhn(_NPI_PREFIX + nine + "0") % 10)


_DOUBLED = str.maketrans("0123456789", "0246813579")
"""Each digit doubled, and the sum of the digits of that."""


def _luhn(digits: str) -> int:
    return (sum(map(int, digits[::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10


def classify_ssn(text: str) -> Kind:
    """What a Social Security number is; hyphens may be missing."""
    found = _SSN.match(text)
    if not found:
        return "malformed"
    area, group, serial = found.groups()
    return "synthetic" if area in {"000", "666"} or group == "00" or serial == "0000" else "issuable"


def classify_mbi(text: str) -> Kind:
    """What a Medicare Beneficiary Identifier is (eleven characters, upper case)."""
    if not _MBI.match(text):
        return "malformed"
    return "synthetic" if text[1] == "S" else "issuable"


def classify_npi(text: str) -> Kind:
    """What a National Provider Identifier is; a wrong check digit makes it malformed."""
    if not luhn_npi(text):
        return "malformed"
    return "issuable" if text[0] in "12" else "synthetic"


def classify_phone(text: str) -> Kind:
    """What a North American telephone number is."""
    found = _PHONE.match(text)
    if not found:
        return "malformed"
    _, exchange, line = found.groups()
    return "synthetic" if exchange == "555" and line.startswith("01") else "issuable"


def ssns_in(text: str) -> tuple[str, ...]:
    """The Social Security numbers, with hyphens, that stand in a text and could be somebody's."""
    return tuple(found for found in _SSN_IN_TEXT.findall(text) if classify_ssn(found) == "issuable")
