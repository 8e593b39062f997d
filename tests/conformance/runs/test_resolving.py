"""A person's word on a finding: kept in the package with who, why and when; the baseline; both on a real recording."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import Footer, HttpEntry, IdentityMark, Line, decode_line, encode_line
from conformance.result import Outcome, Verdict
from conformance.runs.certification import certify
from conformance.runs.demo import order
from conformance.runs.judging import Question, judge_recording, read_recording, read_result
from conformance.runs.package import JOURNAL, RESULT, write_package
from conformance.runs.resolving import resolve_finding


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a run in which one exam bears a doubtful mark of a real person."""
    out = tmp_path_factory.mktemp("run")
    with order("lcsr", out) as prepared:
        certify(prepared)
    lines = [_doubtful(decode_line(line)) for line in (out / JOURNAL).read_bytes().splitlines()]
    body = [encode_line(line) for line in lines[:-1]]
    digest = hashlib.sha256(b"".join(line + b"\n" for line in body[1:])).hexdigest()
    footer = encode_line(Footer(entries=len(body) - 1, sha256=digest))
    (out / JOURNAL).write_bytes(b"".join(line + b"\n" for line in (*body, footer)))
    recording = read_recording(out / JOURNAL)
    assert recording.problems == ()
    write_package(out, judge_recording(recording, load_facts(), Question()), recording, load_facts())
    return out


def _doubtful(line: Line) -> Line:
    if not isinstance(line, HttpEntry) or line.facts.transaction is None:
        return line
    mark = IdentityMark(pointer="/Exams/0/Other_ID", element="Other_ID", mark="id", grade="doubtful")
    facts = msgspec.structs.replace(line.facts, transaction=msgspec.structs.replace(line.facts.transaction, identity=(mark,)))
    return msgspec.structs.replace(line, facts=facts)


def test_a_decision_changes_the_verdict_and_is_kept(package: Path) -> None:
    """A finding to be reviewed leaves the run incomplete; a person's word makes it ready, and it stands in the result."""
    assert read_result(package / RESULT).verdict is Verdict.INCOMPLETE
    words = {"registry": None, "who": "J. Doe", "why": "our test patient"}
    result, _ = resolve_finding(package, load_facts(), check="tx-test-data", outcome=Outcome.PASSED, **words)
    assert result.verdict is Verdict.READY
    (kept,) = read_result(package / RESULT).resolutions
    assert (kept.check, kept.who, kept.why) == ("tx-test-data", "J. Doe", "our test patient")
    assert kept.when
    result, _ = resolve_finding(package, load_facts(), check="tx-test-data", outcome=Outcome.FAILED, **words)
    assert result.verdict is Verdict.NOT_READY
    assert len(result.resolutions) == 1


@pytest.mark.parametrize("check", ["tx-schema", "no-such-check"])
def test_only_what_waits_for_a_person_can_be_decided(check: str, package: Path) -> None:
    """A finding that the judge could decide itself, or that is none, is refused."""
    with pytest.raises(SetupError, match="waits for a person"):
        resolve_finding(package, load_facts(), check=check, registry=None, outcome=Outcome.PASSED, who="a", why="b")


def test_an_unexpected_pass_fails(package: Path, tmp_path: Path) -> None:
    """A check that the baseline has as failing and that passes makes the run not ready."""
    baseline = tmp_path / "baseline.txt"
    baseline.write_text("# known\nauth-pkce  # since spring\n", "utf-8")
    result = judge_recording(read_recording(package / JOURNAL), load_facts(), Question(baseline=baseline))
    assert result.verdict is Verdict.NOT_READY


def test_a_cut_recording_is_void(package: Path, tmp_path: Path) -> None:
    """A recording that ends without its footer gives no verdict."""
    cut = tmp_path / JOURNAL
    cut.write_bytes((package / JOURNAL).read_bytes()[:-300])
    assert judge_recording(read_recording(cut), load_facts(), Question()).verdict is Verdict.VOID
