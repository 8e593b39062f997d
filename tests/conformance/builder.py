"""Synthetic recordings: a good vendor's run, built entry by entry, and the means to change one thing in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from acrmock.facts import load_facts
from acrmock.record import (
    RECORD_SCHEMA,
    AnyEntry,
    AuthorizeFacts,
    BearerFacts,
    Channel,
    ClientFacts,
    Content,
    EventEntry,
    Exposure,
    FollowUpFacts,
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
    SecretKind,
    StatusFacts,
    TransactionFacts,
    encode_line,
)

BASE = "https://localhost:8443/test"
CALLBACK = "https://localhost:8765/callback"
START = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
SCOPE = "openid offline_access lcsr_data_submission"
LCSR = next(registry for registry in load_facts().registries if registry.slug == "lcsr")
BRANCH = next(rule.id for rule in LCSR.versions[-1].rules if rule.when is not None)
Mutation = Callable[["Story"], None]


def pairs(**values: str) -> tuple[NameValue, ...]:
    """Name-value pairs in the order given."""
    return tuple(NameValue(name=name, value=value) for name, value in values.items())


def secret(kind: str, number: int) -> str:
    """A reference as redaction makes them: the same for the same value."""
    return f"d:{kind}:{hashlib.sha256(f'{kind}{number}'.encode()).hexdigest()[:22]}"


def random_text(number: int, word: str = "state") -> str:
    """Text that looks random, the same for the same number."""
    return hashlib.sha256(f"{word}/{number}".encode()).hexdigest()


@dataclass
class Story:
    """A recording under construction; `entries` are renumbered when it is closed."""

    entries: list[AnyEntry] = field(default_factory=list)
    now: datetime = START
    application: str | None = "default"
    run: str | None = "run-1"

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def event(self, name: str, **data: Any) -> EventEntry:
        """Add an event."""
        entry = EventEntry(**self._common(), name=name, data=data)
        self.entries.append(entry)
        return entry

    def http(self, request: HttpRequest, response: HttpResponse, facts: HttpFacts, *, peer: str = "127.0.0.1") -> HttpEntry:
        """Add an exchange."""
        entry = HttpEntry(**(self._common() | {"peer": peer}), request=request, response=response, facts=facts, time=5.0)
        self.entries.append(entry)
        return entry

    def _common(self) -> dict[str, Any]:
        self.wait(0.05)
        moment = self.now.isoformat()
        return {
            "seq": len(self.entries) + 1,
            "at": moment,
            "t": moment,
            "application": self.application,
            "environment": "test",
            "run": self.run,
        }

    def of(self, operation: Operation) -> list[int]:
        """The places of the exchanges of an operation."""
        return [i for i, e in enumerate(self.entries) if isinstance(e, HttpEntry) and e.facts.operation is operation]

    def events(self, name: str) -> list[int]:
        """The places of the events of a name."""
        return [i for i, e in enumerate(self.entries) if isinstance(e, EventEntry) and e.name == name]

    def put(self, place: int, pointer: str, value: Any) -> None:
        """Set what stands at a pointer of an entry."""
        self.entries[place] = _set(self.entries[place], pointer.strip("/").split("/"), value)

    def query(self, place: int, name: str, value: str | None) -> None:
        """Set or drop a parameter of the query."""
        entry = self.entries[place]
        assert isinstance(entry, HttpEntry)
        kept = [p for p in entry.request.queryString if p.name != name]
        added = [NameValue(name=name, value=value)] if value is not None else []
        self.put(place, "/request/queryString", tuple(kept + added))

    def expose(self, place: int, kind: SecretKind, where: str, name: str) -> None:
        """Note a secret at a place of an entry."""
        entry = self.entries[place]
        assert isinstance(entry, HttpEntry)
        exposure = Exposure(secret=kind, place=where, name=name, pointer="/request/headers/0/value")
        self.put(place, "/facts/exposures", (*entry.facts.exposures, exposure))

    def closed(self) -> list[AnyEntry]:
        """The entries with `seq` in order."""
        return [msgspec.structs.replace(entry, seq=number) for number, entry in enumerate(self.entries, 1)]

    def lines(self) -> list[bytes]:
        """The recording as lines with their line feeds."""
        return lines(self.closed(), application=self.application)


def lines(entries: Iterable[AnyEntry], *, application: str | None = "default") -> list[bytes]:
    """Entries as a whole recording: header, entries, footer."""
    header = Header(schema=RECORD_SCHEMA, created=START.isoformat(), acrmock="0.1.0", application=application)
    body = [encode_line(entry) + b"\n" for entry in entries]
    footer = Footer(entries=len(body), sha256=hashlib.sha256(b"".join(body)).hexdigest())
    return [encode_line(header) + b"\n", *body, encode_line(footer) + b"\n"]


def _set(target: Any, path: Sequence[str], value: Any) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(target, dict):
        return target | {head: _set(target.get(head), rest, value)}
    if isinstance(target, tuple | list):
        items = list(target)
        items[int(head)] = _set(items[int(head)], rest, value)
        return type(target)(items)
    return msgspec.structs.replace(target, **{head: _set(getattr(target, head), rest, value)})


OWN = ClientFacts(presented=True, whose="own")
PROVED = ClientFacts(presented=True, whose="own", methods=("body",), authenticated=True)
BEARER = BearerFacts(place="header", kind="access", state="active", scope_sufficient=True)
JSON = NameValue(name="Content-Type", value="application/json")


class Vendor:
    """A vendor that does everything right, one action at a time."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.moved = False
        self.signed_in = 0
        self.token = ""

    @property
    def segment(self) -> str:
        """The path segment of the endpoints at present."""
        return "v2" if self.moved else "v1"

    def register(self, **declared: Any) -> None:
        """Register with everything given."""
        given = ["name", "redirect_url", "ip", "local_source", "registry", "logo", "link"]
        self.story.event(
            "registration-attempted",
            accepted=True,
            application="default",
            environment="test",
            given=given,
            declared={
                "name": "Lung Screening Manager",
                "redirect_urls": [CALLBACK],
                "addresses": ["203.0.113.0/28"],
                "local_sources": ["127.0.0.0/8"],
                "registries": ["lcsr"],
                "logo": {"width": 150, "height": 40, "format": "png", "link": "https://vendor.example/"},
            }
            | declared,
            refused=[],
            issued={"registries": {"lcsr": "1.8"}},
            local=False,
        )

    def discover(self) -> None:
        """Read the discovery document."""
        request = HttpRequest(method="GET", url=f"{BASE}/oauth2/default/.well-known/openid-configuration")
        facts = HttpFacts(operation=Operation.DISCOVERY, channel=Channel.EXEMPT, moved=self.moved)
        self.story.http(request, HttpResponse(status=200), facts)

    def authorize(self, number: int) -> None:
        """Send the browser to the authorization endpoint."""
        query = pairs(
            response_type="code",
            client_id="0oaclient",
            redirect_uri=CALLBACK,
            scope=SCOPE,
            state=random_text(number),
            nonce=random_text(number, "nonce"),
            code_challenge=random_text(number, "challenge"),
            code_challenge_method="S256",
        )
        page = f'<form method="post"><input type="hidden" name="request" value="sealed-{number:08d}"></form>'
        facts = HttpFacts(
            operation=Operation.AUTHORIZE,
            channel=Channel.FRONT,
            moved=self.moved,
            client=OWN,
            authorize=AuthorizeFacts(redirect_registered=True, scopes_expected=("openid", "lcsr_data_submission")),
        )
        url = f"{BASE}/oauth2/default/{self.segment}/authorize"
        request = HttpRequest(method="GET", url=url, queryString=query)
        self.story.http(request, HttpResponse(status=200, content=Content(mimeType="text/html", text=page)), facts)

    def sign_in(self, number: int) -> None:
        """Answer the sign-in page."""
        form = pairs(request=f"sealed-{number:08d}", username="user1", password=secret("pw", 1), decision="allow")
        back = f"{CALLBACK}?code={secret('code', number)}&state={random_text(number)}"
        facts = HttpFacts(operation=Operation.SIGN_IN, channel=Channel.FRONT, moved=self.moved)
        request = HttpRequest(
            method="POST",
            url=f"{BASE}/oauth2/default/{self.segment}/authorize",
            postData=PostData(mimeType="application/x-www-form-urlencoded", params=form),
        )
        location = (NameValue(name="Location", value=back),)
        self.story.http(request, HttpResponse(status=302, headers=location, redirectURL=back), facts)

    def visit(self, number: int) -> None:
        """The browser arrives at the vendor's own page."""
        exposure = Exposure(secret=SecretKind.CODE, place="query", name="code", pointer="/request/queryString/0/value")
        facts = HttpFacts(operation=Operation.BROWSER, channel=Channel.EXEMPT, exposures=(exposure,))
        query = pairs(code=secret("code", number), state=random_text(number))
        url = f"{CALLBACK}?code={secret('code', number)}&state={random_text(number)}"
        request = HttpRequest(method="GET", url=url, queryString=query)
        self.story.http(request, HttpResponse(status=200), facts)

    def redeem(self, number: int) -> None:
        """Swap the code for tokens."""
        form = pairs(
            grant_type="authorization_code",
            code=secret("code", number),
            redirect_uri=CALLBACK,
            client_id="0oaclient",
            client_secret=secret("secret", 1),
            code_verifier="d:verifier",
        )
        grant = GrantFacts(grant_type="authorization_code", grant_state="fresh", verifier="match", redirect_equal=True)
        exposures = (
            Exposure(secret=SecretKind.CODE, place="body", name="code", pointer="/request/postData/params/1/value"),
            Exposure(
                secret=SecretKind.CLIENT_SECRET, place="body", name="client_secret", pointer="/request/postData/params/4/value"
            ),
        )
        self._token(form, grant, exposures, number)

    def refresh(self, number: int) -> None:
        """Get a new access token without a person."""
        form = pairs(
            grant_type="refresh_token",
            refresh_token=secret("refresh", 1),
            client_id="0oaclient",
            client_secret=secret("secret", 1),
        )
        grant = GrantFacts(grant_type="refresh_token", grant_state="fresh")
        exposures = (
            Exposure(
                secret=SecretKind.REFRESH_TOKEN, place="body", name="refresh_token", pointer="/request/postData/params/1/value"
            ),
            Exposure(
                secret=SecretKind.CLIENT_SECRET, place="body", name="client_secret", pointer="/request/postData/params/3/value"
            ),
        )
        self._token(form, grant, exposures, 100 + number)

    def _token(self, form: tuple[NameValue, ...], grant: GrantFacts, exposures: tuple[Exposure, ...], number: int) -> None:
        self.token = secret("access", number)
        body = {"access_token": self.token, "refresh_token": secret("refresh", 1), "expires_in": 60, "token_type": "Bearer"}
        facts = HttpFacts(
            operation=Operation.TOKEN,
            channel=Channel.BACK,
            allowed=True,
            moved=self.moved,
            client=PROVED,
            grant=grant,
            exposures=exposures,
        )
        request = HttpRequest(
            method="POST",
            url=f"{BASE}/oauth2/default/{self.segment}/token",
            postData=PostData(mimeType="application/x-www-form-urlencoded", params=form),
        )
        content = Content(mimeType="application/json", text=msgspec.json.encode(body).decode())
        self.story.http(request, HttpResponse(status=200, content=content), facts)

    def post(self, name: str, record: RecordFacts, **changes: Any) -> None:
        """Post a transaction with one exam."""
        transaction = TransactionFacts(
            registry="lcsr",
            mapping="1.8",
            transaction_id=name,
            declared_registry="LCSR",
            declared_mapping="1.8",
            mapping_state="in-force",
            exams=1,
            declared_exams=1,
            envelope_valid=True,
            partner_issued=True,
            app_issued=True,
            facility_issued=True,
            facility_of_user=True,
            accepted=True,
            records=(record,),
            elements=("Patient_Sex",),
            values=("Patient_Sex=F",),
            branches=(BRANCH,),
        )
        facts = HttpFacts(
            operation=Operation.NRDR_POST,
            channel=Channel.BACK,
            allowed=True,
            body_digest=f"{name}/{record.content}",
            body_bytes=900,
            body_json=True,
            body_utf8=True,
            bearer=BEARER,
            exposures=(self._shown(),),
            transaction=msgspec.structs.replace(transaction, **changes),
        )
        headers = (NameValue(name="Authorization", value=f"Bearer {self.token}"), JSON)
        request = HttpRequest(
            method="POST",
            url=f"{BASE}/nrdr/lcsr/v1.8/transactions",
            headers=headers,
            postData=PostData(mimeType="application/json", text="{}"),
        )
        self.story.http(request, HttpResponse(status=202), facts)

    def poll(self, name: str, word: str, *, terminal: bool) -> None:
        """Ask for a transaction's status."""
        facts = HttpFacts(
            operation=Operation.NRDR_STATUS,
            channel=Channel.BACK,
            allowed=True,
            bearer=BEARER,
            exposures=(self._shown(),),
            status=StatusFacts(registry="lcsr", transaction_id=name, known=True, status=word, terminal=terminal, interval=1.0),
        )
        again = () if terminal else (NameValue(name="Retry-After", value="1"),)
        request = HttpRequest(
            method="GET",
            url=f"{BASE}/nrdr/lcsr/transactions/{name}",
            headers=(NameValue(name="Authorization", value=f"Bearer {self.token}"),),
        )
        self.story.http(request, HttpResponse(status=200, headers=again), facts)

    def _shown(self) -> Exposure:
        pointer = "/request/headers/0/value"
        return Exposure(secret=SecretKind.ACCESS_TOKEN, place="header", name="Authorization", pointer=pointer)

    def submit(self, name: str, record: RecordFacts) -> None:
        """Post a transaction and wait for its end."""
        self.post(name, record)
        self.story.wait(1.2)
        self.poll(name, "Received", terminal=False)
        self.story.wait(1.2)
        self.poll(name, "Posted", terminal=True)

    def sign_in_whole(self) -> None:
        """A whole sign-in, discovery first."""
        self.signed_in += 1
        self.discover()
        for action in (self.authorize, self.sign_in, self.visit, self.redeem):
            action(self.signed_in)


