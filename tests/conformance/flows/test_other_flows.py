"""Tokens, transactions, steps, registrations: the stories beside the sign-ins."""

from __future__ import annotations

from builder import Story, Vendor, exam, good_run, secret
from hypothesis import given
from hypothesis import strategies as st

from acrmock.record import Operation
from conformance.flows import build
from conformance.flows.wire import answer, hidden, parameters, retry_after, seconds


@given(st.integers(1, 6).flatmap(lambda count: st.permutations([n for n in range(count) for _ in range(3)])))
def test_concurrent_transactions_keep_their_own_polls(order: list[int]) -> None:
    """Posts and polls find their transaction by its ID, whatever the order of the wire."""
    story = Story()
    vendor = Vendor(story)
    done: dict[int, int] = {}
    for number in order:
        step = done.get(number, 0)
        done[number] = step + 1
        if step == 0:
            vendor.post(f"t-{number}", exam(number, key=number))
        else:
            vendor.poll(f"t-{number}", "Posted" if step == 2 else "Received", terminal=step == 2)
    flows = build(story.closed())
    assert {found.transaction_id for found in flows.transactions} == {f"t-{number}" for number in order}
    for found in flows.transactions:
        assert len(found.posts) == 1
        assert [poll.word for poll in found.polls] == ["Received", "Posted"]


def test_a_retry_is_the_same_transaction() -> None:
    """The same ID again adds a post to the transaction; a post without an ID stands alone."""
    story = Story()
    vendor = Vendor(story)
    for _ in range(2):
        vendor.post("t-1", exam(1))
        vendor.post("", exam(2))
    flows = build(story.closed())
    assert sorted(len(found.posts) for found in flows.transactions) == [1, 1, 2]


def test_a_bearer_finds_its_grant() -> None:
    """A protected request is tied to the token request that issued its token, and knows when the token had ended."""
    story = Story()
    vendor = Vendor(story)
    vendor.redeem(1)
    vendor.poll("t-1", "Received", terminal=False)
    story.wait(61)
    vendor.poll("t-1", "Received", terminal=False)
    for place in story.of(Operation.NRDR_STATUS):
        story.put(place, "/facts/bearer", None)
    first, second = build(story.closed()).protected
    assert (first.granted, first.expired) == (1, False)
    assert (second.granted, second.expired) == (1, True)


def test_an_unknown_bearer_has_no_grant() -> None:
    """A token that no answer in the recording issued is tied to nothing."""
    story = Story()
    vendor = Vendor(story)
    vendor.token = secret("access", 77)
    vendor.poll("t-1", "Received", terminal=False)
    (use,) = build(story.closed()).protected
    assert use.granted is None


def test_entries_stand_in_the_step_of_their_run() -> None:
    """A step holds what stands between its beginning and its end, and the run's end closes the last."""
    flows = build(good_run().closed())
    assert [step.name for step in flows.steps] == ["sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again"]
    assert all(step.ended is not None for step in flows.steps)
    assert [post.step for post in flows.posts] == ["submit", "update", "follow-up", "refresh"]


def test_the_last_attempt_of_each_environment_decides() -> None:
    """Attempts to register are kept in order; the last of each environment is the one that counts."""
    story = Story()
    vendor = Vendor(story)
    vendor.register(name="First")
    vendor.register(name="Second")
    flows = build(story.closed())
    assert [attempt.name for attempt in flows.registrations] == ["First", "Second"]
    assert [attempt.name for attempt in flows.last_registrations()] == ["Second"]


def test_what_was_refused_at_the_door_begins_no_story() -> None:
    """A request from an address that is not allowed is a source and nothing else."""
    story = Story()
    Vendor(story).post("t-1", exam(1))
    story.put(0, "/facts/allowed", value=False)
    flows = build(story.closed())
    assert flows.posts == ()
    assert [source.allowed for source in flows.sources] == [False]


@given(st.text(max_size=80))
def test_times_and_pages_that_cannot_be_read_are_nothing(text: str) -> None:
    """No text that stands where a time, a page or a URL should makes a reader raise."""
    assert isinstance(seconds(text), float)
    assert isinstance(hidden(text), list)


@given(st.text(max_size=30), st.integers(0, 5))
def test_retry_after_is_seconds_or_nothing(text: str, number: int) -> None:
    """Retry-After is read as seconds or as a date; anything else asks for nothing."""
    story = Story()
    vendor = Vendor(story)
    vendor.poll("t", "Received", terminal=False)
    story.put(0, "/response/headers/0/value", text)
    found = retry_after(story.entries[0], 0.0)  # type: ignore[arg-type]
    assert found is None or found >= 0
    story.put(0, "/response/headers/0/value", str(number))
    assert retry_after(story.entries[0], 0.0) == number  # type: ignore[arg-type]


def test_a_date_in_retry_after_is_held_against_the_answer() -> None:
    """An HTTP date asks to wait until then."""
    story = Story()
    Vendor(story).poll("t", "Received", terminal=False)
    story.put(0, "/response/headers/0/value", "Fri, 09 Jan 2026 12:00:10 GMT")
    entry = story.entries[0]
    assert retry_after(entry, seconds("2026-01-09T12:00:00Z")) == 10  # type: ignore[arg-type]


def test_parameters_point_to_where_they_stand() -> None:
    """A parameter of the query wins over one of the form, and a form as text is read too."""
    story = Story()
    Vendor(story).redeem(1)
    assert parameters(story.entries[0])["code"].pointer == "/request/postData/params/1/value"  # type: ignore[arg-type]
    story.put(0, "/request/postData/params", ())
    story.put(0, "/request/postData/text", "grant_type=refresh_token&code=a%20b")
    found = parameters(story.entries[0])["code"]  # type: ignore[arg-type]
    assert (found.value, found.pointer) == ("a b", "/request/postData/text")


def test_an_answer_without_code_or_error_is_none() -> None:
    """A redirect to elsewhere carries no authorization response."""
    story = Story()
    Vendor(story).sign_in(1)
    story.put(0, "/response/headers/0/value", "https://vendor.example/?state=x")
    assert answer(story.entries[0].response) is None  # type: ignore[union-attr]
