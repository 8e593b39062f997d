"""The forms of a page as the robot user reads them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance.flows.forms import parse_forms

PAGE = """<html><form action="/sign-in?x=1&amp;y=2" method="POST">
<input name=username><input type=password name=password><input type="hidden" name="sealed" value="a&quot;b">
<input type=checkbox name=later><input type=checkbox name=now checked value=1>
<button name=decision value=allow>Allow</button><button type=submit name=decision value=deny>Deny</button></form></html>"""


def test_a_form_is_filled_and_sent_as_a_browser_would() -> None:
    """Fields are filled, hidden values kept, only the pressed button and ticked boxes are sent."""
    (form,) = parse_forms(PAGE)
    assert (form.action, form.method) == ("/sign-in?x=1&y=2", "post")
    assert form.asks_for("password")
    assert form.filled({"username": "u", "password": "p"}, form.button("allow")) == [
        ("username", "u"),
        ("password", "p"),
        ("sealed", 'a"b'),
        ("now", "1"),
        ("decision", "allow"),
    ]


def test_a_missing_button_is_none() -> None:
    """A button that is not there is not pressed."""
    (form,) = parse_forms("<form><input name=a value=1></form>")
    assert form.button("allow") is None
    assert form.filled({}, None) == [("a", "1")]


@given(st.text())
def test_no_page_is_too_strange(page: str) -> None:
    """Any text can be read; what is no HTML has no forms that matter."""
    for form in parse_forms(page):
        form.filled({}, None)
