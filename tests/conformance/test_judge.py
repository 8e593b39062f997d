"""The judge as a whole: claims, narrowing, blocks, gaps, harness faults, hostile entries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from builder import Story, good_run, lines
from catalogue import FACTS, LCSR
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.record import (
    AnyEntry,
    EventEntry,
    HttpEntry,
    HttpFacts,
    HttpRequest,
    HttpResponse,
    IdentityMark,
    NameValue,
    Operation,
    PostData,
)
from conformance import judge as judging
from conformance.checks import CHECKS
from conformance.checks.base import Case, Check
from conformance.judge import judge
from conformance.recording import RecordingStream, read
from conformance.result import Finding, Outcome, Resolution, Result, Verdict, Weight


def result(story: Story, **options: Any) -> Result:
    """The judged story."""
    return judge(read(story.lines()), FACTS, LCSR, **options)


def by_check(judged: Result) -> dict[str, Finding]:
    """The findings by check."""
    return {found.check: found for found in judged.findings}


def test_nothing_seen_is_never_passed() -> None:
    """An empty recording exercises nothing and is incomplete."""
    judged = result(Story())
    assert judged.verdict is Verdict.INCOMPLETE
    assert {f.outcome for f in judged.findings} <= {Outcome.NOT_EXERCISED, Outcome.NOT_APPLICABLE}
    assert judged.points.earned == 0


def test_requirements_that_need_a_challenge_are_listed_and_not_scored() -> None:
    """Each appears, says why, and carries no weight."""
    found = by_check(result(good_run()))
    listed = [r for r in FACTS.requirements.values() if r.challenge and r.group in LCSR.groups]
    assert len(listed) == 14
    for requirement in listed:
        assert found[requirement.id].weight is Weight.NOT_SCORED
        assert found[requirement.id].outcome is Outcome.NOT_EXERCISED
        assert "challenge" in found[requirement.id].note


def test_every_requirement_of_the_groups_is_a_finding_once() -> None:
    """The result lists the whole catalogue of the profile's groups, each once for one registry."""
    judged = result(good_run())
    wanted = [r.id for group in LCSR.groups for r in FACTS.requirements.values() if r.group == group]
    assert [found.check for found in judged.findings] == wanted
    assert {f.registry for f in judged.findings if f.group in {"tx", "status"}} == {"lcsr"}
    assert {f.registry for f in judged.findings if f.group not in {"tx", "status"}} == {None}


def test_a_capability_that_is_not_claimed_leaves_the_denominator() -> None:
    """Without the claims, update, follow-up and refresh do not apply, whatever was seen."""
    judged = result(good_run(), claims=())
    for check in ("tx-update", "tx-follow-up", "auth-refresh"):
        assert by_check(judged)[check].outcome is Outcome.NOT_APPLICABLE
    assert judged.points.possible == result(good_run()).points.possible - 3
    assert judged.claims == ()


def test_unknown_claims_and_checks_are_the_users_to_mend() -> None:
    """A claim or check that does not exist is refused with what does."""
    with pytest.raises(SetupError, match="unknown claim"):
        result(good_run(), claims=("teleport",))
    with pytest.raises(SetupError, match="unknown group or check"):
        result(good_run(), only=("auth-teleport",))


def test_only_narrows_what_is_judged() -> None:
    """A group and a check leave their findings alone, and the statement says so."""
    judged = result(good_run(), only=("status", "auth-pkce"))
    assert {f.group for f in judged.findings} == {"status", "auth"}
    assert [f.check for f in judged.findings if f.group == "auth"] == ["auth-pkce"]
    assert judged.verdict is Verdict.READY
    assert "Only status, auth-pkce" in judged.statement


def test_a_failed_presupposition_blocks_even_when_it_is_not_shown() -> None:
    """What rests on a failed check is not exercised and names it."""
    story = good_run()
    story.put(story.of(Operation.NRDR_POST)[0], "/facts/transaction/partner_issued", value=False)
    found = by_check(result(story))
    assert found["status-each"].outcome is Outcome.NOT_EXERCISED
    assert found["status-each"].blocked_by == "tx-header"
    assert by_check(result(story, only=("status-each",)))["status-each"].blocked_by == "tx-header"


