"""What must not be called a fault, and doubts that a person decides."""

from __future__ import annotations

import uuid

import pytest
from builder import CALLBACK, Mutation, Story, Vendor, exam, good_run, random_text
from catalogue import FACTS, LCSR
from mutations import again, both, declared, drop, every, exposed, put, query, rejected

from acrmock.record import Exposure, SecretKind
from acrmock.record import Operation as Op
from conformance.checks.guess import guessable
from conformance.judge import judge
from conformance.recording import read
from conformance.result import Finding, Outcome

T = "/facts/transaction"


def finding(story: Story, check: str) -> Finding:
    """The finding of a check on a story."""
    return next(f for f in judge(read(story.lines()), FACTS, LCSR).findings if f.check == check)


def _retry(story: Story) -> None:
    """The same bytes under the same ID once more, as after a lost answer."""
    place = story.of(Op.NRDR_POST)[0]
    story.entries.insert(place + 1, story.entries[place])
    story.put(place + 1, f"{T}/repeat", value=True)


def _corrected(story: Story) -> None:
    """A refused body did not take its ID: the corrected one may have it."""
    place = story.of(Op.NRDR_POST)[3]
    story.entries.insert(place, story.entries[place])
    story.put(place, f"{T}/accepted", value=False)
    story.put(place, "/facts/body_digest", "other")


def _refresh_at_old_address(story: Story) -> None:
    """A refresh meets the old endpoint's end, reads discovery, and succeeds."""
    moved = story.events("endpoints-moved")[0]
    vendor = Vendor(story)
    vendor.moved = True
    tail = story.entries[moved + 1 :]
    del story.entries[moved + 1 :]
    vendor.refresh(5)
    story.put(len(story.entries) - 1, "/facts/moved", value=False)
    story.put(len(story.entries) - 1, "/response/status", 404)
    vendor.refresh(6)
    story.entries += tail


def _form_post(story: Story) -> None:
    """The code arrives in the body of a post to the registered redirect URL."""
    for place in story.of(Op.BROWSER):
        exposure = Exposure(secret=SecretKind.CODE, place="body", name="code", pointer="/request/postData/params/0/value")
        story.put(place, "/facts/exposures", (exposure,))


GOOD: list[tuple[str, str, Mutation]] = [
    ("tx-id-unique", "a retry of the same bytes", _retry),
    ("tx-id-unique", "a corrected body", _corrected),
    ("auth-discovery", "a refresh that found its way", _refresh_at_old_address),
    ("auth-secret-private", "form_post", _form_post),
    (
        "auth-secret-private",
        "a hint at logout",
        exposed(Op.AUTHORIZE, SecretKind.ID_TOKEN, "query", "id_token_hint"),
    ),
    (
        "auth-secret-private",
        "an access token in a URL is another check's",
        exposed(Op.NRDR_POST, SecretKind.ACCESS_TOKEN, "query", "t"),
    ),
    ("status-terminal", "one poll that was under way", again(Op.NRDR_STATUS, nth=7)),
    ("status-pace", "jitter", lambda story: story.put(story.of(Op.NRDR_STATUS)[1], "/time", 4.0)),
    ("tx-media-type", "a charset", put(Op.NRDR_POST, "/request/headers/1/value", "Application/JSON; Charset=UTF-8")),
    ("apply-addresses", "version 6", declared("addresses", ["2001:db8:1::/48"])),
    ("auth-client-auth", "Basic", every(Op.TOKEN, "/facts/client/methods", ("basic",))),
    ("allow-all-used", "one address of a range", declared("local_sources", ["127.0.0.1/32"])),
    (
        "tx-follow-up",
        "an annual screen",
        both(
            put(Op.NRDR_POST, f"{T}/records/0/patient", "d:patient:1", 3),
            put(Op.NRDR_POST, f"{T}/records/0/exam_date", "2026-12-20", 3),
        ),
    ),
    (
        "auth-code-flow",
        "more scopes",
        query("scope", "openid profile email offline_access lcsr_data_submission", "openid lcsr_data_submission"),
    ),
]


@pytest.mark.parametrize(("check", "mutation"), [pytest.param(c, m, id=f"{c}: {label}") for c, label, m in GOOD])
def test_innocent_variants_pass(check: str, mutation: Mutation) -> None:
    """What a correct client may do is not called a fault."""
    story = good_run()
    mutation(story)
    found = finding(story, check)
    assert found.outcome is Outcome.PASSED, found.actual