def exam(content: int, *, key: int = 1, patient: int = 1, day: str = "2025-12-01", follow_ups: Sequence[int] = ()) -> RecordFacts:
    """A complete exam record, with follow-ups so many days after it."""
    return RecordFacts(
        index=0,
        key=f"d:key:{key}",
        patient=f"d:patient:{patient}",
        content=f"d:content:{content}",
        status="Complete",
        exam_date=day,
        follow_ups=tuple(
            FollowUpFacts(pointer=f"/Exams/0/Follow_Ups/{i}", days_after_exam=days) for i, days in enumerate(follow_ups)
        ),
    )


def good_run() -> Story:
    """A good vendor's run of the six steps of `lcsr`."""
    story = Story()
    vendor = Vendor(story)
    story.event("run-started", profile="lcsr")
    vendor.register()
    story.event("step-began", step="sign-in")
    vendor.sign_in_whole()
    story.event("step-began", step="submit")
    vendor.submit("t-1", exam(1))
    story.event("step-began", step="update")
    vendor.submit("t-2", exam(2))
    story.event("step-began", step="follow-up")
    vendor.submit("t-3", exam(3, follow_ups=[30]))
    story.event("step-began", step="refresh")
    story.wait(60)
    vendor.refresh(1)
    vendor.submit("t-4", exam(4, key=2, patient=2))
    story.event("endpoints-moved", environment="test")
    vendor.moved = True
    story.event("step-began", step="sign-in-again")
    vendor.sign_in_whole()
    story.event("run-ended")
    return story
