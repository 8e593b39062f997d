"""Making synthetic LCSR exams as JSON lines, beside Faker making as many people with the same identifiers."""

from __future__ import annotations

import io
from datetime import date

from faker import Faker

from acrmock.facts import load_facts
from benchmarks.measure import Row, side_by_side
from synthetic.command import ExamOptions, write_exams

AS_OF = date(2026, 6, 1)
EXAMS = 2000
PEOPLE = 500


def rows() -> list[Row]:
    """Exams per second beside Faker's people per second (a person has a tenth of an exam's elements)."""
    facts = load_facts()
    faker = Faker("en_US")
    faker.seed_instance(1)

    def ours() -> None:
        write_exams(facts, ExamOptions(registry="lcsr", count=EXAMS, seed=1), io.BytesIO(), today=AS_OF)

    def theirs() -> None:
        for _ in range(PEOPLE):
            (faker.first_name(), faker.last_name(), faker.ssn(), faker.date_of_birth(), faker.phone_number())

    mine, peer = side_by_side(ours, theirs)
    return [
        Row(
            what="LCSR exams made (70 elements, consistent, as JSON)",
            unit="items/s",
            ours=EXAMS / mine,
            peer="Faker, 5 values a person",
            theirs=PEOPLE / peer,
            goal=">= 20,000 exams/s in the end",
        )
    ]
