"""Token requests and the use of what they issued: redemptions, refreshes, protected requests and their grants."""

from __future__ import annotations

from acrmock.record import BearerFacts, ClientFacts, GrantFacts, HttpEntry, Operation, Struct
from conformance.flows.wire import Param, bearer, fields, parameters

CODE_GRANT = "authorization_code"
REFRESH_GRANT = "refresh_token"


class TokenRequest(Struct, frozen=True, kw_only=True):
    """One request to the token endpoint; `moved`: at the address to which the endpoints had moved.

    `code`, `refresh` and `access_issued` are references; `expires_in` in seconds (0: not said); `sign_in` is the
    `seq` of the sign-in that gave the code, None when unknown. `lost`: a fault kept the answer from the client.
    """

    seq: int
    t: float
    environment: str
    step: str
    moved: bool
    status: int
    grant_type: str
    code: Param | None
    refresh: Param | None
    verifier: Param | None
    redirect_uri: Param | None
    client: ClientFacts | None
    facts: GrantFacts
    sign_in: int | None = None
    code_age: float | None = None
    access_issued: str = ""
    expires_in: float = 0.0
    lost: bool = False

    @property
    def succeeded(self) -> bool:
        """Whether tokens were issued."""
        return 200 <= self.status < 300


class Protected(Struct, frozen=True, kw_only=True):
    """One request with, or without, an access token; `granted` is the `seq` of the token request that issued it.

    `expired` is None when the token's life is not known.
    """

    seq: int
    t: float
    environment: str
    step: str
    operation: Operation
    status: int
    moved: bool
    facts: BearerFacts | None
    granted: int | None = None
    expired: bool | None = None


class TokensReader:
    """Builds token requests and follows each access token to the requests that carried it."""

    def __init__(self) -> None:
        self.requests: list[TokenRequest] = []
        self.protected: list[Protected] = []
        self._grants: dict[tuple[str, str], TokenRequest] = {}

    def entry(self, entry: HttpEntry, t: float, step: str, sign_in: int | None, issued_at: float | None) -> None:
        """Take an exchange of the token endpoint, with the sign-in that its code came from."""
        found = parameters(entry)
        facts = entry.facts.grant or GrantFacts()
        body = fields(entry.response.content.text) if entry.response.status < 300 else {}
        request = TokenRequest(
            seq=entry.seq,
            t=t,
            environment=entry.environment or "",
            step=step,
            moved=entry.facts.moved,
            status=entry.response.status,
            grant_type=facts.grant_type or (found["grant_type"].value if "grant_type" in found else ""),
            code=found.get("code"),
            refresh=found.get("refresh_token"),
            verifier=found.get("code_verifier"),
            redirect_uri=found.get("redirect_uri"),
            client=entry.facts.client,
            facts=facts,
            sign_in=sign_in,
            code_age=None if issued_at is None else t - issued_at,
            access_issued=_text(body.get("access_token")),
            expires_in=_number(body.get("expires_in")),
            lost=entry.facts.fault is not None and entry.facts.fault.lost,
        )
        self.requests.append(request)
        if request.access_issued:
            self._grants[(request.environment, request.access_issued)] = request

    def use(self, entry: HttpEntry, t: float, step: str) -> None:
        """Take a protected request."""
        grant = self._grants.get((entry.environment or "", bearer(entry)))
        facts = entry.facts.bearer
        self.protected.append(
            Protected(
                seq=entry.seq,
                t=t,
                environment=entry.environment or "",
                step=step,
                operation=entry.facts.operation,
                status=entry.response.status,
                moved=entry.facts.moved,
                facts=facts,
                granted=grant.seq if grant else None,
                expired=_expired(facts, grant, t),
            )
        )


def _expired(facts: BearerFacts | None, grant: TokenRequest | None, t: float) -> bool | None:
    if facts is not None and facts.state:
        return facts.state == "expired"
    if grant is None or not grant.expires_in:
        return None
    return t >= grant.t + grant.expires_in


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < 1e12 else 0.0
