"""A walk through the error catalogue over the real wires: each error by its natural trigger, and by a fault rule.

What each error looked like is kept, so that the tests can compare it with the catalogue and the docs can show it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
import msgspec
import requests

from acrmock.clock import SystemClock
from acrmock.facts.model import ErrorSpec, Look
from acrmock.identity import luhn_npi
from acrmock.record import Channel, HttpEntry, Operation, decode_line
from mockserver.context import wire
from mockserver.engine import Engine, shipped_wires
from mockserver.store import StoreError

CALLBACK = "https://localhost:8765/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-43"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


@dataclass
class Seen:
    """An answer as it came, with what the journal said of it (empty where control calls leave no entry)."""

    status: int
    headers: dict[str, str]
    body: str
    code: str = ""
    fault: str = ""
    entry: HttpEntry | None = None

    @property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object."""
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found

    @property
    def returned(self) -> dict[str, str]:
        """What a redirect carries to the client."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.headers["Location"]).query).items()}


def npi(start: int) -> str:
    """The first number from `start` on with a valid check digit."""
    return next(str(number) for number in range(start, start + 10) if luhn_npi(str(number)))


EXAM = {
    "Other_ID": "P1",
    "Exam_Date": "2026-02-01",
    "Smoking_Status": "1",
    "Radiologist_Reading_NPI": npi(9_000_000_000),
    "Ordering_Practitioner_NPI": npi(9_100_000_000),
    "Indication_Of_Exam": "1",
}


def with_a_defect(facts: Any) -> tuple[flask.Blueprint, ...]:
    """The shipped wires and one that fails, as a defect of acrmock's own would."""
    broken = flask.Blueprint("broken", __name__)

    @broken.get("/broken")
    @wire(Operation.OTHER, Channel.EXEMPT)
    def fail() -> str:
        raise ZeroDivisionError

    return (*shipped_wires(facts), broken)


class Dated(SystemClock):
    """A clock that began on a day of 2026, so that mapping versions are in force whenever the walk is done."""

    def __init__(self) -> None:
        self._began = self.monotonic()

    def now(self) -> datetime:
        """Protocol time."""
        return BEGAN + timedelta(seconds=self.monotonic() - self._began)


