"""A harness for the wires: the real gate and blueprints over a store in memory, on a clock that is moved by hand."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from werkzeug.test import Client, TestResponse

from acrmock.clock import ManualClock
from acrmock.facts import load_facts
from acrmock.identity import luhn_npi
from acrmock.record import HttpEntry, decode_line
from acrmock.redaction import Digester, Redactor
from acrmock.tls import Authority, Leaf
from mockserver import auth, cdsr, nrdr
from mockserver.app import make_apps
from mockserver.context import Applications, EngineCore
from mockserver.gate import Gate
from mockserver.journal import Journal
from mockserver.keys import Keys
from mockserver.onboarding.model import Application, Registration, User
from mockserver.plans import Plan, release, set_plan
from mockserver.sqlite import SqliteStore

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-43"
REDIRECT = "https://localhost:8765/callback"
FORM = "application/x-www-form-urlencoded"
SCOPES = ("openid", "offline_access", "profile", "email", "lcsr_data_submission")
SIGNING = rsa.generate_private_key(65537, 2048)


def challenge(verifier: str = VERIFIER) -> str:
    """The S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def npi(start: int = 9_000_000_000) -> str:
    """The first NPI from `start` on with a valid check digit."""
    return next(str(number) for number in range(start, start + 10) if luhn_npi(str(number)))