def test_looking_again_after_a_later_transaction_is_innocent() -> None:
    """A transaction may have been replaced by a later one: its status may be read again."""
    story = good_run()
    vendor = Vendor(story)
    for _ in range(2):
        vendor.post(uuid.UUID(int=len(story.entries)).hex, exam(len(story.entries), key=5, patient=5))
        story.wait(2)
        vendor.poll("t-1", "UpdatedWithNewTransaction", terminal=True)
    found = finding(story, "status-terminal")
    assert "polled again" not in found.actual


NOT_SEEN: list[tuple[str, Mutation]] = [
    ("auth-state-unique", drop(Op.AUTHORIZE, 1)),
    ("auth-nonce", drop(Op.AUTHORIZE, 1)),
    ("tx-follow-up", both(drop(Op.NRDR_POST, 1, 2, 3))),
    ("tx-update", drop(Op.NRDR_POST, 1, 2, 3)),
    ("tx-id-unique", drop(Op.NRDR_POST, 1, 2, 3)),
    ("auth-code-once", every(Op.TOKEN, "/facts/grant/grant_type", "refresh_token")),
    ("auth-refresh", drop(Op.TOKEN, 1)),
    ("status-pace", drop(Op.NRDR_STATUS, *range(8))),
]


@pytest.mark.parametrize(("check", "mutation"), [pytest.param(c, m, id=c) for c, m in NOT_SEEN])
def test_what_was_not_seen_is_not_passed(check: str, mutation: Mutation) -> None:
    """A check that had nothing to see says so and is not green."""
    story = good_run()
    mutation(story)
    assert finding(story, check).outcome is Outcome.NOT_EXERCISED


def test_no_state_at_all_leaves_nothing_to_compare() -> None:
    """Where no state was sent its uniqueness does not apply: its absence is another check's."""
    story = good_run()
    query("state", None, None)(story)
    assert finding(story, "auth-state-unique").outcome is Outcome.NOT_APPLICABLE
    assert finding(story, "auth-state-present").outcome is Outcome.FAILED


def test_an_exam_in_the_twelfth_month_is_for_a_person_to_decide() -> None:
    """It may be work-up sent wrongly, or an annual screen that came early."""
    story = good_run()
    put(Op.NRDR_POST, f"{T}/records/0/patient", "d:patient:1", 3)(story)
    put(Op.NRDR_POST, f"{T}/records/0/exam_date", "2026-11-15", 3)(story)
    assert finding(story, "tx-follow-up").outcome is Outcome.NEEDS_REVIEW


def test_the_note_of_a_rejected_record_names_its_elements() -> None:
    """tx-schema reports by element."""
    story = good_run()
    rejected(story)
    assert "Patient_Sex" in finding(story, "tx-schema").note


@pytest.mark.parametrize(
    "values",
    [
        [str(uuid.UUID(int=0x8A6E0804_2BD0_4672_B79D_D97027F9071A)), str(uuid.UUID(int=0x1C9F60B5_6B8A_4D3E_9F51_0E2C7A4B8D11))],
        [random_text(1), random_text(2)],
        ["7fKq0nYVhZpXw3RtB1sLmDcG8uJ4eA", "Qv2Hx9TzKj6WbN5fMrYsPdUa0oIgEc"],
        [
            "eyJyIjoiL2hvbWUiLCJuIjoi" + "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MA",
            "eyJyIjoiL2hvbWUiLCJuIjoi" + "cXdlcnR5dWlvcDk4NzY1NDMyMTBhc2Q",
        ],
    ],
)
def test_what_libraries_send_as_state_is_unguessable(values: list[str]) -> None:
    """UUIDs of version 4, random text of common libraries, and structured values with a random part pass."""
    assert guessable(values) == ["", ""]


def test_a_code_in_another_registered_looking_place_is_told() -> None:
    """The registered URL is compared without its query, byte for byte."""
    story = good_run()
    story.put(story.of(Op.BROWSER)[0], "/request/url", CALLBACK + "/?code=x")
    assert finding(story, "auth-secret-private").outcome is Outcome.FAILED


def test_a_client_that_does_everything_in_every_step_passes_by_its_refresh() -> None:
    """A person asked in each step shows no fault of refreshing; a refresh whose token then worked shows the ability."""
    story = Story()
    vendor = Vendor(story)
    story.event("run-started", profile="lcsr")
    vendor.register()
    for number, step in enumerate(("sign-in", "submit", "refresh")):
        story.event("step-began", step=step)
        vendor.sign_in_whole()
        vendor.refresh(number)
        vendor.submit(f"t-{number}", exam(number + 1, key=number, patient=number))
    story.event("run-ended")
    assert finding(story, "auth-refresh").outcome is Outcome.PASSED
