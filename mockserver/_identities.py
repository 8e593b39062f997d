"""What the facts know of identifiers: which elements hold one, and which values are synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acrmock.identity import classify_mbi, classify_npi, classify_ssn

if TYPE_CHECKING:
    from acrmock.facts import Facts


_CLASSIFIERS = {"ssn": classify_ssn, "mbi": classify_mbi, "npi": classify_npi}

PERSONAL = frozenset({"ssn", "mbi", "hicn", "npi", "name", "birth-date", "id"})
"""The kinds that point at a person; a facility's identifier was issued here and stays."""


def identity_names(facts: Facts) -> dict[str, str]:
    """The elements of all registries and mapping versions that identify a person, with the kind of each."""
    return {
        element.name: element.identity
        for registry in facts.registries
        for version in registry.versions
        for element in version.elements
        if element.identity in PERSONAL
    }


def dated_names(facts: Facts) -> frozenset[str]:
    """The elements whose dates are nobody's birthday."""
    elements = {
        element.name
        for registry in facts.registries
        for version in registry.versions
        for element in version.elements
        if element.type == "date" and element.identity not in PERSONAL
    }
    return frozenset(elements | {"exam_date"})


def is_synthetic(kind: str, value: str) -> bool:
    """Whether a value lies in a declared synthetic range and may stand in a record as it is."""
    classify = _CLASSIFIERS.get(kind)
    return classify is not None and classify(value) == "synthetic"