@dataclass
class Walk:
    """An engine in this process, reached over its socket, with a registered application on a date of 2026."""

    engine: Engine = field(default_factory=lambda: Engine(tls=False, wires=with_a_defect, clock=Dated()))
    magic: str = ""
    """A magic value that each request carries as one more parameter."""

    def __post_init__(self) -> None:
        """Start, register and sign in."""
        ready = self.engine.start()
        self.url, self.control_token = ready.url, ready.control_token
        self.session = requests.Session()
        self.session.trust_env = False
        self.doc = self.register("Walker")
        self.grant = self.tokens()

    def close(self) -> None:
        """Stop."""
        self.session.close()
        self.engine.stop()

    # plain requests

    def send(self, method: str, url: str, **options: Any) -> Seen:
        """One request and what the journal said of it."""
        core = self.engine.core
        assert core is not None
        with core.store.read() as snapshot:
            before = snapshot.last_seq()
        if self.magic:
            url += ("&" if "?" in url else "?") + urlencode({"login_hint": self.magic})
        answer = self.session.request(method, url, allow_redirects=False, timeout=30, **options)
        return self.noted(Seen(answer.status_code, dict(answer.headers), answer.text), before)

    def noted(self, seen: Seen, before: int) -> Seen:
        """`seen` with the last exchange that the journal had after `before`."""
        core = self.engine.core
        assert core is not None
        with core.store.read() as snapshot:
            lines = [decode_line(line) for _, line in snapshot.entries(after=before)]
        for entry in lines:
            if isinstance(entry, HttpEntry):
                seen.entry = entry
                seen.code = entry.refusal.code if entry.refusal is not None else ""
                seen.fault = entry.facts.fault.name if entry.facts.fault is not None else ""
        return seen

    def raw(self, data: bytes) -> Seen:
        """Bytes as they are, until the server closes."""
        core = self.engine.core
        assert core is not None
        with core.store.read() as snapshot:
            before = snapshot.last_seq()
        with socket.create_connection(("127.0.0.1", int(self.url.rpartition(":")[2])), timeout=20) as sock:
            sock.sendall(data)
            parts = []
            try:
                while part := sock.recv(65536):
                    parts.append(part)
            except ConnectionResetError:
                pass
        head, _, body = b"".join(parts).partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = {name: value.strip() for name, _, value in (line.partition(":") for line in rest)}
        return self.noted(Seen(int(first.split()[1]), headers, body.decode()), before)

    def control(self, method: str, path: str, body: Any = None, **options: Any) -> Seen:
        """A control call with the token, unless headers say otherwise."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.control_token}"})
        return self.send(method, f"{self.url}/_acrmock{path}", **({"json": body} if body is not None else {}), **options)

    # the application

    def register(self, name: str, **changes: Any) -> dict[str, Any]:
        """A registration."""
        body = {"name": name, "redirect_url": [CALLBACK], "ip": ["8.8.4.4"], "registry": ["lcsr:1.7"]} | changes
        seen = self.control("POST", "/applications", body)
        assert seen.status == 201, seen.body
        return seen.document

    def settings(self, **values: Any) -> None:
        """Override settings; None takes one back."""
        body = {"settings": {name.replace("__", "."): value for name, value in values.items()}}
        assert self.control("POST", "/applications/default/settings", body).status == 200

    def set_clock(self, to: str) -> None:
        """Set business time."""
        assert self.control("POST", "/clock", {"application": "default", "set": to}).status == 200

    @property
    def issuer(self) -> str:
        """The authorization server's issuer."""
        return str(self.doc["issuer"])

    def authorize(self, method: str = "GET", **changes: Any) -> Seen:
        """An authorization request; None takes a parameter away."""
        query = {
            "response_type": "code",
            "client_id": self.doc["client_id"],
            "redirect_uri": CALLBACK,
            "scope": "openid offline_access " + next(s for s in self.doc["scopes"] if "lcsr" in s),
            "state": "state-1",
            "nonce": "nonce-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        } | changes
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return self.send(method, f"{self.issuer}/v1/authorize?{text}")

    def press(self, page: Seen, decision: str = "allow", **changes: str) -> Seen:
        """Fill in the sign-in form and press a button."""
        form = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.body))
        form = {name: unescape(value) for name, value in form.items()}
        user = self.doc["users"][0]
        form |= {"username": user["username"], "password": user["password"], "decision": decision} | changes
        action = re.search(r'<form method="post" action="([^"]*)"', page.body)
        assert action is not None, page.body
        return self.send("POST", self.url + unescape(action[1]), data=form)

    def code(self, **changes: Any) -> str:
        """A fresh code."""
        return self.press(self.authorize(**changes)).returned["code"]

    def token(self, headers: dict[str, str] | None = None, **changes: Any) -> Seen:
        """A token request; None takes a field away."""
        form = {"client_id": self.doc["client_id"], "client_secret": self.doc["client_secret"]} | changes
        data = urlencode({name: value for name, value in form.items() if value is not None})
        return self.send("POST", f"{self.issuer}/v1/token", data=data, headers={"Content-Type": FORM, **(headers or {})})

    def managed(self, endpoint: str, token: str) -> Seen:
        """A request to the introspection or revocation endpoint."""
        form = {"client_id": self.doc["client_id"], "client_secret": self.doc["client_secret"], "token": token}
        return self.send("POST", f"{self.issuer}/v1/{endpoint}", data=form)

    def redeem(self, code: str, **changes: Any) -> Seen:
        """Swap a code for tokens."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(**(fields | changes))

    def tokens(self) -> dict[str, Any]:
        """The tokens of a whole sign-in."""
        seen = self.redeem(self.code())
        assert seen.status == 200, seen.body
        return seen.document

    def body(self, name: str = "T1", exams: list[Any] | None = None, **header: Any) -> dict[str, Any]:
        """A transaction; None takes a header element away."""
        made = {
            "Transaction_ID": name,
            "Transaction_Date": "2026-03-01",
            "Partner_ID": self.doc["partner_id"],
            "App_ID": self.doc["app_id"],
            "Facility_ID": self.doc["users"][0]["facility_id"],
            "Registry": "LCSR",
            "Data_Version": "1.7",
            "Number_Of_Exams": len([EXAM] if exams is None else exams),
        } | header
        kept = {name: value for name, value in made.items() if value is not None}
        return {"Transaction_Header": kept, "Exams": [EXAM] if exams is None else exams}

    def post(self, body: Any = None, path: str = "/lcsr/v1.7/transactions", **headers: str) -> Seen:
        """Post a transaction (bytes as they are)."""
        data = body if isinstance(body, bytes) else json.dumps(self.body() if body is None else body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {self.grant['access_token']}", "Content-Type": "application/json"} | named
        return self.send("POST", self.doc["nrdr"] + path, data=data, headers=sent)

    def get(self, url: str, **headers: str) -> Seen:
        """A protected GET."""
        return self.send("GET", url, headers={"Authorization": f"Bearer {self.grant['access_token']}"} | headers)

    @contextmanager
    def store_failing(self, error: type[StoreError]) -> Iterator[None]:
        """The store keeps nothing while this lasts."""
        core = self.engine.core
        assert core is not None
        store: Any = core.store
        kept = store.flush

        def fail(_ticket: Any) -> None:
            raise error("the disk is full")

        store.flush = fail
        try:
            yield
        finally:
            store.flush = kept

    # by a rule

    def by_rule(self, code: str, places: tuple[str, ...]) -> Seen:
        """The error provoked by a fault rule of its name, at the first operation that can answer with it."""
        operation = places[0]
        rule: dict[str, Any] = {"name": f"walk-{code}", "operation": operation, "error": code, "trigger": {"kind": "once"}}
        if operation != "control":
            rule["application"] = "default"
        set_ = self.control("POST", "/faults", rule)
        assert set_.status == 201, set_.body
        seen = self.visit(operation)
        query = "" if operation == "control" else f"application=default&name=walk-{code}"
        assert self.control("DELETE", f"/faults?{query}").status == 200
        return seen

    def by_magic(self, code: str, places: tuple[str, ...]) -> Seen:
        """The error provoked by a magic value of its name, at the first operation that can answer with it."""
        self.magic = f"acrmock-fault.{code}.walk"
        try:
            return self.visit(places[0])
        finally:
            self.magic = ""

    def visit(self, operation: str) -> Seen:
        """A request that is good in itself, at an operation."""
        visits: dict[str, Callable[[], Seen]] = {
            "auth.discovery": lambda: self.get(f"{self.issuer}/.well-known/openid-configuration"),
            "auth.authorize": self.authorize,
            "auth.sign-in": lambda: self.press(self.authorize()),
            "auth.token": lambda: self.token(grant_type="refresh_token", refresh_token=self.grant["refresh_token"]),
            "auth.keys": lambda: self.get(f"{self.issuer}/v1/keys"),
            "auth.introspect": lambda: self.managed("introspect", self.grant["access_token"]),
            "auth.revoke": lambda: self.managed("revoke", "made-up"),
            "auth.logout": lambda: self.send("GET", f"{self.issuer}/v1/logout"),
            "auth.userinfo": lambda: self.get(f"{self.issuer}/v1/userinfo"),
            "nrdr.post": self.post,
            "nrdr.status": lambda: self.get(f"{self.doc['nrdr']}/lcsr/transactions/T1"),
            "nrdr.list": lambda: self.get(f"{self.doc['nrdr']}/lcsr/transactions"),
            "cdsr.post": lambda: self.send("POST", self.doc["cdsr"], json={}),
            "other": lambda: self.get(f"{self.url}/test/nothing-here"),
            "control": lambda: self.control("GET", "/applications"),
        }
        return visits[operation]()


def check(code: str, spec: ErrorSpec, seen: Seen, *, control: bool) -> None:
    """Compare an answer with what the catalogue says of its look on the wire; raises `AssertionError`."""
    assert seen.status == spec.status or (spec.status, seen.status) == (302, 303), (code, seen.status, seen.body[:300])
    media = seen.headers.get("Content-Type", "")
    match spec.look:
        case Look.PROBLEM:
            assert media == "application/problem+json", (code, media)
            document = seen.document
            assert document["code"] == f"acrmock:{code}", (code, document)
            assert document["title"] == spec.title, (code, document)
            assert document["status"] == spec.status, (code, document)
            assert document["type"] == f"urn:acrmock:error:{code}", (code, document)
        case Look.OAUTH:
            assert media == "application/json", (code, media)
            assert seen.document["error"] == spec.oauth_error, (code, seen.body)
            assert seen.document["error_description"]
        case Look.REDIRECT:
            assert seen.headers["Location"].startswith(CALLBACK), (code, seen.headers)
            assert seen.returned["error"] == spec.oauth_error, (code, seen.headers)
            assert seen.returned["iss"]
        case Look.PAGE:
            assert media.startswith("text/html"), (code, media)
            assert seen.headers["Cache-Control"] == "no-store"
    for name, value in spec.headers.items():
        assert name in seen.headers, (code, name)
        if name not in {"Allow", "Retry-After"}:
            assert seen.headers[name].startswith(value), (code, name, seen.headers[name])
    if not control:
        assert seen.code == f"acrmock:{code}", (code, seen.code, seen.body[:300])


def publish(spec: ErrorSpec, seen: Seen) -> dict[str, Any]:
    """What the docs show of an answer: nothing that changes from run to run."""
    shown = {name: seen.headers[name] for name in ("Content-Type", *spec.headers) if name in seen.headers}
    body = msgspec.json.decode(seen.body) if seen.body.startswith("{") else None
    return {"status": seen.status, "headers": shown, "body": body}
