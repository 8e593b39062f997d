"""RFC 9700 (BCP 240) point by point; `docs/rfc9700.md` is made from the marks of these tests and how they end."""

from __future__ import annotations

import base64
import hmac
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

FORM = "application/x-www-form-urlencoded"
TABLE = Path(__file__).parents[3] / "docs" / "rfc9700.md"
point = pytest.mark.rfc9700


def _bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _userinfo(party: Any, tokens: dict[str, Any]) -> int:
    return int(party.get("/oauth2/default/v1/userinfo", headers=_bearer(tokens)).status_code)


@point("2.1, 4.1.3", "compare redirect URIs exactly", "byte for byte with the registered ones; nothing is normalised")
@pytest.mark.parametrize("change", ["/", "?x=1", "#x", "/../callback", "%2e"])
def test_redirect_uri_exact(house: Any, change: str) -> None:
    """A redirect URI that differs in anything gets a page."""
    answer = house.test.authorize(redirect_uri=f"https://localhost:8765/callback{change}")
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)


@point("2.1, 4.11.2", "be no open redirector", "no error is sent to an address that is not registered; it is shown as a page")
@pytest.mark.parametrize("change", [{"client_id": "unknown"}, {"scope": "x"}, {"response_type": "token"}, {"prompt": "none"}])
def test_no_open_redirector(house: Any, change: dict[str, str]) -> None:
    """Whatever else is wrong, an unregistered address is never followed, after a sign-in or after a logout."""
    answer = house.test.authorize(redirect_uri="https://evil.example/", **change)
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)
    left = house.test.get("/oauth2/default/v1/logout?post_logout_redirect_uri=https://evil.example/&" + urlencode(change))
    assert (left.status_code, left.headers.get("Location")) == (400, None)


@point("2.1.1, 4.8.2", "support PKCE and say so", "S256, named in the metadata; a sent challenge is enforced")
def test_pkce_supported(house: Any) -> None:
    """The metadata names S256, and a code with a challenge is worth nothing without its verifier."""
    metadata = house.test.get("/oauth2/default/.well-known/openid-configuration").json
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert house.test.redeem(house.test.code(), code_verifier=None).json["error"] == "invalid_grant"
    assert house.test.redeem(house.test.code(), code_verifier="w" * 43).json["error"] == "invalid_grant"


@point("2.1.1", "use methods that do not expose the verifier", "`plain` is refused, spelled out or by default")
@pytest.mark.parametrize("method", ["plain", None, "s256"])
def test_plain_refused(house: Any, support: Any, method: str | None) -> None:
    """A challenge whose method is not S256 is refused."""
    assert support.returned(house.test.authorize(code_challenge_method=method))["error"] == "invalid_request"


@point("2.1.1, 4.8.2", "mitigate PKCE downgrade", "a verifier for a code without a challenge is refused")
def test_pkce_downgrade(house: Any) -> None:
    """A verifier for a code that was asked for without a challenge is refused."""
    code = house.test.code(code_challenge=None, code_challenge_method=None)
    assert house.test.redeem(code).json["error"] == "invalid_grant"


@point("2.1.2", "do not use the implicit grant", "only `response_type=code` is offered")
@pytest.mark.parametrize("kind", ["token", "id_token", "id_token token", "code token", "code id_token"])
def test_no_implicit_grant(house: Any, support: Any, kind: str) -> None:
    """No token ever stands in an authorization answer."""
    assert support.returned(house.test.authorize(response_type=kind))["error"] == "unsupported_response_type"


@point("2.2.2, 4.14.2", "detect replay of refresh tokens", "in the rotating modes, reuse revokes the whole family")
def test_refresh_reuse(house: Any) -> None:
    """A refresh token used twice kills what came of it, also what its thief or owner got meanwhile."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate"})
    first = party.tokens()
    second = party.refresh(first["refresh_token"]).json
    assert party.refresh(first["refresh_token"]).json["error"] == "invalid_grant"
    assert party.refresh(second["refresh_token"]).json["error"] == "invalid_grant"
    assert _userinfo(party, second) == 401


@point("2.3, 4.10.2", "restrict tokens to an audience", "the access token has an `aud`, and counts only in its own environment")
def test_audience(house: Any, support: Any) -> None:
    """A token of one environment or application opens nothing in another."""
    tokens = house.test.tokens()
    claims = jwt.decode(tokens["access_token"], RSAKey.import_key(support.SIGNING), ["RS256"]).claims
    assert claims["aud"] == "api://default"
    assert [_userinfo(party, tokens) for party in (house.test, house.production, house.other)] == [200, 401, 401]


@point("2.3", "restrict tokens to the scopes needed", "a registry is opened only by its own scope")
def test_scope(house: Any) -> None:
    """A token without the registry's scope is refused by name of the scope."""
    access = house.test.tokens(scope="openid")["access_token"]
    answer = house.test.submit(house.test.transaction(), bearer=access)
    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="lcsr_data_submission"' in answer.headers["WWW-Authenticate"]