def test_a_refused_last_attempt_blocks_the_rest() -> None:
    """The last attempt to register decides; what was judged of it stands, the rest is blocked by it."""
    story = good_run()
    place = story.events("registration-attempted")[0]
    attempt = story.entries[place]
    story.entries.insert(place + 1, attempt)
    story.put(place + 1, "/data/accepted", value=False)
    story.put(place + 1, "/data/declared/redirect_urls", ["http://localhost/cb"])
    story.put(place + 1, "/data/refused", [{"pointer": "/redirect_url/0", "element": "redirect_url", "reason": "is not https"}])
    judged = result(story)
    found = by_check(judged)
    assert judged.verdict is Verdict.NOT_READY
    assert [f.check for f in judged.findings if f.outcome is Outcome.FAILED] == ["apply-redirect-https"]
    assert found["auth-csrf"].blocked_by == "apply-redirect-https"
    story.entries.append(attempt)
    repaired = result(story)
    assert repaired.verdict is Verdict.READY
    assert "refused in earlier attempts" in by_check(repaired)["apply-redirect-https"].note


def test_what_the_harness_gave_is_not_applicable() -> None:
    """A default is not the vendor's doing."""
    story = good_run()
    story.put(story.events("registration-attempted")[0], "/data/given", [])
    found = by_check(result(story))
    for check in ("apply-addresses", "apply-name", "apply-redirect-https", "apply-registries"):
        assert found[check].outcome is Outcome.NOT_APPLICABLE
        assert "given by the harness" in found[check].actual
    assert found["allow-all-used"].outcome is Outcome.NOT_APPLICABLE


def test_a_logo_that_was_not_given_does_not_apply() -> None:
    """No logo, no judgement, unless it was claimed."""
    story = good_run()
    story.put(story.events("registration-attempted")[0], "/data/declared/logo", None)
    assert by_check(result(story))["apply-logo"].outcome is Outcome.NOT_APPLICABLE
    assert by_check(result(story, claims=("logo",)))["apply-logo"].outcome is Outcome.NOT_EXERCISED


def test_a_gap_makes_it_void() -> None:
    """A cut recording and a gap in the journal void the verdict, and the notes say why."""
    cut = judge(read(good_run().lines()[:-1]), FACTS, LCSR)
    assert cut.verdict is Verdict.VOID
    assert any("footer is missing" in note for note in cut.notes)
    story = good_run()
    story.event("gap", reason="12 entries were dropped")
    dropped = result(story)
    assert dropped.verdict is Verdict.VOID
    assert any("12 entries were dropped" in note for note in dropped.notes)


def test_a_failing_server_makes_it_void() -> None:
    """Where acrmock itself answered 500, the run is void and the notes say whose fault it was."""
    story = good_run()
    story.event("harness-fault", entry=7, error="ZeroDivisionError")
    failed = result(story)
    assert failed.verdict is Verdict.VOID
    assert any("acrmock itself failed" in note for note in failed.notes)


