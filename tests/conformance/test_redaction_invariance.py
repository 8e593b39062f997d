"""No finding changes by redaction: the judge uses only whether references are equal, and the facts, never what they read."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
from builder import Story, good_run, lines
from catalogue import FACTS, LCSR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.record import AnyEntry, Operation
from acrmock.redaction import Digester, Redactor
from conformance.judge import judge
from conformance.recording import read

sys.path.append(str(Path(__file__).parent / "checks"))

from mutations import MUTATIONS

REFERENCE = re.compile(r"d:[a-z_0-9]{1,20}:[A-Za-z0-9_-]+")
PSEUDONYMS = re.compile(r"\b000-\d\d-\d{4}\b")
"""Social Security numbers as redaction makes them."""
TRANSACTION_IDS = re.compile(r'"transaction_id":"([^"]+)"')
SSNS = ("000-12-3456", "000-65-4321")
FIELDS = ("check", "registry", "subject", "outcome", "evidence", "blocked_by", "weight")


def renamed(entries: list[AnyEntry], key: bytes) -> tuple[list[AnyEntry], int]:
    """The entries with each reference and pseudonym made anew under another key, and how many different ones there were."""
    digester = Digester(key)
    names: dict[str, str] = {}

    def reference(match: re.Match[str]) -> str:
        old = match.group()
        return names.setdefault(old, f"{old.rpartition(':')[0]}:{digester.mark(old)}")

    def number(match: re.Match[str]) -> str:
        digits = int.from_bytes(digester.stream(match.group())[:4], "big") % 1_000_000
        return names.setdefault(match.group(), f"000-{digits // 10000:02d}-{digits % 10000:04d}")

    text = msgspec.json.encode(entries).decode()
    text = PSEUDONYMS.sub(number, REFERENCE.sub(reference, text))
    assert len(set(names.values())) == len(names)  # a bijection
    return msgspec.json.decode(text, type=list[AnyEntry]), len(names)


def with_identities(story: Story) -> None:
    """Bodies with pseudonyms in the transactions, two of one person and the others of another."""
    for nth, place in enumerate(story.of(Operation.NRDR_POST)):
        story.put(place, "/request/postData/text", f'{{"Exams": [{{"Patient_SSN": "{SSNS[nth // 2 % 2]}"}}]}}')


def found(entries: list[AnyEntry]) -> tuple[object, ...]:
    """The verdict and of each finding what matters; the words may quote a reference."""
    result = judge(read(lines(entries)), FACTS, LCSR)
    shown = [tuple(getattr(finding, name) for name in FIELDS) for finding in result.findings]
    return result.verdict, result.points, shown


def assert_unchanged(mutate: list[Callable[[Story], None]], key: bytes) -> None:
    """Judge a run as it is and with all references renamed."""
    story = good_run()
    with_identities(story)
    for mutation in mutate:
        mutation(story)
    entries = story.closed()
    other, count = renamed(entries, key)
    assert count > 10
    assert other != entries
    assert found(other) == found(entries)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    chosen=st.lists(st.sampled_from([mutation for _, _, mutation in MUTATIONS]), max_size=3, unique=True),
    key=st.binary(min_size=16, max_size=16),
)
def test_no_finding_changes_by_redaction(chosen: list[Callable[[Story], None]], key: bytes) -> None:
    """Runs that are wrong in up to three ways get the same findings, with the same evidence, under any other digest key."""
    try:
        story = good_run()
        for mutation in chosen:
            mutation(story)
    except (IndexError, ValueError, AssertionError):
        chosen = chosen[:1]  # one took away what the next would have changed
    assert_unchanged(chosen, key)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    chosen=st.sampled_from([mutation for _, _, mutation in MUTATIONS]),
    key=st.binary(min_size=16, max_size=16),
    shape=st.sampled_from(("31824{:04d}", "318-24-{:04d}", "617-482-{:04d}", "wilma{:04d}@st-elsewhere.org")),
)
def test_no_finding_changes_where_people_go(chosen: Callable[[Story], None], key: bytes, shape: str) -> None:
    """Where each transaction is named by somebody's identifier, taking it out of the record leaves every finding as it is."""
    story = good_run()
    try:
        chosen(story)
    except (IndexError, AssertionError):
        return
    text = msgspec.json.encode(story.closed()).decode()
    if re.search(r"[\w.-]{4097}", text):
        return  # the server's events never hold so long a text: it shortens what was declared
    for number, name in enumerate(sorted(set(TRANSACTION_IDS.findall(text))), 1000):
        text = re.sub(rf'([/"]){re.escape(name)}(?=["?/])', lambda found, n=number: found[1] + shape.format(n), text)
    redactor = Redactor(Digester(key), dated=("Exam_Date", "exam_date"))
    clean = re.sub(r'(?<="transaction_id":")[^"]+', lambda found: redactor.kept(found.group()), text)
    clean = re.sub(r'(?<=[/])[^/"?]+(?=["?/])', lambda found: redactor.kept(found.group()), clean)
    clean = redactor.text(clean, lambda _marks: {})
    before, after = (msgspec.json.decode(one, type=list[AnyEntry]) for one in (text, clean))
    assert before != after
    assert found(after) == found(before)


def test_no_single_fault_s_findings_change() -> None:
    """Every way of breaking every check, once."""
    for _, _, mutation in MUTATIONS:
        assert_unchanged([mutation], b"another key of 32 bytes in length")
