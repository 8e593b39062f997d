"""Records as tables: the same values as in JSON, in pipe text and in a workbook."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import openpyxl
import pytest

from acrmock.datafile import layout_of
from acrmock.errors import SetupError
from acrmock.facts import load_facts
from synthetic.command import ExamOptions, Format, exams_of, write_exams
from synthetic.exammaker import version_of

AS_OF = date(2026, 3, 1)
FACTS = load_facts()


def written(slug: str, form: Format) -> bytes:
    """The bytes of a few exams."""
    stream = io.BytesIO()
    assert write_exams(FACTS, ExamOptions(registry=slug, count=12, seed=3, format=form, header=True), stream, today=AS_OF) == 12
    return stream.getvalue()


@pytest.mark.parametrize("slug", [registry.slug for registry in FACTS.registries])
def test_pipe_text_and_workbook_say_what_the_json_says(slug: str) -> None:
    """Each value of each exam, also in its lists, stands in its column; rows end in CR LF and have as many cells as names."""
    made = list(exams_of(FACTS, ExamOptions(registry=slug, count=12, seed=3), AS_OF))
    text = written(slug, Format.PIPE).decode()
    assert text.endswith("\r\n")
    head, *rows = (line.split("|") for line in text.removesuffix("\r\n").split("\r\n"))
    assert all(len(row) == len(head) for row in rows)
    for exam, row in zip(made, rows, strict=True):
        assert {name: cell for name, cell in zip(head, row, strict=True) if cell} == flat(exam)
    sheet = openpyxl.load_workbook(io.BytesIO(written(slug, Format.XLSX)), read_only=True).active
    read = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert [row + [""] * (len(head) - len(row)) for row in read] == [head, *rows]


def flat(exam: dict[str, Any]) -> dict[str, str]:
    """The values of an exam by column."""
    found = {}
    for name, value in exam.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for place, record in enumerate(value, 1):
                found.update({f"{name}.{place}.{inner}": cell for inner, cell in flat(record).items()})
        else:
            found[name] = ",".join(value) if isinstance(value, list) else str(value)
    return found


def test_a_list_that_is_too_long_is_said() -> None:
    """More records in a list than a table has columns for are refused, not dropped."""
    layout = layout_of(FACTS, version_of(FACTS, "ctc", None, AS_OF))
    with pytest.raises(SetupError, match="room for 5 records"):
        layout.row({"Polyps": [{}] * 6})
