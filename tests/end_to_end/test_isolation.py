"""Two hundred applications work on one engine at once, and none sees another's traffic, codes, tokens or transactions."""

from __future__ import annotations

import json
import secrets
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from acrmock.record import HttpEntry, Operation
from conformance.plugin import ApplicationUnderTest, ServerUnderTest, serving

COUNT = 200
THREADS = 16
EXAM: dict[str, Any] = {"Exam_Date": "2026-02-01", "Smoking_Status": "1", "Indication_Of_Exam": "1"}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerUnderTest]:
    """One engine in this process."""
    with serving() as found:
        yield found


@dataclass(frozen=True, slots=True)
class Done:
    """What one application's client did: its registration, access token, transaction, and the status it read."""

    application: ApplicationUnderTest
    token: str
    transaction: str
    status: int

    @property
    def status_url(self) -> str:
        """Where its transaction's status is read."""
        return f"{self.application.nrdr}/lcsr/transactions/{self.transaction}"


def work(server: ServerUnderTest, number: int) -> Done:
    """Register, sign in, post one transaction under an ID that all have in common, and read its status."""
    application = server.register(label=f"Client {number}", ip="198.51.100.7")
    with requests.Session() as session:
        session.trust_env = False
        session.verify = server.ca_file
        token = signed_in(application, session)
        session.headers["Authorization"] = f"Bearer {token}"
        version = application.registries["lcsr"]
        header = {
            "Transaction_ID": "the-first",
            "Transaction_Date": "2026-03-01T10:00:00Z",
            "Partner_ID": application.partner_id,
            "App_ID": application.app_id,
            "Facility_ID": application.facility_id,
            "Registry": "LCSR",
            "Data_Version": version,
            "Number_Of_Exams": 1,
        }
        body = {"Transaction_Header": header, "Exams": [{**EXAM, "Other_ID": f"SYN{number:013d}"}]}
        posted = session.post(f"{application.nrdr}/lcsr/v{version}/transactions", json=body, timeout=30)
        assert posted.status_code == 202, posted.text
        status = session.get(f"{application.nrdr}/lcsr/transactions/the-first", timeout=30)
        return Done(application, token, "the-first", status.status_code)


def signed_in(application: ApplicationUnderTest, session: requests.Session) -> str:
    """The access token of a sign-in by the application's first user."""
    asked = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": application.redirect_url,
        "scope": " ".join(application.scopes),
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
    }
    landed = application.sign_in(f"{application.issuer}/v1/authorize?{urlencode(asked)}")
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(landed).query)["code"][0],
        "redirect_uri": application.redirect_url,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
    }
    answer = session.post(f"{application.issuer}/v1/token", data=form, timeout=30)
    assert answer.status_code == 200, answer.text
    return str(json.loads(answer.text)["access_token"])


@pytest.fixture(scope="module")
def everybody(server: ServerUnderTest) -> list[Done]:
    """All applications, at work at once."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda number: work(server, number), range(COUNT)))


def ask(done: Done, url: str, token: str) -> int:
    """The status code of a request for `url` with `token`."""
    headers = {"Authorization": f"Bearer {token}"}
    with requests.Session() as session:
        session.trust_env = False
        session.verify = done.application.ca_file
        return session.get(url, headers=headers, timeout=30).status_code


def test_each_has_what_is_its_own(everybody: list[Done]) -> None:
    """All have other identifiers, and the same transaction ID is everybody's own."""
    assert {done.status for done in everybody} == {200}
    for name in ("application", "client_id", "client_secret", "partner_id", "app_id", "facility_id", "issuer", "nrdr"):
        assert len({done.application[name] for done in everybody}) == COUNT, name


def test_each_journal_is_one_client_s(everybody: list[Done]) -> None:
    """Each run's journal has one sign-in, one token request, one post and one poll, all of its own application."""
    for done in everybody[:: COUNT // 20]:
        entries = [entry for entry in done.application.journal() if isinstance(entry, HttpEntry)]
        assert {entry.application for entry in entries} == {done.application["application"]}
        counted = Counter(entry.facts.operation for entry in entries)
        wanted = (Operation.AUTHORIZE, Operation.TOKEN, Operation.NRDR_POST, Operation.NRDR_STATUS)
        assert [counted[operation] for operation in wanted] == [1, 1, 1, 1]


def test_a_token_opens_only_its_own_application(everybody: list[Done]) -> None:
    """Another application's token is refused, and its transactions are not to be seen."""
    for one, other in zip(everybody[:10], everybody[10:20], strict=True):
        assert ask(one, one.status_url, other.token) == 401
        assert ask(one, one.status_url, one.token) == 200


def test_a_client_secret_opens_only_its_own_application(everybody: list[Done]) -> None:
    """Another application's credentials are no client's here."""
    one, other = everybody[0].application, everybody[1].application
    form = {"grant_type": "refresh_token", "refresh_token": str(uuid.uuid4())}
    form |= {"client_id": other.client_id, "client_secret": other.client_secret}
    answer = requests.post(f"{one.issuer}/v1/token", data=form, verify=one["ca_file"], timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_reset_is_one_application_s(everybody: list[Done]) -> None:
    """What one did is forgotten, its token too; the others' tokens and transactions stay."""
    first, *others = everybody
    first.application.reset()
    assert ask(first, first.status_url, first.token) == 401
    for done in others[:: COUNT // 20]:
        assert ask(done, done.status_url, done.token) == 200
