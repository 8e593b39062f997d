"""Making synthetic exams as JSON lines, a row for each registry, beside Faker making people with the same identifiers.

What is measured is the time of a core, so that a busy machine does not count.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date

from faker import Faker

from acrmock.facts import Facts, MappingVersion, load_facts
from benchmarks.measure import Row, core_seconds
from synthetic.command import ExamOptions, write_exams

AS_OF = date(2026, 6, 1)
EXAMS = 1000
PEOPLE = 300


def newest(facts: Facts) -> Iterator[MappingVersion]:
    """The newest mapping version of each registry, and of each of its forms."""
    for registry in facts.registries:
        forms = {version.form: version for version in registry.versions if version.described}
        yield from sorted(forms.values(), key=lambda version: version.form)


def called(version: MappingVersion) -> str:
    """A version's name in the table."""
    return f"{version.header_word} {version.version}"


def rows() -> list[Row]:
    """Exams per second of a core beside Faker's people per second (a person has a tenth of an exam's elements)."""
    facts = load_facts()
    faker = Faker("en_US")
    faker.seed_instance(1)

    def theirs() -> None:
        for _ in range(PEOPLE):
            (faker.first_name(), faker.last_name(), faker.ssn(), faker.date_of_birth(), faker.phone_number())

    peer = core_seconds(theirs)
    return [_row(facts, version, PEOPLE / peer) for version in newest(facts)]


def _row(facts: Facts, version: MappingVersion, people: float) -> Row:
    options = ExamOptions(registry=version.registry, mapping=version.version, count=EXAMS, seed=1)
    taken = core_seconds(lambda: write_exams(facts, options, io.BytesIO(), today=AS_OF))
    return Row(
        what=f"{called(version)}: exams made, {len(version.elements)} elements, consistent, as JSON",
        unit="exams/s",
        ours=EXAMS / taken,
        peer="Faker, 5 values a person",
        theirs=people,
        goal=">= 20,000/s of a core",
    )