def exam(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An exam that is accepted (though not complete); `changes` replace elements, None takes one away."""
    made = {
        "Other_ID": f"P{number}",
        "Exam_Date": "2026-02-01",
        "Smoking_Status": "1",
        "Radiologist_Reading_NPI": npi(),
        "Ordering_Practitioner_NPI": npi(9_100_000_000),
        "Indication_Of_Exam": "1",
    }
    made.update(changes)
    return {name: value for name, value in made.items() if value is not None}


class Party:
    """One environment of one application, as its client sees it."""

    def __init__(self, house: House, application: str, environment: str) -> None:
        self.house = house
        self.application = application
        self.environment = environment
        self.secret = f"secret-of-{application}-{environment}-0123456789"
        self.client_id = f"0oa{application}{environment}"
        self.partner_id = f"partner-{application}-{environment}"
        self.app_id = f"app-{application}-{environment}"
        self.facilities = (f"1{application}{environment}", f"2{application}{environment}")
        self.prefix = ("" if application == "default" else f"/a/{application}") + f"/{environment}"
        self.oauth = self.prefix + "/oauth2/default/v1"

    def registration(self, mark: Any) -> Registration:
        """The registration as it would be stored."""
        return Registration(
            environment=self.environment,
            client_id=self.client_id,
            client_secret_digest=mark(self.secret),
            partner_id=self.partner_id,
            app_id=self.app_id,
            facilities=self.facilities,
            users=tuple(
                User(username=f"user{n}", password_digest=mark(f"pass{n}"), facility_id=facility, name=f"User {n}", sub=f"00u{n}")
                for n, facility in enumerate(self.facilities, 1)
            ),
            redirect_urls=(REDIRECT, "https://[::1]:8765/callback?fixed=a%20b"),
            registries={"lcsr": "1.7"},
            scopes=SCOPES,
        )

    # plain requests

    def get(self, path: str, **options: Any) -> TestResponse:
        """GET below the environment."""
        return self.house.client.get(self.prefix + path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        """POST below the environment."""
        return self.house.client.post(self.prefix + path, **options)

    # signing in

    def parameters(self, **changes: Any) -> dict[str, str]:
        """The parameters of a good authorization request; `changes` replace them, None takes one away."""
        made: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": REDIRECT,
            "scope": "openid offline_access lcsr_data_submission",
            "state": "st-1",
            "nonce": "n-1",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        made.update(changes)
        return {name: value for name, value in made.items() if value is not None}

    def authorize(self, *, segment: str = "v1", extra: tuple[tuple[str, str], ...] = (), **changes: Any) -> TestResponse:
        """An authorization request by GET."""
        query = urlencode([*self.parameters(**changes).items(), *extra])
        return self.get(f"/oauth2/default/{segment}/authorize?{query}")

    def press(self, page: TestResponse, decision: str = "allow", *, user: int = 1, password: str | None = None) -> TestResponse:
        """Fill in the page's form and press a button."""
        form = hidden(page.text)
        form |= {"username": f"user{user}", "password": password or f"pass{user}", "decision": decision}
        action = re.search(r'<form method="post" action="([^"]*)"', page.text)
        assert action is not None
        return self.house.client.post(unescape(action[1]), data=urlencode(form), content_type=FORM)

    def code(self, *, user: int = 1, **changes: Any) -> str:
        """A code, after a sign-in."""
        return returned(self.press(self.authorize(**changes), user=user))["code"]

    def token(self, *, authorization: str | None = None, segment: str = "v1", **form: Any) -> TestResponse:
        """A token request by form body; None takes a field away."""
        fields = {"client_id": self.client_id, "client_secret": self.secret} | form
        body = urlencode({name: value for name, value in fields.items() if value is not None})
        headers = {"Authorization": authorization} if authorization else {}
        return self.post(f"/oauth2/default/{segment}/token", data=body, content_type=FORM, headers=headers)

    def redeem(self, code: str, **changes: Any) -> TestResponse:
        """A token request for a code."""
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.token(**(fields | changes))

    def refresh(self, refresh_token: str, **changes: Any) -> TestResponse:
        """A token request for a refresh token."""
        return self.token(**({"grant_type": "refresh_token", "refresh_token": refresh_token} | changes))

    def tokens(self, *, user: int = 1, **changes: Any) -> dict[str, Any]:
        """The token response after a sign-in."""
        answer = self.redeem(self.code(user=user, **changes))
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    # transactions

    def transaction(self, *exams: Any, transaction_id: str = "T1", facility: int = 0, **header: Any) -> dict[str, Any]:
        """A transaction; `header` replaces elements of the header by name, None takes one away."""
        made = {
            "Transaction_ID": transaction_id,
            "Transaction_Date": "2026-03-01",
            "Partner_ID": self.partner_id,
            "App_ID": self.app_id,
            "Facility_ID": self.facilities[facility],
            "Registry": "LCSR",
            "Data_Version": "1.7",
            "Number_Of_Exams": len(exams or (1,)),
        } | header
        return {
            "Transaction_Header": {name: value for name, value in made.items() if value is not None},
            "Exams": list(exams or (exam(),)),
        }

    def submit(
        self,
        body: Any,
        *,
        bearer: str | None = "",
        path: str = "/nrdr/lcsr/v1.7/transactions",
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> TestResponse:
        """Post a body (encoded unless it is bytes) with the access token, made when none is given; None sends none."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = dict(headers or {})
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer or self.bearer()}"
        return self.post(path, data=data, content_type=content_type, headers=sent)

    def status(self, transaction_id: str, *, bearer: str = "") -> TestResponse:
        """Ask for a status."""
        return self.get(
            f"/nrdr/lcsr/transactions/{transaction_id}", headers={"Authorization": f"Bearer {bearer or self.bearer()}"}
        )

    def bearer(self) -> str:
        """An access token of the first user, signed in once."""
        key = (self.application, self.environment)
        if key not in self.house.bearers:
            self.house.bearers[key] = self.tokens()["access_token"]
        return self.house.bearers[key]

    # the other side of the counter

    def change(self, **changes: Any) -> None:
        """Change the stored registration."""
        applications = self.house.core.applications
        application = applications.get(self.application)
        assert application is not None
        registration = msgspec.structs.replace(application.environments[self.environment], **changes)
        environments = application.environments | {self.environment: registration}
        with self.house.core.store.write() as unit:
            applications.save(unit, msgspec.structs.replace(application, environments=environments))

    def plan(self, plan: Plan) -> None:
        """Set the plan of the next transactions."""
        with self.house.core.store.write() as unit:
            set_plan(unit, (self.application, self.environment), plan, new_id=lambda: f"plan-{id(plan)}", registry="lcsr")

    def release(self) -> None:
        """Lift a hold."""
        with self.house.core.store.write() as unit:
            release(unit, (self.application, self.environment), "lcsr", self.house.clock.now())


class House:
    """The wires of one engine, with two applications of two environments each."""

    def __init__(self, name: str = "Reading Room") -> None:
        self.clock = ManualClock(START)
        store = SqliteStore(None, self.clock)
        digester = Digester(b"d" * 32)
        redactor = Redactor(digester)
        facts = load_facts()
        keys = Keys(
            authority=Authority(certificate=b"", key=b""), server=Leaf(certificate=b"", key=b""), signing=SIGNING,
            signing_kid="kid-1", cookie=b"c" * 32, digest=b"d" * 32, control_token="t",
        )  # fmt: skip
        journal = Journal(store, self.clock, redactor, digester)
        self.core = EngineCore(
            facts=facts, clock=self.clock, store=store, keys=keys, digester=digester, redactor=redactor, journal=journal,
            applications=Applications(store), public_url="https://localhost:8443",
            local_sources=facts.texts("onboarding.default.local_sources"),
        )  # fmt: skip
        self.bearers: dict[tuple[str, str], str] = {}
        self.test = Party(self, "default", "test")
        self.production = Party(self, "default", "production")
        self.other = Party(self, "other", "test")
        environments = {party.environment: party.registration(digester.mark) for party in (self.test, self.production)}
        with store.write() as unit:
            self.core.applications.save(unit, Application(id="default", name=name, environments=environments))
            other = {"test": self.other.registration(digester.mark)}
            self.core.applications.save(unit, Application(id="other", name="Other", environments=other))
        gate = Gate(self.core, make_apps(facts, [auth.blueprint(facts), nrdr.blueprint(facts), cdsr.blueprint(facts)], []))
        self.client = Client(_from_loopback(gate))

    def entries(self) -> list[HttpEntry]:
        """The exchanges in the journal, in order."""
        with self.core.store.read() as snapshot:
            lines = [decode_line(line) for _, line in snapshot.entries()]
        return [line for line in lines if isinstance(line, HttpEntry)]

    def last(self) -> HttpEntry:
        """The last exchange."""
        return self.entries()[-1]

    def close(self) -> None:
        """Let go of the store."""
        self.core.store.close()


def _from_loopback(gate: Gate) -> Any:
    def app(environ: dict[str, Any], start: Any) -> Any:
        environ.setdefault("REMOTE_ADDR", "127.0.0.1")
        return gate(environ, start)

    return app


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page."""
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)
    }


def returned(answer: TestResponse) -> dict[str, str]:
    """What a redirect brought to the redirect URI."""
    assert answer.status_code in {302, 303}, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query, keep_blank_values=True))


def house() -> Iterator[House]:
    """A house for one test."""
    made = House()
    yield made
    made.close()
