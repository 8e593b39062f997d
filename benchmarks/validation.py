"""Checking one exam: our validator (schema and rules) beside the package jsonschema on the same derived schema.

A row for each registry; what is measured is the time of a core.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import cycle, islice
from typing import Any

import jsonschema

from acrmock.facts import Facts, MappingVersion, load_facts
from acrmock.schema import RecordValidator, record_schema
from benchmarks.generation import called, newest
from benchmarks.measure import Row, core_seconds
from synthetic.exams import exams

AS_OF = date(2026, 6, 1)
EXAMS = 100
THEIRS = 20
OURS_PER_THEIRS = 20


def rows() -> list[Row]:
    """Valid exams, then exams with every element of a wrong type (all errors collected)."""
    facts = load_facts()
    return [row for version in newest(facts) for row in _both(facts, version)]


def _both(facts: Facts, version: MappingVersion) -> Iterator[Row]:
    good = list(exams(facts, version.registry, version.version, seed=1, count=EXAMS, as_of=AS_OF))
    bad = [{name: {"not": "a value"} for name in exam} for exam in good[:THEIRS]]
    ours = RecordValidator(facts, version)
    theirs = jsonschema.Draft202012Validator(record_schema(version))

    def check(sample: list[Any]) -> None:
        for exam in islice(cycle(sample), THEIRS * OURS_PER_THEIRS):
            ours.check(exam, index=0, today=AS_OF, facility="")

    def collect(sample: list[Any]) -> None:
        for exam in sample[:THEIRS]:
            list(theirs.iter_errors(exam))

    for what, sample, goal in (
        ("valid exams checked (schema and all rules)", good, ">= 50 x"),
        ("exams wrong in every element, all errors", bad, ">= 10 x"),
    ):
        yield Row(
            what=f"{called(version)}: {what}",
            unit="exams/s",
            ours=THEIRS * OURS_PER_THEIRS / core_seconds(lambda sample=sample: check(sample)),  # type: ignore[misc]
            peer="jsonschema (schema only)",
            theirs=THEIRS / core_seconds(lambda sample=sample: collect(sample)),  # type: ignore[misc]
            goal=goal,
        )
