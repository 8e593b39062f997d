"""Sign-ins are told apart however they run beside each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

import msgspec
import pytest
from builder import CALLBACK, Story, Vendor, random_text, secret
from hypothesis import given
from hypothesis import strategies as st

from acrmock.record import Content, HttpResponse, NameValue, Operation
from conformance.flows import Flows, build

Change = Callable[[Story], None]


@st.composite
def interleavings(draw: st.DrawFn, most: int = 5) -> list[int]:
    """Which of several sign-ins goes on next: each has four actions."""
    count = draw(st.integers(1, most))
    return draw(st.permutations([number for number in range(count) for _ in range(4)]))


def told(order: Sequence[int], *changes: Change) -> Flows:
    """The flows of sign-ins that run beside each other in that order."""
    story = Story()
    vendor = Vendor(story)
    actions = (vendor.authorize, vendor.sign_in, vendor.visit, vendor.redeem)
    done: dict[int, int] = {}
    for number in order:
        actions[done.get(number, 0)](number)
        done[number] = done.get(number, 0) + 1
    for change in changes:
        change(story)
    return build(story.closed())


def no_state(story: Story) -> None:
    """No request and no answer has a state."""
    for place in story.of(Operation.AUTHORIZE):
        story.query(place, "state", None)
    for place in story.of(Operation.SIGN_IN):
        where = story.entries[place].response.headers[0].value.partition("&state")[0]  # type: ignore[union-attr]
        story.put(place, "/response/headers", (NameValue(name="Location", value=where),))


def no_page(story: Story) -> None:
    """The pages are not in the recording."""
    for place in story.of(Operation.AUTHORIZE):
        story.put(place, "/response/content", Content())


def form_post(story: Story) -> None:
    """The codes come in pages that post themselves."""
    for place in story.of(Operation.SIGN_IN):
        location = story.entries[place].response.headers[0].value  # type: ignore[union-attr]
        code, _, state = location.partition("?code=")[2].partition("&state=")
        inputs = f'<input type="hidden" name="code" value="{escape(code)}"><input type=hidden name=state value="{state}">'
        page = Content(mimeType="text/html", text=f'<form action="{CALLBACK}" method="post">{inputs}</form>')
        story.put(place, "/response", HttpResponse(status=200, content=page))


@pytest.mark.parametrize(
    "changes", [(), (no_state,), (no_page,), (form_post,)], ids=["redirect", "no state", "no page", "form_post"]
)
@given(order=interleavings())
def test_concurrent_sign_ins_keep_their_own_story(changes: tuple[Change, ...], order: list[int]) -> None:
    """Each sign-in gets its own code and its own redemption, whatever the order of the wire."""
    flows = told(order, *changes)
    assert len(flows.sign_ins) == len(set(order))
    redeemed = {request.seq: request.code.value for request in flows.token_requests if request.code}
    for story in flows.sign_ins:
        number = next(n for n in set(order) if story.nonce and story.nonce.value == random_text(n, "nonce"))
        assert story.code == secret("code", number)
        assert [redeemed[seq] for seq in story.redeemed] == [secret("code", number)]
    assert {request.sign_in for request in flows.token_requests} == {story.seq for story in flows.sign_ins}


def test_a_reload_is_no_new_sign_in() -> None:
    """The same request again before its code was redeemed is the same sign-in; afterwards it is a new one."""
    story = Story()
    vendor = Vendor(story)
    vendor.authorize(1)
    vendor.authorize(1)
    for action in (vendor.sign_in, vendor.visit, vendor.redeem, vendor.authorize):
        action(1)
    first, second = build(story.closed()).sign_ins
    assert first.repeats == (2,)
    assert second.redeemed == ()


def test_a_wrong_password_and_a_denial_belong_to_their_sign_in() -> None:
    """The page shown again is no new sign-in, and an error that came back is kept."""
    story = Story()
    vendor = Vendor(story)
    vendor.authorize(1)
    vendor.sign_in(1)
    vendor.sign_in(1)
    places = story.of(Operation.SIGN_IN)
    story.put(places[0], "/response", HttpResponse(status=200, content=Content(text="<form>again</form>")))
    back = f"{CALLBACK}?error=access_denied&state={random_text(1)}"
    story.put(places[1], "/response", HttpResponse(status=302, headers=(NameValue(name="Location", value=back),)))
    (only,) = build(story.closed()).sign_ins
    assert (only.code, only.error) == ("", "access_denied")


def test_a_code_from_nowhere_belongs_to_no_sign_in() -> None:
    """A token request with a code that no answer carried is not guessed to belong anywhere."""
    story = Story()
    Vendor(story).redeem(9)
    (request,) = build(story.closed()).token_requests
    assert request.sign_in is None
    assert request.code_age is None


def test_environments_do_not_mix() -> None:
    """The same values in the other environment are another sign-in."""
    story = Story()
    vendor = Vendor(story)
    vendor.authorize(1)
    story.entries.append(msgspec.structs.replace(story.entries[0], environment="production"))
    assert {found.environment for found in build(story.closed()).sign_ins} == {"test", "production"}
