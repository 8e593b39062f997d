"""Each check of dose reports and documents passes on the good runs, and fails alone where that one thing is wrong."""

from __future__ import annotations

import msgspec
import pytest
from catalogue import FACTS
from dose_builder import ECHO_CONTEXT, EXPLICIT, RUNS, DoseMutation, DoseStory, document, store
from dose_mutations import DOSE_MUTATIONS, GOOD_RETRY, NEED, more, report
from mutations import MUTATIONS

from acrmock.facts import Weight
from acrmock.record import ContextFacts
from conformance.checks import CHECKS
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Finding, Outcome, Result, Verdict

UNSEEN = {"dir-retry", "cdsr-internal-error", "allow-refusal-respected"}


def result(name: str, story: DoseStory) -> Result:
    """The judged story."""
    return judge(read(story.lines()), FACTS, FACTS.profile(name))


def finding(judged: Result, check: str, subject: str = "sender") -> Finding:
    """The finding of a check about a subject."""
    return next(one for one in judged.findings if (one.check, one.subject) == (check, subject))


@pytest.mark.parametrize("name", RUNS)
def test_the_good_run_passes_every_check(name: str) -> None:
    """Everything that applies passes on the good run, nothing is scored that is not judged, and it is ready."""
    judged = result(name, RUNS[name]())
    good = {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    assert {f.check: f.actual for f in judged.findings if f.outcome not in good and f.check not in UNSEEN} == {}
    assert judged.verdict is Verdict.READY
    assert judged.points.earned == judged.points.possible > 4


@pytest.mark.parametrize(
    ("name", "check", "mutation"), [pytest.param(p, c, m, id=f"{p} {c}: {label}") for p, c, label, m in DOSE_MUTATIONS]
)
def test_one_fault_is_one_finding(name: str, check: str, mutation: DoseMutation) -> None:
    """What is wrong in one way fails that check and no other, and the finding shows where."""
    story = RUNS[name]()
    mutation(story)
    judged = result(name, story)
    failed = {f.check: f for f in judged.findings if f.outcome in {Outcome.FAILED, Outcome.HARNESS_ERROR}}
    assert set(failed) == {check}, {one: found.actual for one, found in failed.items()}
    found = failed[check]
    assert found.outcome is Outcome.FAILED
    assert found.evidence
    assert found.actual
    assert all(place.entry <= len(story.entries) for place in found.evidence)
    must = FACTS.profile(name).weights[check] is Weight.MUST
    assert judged.verdict is (Verdict.NOT_READY if must else judged.verdict)
    assert (judged.verdict is Verdict.NOT_READY) == must


def test_every_check_has_a_mutation() -> None:
    """No check is without a run that breaks it."""
    assert {check for check, _, _ in MUTATIONS} | {check for _, check, _, _ in DOSE_MUTATIONS} == set(CHECKS)


def test_changed_tags_are_named() -> None:
    """The finding of a changed report names the tags with their keywords and points at the digest of one."""
    for label, words in (("changed", "> (0040,A30A) NumericValue"), ("dropped", "dropped (0010,0020) PatientID")):
        story = RUNS["dir-rdim"]()
        next(m for p, c, n, m in DOSE_MUTATIONS if (p, c, n) == ("dir-rdim", "dir-pass-through", label))(story)
        found = finding(result("dir-rdim", story), "dir-pass-through")
        assert words in found.actual
        assert found.evidence[0].pointer.startswith("/data/")
    blocked = {f.check: f.blocked_by for f in result("dir-rdim", story).findings if f.blocked_by}
    assert blocked["dir-pass-through-bytes"] == "dir-pass-through"


def test_a_forwarders_unplanted_report_is_for_a_person() -> None:
    """A forwarded report that was not planted and lacks something is to be reviewed, about the modality; a good one is not."""
    story = RUNS["dir-rdim"]()
    more(lambda s: s.send(60, missing=(NEED,)))(story)
    judged = result("dir-rdim", story)
    assert finding(judged, "dir-valid").outcome is Outcome.PASSED
    assert finding(judged, "dir-valid", "modality").outcome is Outcome.NEEDS_REVIEW
    assert judged.verdict is Verdict.INCOMPLETE
    story = RUNS["dir-rdim"]()
    report("missing", (NEED,))(story)  # planted like that, and passed on unchanged
    judged = result("dir-rdim", story)
    assert finding(judged, "dir-valid").outcome is Outcome.PASSED
    assert finding(judged, "dir-valid", "modality").outcome is Outcome.NEEDS_REVIEW
    story = RUNS["dir-rdim"]()
    more(lambda s: s.send(60))(story)
    assert result("dir-rdim", story).verdict is Verdict.READY


def test_a_retry_with_growing_pauses_passes_and_scores_nothing() -> None:
    """Retries after refusals pass dir-retry, which carries no point yet."""
    plain, story = RUNS["dir-direct"](), RUNS["dir-direct"]()
    GOOD_RETRY(story)
    judged = result("dir-direct", story)
    found = finding(judged, "dir-retry")
    assert (found.outcome, found.weight.value) == (Outcome.PASSED, "not-scored")
    assert judged.points == result("dir-direct", plain).points
    assert judged.verdict is Verdict.READY


@pytest.mark.parametrize("status", [None, 0xA700])
def test_again_after_no_success_is_no_duplicate(status: int | None) -> None:
    """A report that was not taken, or whose success got lost, may come again."""
    story = RUNS["dir-direct"]()
    more(lambda s: (s.associate(store(61, status=status)), s.wait(30), s.send(61)))(story)
    assert result("dir-direct", story).verdict is Verdict.READY
    story = RUNS["dir-direct"]()
    more(lambda s: (s.associate(store(61, delivered=False)), s.wait(30), s.send(61)))(story)
    assert finding(result("dir-direct", story), "dir-each-exam").outcome is Outcome.PASSED


def test_mixed_proposals_and_later_stations_are_innocent() -> None:
    """To propose captures beside dose classes is no fault, nor a station that is configured after its report came."""
    story = RUNS["dir-direct"]()
    for place in story.ends()[1:]:
        contexts = story.entries[place].facts.contexts  # type: ignore[union-attr]
        story.put(place, "/facts/contexts", (*contexts, msgspec.structs.replace(contexts[0], abstract_syntax="1.2.3", result=3)))
    report("station", "CT7 ")(story)
    report("station_configured", False)(story)
    more(lambda s: s.event("station-configured", environment="test", station="CT7"))(story)
    assert result("dir-direct", story).verdict is Verdict.READY


@pytest.mark.parametrize(
    ("ended", "outcome"),
    [
        ("20260110115900", Outcome.PASSED),
        ("20260110115900.123456+0000", Outcome.PASSED),
        ("20260110065900-0500", Outcome.PASSED),
        ("20260110060000+0000", Outcome.FAILED),
        ("20260109100000", Outcome.FAILED),
        ("202601101159", Outcome.PASSED),
        ("20260110", Outcome.NOT_EXERCISED),
        ("2026-01-10", Outcome.NOT_EXERCISED),
        ("20261399999999", Outcome.NOT_EXERCISED),
        ("yesterday", Outcome.NOT_EXERCISED),
        ("", Outcome.NOT_EXERCISED),
    ],
)
def test_the_end_of_an_exam_as_a_report_writes_it(ended: str, outcome: Outcome) -> None:
    """DICOM's own forms of a time are read, with and without a zone; what is no time tells nothing."""
    story = RUNS["dir-direct"]()
    for nth in range(3):
        report("ended", "", nth)(story)
        report("study_time", ended, nth)(story)
    assert finding(result("dir-direct", story), "dir-soon").outcome is outcome


def test_who_asks_and_who_is_not_done_yet_is_innocent() -> None:
    """Query classes beside an echo store nothing; an association that outlasts the recording has offered what it stored."""
    query = ContextFacts(id=7, abstract_syntax="1.2.840.10008.5.1.4.1.2.2.1", transfer_syntaxes=(EXPLICIT,), result=3)
    story = RUNS["dir-pacs"]()
    for place in story.ends():
        story.put(place, "/facts/contexts", (ECHO_CONTEXT, query, *story.entries[place].facts.contexts[1:]))
    for place in reversed(story.ends()[1:]):
        del story.entries[place]
    assert finding(result("dir-pacs", story), "dir-association").outcome is Outcome.PASSED
    assert finding(result("dir-pacs", story), "dir-rdsr-only").outcome is Outcome.PASSED


def test_another_sr_class_may_hold_a_dose_report() -> None:
    """A dose report under a general SR class that was accepted counts; what is no dose report there does not."""
    general = "1.2.840.10008.5.1.4.1.1.88.22"

    def run(*, dose: bool) -> DoseStory:
        story = RUNS["dir-direct"]()
        for place in story.ends()[1:]:
            context = msgspec.structs.replace(story.entries[place].facts.contexts[1], abstract_syntax=general, dose=False)  # type: ignore[union-attr]
            story.put(place, "/facts/contexts", (context,))
        for nth, place in enumerate(story.stores()):
            story.put(place, "/facts/sop_class", general)
            story.put(place, "/facts/dose", False)
            report("dose", dose or nth != 1, nth)(story)
        return story

    assert result("dir-direct", run(dose=True)).verdict is Verdict.READY
    judged = result("dir-direct", run(dose=False))
    assert {f.check for f in judged.findings if f.outcome is Outcome.FAILED} == {"dir-rdsr-only", "dir-each-exam"}


def test_a_stored_sample_tells_nothing_of_when_it_was_sent() -> None:
    """Reports of years ago leave dir-soon not exercised, and the verdict as it is."""
    story = RUNS["dir-direct"]()
    for nth in range(3):
        report("ended", "2014-05-01T09:00:00", nth)(story)
    judged = result("dir-direct", story)
    assert finding(judged, "dir-soon").outcome is Outcome.NOT_EXERCISED
    assert judged.verdict is Verdict.READY


def test_a_profile_says_what_is_soon() -> None:
    """The bounds are settings, which a profile may set."""
    story = RUNS["dir-rdim"]()
    profile = FACTS.profile("dir-rdim")
    hasty = msgspec.structs.replace(profile, settings={"judge.dir.soon": 1})
    found = finding(judge(read(story.lines()), FACTS, hasty), "dir-soon")
    assert found.outcome is Outcome.FAILED
    assert "within 1 s" in found.expected


def test_nothing_recorded_is_never_ready() -> None:
    """A run in which nothing was sent is incomplete, and no check passes on nothing."""
    for name in RUNS:
        story = DoseStory()
        story.event("run-started", profile=name)
        story.register()
        story.event("run-ended")
        judged = result(name, story)
        assert judged.verdict is Verdict.INCOMPLETE
        passed = {f.check for f in judged.findings if f.outcome is Outcome.PASSED}
        assert passed <= {"apply-addresses", "apply-name"}


def test_a_corrected_document_passes() -> None:
    """A 400 that names an element, answered by the whole document, is what is asked for."""
    story = RUNS["cdsr"]()
    place = story.events("step-began")[0] + 1
    tail = story.entries[place:]
    del story.entries[place:]
    document(story, 1, 400, missing=("appid",), rejected=("appid",), created=False)
    story.entries += tail
    assert result("cdsr", story).verdict is Verdict.READY
