"""Checking one LCSR exam: our validator (schema and rules) beside the package jsonschema on the same derived schema."""

from __future__ import annotations

from datetime import date
from itertools import cycle, islice
from typing import Any

import jsonschema

from acrmock.facts import load_facts
from acrmock.schema import RecordValidator, record_schema
from benchmarks.measure import Row, side_by_side
from synthetic.exams import exams

AS_OF = date(2026, 6, 1)
EXAMS = 200
OURS_PER_THEIRS = 20


def rows() -> list[Row]:
    """Valid exams, then exams with every element of a wrong type (all errors collected)."""
    facts = load_facts()
    registry = facts.registry("lcsr")
    if registry is None:
        return []
    version = registry.default(AS_OF)
    if version is None:
        return []
    good = list(exams(facts, "lcsr", seed=1, count=EXAMS, as_of=AS_OF))
    bad = [{name: {"not": "a value"} for name in exam} for exam in good[:20]]
    ours = RecordValidator(facts, version)
    theirs = jsonschema.Draft202012Validator(record_schema(version))

    def check(sample: list[Any], times: int) -> None:
        for exam in islice(cycle(sample), times):
            ours.check(exam, index=0, today=AS_OF, facility="")

    def collect(sample: list[Any], times: int) -> None:
        for exam in islice(cycle(sample), times):
            list(theirs.iter_errors(exam))

    out = []
    for what, sample, times, goal in (
        ("valid exams checked (schema and all rules)", good, EXAMS, ">= 50 x"),
        ("exams wrong in every element, all errors", bad, 40, ">= 10 x"),
    ):
        mine, peer = side_by_side(
            lambda sample=sample, times=times: check(sample, times * OURS_PER_THEIRS),  # type: ignore[misc]
            lambda sample=sample, times=times: collect(sample, times),  # type: ignore[misc]
        )
        out.append(
            Row(
                what=what,
                unit="exams/s",
                ours=times * OURS_PER_THEIRS / mine,
                peer="jsonschema (schema only)",
                theirs=times / peer,
                goal=goal,
            )
        )
    return out
