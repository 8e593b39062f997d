"""Every way in which a sign-in, a token or a bearer is refused, hostile input included."""

from __future__ import annotations

import base64
import json
from html import unescape
from typing import Any

import pytest

from mockserver.auth.pages import origin_source

FORM = "application/x-www-form-urlencoded"


def _basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


# the authorization endpoint


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/callback",
        "https://localhost:8765/callback/",
        "https://localhost:8765/callback?x=1",
        "https://localhost:8765/Callback",
        "http://localhost:8765/callback",
        "https://localhost:8765@evil.example/callback",
        "https://localhost:8765/callback#x",
        "//localhost:8765/callback",
        "javascript:alert(1)",
        "https://localhost:8765/callback\r\nSet-Cookie: a=b",
        "",
        None,
    ],
)
def test_unregistered_redirect_is_never_followed(house: Any, uri: str | None) -> None:
    """A redirect URI that is not registered byte for byte gets a page and no redirect."""
    answer = house.test.authorize(redirect_uri=uri)
    assert answer.status_code == 400
    assert answer.content_type.startswith("text/html")
    assert "Location" not in answer.headers
    assert house.last().facts.authorize.redirect_registered is False
    assert house.last().refusal.code == "acrmock:authorize-redirect-mismatch"


def test_redirect_given_twice(house: Any, support: Any) -> None:
    """Two redirect URIs, one of them good, are refused by a page."""
    answer = house.test.authorize(extra=(("redirect_uri", "https://evil.example/"),))
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert support


@pytest.mark.parametrize(
    ("client", "whose"), [("production", "other-environment"), ("other", "other-application"), ("nobody", "unknown"), (None, "")]
)
def test_client_unknown(house: Any, client: str | None, whose: str) -> None:
    """A client ID of elsewhere gets a page, and the journal says whose it is."""
    party = getattr(house, client, None) if client else None
    answer = house.test.authorize(client_id=party.client_id if party else client)
    assert answer.status_code == 400
    assert house.last().facts.client.whose == whose


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type", "authorize-unsupported-response-type"),
        ({"response_type": '\u202e<script>"\\'}, "unsupported_response_type", "authorize-unsupported-response-type"),
        ({"response_type": None}, "invalid_request", "authorize-invalid-request"),
        ({"scope": None}, "invalid_scope", "authorize-invalid-scope"),
        ({"scope": "lcsr_data_submission"}, "invalid_scope", "authorize-invalid-scope"),
        ({"scope": "openid grid_data_submission"}, "invalid_scope", "authorize-invalid-scope"),
        ({"response_mode": "fragment"}, "invalid_request", "authorize-unsupported-response-mode"),
        ({"prompt": "none"}, "login_required", "authorize-prompt-none"),
        ({"prompt": "none login"}, "invalid_request", "authorize-invalid-request"),
        ({"max_age": "soon"}, "invalid_request", "authorize-invalid-request"),
        ({"request": "e30."}, "request_not_supported", "authorize-invalid-request"),
        ({"request_uri": "https://x"}, "request_uri_not_supported", "authorize-invalid-request"),
        ({"code_challenge_method": "plain"}, "invalid_request", "authorize-pkce-method"),
        ({"code_challenge_method": None}, "invalid_request", "authorize-pkce-method"),
        ({"code_challenge": None}, "invalid_request", "authorize-pkce-method"),
        ({"code_challenge": "short"}, "invalid_request", "authorize-pkce-method"),
        ({"code_challenge": "é" * 43}, "invalid_request", "authorize-pkce-method"),
        ({"nonce": "n" * 5000}, "invalid_request", "authorize-invalid-request"),
    ],
)
def test_refused_by_redirect(house: Any, support: Any, change: dict[str, Any], error: str, code: str) -> None:
    """Other faults go back to the redirect URI with state and issuer, and the journal names the parameter."""
    back = support.returned(house.test.authorize(**change))
    assert back["error"] == error
    assert back["state"] == "st-1"
    assert back["iss"] == "https://localhost:8443/test/oauth2/default"
    assert house.last().refusal.code == f"acrmock:{code}"
    assert house.last().refusal.fields
    assert house.last().facts.authorize.redirect_registered is True


@pytest.mark.parametrize("name", ["state", "scope", "response_type", "nonce", "code_challenge"])
def test_duplicate_parameter(house: Any, support: Any, name: str) -> None:
    """A parameter given twice is refused (RFC 6749 section 3.1)."""
    back = support.returned(house.test.authorize(extra=((name, "again"),)))
    assert back["error"] == "invalid_request"
    assert ("state" in back) is (name != "state")


