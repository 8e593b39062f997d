"""How the reference vendor signs in and keeps its tokens: Authlib's client, discovery, state, nonce, PKCE, ID token.

Each decision is a method of its own, so that a broken vendor is wrong in one of them and right in all others.
"""

from __future__ import annotations

import hmac
import os
import secrets
import subprocess
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from acrmock.clock import Clock
from conformance.vendors.config import Registration, VendorError
from conformance.vendors.idtoken import verify
from conformance.vendors.listener import Listener

TIMEOUT = 20.0
BROWSER_WINDOW = 45.0
CLOCK_SKEW = 60


class Attempt(msgspec.Struct, kw_only=True):
    """The secrets of one sign-in, made anew for each (RFC 9700 section 2.1); an empty one is not sent."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class Authentication:
    """The authentication side of the vendor.

    `token` is what is kept (None before the first sign-in), `keep` is called whenever it changes, `say` writes the log,
    `browser` opens an address for the user (None: what BROWSER names, else the system's). `issuer` is the issuer's name where
    the guide says that it differs from the address that discovery is read from (fact N1.24).
    """

    def __init__(
        self,
        registration: Registration,
        *,
        clock: Clock,
        token: dict[str, Any] | None,
        keep: Callable[[dict[str, Any]], None],
        say: Callable[[str], None],
        certificate: tuple[Path, Path] | None = None,
        browser: Callable[[str], object] | None = None,
        issuer: str = "",
    ) -> None:
        self.registration = registration
        self.issuer = issuer or registration.issuer
        self.clock = clock
        self.browser = browser
        self.token = token
        self.keep = keep
        self.say = say
        self.certificate = certificate
        self._metadata: dict[str, Any] | None = None

    # --- what is known of the server -----------------------------------------------------------------------------

    def metadata(self) -> dict[str, Any]:
        """The authorization server's metadata, discovered once per process (OpenID Connect Discovery section 4)."""
        if self._metadata is None:
            self._metadata = self.discover()
        return self._metadata

    def discover(self) -> dict[str, Any]:
        """Read the metadata from the issuer and check that it is the issuer's own."""
        with self.plain_session() as session:
            answer = session.get(f"{self.registration.issuer}/.well-known/openid-configuration", timeout=TIMEOUT)
        document = _json(answer, "discovery")
        if document.get("issuer") != self.issuer:
            raise VendorError("discovery names another issuer", expected=self.issuer, actual=str(document.get("issuer")))
        return document

    def plain_session(self) -> requests.Session:
        """A session without credentials that trusts acrmock's authority."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self.registration.ca_file or True
        return session

    def oauth_session(self) -> OAuth2Session:
        """Authlib's client, with what was registered and the token that is kept."""
        session = OAuth2Session(
            client_id=self.client_id(),
            client_secret=self.registration.client_secret,
            scope=self.scope(),
            redirect_uri=self.registration.redirect_url,
            token=self.token,
            token_endpoint=self.metadata()["token_endpoint"],
            token_endpoint_auth_method=self.client_authentication(),
            code_challenge_method="S256",
            update_token=self._updated,
            leeway=1,
            default_timeout=TIMEOUT,
        )
        session.trust_env = False
        session.verify = self.registration.ca_file or True
        return session

    def client_id(self) -> str:
        """The client ID as issued."""
        return self.registration.client_id

    def scope(self) -> str:
        """The scopes to ask for: all that were registered."""
        return " ".join(self.registration.scopes)

    def client_authentication(self) -> str:
        """How the client proves itself at the token endpoint: the secret in the body (fact N1.19)."""
        return "client_secret_post"

    # --- signing in ----------------------------------------------------------------------------------------------

    def new_attempt(self) -> Attempt:
        """Fresh secrets for one sign-in."""
        return Attempt(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            redirect_uri=self.registration.redirect_url,
        )

    def authorization_parameters(self, attempt: Attempt) -> dict[str, str]:
        """What is added to the authorization request beyond RFC 6749's own parameters."""
        return {"nonce": attempt.nonce} if attempt.nonce else {}

    def authorization_url(self, session: OAuth2Session, attempt: Attempt) -> str:
        """The address that the user's browser is sent to (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
        url, _ = session.create_authorization_url(
            self.metadata()["authorization_endpoint"],
            state=attempt.state,
            code_verifier=attempt.verifier or None,
            redirect_uri=attempt.redirect_uri,
            **self.authorization_parameters(attempt),
        )
        return str(url)

    def sign_in(self) -> None:
        """Sign in with a person's help: browser, redirect, code, tokens, and the ID token checked."""
        self._metadata = None  # endpoints may have moved since
        attempt = self.new_attempt()
        with self.oauth_session() as session:
            answer = self.ask_the_user(self.authorization_url(session, attempt), attempt)
            self.check_answer(answer)
            token = self.redeem(session, answer, attempt)
        self.check_id_token(token, attempt)
        self._kept(token)
        self.say("signed in")
        self.read_userinfo()

    def ask_the_user(self, url: str, attempt: Attempt) -> str:
        """Open the browser and wait for it to come back with this attempt's state; other replies are dropped."""
        give_up = self.clock.monotonic() + BROWSER_WINDOW
        with self.door() as listener:
            self.open_browser(url)
            while (answer := listener.wait(give_up - self.clock.monotonic())) is not None:
                if hmac.compare_digest(_parameter(answer, "state"), attempt.state):
                    return answer
                self.say("a reply with another state was dropped")
        raise VendorError("nobody came back from the sign-in page", expected=f"a redirect within {BROWSER_WINDOW:.0f} s")

    def door(self) -> Listener:
        """The listener on the redirect URL."""
        return Listener(self.registration.redirect_url, self.certificate)

    def open_browser(self, url: str) -> None:
        """Open `url` in the browser that was given, else in what BROWSER names, else in the system's."""
        browser = os.environ.get("BROWSER")
        if self.browser is not None:
            self.browser(url)
        elif browser and Path(browser).is_file():
            subprocess.run([browser, url], check=False, timeout=TIMEOUT)  # noqa: S603 - the user's own choice
        else:
            webbrowser.open(url)

    def check_answer(self, answer: str) -> None:
        """Refuse an answer that is an error or another issuer's (RFC 6749 section 4.1.2.1, RFC 9207)."""
        if error := _parameter(answer, "error"):
            raise VendorError("the sign-in was refused", actual=f"{error}: {_parameter(answer, 'error_description')}")
        issuer = _parameter(answer, "iss")
        if issuer and issuer != self.issuer:
            raise VendorError("the answer is another issuer's", expected=self.issuer, actual=issuer)

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Swap the code for tokens, once (RFC 6749 section 4.1.3)."""
        return self.token_request(
            session, code=_parameter(answer, "code"), verifier=attempt.verifier, redirect_uri=attempt.redirect_uri
        )

    def token_request(self, session: OAuth2Session, *, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """One token request by authorization code; raises `VendorError` when it is refused."""
        extra = {"code_verifier": verifier} if verifier else {}
        try:
            token = session.fetch_token(grant_type="authorization_code", code=code, redirect_uri=redirect_uri, **extra)
        except (OAuthError, requests.RequestException, ValueError) as error:
            raise VendorError("the code was not exchanged", actual=str(error)) from error
        return dict(token)

    def check_id_token(self, token: dict[str, Any], attempt: Attempt) -> None:
        """Verify signature, issuer, audience, times and nonce of the ID token (OpenID Connect Core section 3.1.3.7)."""
        with self.plain_session() as session:
            found = _json(session.get(self.metadata()["jwks_uri"], timeout=TIMEOUT), "the keys")
        verify(
            str(token.get("id_token")),
            found,
            issuer=self.issuer,
            audience=self.client_id(),
            nonce=attempt.nonce,
            now=self.clock.now(),
        )

    def read_userinfo(self) -> None:
        """Read who signed in, to show it to the user."""
        answer = self.call("GET", self.metadata()["userinfo_endpoint"])
        self.say(f"signed in as {answer.json().get('name', 'somebody')}" if answer.ok else f"userinfo: {answer.status_code}")

    # --- using and refreshing tokens -----------------------------------------------------------------------------

    def call(self, method: str, url: str, **options: Any) -> requests.Response:
        """One protected request; a 401 leads to a refresh, a dead refresh token to a new sign-in, each once."""
        self.ensure_token()
        answer = self.protected(method, url, **options)
        if answer.status_code != 401:
            return answer
        self.say("the access token was refused")
        self.renew()
        return self.protected(method, url, **options)

    def ensure_token(self) -> None:
        """See that there is an access token that has not expired yet, without a person where that is possible."""
        if self.token is None:
            self.sign_in()
        elif self.token.get("expires_at") and self.clock.now().timestamp() >= self.token["expires_at"] - 1:
            self.renew()

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """One request with the access token in the Authorization header (RFC 6750 section 2.1)."""
        with self.oauth_session() as session:
            session.leeway = -CLOCK_SKEW  # `ensure_token` has decided; the library must not refresh behind its back
            try:
                return session.request(method, url, allow_redirects=False, **options)  # type: ignore[no-any-return]
            except requests.RequestException as error:
                raise VendorError("the request failed", where=url, actual=str(error)[:300]) from error

    def renew(self) -> None:
        """A new access token: by refresh token, else by signing in."""
        try:
            self.refresh()
        except VendorError as error:
            self.say(f"{error}; signing in again")
            self.sign_in()

    def refresh(self) -> None:
        """Use the refresh token (RFC 6749 section 6); a new one in the answer replaces the old one."""
        refresh_token = (self.token or {}).get("refresh_token")
        if not refresh_token:
            raise VendorError("there is no refresh token")
        with self.oauth_session() as session:
            try:
                session.refresh_token(session.metadata["token_endpoint"], refresh_token=refresh_token)
            except (OAuthError, requests.RequestException, ValueError) as error:
                raise VendorError("the refresh token is dead", actual=str(error)) from error
        self.say("refreshed the access token")

    def _updated(self, token: dict[str, Any], refresh_token: str | None = None, access_token: str | None = None) -> None:
        del refresh_token, access_token
        self._kept(dict(token))

    def _kept(self, token: dict[str, Any]) -> None:
        self.token = token
        self.keep(token)


def _parameter(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query, keep_blank_values=True).get(name, [""])[0]


def _json(answer: requests.Response, what: str) -> dict[str, Any]:
    try:
        document = answer.json() if answer.ok else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise VendorError(f"{what} cannot be read", where=answer.url, actual=f"status {answer.status_code}")
    return document
