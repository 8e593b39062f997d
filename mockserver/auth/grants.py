"""The token endpoint's grants on Authlib's framework-agnostic server: codes, refresh tokens and PKCE (RFC 6749, RFC 7636).

Authlib checks the order of things and raises the right errors; here stand the storage, the facts for the journal, and
what it leaves open: reuse of a code revokes what came of it (RFC 6749 section 4.1.2), and refresh tokens are persistent or
rotate by setting (fact U6), where the reuse of a rotated one revokes its family (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from authlib.oauth2.rfc6749 import InvalidGrantError, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN, compare_s256_code_challenge

from acrmock.record import GrantFacts, SecretKind
from mockserver.auth.clients import Client, Presented
from mockserver.auth.model import CODE, FAMILY, TOKEN, AuthorizationCode, Family, IssuedToken
from mockserver.auth.tokens import GRACE, ROTATE_MODES, revoke_family, token_state, user_named
from mockserver.context import Call
from mockserver.store import Reader

if TYPE_CHECKING:
    from mockserver.onboarding.model import User


class TokenRequest(OAuth2Request):  # type: ignore[misc]
    """One token request as Authlib reads it: the call that it belongs to, its form, its headers."""

    def __init__(self, call: Call, uri: str, form: dict[str, str], authorization: str | None) -> None:
        super().__init__("POST", uri, headers={} if authorization is None else {"Authorization": authorization})
        self.call = call
        self.fill(form)
        self.presented = Presented()
        self.mark = ""
        self.family: Family | None = None

    def fill(self, form: dict[str, str]) -> None:
        """Have these parameters in the body."""
        self._form = form
        self.payload = BasicOAuth2Payload(form)

    @property
    def args(self) -> dict[str, str]:
        """The query's parameters: none count at the token endpoint (RFC 6749 section 3.2)."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """The body's parameters."""
        return self._form


class S256Only(CodeChallenge):  # type: ignore[misc]
    """PKCE with S256; `plain` never gets past the authorization endpoint."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's own attribute


class Minting:
    """Lets a grant hand its request to the server that mints; Authlib's own hook passes only parts of it."""

    GRANT_TYPE: str
    server: Any
    request: TokenRequest

    def generate_token(self, *, scope: str = "", **_: Any) -> dict[str, Any]:
        """The token response's members."""
        members: dict[str, Any] = self.server.mint_for(self.request, self.GRANT_TYPE, tuple(scope.split()))
        return members


class CodeGrant(Minting, AuthorizationCodeGrant):  # type: ignore[misc]
    """The authorization code grant (RFC 6749 section 4.1.3)."""

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:  # noqa: ARG002 - Authlib's own hook
        """The code when it can be redeemed; notes its state, and revokes what came of it when it is used again."""
        request: TokenRequest = self.request
        call = request.call
        mark = call.engine.digester.mark(code)
        with call.engine.store.read() as reader:
            found = reader.get(CODE, call.scope, mark, AuthorizationCode)
        state = _code_state(call, found)
        call.notes.grant = GrantFacts(
            grant_type=self.GRANT_TYPE,
            grant_state=state,
            verifier=_verifier_state(found, request.form.get("code_verifier")),
            redirect_equal=None if found is None else request.form.get("redirect_uri") == found.redirect_uri,
        )
        if found is not None and state == "reused":
            revoke_family(call, found.family)
        request.mark = mark
        return found if state == "fresh" else None

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """Mark the code as redeemed; it is kept, so that its reuse can be told from an invented one."""
        request: TokenRequest = self.request
        redeemed = msgspec.structs.replace(authorization_code, redeemed=True)
        request.call.unit.put(CODE, request.call.scope, request.mark, redeemed)

    def authenticate_user(self, authorization_code: AuthorizationCode) -> User | None:
        """The user who signed in, or None when the environment no longer has it."""
        return _user(self.request.call, authorization_code.username)


