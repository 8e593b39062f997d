"""What the facts know of identifiers: which elements hold one, and which values are synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from acrmock.facts import Facts


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
    from acrmock import identity  # noqa: PLC0415 - needed only where bodies hold identifiers

    classify = {"ssn": identity.classify_ssn, "mbi": identity.classify_mbi, "npi": identity.classify_npi}.get(kind)
    return classify is not None and str(classify(value)) == "synthetic"
