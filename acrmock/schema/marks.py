"""Marks of real people in an exam: identifiers that could be somebody's (fact U25, requirement tx-test-data)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from acrmock import identity
from acrmock.facts import EXAM, MappingVersion
from acrmock.pointer import join, printable
from acrmock.record import IdentityMark

UNDENIABLE, DOUBTFUL = "undeniable", "doubtful"
_LONGEST = 10_000
_SSN_LENGTH = 11
_SSN = re.compile("[0-9]{3}-[0-9]{2}-[0-9]{4}")


def identity_marks(version: MappingVersion, exam: Any, index: int) -> tuple[IdentityMark, ...]:
    """The marks of real people in an exam; `undeniable` for patient numbers that are issued, `doubtful` for the rest."""
    if not isinstance(exam, Mapping):
        return ()
    base = join("", version.exams, index)
    found = list(_in_record(version, EXAM, exam, base))
    for child in version.lists:
        listed = exam.get(child.name)
        for place, record in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(record, Mapping):
                found += _in_record(version, child.kind, record, join(base, child.name, place))
    return tuple(found)


def _in_record(
    version: MappingVersion,
    kind: str,
    record: Mapping[Any, Any],
    base: str,
) -> Iterator[IdentityMark]:
    identities = version.identities[kind]
    texts = [
        pair for pair in record.items() if isinstance(pair[1], str) and (len(pair[1]) >= _SSN_LENGTH or pair[0] in identities)
    ]
    for name, value in texts:
        if not isinstance(name, str) or len(value) > _LONGEST:
            continue
        about = identities.get(name, "")
        if not about and "-" not in value:
            continue
        found = _mark(about, value)
        if found:
            mark, grade = found
            yield IdentityMark(pointer=join(base, name), element=printable(name, 64), mark=mark, grade=grade)


def _mark(kind: str, value: str) -> tuple[str, str] | None:
    if kind == "id":  # any identifier of the patient may be one that somebody was issued
        kind = "ssn" if _SSN.fullmatch(value) else "mbi"
    if kind == "ssn":
        return ("ssn", UNDENIABLE) if identity.classify_ssn(value) == "issuable" else None
    if kind == "mbi":
        return ("mbi", UNDENIABLE) if identity.classify_mbi(value) == "issuable" else None
    if kind == "npi":
        return ("npi", DOUBTFUL) if identity.classify_npi(value) == "issuable" else None
    if kind == "hicn":
        return ("hicn", UNDENIABLE) if identity.classify_ssn(value[:9]) == "issuable" and value[9:10].isalpha() else None
    if kind == "phone":
        return ("phone", DOUBTFUL) if identity.classify_phone(value) == "issuable" else None
    return ("ssn-in-text", DOUBTFUL) if identity.ssns_in(value) else None
