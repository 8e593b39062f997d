"""A person who stays signed in, the second factor, and signing out (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

FORM = "application/x-www-form-urlencoded"
AFTER = "https://localhost:8765/signed-out"


def _cookie(house: Any, path: str = "/test/oauth2/default") -> Any:
    return house.client.get_cookie("acrmock-session", path=path)


def _submit(house: Any, page: Any, **fields: str) -> Any:
    """Post the page's own form with only what `fields` adds to its hidden values."""
    form = {unescape(n): unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)}
    action = re.search(r'<form method="post" action="([^"]*)"', page.text)
    assert action is not None
    return house.client.post(unescape(action[1]), data=urlencode(form | fields), content_type=FORM)


def _logout(house: Any, **parameters: str) -> Any:
    return house.test.get(f"/oauth2/default/v1/logout?{urlencode(parameters)}")


# the session


def test_signed_in_once(house: Any, support: Any) -> None:
    """Who is signed in need not give the password again; the time of the sign-in stays, and consent is asked all the same."""
    party = house.test
    party.tokens()
    house.clock.wait(100)
    page = party.authorize()
    assert "You are signed in as <strong>User 1</strong>" in page.text
    back = support.returned(_submit(house, page, decision="allow"))
    identity = party.redeem(back["code"]).json["id_token"]
    claims = jwt.decode(identity, RSAKey.import_key(support.SIGNING), ["RS256"]).claims
    assert claims["iat"] - claims["auth_time"] == 100


def test_somebody_else_signs_in(house: Any) -> None:
    """With a name and a password the page signs somebody else in, in a new session; the old cookie is worth nothing."""
    party = house.test
    party.tokens()
    first = _cookie(house).value
    party.tokens(user=2)
    assert _cookie(house).value != first
    assert "User 2" in party.authorize().text
    house.client.set_cookie("acrmock-session", first, path="/test/oauth2/default")
    assert "signed in as" not in party.authorize().text


def test_session_ends_by_itself(house: Any) -> None:
    """After its lifetime a session counts no more; neither does a made-up or huge cookie, or a user who is gone."""
    party = house.test
    party.tokens()
    party.change(users=())
    assert "signed in as" not in party.authorize().text
    party.change(users=party.registration(house.core.digester.mark).users)
    assert "signed in as" in party.authorize().text
    house.clock.wait(1201)
    assert "signed in as" not in party.authorize().text
    for value in ("x", "x" * 2000, "\N{SNOWMAN}"):
        house.client.set_cookie("acrmock-session", value, path="/test/oauth2/default")
        assert "signed in as" not in party.authorize().text


def test_session_is_of_one_environment(house: Any) -> None:
    """The cookie goes to its own environment's sign-in only, no script sees it, no other site's form carries it."""
    answer = house.test.press(house.test.authorize())
    cookie = answer.headers["Set-Cookie"]
    assert "Path=/test/oauth2/default" in cookie
    assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    value = _cookie(house).value
    for party in (house.production, house.other):
        house.client.set_cookie("acrmock-session", value, path=f"{party.prefix}/oauth2/default")
        assert "signed in as" not in party.authorize().text


@pytest.mark.parametrize("change", [{"prompt": "login"}, {"max_age": "50"}])
def test_asked_for_a_new_sign_in(house: Any, change: dict[str, str]) -> None:
    """A client can ask for a sign-in anew, at once or after so many seconds (OpenID Connect Core 3.1.2.1)."""
    house.test.tokens()
    house.clock.wait(51)
    page = house.test.authorize(**change)
    assert "signed in as" not in page.text
    assert _submit(house, page, decision="allow").status_code == 401


def test_prompt_none_with_a_session(house: Any, support: Any) -> None:
    """Without a page a code is given only to who is signed in, not too long ago, and allowed all that is asked for."""
    party = house.test
    assert support.returned(party.authorize(prompt="none"))["error"] == "login_required"
    party.tokens(scope="openid offline_access lcsr_data_submission")
    assert "code" in support.returned(party.authorize(prompt="none"))
    assert support.returned(party.authorize(prompt="none", scope="openid email"))["error"] == "consent_required"
    assert house.last().refusal.code == "acrmock:authorize-consent-required"
    assert _submit(house, party.authorize(scope="openid email"), decision="allow").status_code == 303
    assert "code" in support.returned(party.authorize(prompt="none", scope="openid email"))
    house.clock.wait(10)
    assert support.returned(party.authorize(prompt="none", max_age="5"))["error"] == "login_required"