def test_a_fault_of_ours_is_never_blamed_on_the_vendor(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a check is a harness error: void on a must, nobody's failure."""

    def broken(case: Case) -> Any:
        raise ZeroDivisionError(f"on {case.registry}")

    check = CHECKS["auth-pkce"]
    for name in ("auth-csrf", "status-pace"):
        spoiled = Check(id=name, group=check.group, subject="vendor", per_registry=False, run=broken)
        monkeypatch.setattr(judging, "CHECKS", {**CHECKS, name: spoiled})
        judged = result(good_run())
        found = by_check(judged)[name]
        assert found.outcome is Outcome.HARNESS_ERROR
        assert "ZeroDivisionError" in found.actual
        assert not [f for f in judged.findings if f.outcome is Outcome.FAILED]
        assert judged.verdict is (Verdict.VOID if name == "auth-csrf" else Verdict.READY)


def doubtful() -> Story:
    """A run with an identifier that may be a real person's."""
    story = good_run()
    mark = IdentityMark(pointer="/Exams/0/Other_ID", element="Other_ID", mark="looks like a record number", grade="doubtful")
    story.put(story.of(Operation.NRDR_POST)[0], "/facts/transaction/identity", (mark,))
    return story


def test_doubtful_data_waits_for_a_person() -> None:
    """Doubt is a review, a must to be reviewed is incomplete, and a person's word ends it."""
    open_ = result(doubtful())
    assert by_check(open_)["tx-test-data"].outcome is Outcome.NEEDS_REVIEW
    assert open_.verdict is Verdict.INCOMPLETE
    word = Resolution(
        check="tx-test-data", registry="lcsr", outcome=Outcome.PASSED, who="QA", why="invented number", when="2026-01-11"
    )
    assert result(doubtful(), resolutions=[word]).verdict is Verdict.READY


def test_a_baseline_makes_an_unexpected_pass_a_failure() -> None:
    """A check that is known to fail and passes makes the run not ready until the baseline is renewed."""
    judged = result(good_run(), baseline={"auth-nonce"})
    assert judged.verdict is Verdict.NOT_READY
    assert any("auth-nonce" in note and "baseline" in note for note in judged.notes)


def test_what_is_unknown_of_a_mapping_version_is_said() -> None:
    """A result that rests on mapping 1.8 says what is not known of it."""
    unknown = next(r for r in FACTS.registries if r.slug == "lcsr").version("1.8")
    assert unknown is not None
    assert unknown.unknown in result(good_run()).notes


def test_several_applications_in_one_recording_need_a_name() -> None:
    """Traffic of two applications is not mixed; naming one judges it alone."""
    one, other = good_run().closed(), good_run()
    other.application = "second"
    mixed = [*one, *(msgspec.structs.replace(e, application="second", seq=e.seq + 1000) for e in other.closed())]
    recording = read(lines(mixed, application=None))
    with pytest.raises(SetupError, match="several applications"):
        judge(recording, FACTS, LCSR)
    assert judge(recording, FACTS, LCSR, application="second").verdict is Verdict.READY


def test_a_stream_and_a_recording_are_judged_alike() -> None:
    """Reading while judging gives the same result as reading first."""
    story = good_run()
    assert judge(RecordingStream(story.lines()), FACTS, LCSR) == result(story)


def test_evidence_points_into_its_entry() -> None:
    """Every pointer of every finding names an entry that is there, and all but absent values can be followed."""
    story = good_run()
    entries = {entry.seq: msgspec.json.decode(msgspec.json.encode(entry)) for entry in story.closed()}
    for found in result(story).findings:
        for place in found.evidence:
            target = entries[place.entry]
            for part in place.pointer.split("/")[1:]:
                target = target[int(part)] if isinstance(target, list) else target.get(part, {})
            assert place.entry in entries


texts = st.one_of(
    st.sampled_from(["", "code", "state", "d:code:x", "https://a/b?c=d#e", "Bearer d:x", "1", "2026-01-01"]), st.text(max_size=12)
)
values = st.builds(
    NameValue, name=st.sampled_from(["code", "state", "Location", "Authorization", "Retry-After", "scope"]), value=texts
)
several = st.lists(values, max_size=4).map(tuple)
requests = st.builds(
    HttpRequest,
    method=texts,
    url=texts,
    headers=several,
    queryString=several,
    postData=st.none() | st.builds(PostData, mimeType=texts, text=texts, params=several),
)
responses = st.builds(HttpResponse, status=st.integers(0, 999), headers=several, redirectURL=texts)
common = {"seq": st.just(1), "at": texts, "t": texts, "peer": st.none() | texts, "run": st.none() | texts}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | texts,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["declared", "logo", "refused", "given"]), inner, max_size=3)
    ),
    max_leaves=6,
)
NAMES = ["registration-attempted", "step-began", "step-ended", "endpoints-moved", "gap", "run-ended"]
DATA_KEYS = ["declared", "given", "refused", "issued", "environment", "step", "accepted", "day"]
events = st.builds(
    EventEntry, **common, name=st.sampled_from(NAMES), data=st.dictionaries(st.sampled_from(DATA_KEYS), json_values, max_size=5)
)
exchanges = st.builds(HttpEntry, **common, request=requests, response=responses, facts=st.from_type(HttpFacts))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.one_of(events, exchanges), max_size=8))
def test_judging_never_raises_on_valid_entries(entries: list[AnyEntry]) -> None:
    """Whatever valid entries hold, judging ends with a result and no fault of ours."""
    numbered = [msgspec.structs.replace(entry, seq=number) for number, entry in enumerate(entries, 1)]
    judged = judge(read(lines(numbered, application=None)), FACTS, LCSR)
    assert [f.actual for f in judged.findings if f.outcome is Outcome.HARNESS_ERROR] == []
