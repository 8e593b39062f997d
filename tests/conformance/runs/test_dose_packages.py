"""Packages of runs whose profile has no registry: every file is written, judged again alike, and decided by one word."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from conformance.result import Outcome, Verdict
from conformance.runs.judging import Question, judge_recording, read_recording, read_result
from conformance.runs.package import JOURNAL, RESULT, write_package
from conformance.runs.resolving import resolve_finding

sys.path.append(str(Path(__file__).parents[1] / "checks"))

from dose_builder import RUNS, DoseStory
from dose_mutations import NEED, more


def packed(out: Path, story: DoseStory, profile: str | None = None) -> Verdict:
    """Write the story's package; its verdict."""
    (out / JOURNAL).write_bytes(b"".join(story.lines()))
    recording = read_recording(out / JOURNAL)
    result = judge_recording(recording, load_facts(), Question(profile=profile))
    write_package(out, result, recording, load_facts())
    return read_result(out / RESULT).verdict


@pytest.mark.parametrize("name", RUNS)
def test_a_run_without_registries_has_a_whole_package(name: str, tmp_path: Path) -> None:
    """The recording says its profile; all files are written and say the verdict."""
    assert packed(tmp_path, RUNS[name]()) is Verdict.READY
    page = (tmp_path / "report.html").read_text("utf-8")
    assert name in page
    assert ("ACR prefers" in page) == name.startswith("dir-")
    assert b"<testcase" in (tmp_path / "junit.xml").read_bytes()
    assert b'"left_out"' in (tmp_path / "traffic.har").read_bytes()


def test_one_word_decides_what_a_check_says_of_two(tmp_path: Path) -> None:
    """A forwarder's unplanted report is decided with the check's name, and can be decided anew."""
    story = RUNS["dir-rdim"]()
    more(lambda one: one.send(60, missing=(NEED,)))(story)
    assert packed(tmp_path, story) is Verdict.INCOMPLETE
    words = {"check": "dir-valid", "registry": None, "who": "J. Doe", "why": "an old scanner"}
    assert resolve_finding(tmp_path, load_facts(), outcome=Outcome.PASSED, **words)[0].verdict is Verdict.READY
    assert resolve_finding(tmp_path, load_facts(), outcome=Outcome.FAILED, **words)[0].verdict is Verdict.NOT_READY


def test_a_package_of_joined_profiles_is_judged_again_alike(tmp_path: Path) -> None:
    """The name of joined profiles stands in the result, from which the package can be judged again."""
    verdict = packed(tmp_path, RUNS["dir-rdim"](), "cdsr+dir-rdim")
    before = read_result(tmp_path / RESULT)
    assert (before.profile, before.revision, verdict) == ("cdsr+dir-rdim", "1+1", Verdict.INCOMPLETE)
    again = judge_recording(read_recording(tmp_path / JOURNAL), load_facts(), Question(profile=before.profile))
    assert again.findings == before.findings
    with pytest.raises(SetupError, match="cannot be joined"):
        packed(tmp_path, RUNS["dir-rdim"](), "dir-pacs+dir-rdim")