def test_a_session_page_works_in_its_session_only(house: Any) -> None:
    """The page that spares the password is worth nothing without the cookie that it was shown with."""
    house.test.tokens()
    page = house.test.authorize()
    house.client.delete_cookie("acrmock-session", path="/test/oauth2/default")
    again = _submit(house, page, decision="allow")
    assert again.status_code == 401
    assert "Location" not in again.headers


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("Origin", "https://evil.example", 400),
        ("Origin", "https://localhost:9999", 400),
        ("Sec-Fetch-Site", "cross-site", 400),
        ("Sec-Fetch-Site", "same-site", 400),
        ("Origin", "https://localhost:8443", 303),
        ("Origin", "null", 303),
        ("Sec-Fetch-Site", "same-origin", 303),
    ],
)
def test_form_posted_by_another_site(house: Any, support: Any, header: str, value: str, status: int) -> None:
    """A form that a browser says another site's page has sent signs nobody in."""
    form = support.hidden(house.test.authorize().text) | {"username": "user1", "password": "pass1", "decision": "allow"}
    answer = house.test.post(
        "/oauth2/default/v1/authorize/sign-in", data=urlencode(form), content_type=FORM, headers={header: value}
    )
    assert answer.status_code == status
    if status == 400:
        assert house.last().refusal.code == "acrmock:sign-in-cross-site"


# the second factor


def test_second_factor(house: Any, support: Any) -> None:
    """Where a layer asks for it, the right password leads to a page that shows a one-time code and asks for it."""
    party = house.test
    party.change(settings={"auth.second_factor": True})
    page = party.press(party.authorize())
    assert page.status_code == 200
    code = re.search(r'data-code="(\d{6})"', page.text)
    assert code is not None
    wrong = _submit(house, page, decision="allow", passcode=str((int(code[1]) + 1) % 10**6).zfill(6))
    assert wrong.status_code == 401
    assert house.last().refusal.code == "acrmock:sign-in-second-factor"
    assert _cookie(house) is None
    for value in ("", "\N{SNOWMAN}", "9" * 5000):
        assert _submit(house, page, decision="allow", passcode=value).status_code == 401
    back = support.returned(_submit(house, page, decision="allow", passcode=code[1]))
    assert party.redeem(back["code"]).status_code == 200
    assert _cookie(house) is not None
    assert support.returned(_submit(house, page, decision="deny"))["error"] == "access_denied"


def test_second_factor_needs_the_password(house: Any) -> None:
    """A code without the password, or with the first page's hidden value, signs nobody in."""
    party = house.test
    party.change(settings={"auth.second_factor": True})
    first = party.authorize()
    assert _submit(house, first, decision="allow", passcode="123456").status_code == 401
    assert party.press(first, password="wrong").status_code == 401
    page = party.press(party.authorize())
    code = re.search(r'data-code="(\d{6})"', page.text)
    assert code is not None
    party.change(users=())
    assert _submit(house, page, decision="allow", passcode=code[1]).status_code == 401


# signing out