@point("2.4", "do not use the password grant", "only `authorization_code` and `refresh_token` are offered")
@pytest.mark.parametrize("grant", ["password", "client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"])
def test_no_password_grant(house: Any, grant: str) -> None:
    """Other grants are refused."""
    answer = house.test.token(grant_type=grant, username="user1", password="pass1")
    assert answer.json["error"] == "unsupported_grant_type"


@point("2.5", "authenticate clients", "a secret by body or Basic, by exactly one of them; compared by keyed digest")
def test_client_authentication(house: Any) -> None:
    """Without its secret, or with it in two places, no client gets anything; comparison does not depend on the value."""
    party = house.test
    basic = "Basic " + base64.b64encode(f"{party.client_id}:{party.secret}".encode()).decode()
    assert party.redeem(party.code(), client_secret=None).json["error"] == "invalid_client"
    assert party.redeem(party.code(), authorization=basic).json["error"] == "invalid_request"
    assert party.redeem(party.code(), authorization=basic, client_secret=None).status_code == 200


@point("2.5", "compare secrets in constant time", "digests of equal length go through `hmac.compare_digest`")
def test_constant_time(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison of a secret or password is one of digests that are equally long whatever was sent."""
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def watched(one: Any, other: Any) -> bool:
        lengths.append((len(one), len(other)))
        return bool(compare(one, other))

    monkeypatch.setattr(hmac, "compare_digest", watched)
    party = house.test
    for guess in ("x", "x" * 4000, party.secret[:-1]):
        party.token(grant_type="refresh_token", refresh_token="r", client_secret=guess)
        party.press(party.authorize(), password=guess)
    assert len(lengths) >= 6
    assert all(one == other for one, other in lengths)


@point("2.6", "publish metadata", "both discovery documents, with every endpoint and method")
def test_metadata(house: Any) -> None:
    """OpenID Connect's and RFC 8414's documents are the same, and the issuer is the one that was asked."""
    found = house.test.get("/oauth2/default/.well-known/openid-configuration").json
    other = house.client.get("/.well-known/oauth-authorization-server/test/oauth2/default").json
    assert found == other
    assert found["issuer"] == "https://localhost:8443/test/oauth2/default"


@point(
    "2.1, 4.4.2",
    "defend against mix-up",
    "`iss` in every answer, errors too (RFC 9207); an issuer per application",
)
def test_mix_up(house: Any, support: Any) -> None:
    """Code and error answers name the issuer, each application's its own."""
    for party in (house.test, house.production, house.other):
        issuer = party.get("/oauth2/default/.well-known/openid-configuration").json["issuer"]
        assert support.returned(party.press(party.authorize()))["iss"] == issuer
        assert support.returned(party.authorize(scope="x"))["iss"] == issuer
        assert support.returned(party.press(party.authorize(), "deny"))["iss"] == issuer


@point("4.2.4", "do not leak by Referer", "`Referrer-Policy: no-referrer` on every page and redirect")
def test_no_referrer(house: Any) -> None:
    """Sign-in page, error page and redirects tell no other site where the browser came from."""
    page = house.test.authorize()
    for answer in (page, house.test.press(page), house.test.authorize(redirect_uri="x"), house.test.authorize(scope="x")):
        assert answer.headers["Referrer-Policy"] == "no-referrer"


@point(
    "4.3.1",
    "keep codes out of histories and caches",
    "`no-store` everywhere; `form_post` offered; codes live 60 s, once",
)
def test_no_store(house: Any, support: Any) -> None:
    """What holds a code or token is never stored, and a code need not stand in a URL."""
    page = house.test.authorize(response_mode="form_post")
    posted = house.test.press(page)
    token = house.test.redeem(support.hidden(posted.text)["code"])
    for answer in (page, posted, token, house.test.press(house.test.authorize()), house.test.token(grant_type="x")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Pragma"] == "no-cache"


@point("4.5.3", "bind codes to the client and the request", "a code counts for its own client, redirect URI and verifier only")
def test_code_injection(house: Any) -> None:
    """A code stolen for another client, address or request is worth nothing."""
    code = house.test.code()
    assert house.other.redeem(code).json["error"] == "invalid_grant"
    assert house.production.redeem(code).json["error"] == "invalid_grant"
    uri = "https://[::1]:8765/callback?fixed=a%20b"
    assert house.test.redeem(code, redirect_uri=uri).json["error"] == "invalid_grant"


@point("4.5, RFC 6749 4.1.2", "codes are used once", "reuse is refused and revokes what the code gave")
def test_code_reuse(house: Any) -> None:
    """A code used again takes its tokens with it."""
    code = house.test.code()
    tokens = house.test.redeem(code).json
    assert house.test.redeem(code).json["error"] == "invalid_grant"
    assert _userinfo(house.test, tokens) == 401
    assert house.test.refresh(tokens["refresh_token"]).json["error"] == "invalid_grant"


@point(
    "4.7.1",
    "defend against CSRF",
    "`state` comes back unchanged; a form needs its page's sealed value and site",
)
def test_csrf(house: Any, support: Any) -> None:
    """A form without the page's value, with another application's, or from another site's page signs nobody in."""
    good = {"username": "user1", "password": "pass1", "decision": "allow"}
    path = "/oauth2/default/v1/authorize/sign-in"
    foreign = support.hidden(house.other.authorize().text)["request"]
    for form in (good, good | {"request": foreign}, good | {"request": "x.y"}):
        assert house.test.post(path, data=urlencode(form), content_type=FORM).status_code == 400
    form = support.hidden(house.test.authorize().text) | good
    headers = {"Origin": "https://evil.example"}
    assert house.test.post(path, data=urlencode(form), content_type=FORM, headers=headers).status_code == 400
    assert support.returned(house.test.press(house.test.authorize(state="s&=%/+ \N{SNOWMAN}")))["state"] == "s&=%/+ \N{SNOWMAN}"


@point("4.7", "protect the browser session", "a new cookie with every sign-in: HttpOnly, Secure, SameSite=Lax, own path")
def test_session_fixation(house: Any) -> None:
    """A cookie that was planted before the sign-in is not the one that is signed in after it."""
    path = "/test/oauth2/default"
    house.client.set_cookie("acrmock-session", "planted", path=path)
    cookie = house.test.press(house.test.authorize()).headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", f"Path={path}"} <= set(cookie.split("; "))
    house.client.set_cookie("acrmock-session", "planted", path=path)
    assert "signed in as" not in house.test.authorize().text


@point("4.12", "redirect by 303", "303 after the form, so that no browser posts the password on")
def test_303(house: Any) -> None:
    """The answer to a posted form is a 303, whatever the decision."""
    for decision in ("allow", "deny"):
        assert house.test.press(house.test.authorize(), decision).status_code == 303


@point(
    "4.13",
    "trust no forwarded headers blindly",
    "issuer and links come from the configured URL, never from a header",
)
def test_host_header(house: Any) -> None:
    """Another Host or forwarded host changes neither issuer nor endpoints."""
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    answer = house.test.get("/oauth2/default/.well-known/openid-configuration", headers=headers)
    assert "evil" not in answer.text
    assert "evil" not in house.test.get("/oauth2/default/v1/authorize", headers=headers).text


@point("4.14.2", "refresh tokens expire, revocably", "an absolute end kept over rotation; revocation takes the family (RFC 7009)")
def test_refresh_end(house: Any) -> None:
    """Rotation does not lengthen a refresh token's life."""
    party = house.test
    party.change(settings={"auth.refresh_mode": "rotate", "auth.refresh_token_lifetime": 100})
    first = party.tokens()["refresh_token"]
    house.clock.wait(60)
    second = party.refresh(first).json["refresh_token"]
    house.clock.wait(41)
    assert party.refresh(second).json["error"] == "invalid_grant"


@point("4.15", "keep client and user apart", "`sub` is always a user's; a client gets no tokens for itself")
def test_sub_is_a_user(house: Any, support: Any) -> None:
    """The subject of a token is the user's, shaped unlike any client ID."""
    claims = jwt.decode(house.test.tokens()["access_token"], RSAKey.import_key(support.SIGNING), ["RS256"]).claims
    assert claims["sub"].startswith("00u")
    assert claims["client_id"] == house.test.client_id


@point("4.16", "prevent clickjacking", "`frame-ancestors 'none'` and `X-Frame-Options: DENY` on every page")
def test_clickjacking(house: Any) -> None:
    """No page may be framed."""
    for answer in (house.test.authorize(), house.test.authorize(redirect_uri="x"), house.test.get("/oauth2/default/v1/logout")):
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"


@point(
    "4.16",
    "restrict pages by a content security policy",
    "no script but form_post's; forms go here and to the redirect",
)
def test_content_security_policy(house: Any) -> None:
    """The policy forbids everything but the page's own style and the ways that its form must go."""
    policy = house.test.authorize().headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "form-action 'self' https://localhost:8765;" in policy
    assert "base-uri 'none'" in policy
    assert "script-src" not in policy
    posted = house.test.press(house.test.authorize(response_mode="form_post"))
    nonce = re.search(r"script-src 'nonce-([^']+)'", posted.headers["Content-Security-Policy"])
    assert nonce is not None
    assert posted.text.count("<script") == posted.text.count(f'<script nonce="{nonce[1]}">') == 1


@point("4.17", "send no answers by postMessage", "not offered: answers go by query or form_post only")
def test_no_web_message(house: Any, support: Any) -> None:
    """Other response modes are refused."""
    for mode in ("web_message", "fragment", "jwt"):
        assert support.returned(house.test.authorize(response_mode=mode))["error"] == "invalid_request"


def test_the_table_is_up_to_date(request: pytest.FixtureRequest) -> None:
    """Every point stands in the table of the documentation with its test."""
    text = TABLE.read_text(encoding="utf-8")
    marks = {(item.originalname, mark.args) for item in request.session.items for mark in item.iter_markers("rfc9700")}
    for name, (section, asked, does) in marks:
        assert f"| {section} | {asked} | {does} | `{name}` | " in text, "run: python tools/rfc9700.py"
