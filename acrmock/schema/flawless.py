"""Telling quickly that an exam leaves nothing to say, neither error nor warning: most exams are such.

The exam is converted to a type made from the tables (`quickshape`), and a compiled function asks the rest (`quickrules`).
Whatever is not flawless is gone through rule by rule, so that a no is never an answer that anybody sees.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec import ValidationError, convert

from acrmock.facts import EXAM, MappingVersion
from acrmock.schema.quickrules import quick_test
from acrmock.schema.quickshape import Shape

Flawless = Callable[[Any, date, str], bool]
"""Whether an exam, as JSON gives it, has no problem at all by the business date and the header's facility.

False where that cannot be told quickly, or `TypeError` or `ValueError`.
"""


def flawless_test(version: MappingVersion) -> Flawless:
    """The quick test of one mapping version; made once, then used from any thread."""
    shape = Shape(version, EXAM)
    type_ = shape.type
    test = quick_test(version, EXAM, shape, shape)
    below = tuple(
        (name, shape.attributes[name], quick_test(version, child.kind, record, shape))
        for name, (child, record) in shape.lists.items()
    )

    def flawless(exam: Any, today: date, facility: str) -> bool:
        if type(exam) is not dict:
            return False
        try:
            found = convert(exam, type_)
        except ValidationError:
            return False
        day = today.toordinal()
        if not test(found, found, exam, exam, day, facility):
            return False
        for name, attribute, test_below in below:
            records = getattr(found, attribute)
            if records is not None:
                for record, given in zip(records, exam[name]):  # noqa: B905 - of one length, and a keyword costs
                    if not test_below(record, found, given, exam, day, facility):
                        return False
        return True

    return flawless
