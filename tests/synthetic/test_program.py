"""A plan's function: it draws what the plan's steps draw, one after the other, whatever the mapping version."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.facts import MappingVersion, load_facts
from synthetic.exammaker import ExamMaker
from synthetic.makers import Occasion, Record
from synthetic.plan import RecordPlan
from synthetic.program import CERTAIN
from synthetic.randomness import Draws, Stream

TODAY = date(2026, 6, 1)
FACTS = load_facts()
VERSIONS = {
    f"{registry.slug}:{version.version}": version
    for registry in FACTS.registries
    for version in registry.versions
    if version.described
}


def step_by_step(plan: RecordPlan, draws: Draws, occasion: Occasion) -> Record:
    """What the steps say, each asked by itself; four shares are drawn from one word."""
    record: Record = {}
    bits = left = 0
    for step in plan._steps:
        gate = step.gate
        if gate is not None:
            value = record.get(gate[0])
            made = value is not None and not gate[1].isdisjoint(value if isinstance(value, list) else (value,))
        elif not step.plain:
            made = step.wanted(draws, record)
        elif step.parts < CERTAIN:
            if not left:
                bits, left = draws.word(), 4
            lot, bits, left = bits & 0xFFFF, bits >> 16, left - 1
            made = lot < step.parts
        else:
            made = True
        if made:
            record[step.name] = step.make(draws, occasion, record)
    return {name: record[name] for name in plan.order if name in record}


def maker_of(version: MappingVersion) -> ExamMaker:
    """A maker of exams."""
    return ExamMaker(version, seed=3, as_of=TODAY)


@pytest.mark.parametrize("name", VERSIONS)
@settings(max_examples=15, deadline=None, database=None)
@given(seed=st.integers(0, 2**64 - 1), index=st.integers(0, 10**9))
def test_the_function_draws_what_the_steps_draw(name: str, seed: int, index: int) -> None:
    """The same record in the order of the table, and the same word is drawn next: for exams and what is in their lists."""
    maker = maker_of(VERSIONS[name])
    occasion = maker.occasion(index % 10**6, Stream(seed, "occasion").item(index), ago=(0, 400))
    occasion.listed_day = occasion.exam_day
    for plan in (maker.exam_plan, *(listing.plan for listing in maker._listings)):
        ours, theirs = (Stream(seed, "plan").item(index) for _ in range(2))
        record: Record = {}
        whole = plan._fill(ours, occasion, record)
        assert list(record.items()) == list(step_by_step(plan, theirs, occasion).items())
        assert ours.word() == theirs.word()
        assert whole == all(not names.isdisjoint(record) for _, names in plan._any_of)
