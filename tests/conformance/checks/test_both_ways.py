"""Each check passes on the good run, and fails alone where that one thing is wrong."""

from __future__ import annotations

import msgspec
import pytest
from builder import Mutation, Story, good_run
from catalogue import FACTS, LCSR, MUST, SHOULD
from mutations import MUTATIONS

from conformance.checks import CHECKS
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Outcome, Result, Verdict

BARRED = msgspec.structs.replace(LCSR, coverage_bar=0.001)


def result(story: Story) -> Result:
    """The judged story."""
    return judge(read(story.lines()), FACTS, BARRED)


def test_the_good_run_passes_every_check() -> None:
    """Everything that is scored passes on the good vendor's run, and it is ready."""
    judged = result(good_run())
    assert {f.check: f.actual for f in judged.findings if f.check in CHECKS and f.outcome is not Outcome.PASSED} == {}
    assert judged.verdict is Verdict.READY
    assert judged.points.earned == judged.points.possible == len(MUST) + len(SHOULD)


@pytest.mark.parametrize(("check", "mutation"), [pytest.param(c, m, id=f"{c}: {label}") for c, label, m in MUTATIONS])
def test_one_fault_is_one_finding(check: str, mutation: Mutation) -> None:
    """What is wrong in one way fails that check and no other, and the finding shows where."""
    story = good_run()
    mutation(story)
    judged = result(story)
    failed = {f.check: f for f in judged.findings if f.outcome in {Outcome.FAILED, Outcome.HARNESS_ERROR}}
    assert set(failed) == {check}, {name: finding.actual for name, finding in failed.items()}
    found = failed[check]
    assert found.outcome is Outcome.FAILED
    assert found.evidence
    assert found.actual
    assert judged.verdict in ({Verdict.NOT_READY} if check in MUST else {Verdict.READY, Verdict.INCOMPLETE})


def test_every_scored_check_has_a_mutation() -> None:
    """No check that the profile scores is without a run that breaks it."""
    assert {check for check, _, _ in MUTATIONS} == {*MUST, *SHOULD} <= set(CHECKS)
