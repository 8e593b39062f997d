"""A realistic, made-up result and recording for the tests of the reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from acrmock.record import (
    AnyEntry,
    AuthorizeFacts,
    BearerFacts,
    Channel,
    ClientFacts,
    Content,
    EventEntry,
    Exposure,
    FieldProblem,
    Footer,
    GrantFacts,
    Header,
    HttpEntry,
    HttpFacts,
    HttpRequest,
    HttpResponse,
    NameValue,
    Operation,
    PostData,
    RecordFacts,
    RecordProblem,
    Refusal,
    SecretKind,
    StatusFacts,
    TlsEntry,
    TlsFacts,
    TransactionFacts,
)
from conformance.result import Evidence, Finding, Outcome, Points, Resolution, Result, Verdict, Weight

BASE = "https://localhost:8443/test"
STATEMENT = "Profile lcsr, revision 1: a self-test with acrmock, not an ACR certification."
HOSTILE = (
    "</pre><script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\u202eevil\u2066\x00\ud800\ufffe\r\n"
    "{{ 7 * 7 }} ]]> & |`@all"
)


@dataclass(frozen=True)
class FakeRecording:
    """A recording as the reports see one."""

    header: Header | None
    entries: tuple[AnyEntry, ...]
    footer: Footer | None


def pairs(*items: tuple[str, str]) -> tuple[NameValue, ...]:
    """Name-value pairs."""
    return tuple(NameValue(name=name, value=value) for name, value in items)


def moment(seq: int) -> str:
    """A protocol time for an entry: a tenth of a second each."""
    return f"2026-02-03T10:{seq // 600:02d}:{seq // 10 % 60:02d}.{seq % 10}00Z"


def exchange(seq: int, method: str, path: str, status: int, **extra: Any) -> HttpEntry:
    """An exchange; `query`, `form` or `body`, `answer`, `facts`, `refusal` and `answer_headers` as wanted."""
    query: tuple[tuple[str, str], ...] = extra.get("query", ())
    form: tuple[tuple[str, str], ...] = extra.get("form", ())
    body: str = extra.get("body", "&".join(f"{name}={value}" for name, value in form))
    mime = "application/x-www-form-urlencoded" if form else "application/json"
    url = BASE + path + ("?" + "&".join(f"{name}={value}" for name, value in query) if query else "")
    headers = (("Host", "localhost:8443"), ("User-Agent", "ScreenSend/2.4"), *extra.get("headers", ()))
    answer: str = extra.get("answer", "")
    return HttpEntry(
        seq=seq,
        at=moment(seq),
        t=moment(seq),
        application="default",
        environment="test",
        run="r1",
        peer="127.0.0.1",
        matched="path",
        time=3.5,
        tls=TlsFacts(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", server_name="localhost"),
        request=HttpRequest(
            method=method,
            url=url,
            headers=pairs(*headers),
            queryString=pairs(*query),
            postData=PostData(mimeType=mime, text=body, params=pairs(*form)) if body else None,
            bodySize=len(body),
        ),
        response=HttpResponse(
            status=status,
            statusText={200: "OK", 202: "Accepted", 302: "Found", 401: "Unauthorized", 422: "Unprocessable"}.get(status, ""),
            headers=pairs(("Date", "Tue, 03 Feb 2026 10:00:00 GMT"), *extra.get("answer_headers", ())),
            content=Content(size=len(answer), mimeType="application/json", text=answer),
            bodySize=len(answer),
        ),
        facts=extra.get("facts", HttpFacts()),
        refusal=extra.get("refusal"),
    )


def event(seq: int, name: str, **data: Any) -> EventEntry:
    """An event."""
    return EventEntry(seq=seq, at=moment(seq), t=moment(seq), application="default", run="r1", name=name, data=data)


def sign_in(seq: int, number: int) -> list[AnyEntry]:
    """A sign-in of five exchanges without `nonce`, and with a wrong verifier the second time."""
    authorize = (
        ("response_type", "code"),
        ("client_id", "0oa5mock9"),
        ("redirect_uri", "https%3A%2F%2Flocalhost%3A8765%2Fcallback%2F"),
        ("scope", "openid%20offline_access%20lcsr"),
        ("state", f"xyz-{number}"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    )
    token = (
        ("grant_type", "authorization_code"),
        ("code", f"d:code:{number}kdYx0sP2aTqL9vWm"),
        ("redirect_uri", "https%3A%2F%2Flocalhost%3A8765%2Fcallback"),
        ("client_id", "0oa5mock9"),
        ("client_secret", "d:secret:Zm3kf8aLqPw0xYt5"),
        ("code_verifier", f"d:verifier:{number}"),
    )
    discovery = {"issuer": f"{BASE}/oauth2/default", "authorization_endpoint": f"{BASE}/oauth2/default/v1/authorize"}
    tokens = {
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": "d:access:aaaaaaaa",
        "refresh_token": "d:refresh:bbbbbb",
    }
    back = HttpFacts(channel=Channel.BACK, operation=Operation.DISCOVERY, allowed=True)
    return [
        exchange(seq, "GET", "/oauth2/default/.well-known/openid-configuration", 200, answer=json.dumps(discovery), facts=back),
        exchange(
            seq + 1,
            "GET",
            "/oauth2/default/v1/authorize",
            200,
            query=authorize,
            answer="<!doctype html>\n<title>Sign in</title>\n<h1>ScreenSend asks for: openid, lcsr</h1>\n",
            facts=HttpFacts(
                operation=Operation.AUTHORIZE,
                channel=Channel.FRONT,
                authorize=AuthorizeFacts(redirect_registered=False, scopes_expected=("openid", "lcsr")),
            ),
        ),
        exchange(
            seq + 2,
            "POST",
            "/oauth2/default/v1/authorize",
            302,
            form=(("username", "ada"), ("password", "d:password:q1"), ("decision", "allow")),
            answer_headers=(
                ("Location", f"https://localhost:8765/callback?code=d:code:{number}&state=xyz-{number}"),
                ("Set-Cookie", "acrmock_session=d:cookie:77; Path=/; HttpOnly; Secure"),
            ),
            facts=HttpFacts(operation=Operation.SIGN_IN, channel=Channel.FRONT),
        ),
        exchange(
            seq + 3,
            "POST",
            "/oauth2/default/v1/token",
            200 if number == 1 else 400,
            form=token,
            answer=json.dumps(tokens if number == 1 else {"error": "invalid_grant", "error_description": "verifier"}),
            facts=HttpFacts(
                operation=Operation.TOKEN,
                channel=Channel.BACK,
                client=ClientFacts(presented=True, whose="own", methods=("body",), authenticated=True),
                grant=GrantFacts(grant_type="authorization_code", grant_state="fresh", verifier="mismatch", redirect_equal=False),
                exposures=(
                    Exposure(secret=SecretKind.CLIENT_SECRET, place="body", name="client_secret", pointer="/request/postData"),
                ),
            ),
            refusal=None
            if number == 1
            else Refusal(
                code="pkce-mismatch",
                message="the verifier does not match the challenge",
                fields=(FieldProblem(pointer="/request/postData/params/5/value", reason="SHA-256 differs"),),
                hint="keep the verifier of this sign-in and no other",
            ),
        ),
        exchange(seq + 4, "GET", "/oauth2/default/v1/keys", 200, answer='{"keys": []}'),
    ]


def transaction(seq: int, number: int, *, valid: bool) -> HttpEntry:
    """A posted transaction; an invalid one has a bad Smoking_Status."""
    body = {
        "Transaction_Header": {"Transaction_ID": f"t-{number}", "Partner_ID": "P100", "Registry": "LCSR", "Number_Of_Exams": 2},
        "Exams": [{"Exam_Unique_ID": f"E{i}", "Smoking_Status": "1" if valid else "9", "Height": 170 + i} for i in range(2)],
    }
    problem = RecordProblem(
        code="acrmock:value-unknown",
        severity="error",
        pointer="/Exams/1/Smoking_Status",
        element="Smoking_Status",
        message="9 is not in the list",
    )
    return exchange(
        seq,
        "POST",
        "/nrdr/lcsr/v1.8/transactions",
        202 if valid else 422,
        headers=(("Authorization", "Bearer d:access:aaaaaaaa"), ("Content-Type", "application/json")),
        body=json.dumps(body),
        answer=json.dumps({"Transaction_ID": f"t-{number}"}),
        answer_headers=(("Location", f"{BASE}/nrdr/lcsr/transactions/t-{number}"),),
        facts=HttpFacts(
            operation=Operation.NRDR_POST,
            channel=Channel.BACK,
            bearer=BearerFacts(place="header", kind="access", state="active", scope_sufficient=True),
            transaction=TransactionFacts(
                registry="lcsr",
                mapping="1.8",
                transaction_id=f"t-{number}",
                exams=2,
                accepted=valid,
                records=(RecordFacts(index=1, key="k", patient="p", content="c", status="Rejected", problems=(problem,)),)
                if not valid
                else (),
            ),
        ),
    )


def poll(seq: int, number: int, word: str, *, terminal: bool) -> HttpEntry:
    """A status poll."""
    facts = StatusFacts(registry="lcsr", transaction_id=f"t-{number}", known=True, status=word, terminal=terminal)
    return exchange(
        seq,
        "GET",
        f"/nrdr/lcsr/transactions/t-{number}",
        200,
        headers=(("Authorization", "Bearer d:access:aaaaaaaa"),),
        answer=json.dumps({"Transaction_ID": f"t-{number}", "Status": word}),
        facts=HttpFacts(operation=Operation.NRDR_STATUS, channel=Channel.BACK, status=facts),
    )


def build_recording() -> FakeRecording:
    """About sixty entries: a registration, two sign-ins, posts with their polls, a failed handshake."""
    entries: list[AnyEntry] = [
        event(1, "server-started", version="0.1.0"),
        event(
            2,
            "registration-attempted",
            accepted=True,
            environment="test",
            declared={"name": "ScreenSend", "addresses": ["0.0.0.0/0"]},
        ),
        event(3, "run-started", profile="lcsr"),
        event(4, "step-began", step="sign-in"),
        *sign_in(5, 1),
        event(10, "step-began", step="submit"),
    ]
    for number in range(1, 11):
        seq = entries[-1].seq + 1
        entries += [
            transaction(seq, number, valid=number != 3),
            poll(seq + 1, number, "Received", terminal=False),
            poll(seq + 2, number, "Received", terminal=False),
            poll(seq + 3, number, "Posted", terminal=True),
        ]
    seq = entries[-1].seq + 1
    entries += [
        event(seq, "step-began", step="refresh"),
        TlsEntry(seq=seq + 1, at=moment(seq + 1), t=moment(seq + 1), peer="127.0.0.1", tls=TlsFacts(error="unknown ca")),
        event(seq + 2, "step-began", step="sign-in-again"),
        *sign_in(seq + 3, 2),
        event(seq + 8, "client-exited", code=1),
        event(seq + 9, "run-ended"),
    ]
    header = Header(schema="acrmock/record/1", created=moment(0), acrmock="0.1.0", application="default", run="r1")
    return FakeRecording(header, tuple(entries), Footer(entries=len(entries), sha256="ab" * 32))


_REQUIREMENTS = {
    "apply-addresses": "Addresses are declared for ACR, each valid, public and none wider than the limit.",
    "apply-name": "The application's name is given and printable.",
    "apply-redirect-https": "The redirect URL is absolute, https, without fragment, wildcard or user info.",
    "apply-registries": "Registries and mapping versions claimed exist and are in force.",
    "apply-logo": "A logo, if given, is a PNG of 150 by 40 pixels with a web link.",
    "allow-registered": "Every back-channel exchange comes from an allowed address.",
    "allow-all-used": "Each local source that was given is seen.",
    "allow-refusal-respected": "After a refusal by address the client does not retry in a loop.",
    "auth-discovery": "Endpoints come from discovery, none is hard-coded.",
    "auth-code-flow": "The code flow is used, with openid and the registry's scope.",
    "auth-redirect-exact": "redirect_uri equals the registered one byte for byte, in both requests.",
    "auth-csrf": "Each sign-in is bound to the browser by state, PKCE or nonce.",
    "auth-state-present": "state is sent.",
    "auth-state-unique": "state is unguessable and new at each sign-in.",
    "auth-state-verified": "A reply with a wrong state is dropped.",
    "auth-nonce": "nonce is sent and new each time.",
    "auth-pkce": "S256 challenge and a matching verifier.",
    "auth-client-id": "The issued client ID and no other.",
    "auth-secret-private": "No secret in a URL, page or Referer.",
    "auth-client-auth": "The secret goes by body or by Basic, never both.",
    "auth-code-once": "A code is redeemed once and in time.",
    "auth-denied": "A denied sign-in ends politely.",
    "auth-refresh": "Unattended work goes on by refresh token.",
    "auth-refresh-rotation": "A rotated refresh token replaces the old one.",
    "auth-refresh-dead": "A dead refresh token leads to a new sign-in.",
    "auth-token-expiry": "An access token is not sent again once its 401 was received.",
    "auth-bearer-header": "The access token goes in the Authorization header and nowhere else.",
    "auth-id-token-not-api": "An ID token is never used as access token.",
    "auth-tls": "TLS 1.2 or newer, and an untrusted certificate is refused.",
    "tx-header": "The header is complete, its IDs are issued ones, its counts true.",
    "tx-facility-token": "The facility is one that the token's user belongs to.",
    "tx-schema": "The body is valid against the mapping version it declares.",
    "tx-version-in-force": "The declared mapping version is in force.",
    "tx-complete": "At least one record is complete.",
    "tx-coverage": "Elements, value lists and branches are exercised.",
    "tx-id-unique": "Transaction IDs are unique.",
    "tx-retry-same": "A retry after a lost answer repeats ID and body exactly.",
    "tx-update": "A changed record is sent under the same exam key.",
    "tx-follow-up": "Work-up within 12 months is a follow-up of the latest screen.",
    "tx-test-data": "Only test or anonymised data is sent.",
    "tx-media-type": "JSON, UTF-8, right Content-Type, size within the limit.",
    "status-each": "Every accepted transaction's status is fetched.",
    "status-terminal": "Polling goes on to a terminal status and then stops.",
    "status-pace": "Polls respect Retry-After and the minimum interval.",
    "status-partial": "PartiallySuccessful is not taken for success.",
    "status-failed": "ValidationFail leads to correction, not to an identical resend.",
}
_SHOULD = {
    "apply-logo",
    "allow-all-used",
    "auth-discovery",
    "auth-state-present",
    "auth-nonce",
    "auth-pkce",
    "tx-coverage",
    "status-pace",
}
_CHALLENGES = {
    "allow-refusal-respected",
    "auth-state-verified",
    "auth-denied",
    "auth-refresh-rotation",
    "auth-refresh-dead",
    "auth-token-expiry",
    "auth-tls",
    "tx-retry-same",
    "status-partial",
    "status-failed",
}
_SPECIAL: dict[str, dict[str, Any]] = {
    "apply-logo": {"outcome": Outcome.NOT_APPLICABLE, "actual": "no logo was given"},
    "auth-redirect-exact": {
        "outcome": Outcome.FAILED,
        "expected": "redirect_uri = https://localhost:8765/callback, byte for byte, in both requests",
        "actual": "the authorization request sent https://localhost:8765/callback/ (a slash more), the token request sent none",
        "correct": "GET …/v1/authorize?…&redirect_uri=https%3A%2F%2Flocalhost%3A8765%2Fcallback",
        "evidence": (
            Evidence(entry=6, pointer="/request/queryString/2/value"),
            Evidence(entry=8, pointer="/request/postData/params/2"),
        ),
        "source": "RFC 6749 section 4.1.3; RFC 9700 section 2.1",
        "provenance": "standard",
        "hint": "Configure one redirect URL and use that one string everywhere; do not rebuild it from its parts.",
    },
    "auth-nonce": {
        "outcome": Outcome.FAILED,
        "expected": "a nonce parameter in every authorization request",
        "actual": "none in 2 of 2 authorization requests",
        "evidence": (Evidence(entry=6, pointer="/request/queryString"), Evidence(entry=55, pointer="/request/queryString")),
    },
    "auth-pkce": {
        "outcome": Outcome.FAILED,
        "expected": "a verifier whose SHA-256 is the challenge",
        "actual": "the verifier of the second sign-in does not match",
        "evidence": (
            Evidence(entry=57, pointer="/facts/grant/verifier"),
            Evidence(entry=57, pointer="/request/postData/params/5/value"),
            Evidence(entry=57, pointer="/response/status"),
        ),
    },
    "tx-schema": {
        "outcome": Outcome.FAILED,
        "expected": "Smoking_Status is one of 1, 2, 3, 4, 9999",
        "actual": '"9"',
        "evidence": (Evidence(entry=19, pointer="/request/postData/text/Exams/1/Smoking_Status"), Evidence(entry=999)),
        "correct": '"Smoking_Status": "1"',
    },
    "tx-complete": {"outcome": Outcome.NOT_EXERCISED, "actual": "", "blocked_by": "tx-schema"},
    "tx-test-data": {
        "outcome": Outcome.NEEDS_REVIEW,
        "expected": "synthetic or anonymised values only",
        "actual": "a name that may be a real person's",
        "evidence": (Evidence(entry=11, pointer="/request/postData/text/Exams/0/Exam_Unique_ID"),),
    },
    "status-pace": {
        "outcome": Outcome.HARNESS_ERROR,
        "actual": "the check itself broke",
        "note": "reported to acrmock, not to you",
    },
}


def make_finding(check: str, **changes: Any) -> Finding:
    """A finding of the sample, with changes."""
    group = check.partition("-")[0]
    weight = Weight.NOT_SCORED if check in _CHALLENGES else Weight.SHOULD if check in _SHOULD else Weight.MUST
    values: dict[str, Any] = {
        "check": check,
        "registry": "lcsr" if group in {"tx", "status"} else None,
        "requirement": _REQUIREMENTS.get(check, "Something is required."),
        "group": group,
        "subject": "vendor",
        "weight": weight,
        "outcome": Outcome.NOT_EXERCISED if check in _CHALLENGES else Outcome.PASSED,
        "expected": "as required" if check not in _CHALLENGES else "a challenge that this revision does not give yet",
        "actual": "as required in every exchange" if check not in _CHALLENGES else "",
        "evidence": (Evidence(entry=11),) if check not in _CHALLENGES else (),
        "source": "S2, the page on web-based transmission",
        "provenance": ("acr", "standard", "mock-choice", "acr-mirror", "third-party")[len(check) % 5],
        "hint": "Read what the requirement says and compare it with the marked place.",
    }
    return Finding(**{**values, **changes})


def build_result(findings: tuple[Finding, ...] | None = None, **changes: Any) -> Result:
    """The sample result: not ready, 46 findings, unless said otherwise."""
    if findings is None:
        findings = tuple(make_finding(check, **_SPECIAL.get(check, {})) for check in _REQUIREMENTS)
    scored = [
        found
        for found in findings
        if found.weight in (Weight.MUST, Weight.SHOULD) and found.outcome is not Outcome.NOT_APPLICABLE
    ]

    def tally(name: str) -> dict[str, tuple[int, int]]:
        keys = dict.fromkeys(getattr(found, name) for found in scored)
        chosen = {key: [found for found in scored if getattr(found, name) == key] for key in keys}
        return {key: (sum(one.outcome is Outcome.PASSED for one in ones), len(ones)) for key, ones in chosen.items()}

    points = Points(
        earned=sum(found.outcome is Outcome.PASSED for found in scored),
        possible=len(scored),
        by_group=tally("group"),
        by_provenance=tally("provenance"),
    )
    values: dict[str, Any] = {
        "schema": "acrmock/result/1",
        "profile": "lcsr",
        "revision": "1",
        "verdict": Verdict.NOT_READY,
        "statement": STATEMENT,
        "points": points,
        "findings": findings,
        "application": "default",
        "application_name": "ScreenSend",
        "run": "r1",
        "judged_at": "2026-02-03T10:05:00Z",
        "facts_digest": "3c" * 32,
        "recording_sha256": "ab" * 32,
        "claims": ("follow-up", "update", "offline"),
        "notes": ("LCSR mapping 1.8: its elements are taken from 1.7 as far as known; what ACR changed is not public.",),
        "resolutions": (
            Resolution(
                check="tx-test-data",
                registry="lcsr",
                outcome=Outcome.PASSED,
                who="Grace (QA)",
                why="the name is from our word list",
                when="2026-02-04",
            ),
        ),
    }
    return Result(**{**values, **changes})


@pytest.fixture
def recording() -> FakeRecording:
    """The sample recording."""
    return build_recording()


@pytest.fixture
def result() -> Result:
    """The sample result."""
    return build_result()


@pytest.fixture
def make_result() -> Callable[..., Result]:
    """A builder of results: findings and changed fields."""
    return build_result


@pytest.fixture
def finding() -> Callable[..., Finding]:
    """A builder of findings: a check and changed fields."""
    return make_finding


@pytest.fixture
def http() -> Callable[..., HttpEntry]:
    """A builder of exchanges."""
    return exchange


@pytest.fixture
def record() -> Callable[..., FakeRecording]:
    """A builder of recordings from entries."""
    return lambda *entries: FakeRecording(None, tuple(entries), None)


@pytest.fixture
def hostile() -> str:
    """Text that tries to break out of every report: markup, terminal escapes, bidi controls, NUL, a lone surrogate."""
    return HOSTILE
