"""Vendors that sign in or use their tokens wrongly, each in one way."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec
import requests
from authlib.integrations.requests_client import OAuth2Session
from requests.adapters import HTTPAdapter

from conformance.vendors.auth import TIMEOUT, Attempt, Authentication
from conformance.vendors.config import VendorError

A = TypeVar("A", bound=type[Authentication])

AUTHENTICATIONS: dict[str, type[Authentication]] = {}


class StartOver(Exception):  # noqa: N818 - a signal, not an error
    """The sign-in was spoiled; the vendor begins a new one."""


def fails(check: str) -> Callable[[A], A]:
    """Enter a broken authentication under the check that it fails."""

    def enter(cls: A) -> A:
        AUTHENTICATIONS[check] = cls
        return cls

    return enter


class Prescribed(Authentication):
    """Makes its attempts as a correct client does, save that some parts are always the same; an empty one is not sent."""

    prescribed: ClassVar[Mapping[str, str]] = {}

    def new_attempt(self) -> Attempt:
        """An attempt with the prescribed parts."""
        return msgspec.structs.replace(super().new_attempt(), **self.prescribed)


class Erring(Authentication):
    """Errs the first time in a process, then does right."""

    erred = False

    def first_time(self) -> bool:
        """Whether the fault has yet to be committed in this process."""
        first, self.erred = not self.erred, True
        return first

    def sign_in(self) -> None:
        """Sign in, and once more where the first was spoiled."""
        try:
            super().sign_in()
        except StartOver:
            super().sign_in()


@fails("auth-discovery")
class HardCoded(Erring):
    """Goes to the endpoint that it was built with, and reads discovery only when nothing is there any more."""

    def ask_the_user(self, url: str, attempt: Attempt) -> str:
        """Look at the address by our own constant first, then ask the user where discovery says."""
        built_in = self.registration.issuer + "/v1/authorize?" + url.partition("?")[2]
        if built_in != url:
            with self.plain_session() as session:
                session.get(built_in, timeout=TIMEOUT)
        return super().ask_the_user(url, attempt)


@fails("auth-code-flow")
class PasswordGrant(Erring):
    """Tries the resource owner's password before it asks for a code."""

    def sign_in(self) -> None:
        """Send the user's name and password to the token endpoint, then sign in."""
        if self.first_time():
            user = self.registration.users[0]
            form = {
                "grant_type": "password",
                "username": user.username,
                "password": user.password,
                "scope": self.scope(),
                "client_id": self.client_id(),
                "client_secret": self.registration.client_secret,
            }
            with self.plain_session() as session:
                session.post(self.metadata()["token_endpoint"], data=form, timeout=TIMEOUT)
        super().sign_in()


