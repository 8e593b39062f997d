"""A tiny client of one's own, to be tested: signs in and posts one transaction. A real one would be longer."""

from __future__ import annotations

import secrets
import uuid
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session


class MyClient:
    """Knows what ACR gave it (a registration document) and keeps its tokens."""

    def __init__(self, registered: dict[str, Any]) -> None:
        self.registered = registered
        self.metadata: dict[str, Any] = requests.get(
            registered["issuer"] + "/.well-known/openid-configuration", verify=registered["ca_file"], timeout=10
        ).json()
        self.state = self.verifier = ""
        self.session = OAuth2Session(
            registered["client_id"],
            registered["client_secret"],
            scope=" ".join(registered["scopes"]),
            redirect_uri=registered["redirect_url"],
            token_endpoint=self.metadata["token_endpoint"],
            token_endpoint_auth_method="client_secret_post",
            code_challenge_method="S256",
        )
        self.session.trust_env = False  # else REQUESTS_CA_BUNDLE would win over the next line
        self.session.verify = registered["ca_file"]

    def sign_in_url(self) -> str:
        """Where the user's browser must go."""
        self.state, self.verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        url, _ = self.session.create_authorization_url(
            self.metadata["authorization_endpoint"],
            state=self.state,
            code_verifier=self.verifier,
            nonce=secrets.token_urlsafe(32),
        )
        return str(url)

    def signed_in(self, landed: str) -> None:
        """The browser came back at the address `landed`: check it and get the tokens."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(landed).query).items()}
        if not secrets.compare_digest(answer.get("state", ""), self.state):
            raise ValueError("this is not the answer to our request")
        if "error" in answer:
            raise PermissionError(answer["error"])
        self.session.fetch_token(code=answer["code"], code_verifier=self.verifier)

    def send(self, exams: list[dict[str, Any]]) -> requests.Response:
        """Post exams as one transaction."""
        own, version = self.registered, self.registered["registries"]["lcsr"]
        header = {
            "Transaction_ID": str(uuid.uuid4()),
            "Transaction_Date": "2026-01-15T10:00:00Z",
            "Partner_ID": own["partner_id"],
            "App_ID": own["app_id"],
            "Facility_ID": own["facility_id"],
            "Registry": "LCSR",
            "Data_Version": version,
            "Number_Of_Exams": len(exams),
        }
        url = f"{own['nrdr']}/lcsr/v{version}/transactions"
        return self.session.post(url, json={"Transaction_Header": header, "Exams": exams}, timeout=10)