def test_several_faults_are_all_noted(house: Any) -> None:
    """The wire names the first fault, the journal all of them."""
    house.test.authorize(response_type="token", scope="x", code_challenge_method="plain")
    assert {item.element for item in house.last().refusal.fields} == {"response_type", "scope", "code_challenge_method"}


def test_error_by_form_post(house: Any, support: Any) -> None:
    """In form_post mode an error is posted as well."""
    answer = house.test.authorize(response_mode="form_post", scope="openid x")
    assert answer.status_code == 200
    assert support.hidden(answer.text)["error"] == "invalid_scope"


def test_pkce_required(house: Any, support: Any) -> None:
    """Where a setting demands it, a request without a challenge is refused."""
    house.test.change(settings={"auth.pkce_required": True})
    back = support.returned(house.test.authorize(code_challenge=None, code_challenge_method=None))
    assert back["error"] == "invalid_request"
    assert house.last().refusal.code == "acrmock:authorize-pkce-required"


def test_huge_parameters(house: Any, support: Any) -> None:
    """A megabyte in a parameter is refused and not echoed."""
    huge = "s" * 1_000_000
    back = support.returned(house.test.authorize(state=huge))
    assert back["error"] == "invalid_request"
    assert "state" not in back
    answer = house.test.post("/oauth2/default/v1/authorize", data=house.test.parameters(redirect_uri="https://x/" + huge))
    assert answer.status_code == 400
    assert len(answer.data) < 10_000
    assert house.test.token(grant_type="authorization_code", code=huge).json["error"] == "invalid_request"


def test_too_many_parameters(house: Any) -> None:
    """A thousand parameters are refused."""
    answer = house.test.authorize(extra=tuple((f"p{number}", "x") for number in range(1000)))
    assert answer.status_code == 400


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_posted_request_must_be_a_form(house: Any, kind: str) -> None:
    """A posted authorization request or sign-in of another type is refused by a page."""
    for path in ("authorize", "authorize/sign-in"):
        assert house.test.post(f"/oauth2/default/v1/{path}", data=b"{}", content_type=kind).status_code == 400


# the page


def test_page_escapes_a_hostile_name(support: Any) -> None:
    """A hostile application name is text on the page and nothing else."""
    name = "<script>alert(1)</script>\"'&{{7*7}}"
    house = support.House(name)
    page = house.test.authorize(login_hint='"><img src=x onerror=alert(1)>').text
    house.close()
    assert "<script" not in page
    assert "<img" not in page
    assert name in unescape(page)
    assert "49" not in page.split("<main>")[1].split("<form")[0]


def test_page_headers_and_words(house: Any) -> None:
    """The page names application and scopes, is never stored, framed or scripted, and may post on to the redirect URI."""
    page = house.test.authorize()
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://localhost:8765" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "Reading Room" in page.text
    assert "send data to the Lung Cancer Screening Registry for you" in page.text
    assert '<html lang="en">' in page.text
    assert 'label for="username"' in page.text


def test_denied(house: Any, support: Any) -> None:
    """A denial goes back as access_denied, by 303."""
    answer = house.test.press(house.test.authorize(), "deny")
    assert answer.status_code == 303
    back = support.returned(answer)
    assert (back["error"], back["state"]) == ("access_denied", "st-1")
    assert "code" not in back


@pytest.mark.parametrize(("user", "password"), [(1, "not-this"), (2, "pass1"), (9, "pass1")])
def test_wrong_password_shows_the_form_again(house: Any, user: int, password: str) -> None:
    """A wrong user name or password shows the form again, and the next try works."""
    again = house.test.press(house.test.authorize(), user=user, password=password)
    assert again.status_code == 401
    assert 'role="alert"' in again.text
    assert f'value="user{user}"' in again.text
    assert password not in again.text
    assert house.test.press(again).status_code == 303


def test_no_button_shows_the_form_again(house: Any) -> None:
    """A form without a decision signs nobody in."""
    assert house.test.press(house.test.authorize(), "").status_code == 401