@fails("auth-redirect-exact")
class OtherRedirect(Erring):
    """Names another redirect URI in the token request than in the authorization request."""

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Redeem with a trailing slash first, then begin anew."""
        if not self.first_time():
            return super().redeem(session, answer, attempt)
        attempt.redirect_uri += "/"
        try:
            return super().redeem(session, answer, attempt)
        except VendorError as error:
            raise StartOver from error


@fails("auth-csrf")
class Unbound(Authentication):
    """Binds its sign-ins to nothing: no state, no nonce, no PKCE."""

    def new_attempt(self) -> Attempt:
        """An attempt without secrets."""
        return Attempt(state="", nonce="", verifier="", redirect_uri=self.registration.redirect_url)


@fails("auth-state-present")
class Stateless(Prescribed):
    """Sends no state."""

    prescribed: ClassVar[Mapping[str, str]] = {"state": ""}


@fails("auth-state-unique")
class SameState(Prescribed):
    """Sends the same state each time."""

    prescribed: ClassVar[Mapping[str, str]] = {"state": "h2Yx0vQm7TzK4nLw9RbE3sJd6UcA8fGp1iVoNtXrZqk"}


@fails("auth-nonce")
class Nonceless(Prescribed):
    """Sends no nonce."""

    prescribed: ClassVar[Mapping[str, str]] = {"nonce": ""}


@fails("auth-pkce")
class Pkceless(Prescribed):
    """Uses no PKCE."""

    prescribed: ClassVar[Mapping[str, str]] = {"verifier": ""}


@fails("auth-client-id")
class ForeignClient(Erring):
    """Once refreshes under a client ID that nobody issued to it."""

    def client_id(self) -> str:
        """A made-up ID while the fault is on."""
        return "0oa" + "z9y8x7w6v5u4t3s2r" if getattr(self, "foreign", False) else super().client_id()

    def refresh(self) -> None:
        """Refresh as somebody else, then as itself."""
        if self.first_time():
            self.foreign = True
            with contextlib.suppress(VendorError):
                super().refresh()
            self.foreign = False
        super().refresh()


@fails("auth-secret-private")
class SecretInUrl(Authentication):
    """Puts its client secret into the address that the browser is sent to."""

    def authorization_parameters(self, attempt: Attempt) -> dict[str, str]:
        """The parameters, and the secret among them."""
        return {**super().authorization_parameters(attempt), "client_secret": self.registration.client_secret}


@fails("auth-client-auth")
class TwiceAuthenticated(Erring):
    """Sends its secret by Basic and in the body at once."""

    def refresh(self) -> None:
        """Refresh with both, then properly."""
        if self.first_time():
            form = {
                "grant_type": "refresh_token",
                "refresh_token": str((self.token or {}).get("refresh_token")),
                "client_id": self.client_id(),
                "client_secret": self.registration.client_secret,
            }
            with self.plain_session() as session:
                basic = (self.client_id(), self.registration.client_secret)
                session.post(self.metadata()["token_endpoint"], data=form, auth=basic, timeout=TIMEOUT)
        super().refresh()


@fails("auth-code-once")
class CodeTwice(Erring):
    """Redeems a code a second time."""

    def redeem(self, session: OAuth2Session, answer: str, attempt: Attempt) -> dict[str, Any]:
        """Redeem twice, then begin anew, because the tokens of a code used twice may be revoked."""
        token = super().redeem(session, answer, attempt)
        if not self.first_time():
            return token
        try:
            super().redeem(session, answer, attempt)
        except VendorError as error:
            raise StartOver from error
        return token


@fails("auth-refresh")
class NeverRefreshing(Authentication):
    """Asks a person to sign in whenever the access token has expired."""

    def renew(self) -> None:
        """Sign in instead of refreshing."""
        self.sign_in()


@fails("auth-bearer-header")
class TokenInQuery(Erring):
    """Once sends its access token in the query."""

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """The request, before it one with the token in the URL."""
        if url == self.metadata()["userinfo_endpoint"] and self.first_time():
            with self.plain_session() as session:
                session.get(url, params={"access_token": str((self.token or {})["access_token"])}, timeout=TIMEOUT)
        return super().protected(method, url, **options)


@fails("auth-id-token-not-api")
class IdTokenAsAccess(Erring):
    """Once sends its ID token as if it were an access token."""

    def protected(self, method: str, url: str, **options: Any) -> requests.Response:
        """The request, before it one with the ID token."""
        token = (self.token or {}).get("id_token")
        if token and url == self.metadata()["userinfo_endpoint"] and self.first_time():
            with self.plain_session() as session:
                session.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
        return super().protected(method, url, **options)


class _FromElsewhere(HTTPAdapter):
    """Connects from an address that is not on the list."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """A pool bound to another loopback address."""
        super().init_poolmanager(*args, source_address=("127.0.0.2", 0), **options)


def elsewhere(session: requests.Session) -> requests.Session:
    """The session, its requests coming from an address that is not on the list."""
    session.mount("https://", _FromElsewhere())
    return session


@fails("allow-registered")
class OtherAddress(Erring):
    """Once sends a request from an address that it did not register (where the system has a whole loopback network)."""

    def refresh(self) -> None:
        """A request from elsewhere, then the refresh."""
        if self.first_time():
            with elsewhere(self.plain_session()) as session:
                form = {"grant_type": "refresh_token", "refresh_token": secrets.token_urlsafe(16)}
                session.post(self.metadata()["token_endpoint"], data=form, timeout=TIMEOUT)
        super().refresh()
