"""Telling quickly that an exam leaves nothing to say, neither error nor warning: most exams are such.

The exam is converted to a type made from the tables (`quickshape`), and a compiled function asks the rest (`quickrules`).
Whatever is not flawless is gone through rule by rule, so that a no is never an answer that anybody sees.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec import ValidationError, convert

from acrmock.facts import EXAM, MappingVersion
from acrmock.schema.quickrules import quick_test
from acrmock.schema.quickshape import Shape


class Flawless:
    """The quick test of one mapping version; made once, then used from any thread.

    It raises `TypeError` or `ValueError` where it cannot tell.
    """

    def __init__(self, version: MappingVersion) -> None:
        shape = Shape(version, EXAM)
        self._type = shape.type
        self._exam = quick_test(version, EXAM, shape, shape)
        self._below = tuple(
            (name, shape.attributes[name], quick_test(version, child.kind, below, shape))
            for name, (child, below) in shape.lists.items()
        )

    def __call__(self, exam: Any, today: date, facility: str) -> bool:
        """Whether an exam, as JSON gives it, has no problem at all; False where that cannot be told quickly."""
        if type(exam) is not dict:
            return False
        try:
            found = convert(exam, self._type)
        except ValidationError:
            return False
        now = today.isoformat()
        if not self._exam(found, found, exam, exam, now, facility):
            return False
        for name, attribute, test in self._below:
            records = getattr(found, attribute)
            if records is not None:
                for record, given in zip(records, exam[name], strict=True):
                    if not test(record, found, given, exam, now, facility):
                        return False
        return True