def test_logout_with_a_hint(house: Any) -> None:
    """With the person's own ID token, even an expired one, the session ends at once and the browser goes where registered."""
    party = house.test
    party.change(post_logout_urls=(AFTER,))
    tokens = party.tokens()
    house.clock.wait(10)
    answer = _logout(house, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER, state="s 1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == AFTER + "?state=s+1"
    assert "acrmock-session=;" in answer.headers["Set-Cookie"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert str(house.last().facts.operation) == "auth.logout"
    assert "signed in as" not in party.authorize().text
    assert party.refresh(tokens["refresh_token"]).status_code == 200
    house.clock.wait(4000)
    assert _logout(house, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER).headers["Location"] == AFTER


def test_logout_ends_the_session_on_the_server(house: Any) -> None:
    """A copy of the cookie kept from before is worth nothing after the logout."""
    tokens = house.test.tokens()
    kept = _cookie(house).value
    assert _logout(house, id_token_hint=tokens["id_token"]).status_code == 200
    house.client.set_cookie("acrmock-session", kept, path="/test/oauth2/default")
    assert "signed in as" not in house.test.authorize().text


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_logout_asks_without_a_hint(house: Any, decision: str) -> None:
    """Without a hint, or with another person's, the person is asked; only a yes ends the session."""
    party = house.test
    party.change(post_logout_urls=(AFTER,))
    page = _logout(house, client_id=party.client_id, post_logout_redirect_uri=AFTER)
    assert page.headers["Location"] == AFTER
    other = party.tokens(user=2)["id_token"]
    party.tokens(user=1)
    for parameters in ({"client_id": party.client_id}, {"id_token_hint": other}):
        page = _logout(house, post_logout_redirect_uri=AFTER, **parameters)
        assert page.status_code == 200
        assert "Sign out?" in page.text
    answer = _submit(house, page, decision=decision)
    assert (answer.status_code, answer.headers.get("Location")) == ((303, AFTER) if decision == "allow" else (200, None))
    assert ("signed in as" in party.authorize().text) is (decision == "deny")


def test_logout_form_of_another_session(house: Any, support: Any) -> None:
    """The page's form counts only in its session, untouched, in time, and from its own site."""
    party = house.test
    party.tokens()
    page = _logout(house)
    value = support.hidden(page.text)["request"]
    path = "/oauth2/default/v1/logout"
    body = urlencode({"request": value, "decision": "allow"})
    foreign = party.post(path, data=body, content_type=FORM, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 400
    sealed = support.hidden(party.authorize().text)["request"]
    for bad in (value[:-2], "", sealed, value + "&request=x"):
        assert party.post(path, data=f"request={bad}&decision=allow", content_type=FORM).status_code == 400
    party.tokens(user=2)
    assert party.post(path, data=body, content_type=FORM).status_code == 400
    assert "signed in as" in party.authorize().text


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("https://evil.example/", True),
        (AFTER + "/", True),
        (AFTER + "?x=1", True),
        ("https://localhost:8765/callback", True),
        (AFTER, False),
        ("//localhost:8765/signed-out", True),
        ("javascript:alert(1)", True),
    ],
)
def test_logout_redirects_to_registered_addresses_only(house: Any, uri: str, *, hint: bool) -> None:
    """An address that is not registered byte for byte, or that nobody named vouches for, gets a page; nobody is signed out."""
    party = house.test
    party.change(post_logout_urls=(AFTER,))
    token = party.tokens()["id_token"]
    answer = _logout(house, post_logout_redirect_uri=uri, **({"id_token_hint": token} if hint else {}))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert house.last().refusal.code == "acrmock:logout-redirect-mismatch"
    assert "signed in as" in party.authorize().text


def test_logout_with_a_wrong_hint(house: Any, support: Any) -> None:
    """An invented, changed or foreign ID token, an access token or another's client ID gets a page and no redirect."""
    party = house.test
    party.change(post_logout_urls=(AFTER,))
    tokens, foreign = party.tokens(), house.other.tokens()
    stranger = RSAKey.generate_key(2048)
    forged = jwt.encode({"alg": "RS256"}, jwt.decode(tokens["id_token"], RSAKey.import_key(support.SIGNING)).claims, stranger)
    for hint in ("x", "a.b.c", tokens["id_token"][:-8], tokens["access_token"], foreign["id_token"], forged, "\N{SNOWMAN}.." * 9):
        answer = _logout(house, id_token_hint=hint, post_logout_redirect_uri=AFTER)
        assert answer.status_code == 400, hint
        assert house.last().refusal.code == "acrmock:logout-id-token-hint"
    for parameters in (f"client_id={house.other.client_id}", "state=a&state=b", "state=" + "s" * 5000):
        answer = party.get(f"/oauth2/default/v1/logout?{parameters}")
        assert answer.status_code == 400
        assert house.last().refusal.code == "acrmock:logout-invalid-request"
    assert party.post("/oauth2/default/v1/logout", json={}).status_code == 400
    assert "signed in as" in party.authorize().text


def test_logout_by_post(house: Any) -> None:
    """A logout request may come by POST; then the redirect is a 303."""
    party = house.test
    party.change(post_logout_urls=(AFTER,))
    body = urlencode({"id_token_hint": party.tokens()["id_token"], "post_logout_redirect_uri": AFTER})
    answer = party.post("/oauth2/default/v1/logout", data=body, content_type=FORM, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["Location"]) == (303, AFTER)