@pytest.mark.parametrize("change", ["forged", "missing", "twice", "foreign", "old", "cut"])
def test_form_that_was_not_made_here(house: Any, support: Any, change: str) -> None:
    """A form whose hidden value is forged, missing, repeated, of another application or too old is refused."""
    source = house.other if change == "foreign" else house.test
    value = support.hidden(source.authorize().text)["request"]
    values = {
        "forged": [value[:-4] + "AAAA"],
        "missing": [],
        "twice": [value, value],
        "foreign": [value],
        "old": [value],
        "cut": [value[:20]],
    }[change]
    if change == "old":
        house.clock.wait(1201)
    form = [("username", "user1"), ("password", "pass1"), ("decision", "allow"), *(("request", item) for item in values)]
    from urllib.parse import urlencode  # noqa: PLC0415 - used here only

    answer = house.test.post("/oauth2/default/v1/authorize/sign-in", data=urlencode(form), content_type=FORM)
    assert answer.status_code == 400
    assert house.last().refusal.code == "acrmock:sign-in-expired"


def test_redirect_url_unregistered_meanwhile(house: Any) -> None:
    """A form shown for a redirect URI that is no longer registered is not followed."""
    page = house.test.authorize()
    house.test.change(redirect_urls=("https://elsewhere.example/",))
    assert house.test.press(page).status_code == 400


# the token endpoint


def test_code_reuse_revokes(house: Any) -> None:
    """A code used twice is refused, and what came of it dies."""
    party = house.test
    code = party.code()
    tokens = party.redeem(code).json
    refused = party.redeem(code)
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert house.last().facts.grant.grant_state == "reused"
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401
    assert house.last().facts.bearer.state == "revoked"
    assert party.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


def test_redirect_uri_must_be_equal(house: Any) -> None:
    """The token request's redirect URI must equal the authorization request's; a good try afterwards works."""
    party = house.test
    code = party.code()
    for uri in ("https://localhost:8765/callback/", None):
        assert party.redeem(code, redirect_uri=uri).json["error"] == "invalid_grant"
        assert house.last().facts.grant.redirect_equal is False
    assert party.redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("challenged", "verifier", "state", "status"),
    [
        (True, "a-verifier-that-is-long-enough-for-the-rules-43", "match", 200),
        (True, "another-verifier-that-is-long-enough-for-rules", "mismatch", 400),
        (True, "short", "mismatch", 400),
        (True, None, "absent", 400),
        (False, None, "not-used", 200),
        (False, "a-verifier-that-is-long-enough-for-the-rules-43", "unexpected", 400),
    ],
)
def test_pkce_matrix(house: Any, challenged: Any, verifier: str | None, state: str, status: int) -> None:
    """PKCE is enforced whenever a challenge was sent, and a verifier without a challenge is refused."""
    party = house.test
    changes = {} if challenged else {"code_challenge": None, "code_challenge_method": None}
    answer = party.redeem(party.code(**changes), code_verifier=verifier)
    assert answer.status_code == status
    assert house.last().facts.grant.verifier == state
    if status != 200:
        assert answer.json["error"] == "invalid_grant"
        assert house.last().refusal.code == "acrmock:token-pkce-mismatch"


def test_basic_authentication(house: Any) -> None:
    """The secret may come by Basic, form-encoded inside."""
    party = house.test
    answer = party.redeem(party.code(), authorization=_basic(party.client_id, party.secret), client_id=None, client_secret=None)
    assert answer.status_code == 200
    assert house.last().facts.client.methods == ("basic",)


def test_two_methods_at_once(house: Any) -> None:
    """Secret by body and by Basic at once is refused."""
    party = house.test
    answer = party.redeem(party.code(), authorization=_basic(party.client_id, party.secret))
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert house.last().facts.client.methods == ("basic", "body")
    assert house.last().refusal.code == "acrmock:token-client-two-methods"


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff\xfe:x").decode(), "Basic " + base64.b64encode(b"nocolon").decode(),
     "Bearer x", "Basic " + base64.b64encode(b":x").decode(), _basic("nobody", "x"), "Digest a=b"],
)  # fmt: skip
def test_bad_basic_headers(house: Any, header: str) -> None:
    """A Basic header that cannot be read, or names nobody, is invalid_client with a challenge."""
    party = house.test
    answer = party.redeem(party.code(), authorization=header, client_id=None, client_secret=None)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("change", "whose"), [
    ({"client_secret": "wrong"}, "own"), ({"client_secret": None}, "own"), ({"client_id": None, "client_secret": None}, ""),
    ({"client_id": "0oadefaultproduction"}, "other-environment"), ({"client_id": "0oaothertest"}, "other-application"),
])  # fmt: skip
def test_client_not_authenticated(house: Any, change: dict[str, Any], whose: str) -> None:
    """A wrong, missing or foreign client is refused, and the journal says whose it was."""
    answer = house.test.redeem(house.test.code(), **change)
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert house.last().facts.client.whose == whose
    assert house.last().facts.client.authenticated is False
    assert house.last().refusal.fields


