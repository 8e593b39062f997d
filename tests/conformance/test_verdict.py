"""The rules of points and verdict, whatever the findings."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from conformance.result import Finding, Outcome, Resolution, Verdict, Weight
from conformance.verdict import points, resolve, statement, unexpected_passes, verdict

ORDER = [Verdict.READY, Verdict.INCOMPLETE, Verdict.NOT_READY, Verdict.VOID]
WORSE = [Outcome.PASSED, Outcome.NEEDS_REVIEW, Outcome.NOT_EXERCISED, Outcome.FAILED, Outcome.HARNESS_ERROR]


def finding(outcome: Outcome, weight: Weight = Weight.MUST, *, check: str = "auth-x", provenance: str = "acr") -> Finding:
    """A finding of that outcome and weight."""
    return Finding(
        check=check,
        registry=None,
        requirement="",
        group=check.partition("-")[0],
        subject="vendor",
        weight=weight,
        outcome=outcome,
        expected="",
        actual="",
        evidence=(),
        source="",
        provenance=provenance,
        hint="",
    )


findings = st.lists(
    st.builds(
        finding,
        st.sampled_from(list(Outcome)),
        st.sampled_from(list(Weight)),
        check=st.sampled_from(["auth-a", "tx-b", "status-c"]),
        provenance=st.sampled_from(["acr", "standard", "mock-choice"]),
    ),
    max_size=12,
)


@given(findings, st.data())
def test_a_worse_finding_never_makes_a_better_verdict(given_findings: list[Finding], data: st.DataObject) -> None:
    """Turning one finding to something worse leaves the verdict or makes it worse."""
    if not given_findings:
        return
    index = data.draw(st.integers(0, len(given_findings) - 1))
    old = given_findings[index]
    if old.outcome is Outcome.NOT_APPLICABLE:
        return
    worse = data.draw(st.sampled_from(WORSE[WORSE.index(old.outcome) :]))
    changed = [*given_findings[:index], msgspec.structs.replace(old, outcome=worse), *given_findings[index + 1 :]]
    assert ORDER.index(verdict(changed)) >= ORDER.index(verdict(given_findings))


@given(findings, st.randoms(use_true_random=False))
def test_the_order_of_findings_is_irrelevant(given_findings: list[Finding], random: object) -> None:
    """Points and verdict do not depend on the order."""
    shuffled = list(given_findings)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert verdict(shuffled) is verdict(given_findings)
    assert points(shuffled) == points(given_findings)


@given(findings)
def test_points_add_up(given_findings: list[Finding]) -> None:
    """Groups and provenances each add up to the whole, and nothing is earned that was not possible."""
    counted = points(given_findings)
    scored = [f for f in given_findings if f.weight in {Weight.MUST, Weight.SHOULD} and f.outcome is not Outcome.NOT_APPLICABLE]
    assert counted.possible == len(scored)
    assert counted.earned == sum(f.outcome is Outcome.PASSED for f in scored)
    for table in (counted.by_group, counted.by_provenance):
        assert sum(earned for earned, _ in table.values()) == counted.earned
        assert sum(possible for _, possible in table.values()) == counted.possible
        assert all(0 <= earned <= possible for earned, possible in table.values())


@given(findings)
def test_ready_means_that_every_must_passed(given_findings: list[Finding]) -> None:
    """Ready is said only where each must passed or does not apply, and something was earned."""
    if verdict(given_findings) is Verdict.READY:
        outcomes = {f.outcome for f in given_findings if f.weight is Weight.MUST}
        assert outcomes <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
        assert points(given_findings).earned > 0


@given(findings)
def test_a_gap_is_void_and_an_unexpected_pass_is_never_ready(given_findings: list[Finding]) -> None:
    """A gap voids everything; an unexpected pass is not ready at best."""
    assert verdict(given_findings, gaps=True) is Verdict.VOID
    assert verdict(given_findings, unexpected=True) in {Verdict.VOID, Verdict.NOT_READY}


@pytest.mark.parametrize("outcomes", [[], [Outcome.NOT_APPLICABLE], [Outcome.NOT_EXERCISED]])
def test_zero_of_zero_is_never_a_pass(outcomes: list[Outcome]) -> None:
    """Nothing to judge is incomplete."""
    assert verdict([finding(outcome) for outcome in outcomes]) is Verdict.INCOMPLETE
    assert verdict([finding(Outcome.PASSED, Weight.NOT_SCORED), *(finding(o) for o in outcomes)]) is Verdict.INCOMPLETE


def test_exit_codes() -> None:
    """Each verdict has its own exit code."""
    assert [v.exit_code for v in ORDER] == [0, 3, 1, 4]


def test_a_fault_of_ours_on_a_should_is_not_void() -> None:
    """Only a harness error on a must voids the whole."""
    good = finding(Outcome.PASSED)
    assert verdict([good, finding(Outcome.HARNESS_ERROR, Weight.SHOULD)]) is Verdict.READY
    assert verdict([good, finding(Outcome.HARNESS_ERROR)]) is Verdict.VOID


def word(outcome: Outcome, who: str = "A. Reviewer") -> Resolution:
    """A person's word."""
    return Resolution(check="auth-x", registry=None, outcome=outcome, who=who, why="looked at it", when="2026-01-10")


def test_a_person_resolves_what_needs_review() -> None:
    """A resolution makes passed or failed of a review, is told in the note, and touches nothing else."""
    for outcome, expected in ((Outcome.PASSED, Verdict.READY), (Outcome.FAILED, Verdict.NOT_READY)):
        found, notes = resolve([finding(Outcome.NEEDS_REVIEW), finding(Outcome.PASSED, check="auth-y")], [word(outcome)])
        assert found[0].outcome is outcome
        assert "A. Reviewer" in found[0].note
        assert notes == ()
        assert verdict(found) is expected


def test_a_resolution_never_turns_a_failure() -> None:
    """What failed stays failed; the word that met nothing is told."""
    found, notes = resolve([finding(Outcome.FAILED)], [word(Outcome.PASSED)])
    assert found[0].outcome is Outcome.FAILED
    assert "met nothing" in notes[0]


@pytest.mark.parametrize("bad", [word(Outcome.NOT_APPLICABLE), word(Outcome.PASSED, who=" ")])
def test_an_unusable_resolution_is_refused(bad: Resolution) -> None:
    """A word must be passed or failed, and somebody's."""
    with pytest.raises(SetupError):
        resolve([finding(Outcome.NEEDS_REVIEW)], [bad])


def test_an_unexpected_pass_is_named() -> None:
    """A check of the baseline that passes is a surprise; one that fails is not."""
    assert unexpected_passes([finding(Outcome.PASSED)], {"auth-x"}) == ("auth-x",)
    assert unexpected_passes([finding(Outcome.FAILED)], {"auth-x"}) == ()
    assert unexpected_passes([finding(Outcome.PASSED)], None) == ()


def test_the_statement_says_what_it_is_and_on_whose_word() -> None:
    """No verdict can be taken for ACR's."""
    found = [finding(Outcome.PASSED), finding(Outcome.PASSED, provenance="mock-choice")]
    text = statement(outcome=verdict(found), profile="lcsr", revision="1", counted=points(found), only=("auth",))
    for part in ("self-test", "not an ACR certification", "profile lcsr revision 1", "2 of 2", "choices of acrmock", "Only auth"):
        assert part in text
