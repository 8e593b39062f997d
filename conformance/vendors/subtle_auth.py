"""Further vendors that sign in or use their tokens wrongly: less plainly than those of `broken_auth`."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session

from conformance.vendors.auth import TIMEOUT, Attempt, Authentication
from conformance.vendors.broken_auth import Erring, Prescribed, StartOver, elsewhere, fails
from conformance.vendors.config import VendorError
from conformance.vendors.listener import Listener, Page


class _OwnState(Authentication):
    """Makes its state in a way of its own."""

    def new_attempt(self) -> Attempt:
        """An attempt with such a state."""
        attempt = super().new_attempt()
        attempt.state = self.own_state()
        return attempt

    def own_state(self) -> str:
        """The state of the next sign-in."""
        raise NotImplementedError


@fails("auth-state-unique:counter")
class CountingState(_OwnState):
    """Counts its sign-ins in the state, behind a long constant."""

    def own_state(self) -> str:
        """A constant and a number."""
        return f"Xq7RmL2vTz9KpWc4NdB8sHf3YjG6aEu1-{1 if self.token is None else 2:06d}"


@fails("auth-state-unique:time")
class TimelyState(_OwnState):
    """Uses the time as state, in microseconds."""

    def own_state(self) -> str:
        """Microseconds since 1970."""
        return str(int(self.clock.now().timestamp() * 1_000_000))


@fails("auth-state-unique:short")
class ShortState(_OwnState):
    """Uses a random state of eight characters."""

    def own_state(self) -> str:
        """Thirty-two random bits."""
        return secrets.token_hex(4)


@fails("auth-nonce:constant")
class SameNonce(Prescribed):
    """Sends the same nonce each time."""

    prescribed: ClassVar[Mapping[str, str]] = {"nonce": "p4WcXq7RmL2vTz9KNdB8sHf3YjG6aEu1oVbQiZ5kMtE"}


@fails("auth-pkce:constant")
class SameVerifier(Prescribed):
    """Uses one PKCE verifier for all its sign-ins."""

    prescribed: ClassVar[Mapping[str, str]] = {"verifier": "b8sHf3YjG6aEu1oVbQiZ5kMtEp4WcXq7RmL2vTz9KNdB0xUyJr"}


class _Probing(Erring):
    """Opens the authorization endpoint by itself once, with a wrong request, before it asks the user rightly."""

    def ask_the_user(self, url: str, attempt: Attempt) -> str:
        """The wrong request, then the right one with secrets of its own."""
        if self.first_time():
            with self.plain_session() as session, self.oauth_session() as client:
                session.get(
                    self.wrong(self.authorization_url(client, self.new_attempt())), timeout=TIMEOUT, allow_redirects=False
                )
        return super().ask_the_user(url, attempt)

    def wrong(self, url: str) -> str:
        """The address of the wrong request, made from a right one."""
        raise NotImplementedError


@fails("auth-pkce:plain")
class PlainChallenge(_Probing):
    """Once asks with the challenge method `plain`."""

    def wrong(self, url: str) -> str:
        """The same challenge, said to be plain."""
        return url.replace("code_challenge_method=S256", "code_challenge_method=plain")


@fails("auth-code-flow:hybrid")
class Hybrid(_Probing):
    """Once asks for an ID token beside the code."""

    def wrong(self, url: str) -> str:
        """The hybrid flow."""
        return url.replace("response_type=code", "response_type=code+id_token")


@fails("auth-redirect-exact:query")
class RedirectWithQuery(_Probing):
    """Once adds a query to its redirect URI, to remember where the user was."""

    def wrong(self, url: str) -> str:
        """The redirect URI with more behind it."""
        path = urlsplit(self.registration.redirect_url).path.rpartition("/")[2]
        return url.replace(f"{path}&", f"{path}%3Freturn%3Dworklist&", 1)


@fails("auth-redirect-exact:absent")
class RedirectLeftOut(Erring):
    """Leaves the redirect URI out of its first token request."""

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Redeem without it, then begin anew."""
        if not self.first_time():
            return super().redeem(session, answer, attempt)
        form = {
            "grant_type": "authorization_code",
            "code": _code(answer),
            "code_verifier": attempt.verifier,
            "client_id": self.client_id(),
            "client_secret": self.registration.client_secret,
        }
        with self.plain_session() as plain:
            plain.post(self.metadata()["token_endpoint"], data=form, timeout=TIMEOUT)
        raise StartOver


