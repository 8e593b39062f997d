"""The least that a vendor does, written by hand: tokens, transactions, polls."""

from __future__ import annotations

import json
import secrets
import uuid
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import requests
from clients.command import acrmock
from clients.person import sign_in

from acrmock.clock import SystemClock

TERMINAL = {"Failed", "ValidationFail", "Posted", "PartiallySuccessful", "UpdatedWithNewTransaction"}


def tokens(registration: dict[str, Any]) -> dict[str, Any]:
    """The token response of a sign-in as the application's first user."""
    ca = registration["ca_file"]
    metadata = requests.get(registration["issuer"] + "/.well-known/openid-configuration", verify=ca, timeout=10).json()
    asked = {
        "response_type": "code",
        "client_id": registration["client_id"],
        "redirect_uri": registration["redirect_url"],
        "scope": " ".join(registration["scopes"]),
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
    }
    landed = sign_in(metadata["authorization_endpoint"] + "?" + urlencode(asked), registration["users"][0], ca)
    given = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(landed).query)["code"][0],
        "redirect_uri": registration["redirect_url"],
        "client_id": registration["client_id"],
        "client_secret": registration["client_secret"],
    }
    answer = requests.post(metadata["token_endpoint"], data=given, verify=ca, timeout=10)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def bearer_session(registration: dict[str, Any]) -> requests.Session:
    """A session that is signed in as the application's first user."""
    session = requests.Session()
    session.verify, session.trust_env = registration["ca_file"], False  # REQUESTS_CA_BUNDLE would go before `verify`
    session.headers["Authorization"] = f"Bearer {tokens(registration)['access_token']}"
    return session


def transaction(registration: dict[str, Any], count: int = 2) -> dict[str, Any]:
    """One transaction of `count` synthetic exams under the application's issued identifiers."""
    made = acrmock("generate", "exams", "--registry", "lcsr", "--count", str(count), "--seed", "11")
    assert made.returncode == 0, made.stderr
    exams = [json.loads(line) for line in made.stdout.splitlines()]
    return {
        "Transaction_Header": {
            "Transaction_ID": str(uuid.uuid4()),
            "Transaction_Date": "2026-01-02T03:04:05Z",
            "Partner_ID": registration["partner_id"],
            "App_ID": registration["app_id"],
            "Facility_ID": registration["facility_id"],
            "Registry": "LCSR",
            "Data_Version": registration["registries"]["lcsr"],
            "Number_Of_Exams": len(exams),
        },
        "Exams": exams,
    }


def post_path(registration: dict[str, Any]) -> str:
    """The path below `nrdr` for the version that was registered."""
    return f"/lcsr/v{registration['registries']['lcsr']}/transactions"


def post_and_poll(session: requests.Session, registration: dict[str, Any]) -> list[str]:
    """The status words from the post to the last poll, each poll after the time that the answer before it asked for."""
    clock = SystemClock()
    answer = session.post(registration["nrdr"] + post_path(registration), json=transaction(registration), timeout=10)
    assert answer.status_code == 202, answer.text
    location = urljoin(answer.url, answer.headers["Location"])
    words = []
    while "Retry-After" in answer.headers and len(words) < 20:
        clock.wait(float(answer.headers["Retry-After"]))
        answer = session.get(location, timeout=10)
        assert answer.status_code == 200, answer.text
        words.append(answer.json()["Status"])
    return words
