"""What the authentication service keeps: authorization codes, tokens and the family that one sign-in founds.

Nothing here holds a secret: a record stands under the keyed digest of its code or token. Instants are protocol time, in
seconds since 1970 (RFC 7519 NumericDate), because honest clients compare them with their own clocks.
"""

from __future__ import annotations

from typing import ClassVar

from mockserver.store import Stored

CODE = "auth.code"
TOKEN = "auth.token"
FAMILY = "auth.family"
SESSION = "auth.session"


class AuthorizationCode(Stored, frozen=True, kw_only=True):
    """A code given to a redirect URI (RFC 6749 section 4.1.2); redeemed once, then kept so that reuse is known."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    username: str
    family: str
    auth_time: float
    expires_at: float
    nonce: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    redeemed: bool = False

    def get_redirect_uri(self) -> str:
        """The redirect URI of the authorization request, as Authlib asks for it."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The granted scopes, separated by spaces, as Authlib asks for them."""
        return " ".join(self.scopes)


class Family(Stored, frozen=True, kw_only=True):
    """All that came of one sign-in; revoking it revokes every token of it (RFC 9700 section 4.14.2)."""

    remembered: ClassVar[bool] = True

    id: str
    client_id: str
    username: str
    scopes: tuple[str, ...]
    auth_time: float
    refresh_until: float
    revoked: bool = False


class IssuedToken(Stored, frozen=True, kw_only=True):
    """An access or refresh token that was issued; `used_at` is when a refresh token was rotated away.

    `revoked`: the client gave this one token up (RFC 7009); what revokes them all is the family's.
    """

    remembered: ClassVar[bool] = True

    kind: str
    family: str
    scopes: tuple[str, ...]
    expires_at: float
    issued_at: float = 0.0
    used_at: float | None = None
    revoked: bool = False

    def get_scope(self) -> str:
        """The scopes, separated by spaces, as Authlib asks for them."""
        return " ".join(self.scopes)

    def check_client(self, client: object) -> bool:
        """Whether the token is this client's; each application keeps its own tokens, so it always is."""
        return client is not None


class Session(Stored, frozen=True, kw_only=True):
    """A person signed in with one browser: until when, and what they allowed; stands under the mark of the cookie's value."""

    username: str
    auth_time: float
    until: float
    consented: tuple[str, ...] = ()
