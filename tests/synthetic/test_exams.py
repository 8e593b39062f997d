"""Tests of the exams: complete ones are complete, incomplete ones incomplete, and all of it the same in any order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.facts import EXAM, Level, MappingVersion, load_facts
from acrmock.identity import classify_mbi, classify_npi, classify_ssn
from acrmock.schema import RecordValidator, RecordVerdict, exam_key, record_schema
from synthetic.exammaker import ExamMaker, version_of
from synthetic.exams import Kind, exams, updated, with_follow_up
from synthetic.randomness import MAX_SEED

AS_OF = date(2026, 3, 1)
FACILITY = "F1"
LIST = "Follow_Ups"
VERSIONS = ("1.6", "1.7", "1.8")
CLASSIFIERS = {"ssn": classify_ssn, "mbi": classify_mbi, "npi": classify_npi}


@cache
def lcsr(text: str) -> MappingVersion:
    """A mapping version of LCSR."""
    return version_of(load_facts(), "lcsr", text, AS_OF)


@cache
def validator(text: str) -> RecordValidator:
    """The validator of a mapping version."""
    return RecordValidator(load_facts(), lcsr(text))


def verdict(text: str, exam: Any, index: int = 0) -> RecordVerdict:
    """What the validator says of an exam."""
    return validator(text).check(exam, index=index, today=AS_OF, facility=FACILITY)


def word(name: str) -> str:
    """A record status as the facts say it."""
    return load_facts().text(f"nrdr.record.word.{name}")


def some(text: str = "1.8", count: int = 150, **options: Any) -> list[dict[str, Any]]:
    """A few exams."""
    return list(exams(load_facts(), "lcsr", text, count=count, as_of=AS_OF, **options))


@pytest.mark.parametrize("text", VERSIONS)
def test_complete_exams_are_complete(text: str) -> None:
    """The validator has nothing to say about an exam made as complete, not even a warning."""
    for exam in some(text, 300, seed=4):
        said = verdict(text, exam)
        assert (said.status, said.problems) == (word("complete"), ()), exam


@pytest.mark.parametrize("text", VERSIONS)
@pytest.mark.parametrize("level", [Level.SUBMIT, Level.COMPLETE])
def test_another_validator_agrees(text: str, level: Level) -> None:
    """`jsonschema`, which shares no code with ours, accepts complete exams under both schemas."""
    schema = record_schema(lcsr(text), level)
    jsonschema.Draft202012Validator.check_schema(schema)
    oracle = jsonschema.Draft202012Validator(schema)
    for exam in some(text, 60, seed=9):
        assert not list(oracle.iter_errors(exam))


def test_incomplete_exams_are_incomplete() -> None:
    """An exam made as incomplete is accepted, and incomplete for one reason; different ones lack different elements."""
    lacking = Counter[str]()
    for exam in some(kind=Kind.INCOMPLETE, count=200):
        said = verdict("1.8", exam)
        assert said.status == word("incomplete")
        assert len(said.problems) == 1
        lacking[said.problems[0].pointer] += 1
    assert len(lacking) > 3


def test_invalid_exams_are_rejected() -> None:
    """An exam made as invalid is rejected."""
    for exam in some(kind=Kind.INVALID, count=300):
        assert verdict("1.8", exam).status == word("rejected"), exam


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, MAX_SEED), index=st.integers(0, 10**9), days=st.integers(0, 20_000))
def test_any_seed_index_and_date_give_a_complete_exam(seed: int, index: int, days: int) -> None:
    """Whatever the seed, the index and the as-of date, the exam is complete on that date."""
    as_of = date(2000, 2, 29) + timedelta(days=days)
    exam = ExamMaker(lcsr("1.8"), seed=seed, as_of=as_of).exam(index)
    said = validator("1.8").check(exam, index=0, today=as_of, facility=FACILITY)
    assert (said.status, said.problems) == (word("complete"), ())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, MAX_SEED), order=st.permutations(range(12)), cut=st.integers(0, 12), kind=st.sampled_from(Kind))
def test_order_and_shards_change_nothing(seed: int, order: list[int], cut: int, kind: Kind) -> None:
    """The same exams come in one go, in two shards, and one by one in any order."""
    whole = some(count=12, seed=seed, kind=kind)
    assert some(count=cut, seed=seed, kind=kind) + some(count=12 - cut, start=cut, seed=seed, kind=kind) == whole
    if kind is not Kind.COVERAGE:
        single = {index: some(count=1, start=index, seed=seed, kind=kind)[0] for index in order}
        assert [single[index] for index in range(12)] == whole


GOLDEN = {
    "complete": "d757883cc3da66042228e9f1014fe1dd260f85d08a2c2e2ef62528c6c0954d18",
    "incomplete": "eb273023cde5e1821bf33f856110dcda010e0dbeae50ec0a776dfaebc25b1669",
    "invalid": "fc408d06562c9f14d51772cc7eab84826394d198eb6f71b1b894671654191b33",
    "coverage": "8982bc7c24fab98b823ed0905fef27a83c12aa8d7687e7aefffae3156b8f67ab",
}
PROGRAM = """
import datetime, hashlib, io
from acrmock.facts import load_facts
from synthetic.command import ExamOptions, write_exams
for kind in ("complete", "incomplete", "invalid", "coverage"):
    stream = io.BytesIO()
    options = ExamOptions(registry="lcsr", mapping="1.8", count=200, seed=42, as_of="2026-03-01", kind=kind)
    write_exams(load_facts(), options, stream, today=datetime.date(2026, 3, 1))
    print(kind, hashlib.sha256(stream.getvalue()).hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["0", "31337"])