@fails("auth-code-once:late")
class CodeTwiceLate(Erring):
    """Redeems its code again after it has used the tokens, as after a reload of its own page."""

    landed = ""
    attempt: Attempt

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Redeem, and remember what was redeemed."""
        self.landed, self.attempt = answer, attempt
        return super().redeem(session, answer, attempt)

    def read_userinfo(self) -> None:
        """Read who signed in, redeem once more, and begin anew."""
        super().read_userinfo()
        if self.first_time():
            with self.oauth_session() as session, contextlib.suppress(VendorError):
                super().redeem(session, self.landed, self.attempt)
            raise StartOver


class _OwnPage(Authentication):
    """Shows the browser a page of its own."""

    def door(self) -> Listener:
        """A listener with that page."""
        vendor = self

        class Own(Listener):
            def page(self, target: str) -> Page:
                return vendor.page(target)

        return Own(self.registration.redirect_url, self.certificate)

    def page(self, target: str) -> Page:
        """What the browser sees when it comes back by `target`."""
        raise NotImplementedError


@fails("auth-secret-private:page")
class SecretInPage(_OwnPage):
    """Shows its settings, the client secret among them, on the page after the sign-in."""

    def page(self, target: str) -> Page:
        """A page with the secret."""
        del target
        secret = self.registration.client_secret
        return Page(body=f'<!doctype html><title>Signed in</title><input type="hidden" value="{secret}">'.encode())


@fails("auth-secret-private:redirect")
class CodeInSecondUrl(_OwnPage):
    """Sends the browser on to a page of its own, with the code in that address too."""

    def page(self, target: str) -> Page:
        """A redirect that carries the query along."""
        return Page(body=b"", location="/signed-in?" + target.partition("?")[2])


@fails("auth-secret-private:referer")
class CodeInReferer(Authentication):
    """Names the address that the code came in as Referer of its next request."""

    landed = ""

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Redeem, and remember the address."""
        self.landed = answer
        return super().redeem(session, answer, attempt)

    def read_userinfo(self) -> None:
        """Read who signed in with that Referer."""
        self.call("GET", self.metadata()["userinfo_endpoint"], headers={"Referer": self.landed})


@fails("auth-client-auth:none")
class Unauthenticated(Erring):
    """Once refreshes without proving who it is."""

    def refresh(self) -> None:
        """A refresh without the secret, then a proper one."""
        if self.first_time():
            form = {
                "grant_type": "refresh_token",
                "refresh_token": str((self.token or {}).get("refresh_token")),
                "client_id": self.client_id(),
            }
            with self.plain_session() as session:
                session.post(self.metadata()["token_endpoint"], data=form, timeout=TIMEOUT)
        super().refresh()


@fails("auth-refresh:online")
class NoOfflineAccess(Authentication):
    """Asks for no offline access, gets no refresh token, and needs a person each hour."""

    def scope(self) -> str:
        """All scopes but the one for offline access."""
        return " ".join(scope for scope in self.registration.scopes if scope != "offline_access")


@fails("auth-refresh:truncated")
class TruncatedToken(Authentication):
    """Keeps only the beginning of its refresh token, as a column that is too short does."""

    def refresh(self) -> None:
        """Refresh with what was kept."""
        if self.token and self.token.get("refresh_token"):
            self.token = {**self.token, "refresh_token": str(self.token["refresh_token"])[:16]}
        super().refresh()


class _WrongUse(Erring):
    """Uses its access token wrongly once before it reads who signed in."""

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """The wrong request, then the right one."""
        if url == self.metadata()["userinfo_endpoint"] and self.first_time():
            with self.plain_session() as session:
                self.wrong_use(session, url, str((self.token or {})["access_token"]))
        return super().protected(method, url, **options)

    def wrong_use(self, session: requests.Session, url: str, token: str) -> None:
        """Send the token in the wrong way."""
        raise NotImplementedError


@fails("auth-bearer-header:form")
class TokenInForm(_WrongUse):
    """Once sends its access token as a form field."""

    def wrong_use(self, session: requests.Session, url: str, token: str) -> None:
        """The token in a form."""
        session.post(url, data={"access_token": token}, timeout=TIMEOUT)


@fails("auth-bearer-header:own-header")
class TokenInOwnHeader(_WrongUse):
    """Once sends its access token in a header of its own making."""

    def wrong_use(self, session: requests.Session, url: str, token: str) -> None:
        """The token in another header."""
        session.get(url, headers={"X-Access-Token": token}, timeout=TIMEOUT)


@fails("auth-id-token-not-api:registry")
class IdTokenAtRegistry(Erring):
    """Asks the registry for a status with its ID token once."""

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """The request, before it one with the ID token."""
        token = (self.token or {}).get("id_token")
        if token and method == "GET" and url.startswith(self.registration.nrdr) and self.first_time():
            with self.plain_session() as session:
                session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
        return super().protected(method, url, **options)


@fails("allow-registered:one-poll")
class OnePollFromElsewhere(Erring):
    """Reads one status from an address that it did not register."""

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """The request, before it the same from elsewhere."""
        if method == "GET" and url.startswith(self.registration.nrdr) and self.first_time():
            with elsewhere(self.plain_session()) as session:
                bearer = {"Authorization": f"Bearer {(self.token or {})['access_token']}"}
                session.get(url, headers=bearer, timeout=TIMEOUT)
        return super().protected(method, url, **options)


def _code(answer: str) -> str:
    return next((pair[5:] for pair in urlsplit(answer).query.split("&") if pair.startswith("code=")), "")