class RefreshGrant(Minting, RefreshTokenGrant):  # type: ignore[misc]
    """The refresh token grant (RFC 6749 section 6)."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]  # noqa: RUF012 - Authlib's own attribute
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> IssuedToken | None:
        """The token when it can be used; notes its state, and revokes its family when it was rotated away before."""
        request: TokenRequest = self.request
        call = request.call
        mark = call.engine.digester.mark(refresh_token)
        with call.engine.store.read() as reader:
            found = reader.get(TOKEN, call.scope, mark, IssuedToken)
            if found is not None and found.kind != SecretKind.REFRESH_TOKEN:
                found = None
            state = refresh_state(reader, call, found)
            family = reader.get(FAMILY, call.scope, found.family, Family) if found is not None else None
        call.notes.grant = GrantFacts(grant_type=self.GRANT_TYPE, grant_state="fresh" if state == "active" else state)
        if found is not None and state == "reused" and call.settings.flag("auth.refresh_reuse_revokes"):
            revoke_family(call, found.family)
        request.mark = mark
        if found is not None:
            call.refer(SecretKind.REFRESH_TOKEN, refresh_token, mark)
        if found is None or state != "active":
            return None
        request.family = family
        return found

    def authenticate_user(self, refresh_token: IssuedToken) -> User | None:  # noqa: ARG002 - Authlib's own hook
        """The user who once signed in, or None when the environment no longer has it."""
        request: TokenRequest = self.request
        return _user(request.call, request.family.username) if request.family is not None else None

    def revoke_old_credential(self, refresh_token: IssuedToken) -> None:
        """In a rotating mode, the token just used is used up."""
        request: TokenRequest = self.request
        call = request.call
        if rotates(call) and refresh_token.used_at is None:
            used = msgspec.structs.replace(refresh_token, used_at=call.wall.timestamp())
            call.unit.put(TOKEN, call.scope, request.mark, used)


def rotates(call: Call) -> bool:
    """Whether a refresh gives a new refresh token in place of the old one."""
    return call.settings.text("auth.refresh_mode") in ROTATE_MODES


def still_fresh(request: TokenRequest) -> None:
    """Look at the code again, now inside the unit: of two requests at once only one may redeem it (RFC 6749 4.1.2)."""
    call = request.call
    code = call.unit.get(CODE, call.scope, request.mark, AuthorizationCode)
    if code is None or code.redeemed:
        call.notes.grant = GrantFacts(grant_type=CodeGrant.GRANT_TYPE, grant_state="reused")
        revoke_family(call, request.authorization_code.family)
        raise InvalidGrantError


def still_active(request: TokenRequest) -> None:
    """Look at the refresh token again, now inside the unit: of two requests at once only one may rotate it."""
    call = request.call
    token = call.unit.get(TOKEN, call.scope, request.mark, IssuedToken)
    state = refresh_state(call.unit, call, token)
    if state != "active":
        call.notes.grant = GrantFacts(grant_type=RefreshGrant.GRANT_TYPE, grant_state=state)
        raise InvalidGrantError


def extension() -> list[Any]:
    """The extensions of the code grant; PKCE is enforced whenever a challenge was sent."""
    return [S256Only(required=False)]


def _code_state(call: Call, code: AuthorizationCode | None) -> str:
    if code is None:
        return "unknown"
    if code.redeemed:
        return "reused"
    return "expired" if code.expires_at <= call.wall.timestamp() else "fresh"


def refresh_state(reader: Reader, call: Call, token: IssuedToken | None) -> str:
    """`active`, `reused`, `expired`, `revoked` or `unknown`; a rotated token still counts as active during the grace."""
    if token is None:
        return "unknown"
    state = token_state(reader, call, token)
    if state != "active" or token.used_at is None:
        return state
    grace = call.settings.number("auth.refresh_grace") if call.settings.text("auth.refresh_mode") == GRACE else 0.0
    return "active" if call.wall.timestamp() < token.used_at + grace else "reused"


def _verifier_state(code: AuthorizationCode | None, verifier: str | None) -> str:
    """How the verifier stands to the challenge, in the words of `GrantFacts`."""
    if code is None or code.code_challenge is None:
        return "unexpected" if verifier and code is not None else "not-used"
    if not verifier:
        return "absent"
    if not CODE_VERIFIER_PATTERN.fullmatch(verifier):
        return "mismatch"
    return "match" if compare_s256_code_challenge(verifier, code.code_challenge) else "mismatch"


def _user(call: Call, username: str) -> User | None:
    try:
        return user_named(call, username)
    except LookupError:
        return None