def test_bytes_never_change(hash_seed: str) -> None:
    """The bytes of a seed are the same in any process, whatever its hash seed, and stay the same from release to release."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, check=True, text=True)
    assert dict(line.split() for line in run.stdout.splitlines()) == GOLDEN


def test_seeds_give_different_exams() -> None:
    """Another seed gives other people."""
    assert not {json.dumps(exam) for exam in some(seed=1)} & {json.dumps(exam) for exam in some(seed=2)}


def test_no_identifier_could_be_issued() -> None:
    """Every identifier in the exams is recognised as synthetic by the kernel's own recognisers."""
    version = lcsr("1.8")
    seen = Counter[str]()
    for exam in some(count=400):
        for element in version.of(EXAM):
            classify = CLASSIFIERS.get(element.identity)
            if classify is not None and element.name in exam:
                assert classify(exam[element.name]) == "synthetic", element.name
                seen[element.identity] += 1
    assert set(seen) == set(CLASSIFIERS)


def test_no_two_exams_share_a_key() -> None:
    """Exams of one seed never collide on the key by which a later one replaces an earlier."""
    keys = [exam_key(lcsr("1.8"), exam, FACILITY) for exam in some(count=1000)]
    assert len(set(keys)) == 1000


def test_exams_lie_in_the_past_and_follow_ups_after_them() -> None:
    """Exams lie within three years before the as-of date; follow-ups after the exam, within a year, not in the future."""
    follow_ups = 0
    for exam in some(count=400):
        day = date.fromisoformat(exam["Exam_Date"])
        assert AS_OF - timedelta(days=1096) <= day <= AS_OF
        for follow_up in exam.get(LIST, []):
            follow_ups += 1
            assert day < date.fromisoformat(follow_up["Date_Of_Follow_Up"]) <= min(AS_OF, day + timedelta(days=365))
    assert follow_ups > 50


def test_exams_are_plausible() -> None:
    """People are of screening age, dose-length product is near dose times length, quit years belong to former smokers."""
    for exam in some(count=400):
        born, day = date.fromisoformat(exam["Patient_Date_Of_Birth"]), date.fromisoformat(exam["Exam_Date"])
        age = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        assert 50 <= age <= 80
        assert ("Number_Of_Years_Since_Quit" in exam) == (exam["Smoking_Status"] == "2")
        assert exam.get("Number_Of_Packs_Year_Smoking", 0) <= 3 * (age - 15)
        if {"DLP", "Scanning_Volume"} <= set(exam):
            product = exam["CTDIvol"] * exam["Scanning_Volume"]
            assert 0.9 * product - 1 <= exam["DLP"] <= 1.1 * product + 1 or exam["DLP"] in (10, 130)


def test_an_update_keeps_the_key_and_changes_the_rest() -> None:
    """An updated exam has the same key, other content, and is as complete as before; the first is left as it was."""
    version = lcsr("1.8")
    for index, exam in enumerate(some(count=100)):
        before = json.dumps(exam)
        after = updated(version, exam, index=index)
        assert json.dumps(exam) == before
        assert after != exam
        assert exam_key(version, after, FACILITY) == exam_key(version, exam, FACILITY)
        assert verdict("1.8", after).status == word("complete")


def test_nothing_to_update_is_said() -> None:
    """An exam without anything that may change cannot be updated."""
    with pytest.raises(SetupError, match="changed"):
        updated(lcsr("1.8"), {})


def test_a_follow_up_can_be_added() -> None:
    """An exam gains a follow-up and is still complete, on the last day too; the first is left as it was."""
    version = lcsr("1.8")
    maker = ExamMaker(version, seed=3, as_of=AS_OF)
    for index in range(50):
        exam = maker.exam(index, lists={}, ago=(index % 4, 400))
        once = with_follow_up(version, exam, as_of=AS_OF, index=index)
        twice = with_follow_up(version, once, as_of=AS_OF, index=index)
        assert LIST not in exam
        assert len(once[LIST]) == 1
        assert len(twice[LIST]) == 2
        assert verdict("1.8", twice) == verdict("1.8", exam)


def test_what_has_no_past_has_no_follow_up() -> None:
    """An exam without a date, or after the as-of date, is refused."""
    exam = some(count=1)[0]
    with pytest.raises(SetupError, match="date"):
        with_follow_up(lcsr("1.8"), {}, as_of=AS_OF)
    with pytest.raises(SetupError, match="future"):
        with_follow_up(lcsr("1.8"), exam, as_of=AS_OF - timedelta(days=2000))


def test_a_version_without_elements_is_refused() -> None:
    """A mapping version known only by name cannot be filled in."""
    with pytest.raises(SetupError, match="no such mapping"):
        some("1.2")


def test_the_default_mapping_is_the_one_in_force() -> None:
    """Without a mapping the newest in force on the as-of date is used."""
    assert version_of(load_facts(), "lcsr", None, date(2026, 6, 1)).version == "1.8"
    assert version_of(load_facts(), "lcsr", None, date(2024, 1, 1)).version == "1.6"