@pytest.mark.parametrize(("form", "error"), [
    ({"grant_type": "password", "username": "user1", "password": "pass1"}, "unsupported_grant_type"),
    ({"grant_type": '\u202e"\\'}, "unsupported_grant_type"),
    ({"grant_type": None}, "invalid_request"), ({"grant_type": ""}, "invalid_request"),
    ({"grant_type": "authorization_code"}, "invalid_request"), ({"grant_type": "refresh_token"}, "invalid_request"),
    ({"grant_type": "authorization_code", "code": "made-up"}, "invalid_grant"),
    ({"grant_type": "refresh_token", "refresh_token": "made-up"}, "invalid_grant"),
])  # fmt: skip
def test_token_errors(house: Any, form: dict[str, Any], error: str) -> None:
    """Each error of RFC 6749 section 5.2, as JSON that is never stored."""
    answer = house.test.token(**form)
    assert (answer.status_code, answer.json["error"]) == (400, error)
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert house.last().refusal.code.startswith("acrmock:token-")


def test_access_token_is_no_refresh_token(house: Any) -> None:
    """An access token does not refresh."""
    assert house.test.refresh(house.test.tokens()["access_token"]).json["error"] == "invalid_grant"


def test_refresh_scope(house: Any) -> None:
    """A refresh may narrow the scope and never widen it."""
    party = house.test
    token = party.tokens(scope="openid offline_access lcsr_data_submission")["refresh_token"]
    assert party.refresh(token, scope="openid").json["scope"] == "openid"
    refused = party.refresh(token, scope="openid profile")
    assert (refused.status_code, refused.json["error"]) == (400, "invalid_scope")
    assert party.refresh(token).json["scope"] == "openid offline_access lcsr_data_submission"


def test_duplicate_token_parameter(house: Any) -> None:
    """A repeated field in the token request is refused."""
    client = f"client_id={house.test.client_id}&client_secret={house.test.secret}"
    body = f"grant_type=refresh_token&refresh_token=a&refresh_token=b&{client}"
    answer = house.test.post("/oauth2/default/v1/token", data=body, content_type=FORM)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_token_request_as_json(house: Any) -> None:
    """A token request that is no form is refused; so is one by GET, with its parameters in the query."""
    answer = house.test.post(
        "/oauth2/default/v1/token", data=json.dumps({"grant_type": "refresh_token"}), content_type="application/json"
    )
    assert answer.json["error"] == "invalid_request"
    assert house.test.get("/oauth2/default/v1/token?grant_type=refresh_token").status_code == 405


def test_user_gone(house: Any) -> None:
    """When the user is gone, code, refresh token and access token are worth nothing."""
    party = house.test
    code, tokens = party.code(), party.tokens()
    party.change(users=())
    assert party.redeem(code).json["error"] == "invalid_grant"
    assert party.refresh(tokens["refresh_token"]).status_code == 400
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert party.get("/oauth2/default/v1/userinfo", headers=bearer).status_code == 401


def test_token_from_an_address_that_may_not(house: Any) -> None:
    """Token and userinfo are back-channel: the allowlist holds there, and not for the page."""
    party = house.test
    party.change(local_sources=("192.0.2.0/24",))
    assert party.token(grant_type="refresh_token").status_code == 403
    assert party.get("/oauth2/default/v1/userinfo").status_code == 403
    assert party.authorize().status_code == 200
    assert party.get("/oauth2/default/.well-known/openid-configuration").status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Basic eA==", "bearer \x00", "Bearer a b"])
def test_odd_bearers(house: Any, header: str) -> None:
    """A bearer that is none is refused."""
    assert house.test.get("/oauth2/default/v1/userinfo", headers={"Authorization": header}).status_code == 401


def test_form_action_admits_an_international_host() -> None:
    """The policy names the host of an international redirect URL by its A-labels: a header holds nothing beyond ASCII."""
    assert origin_source("https://bücher.example:8443/cb?x=1") == "https://xn--bcher-kva.example:8443"
    assert origin_source("https://[::1]:8765/cb") == "https:"
