"""acrmock as the benchmarks drive it: served, with a registered application that has signed in."""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from benchmarks.load import Connect, Served, secure
from conformance.control import Control

COMMAND = [sys.executable, "-m", "conformance.cli", "serve", "--port", "0", "--auto-consent"]


class Ours(Served):
    """`acrmock serve` on a directory of its own, an application of it, and its tokens."""

    def __init__(self, here: Path, *options: str, log: IO[bytes] | None = None) -> None:
        data = here / "data"
        super().__init__([*COMMAND, "--data", str(data), *options], log=log)
        self.until((data / "ready.json").exists)
        self.ready: dict[str, Any] = json.loads((data / "ready.json").read_text())
        self.control = Control(self.ready["url"], self.ready["control_token"], self.ready["ca_file"])

    @cached_property
    def document(self) -> dict[str, Any]:
        """The registration of its first application, made when it is asked for."""
        return self.register("Bench")

    def register(self, name: str, registries: Sequence[str] = ("lcsr",)) -> dict[str, Any]:
        """Another application."""
        asked = {"name": name, "redirect_url": ["https://localhost:8765/cb"], "ip": ["198.51.100.7"], "registry": [*registries]}
        return dict(self.control.register(asked))

    @property
    def connect(self) -> Connect:
        """Connections to it."""
        return secure(int(self.ready["port"]), self.ready["ca_file"])

    def sign_in(self, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The token response after a sign-in of the first user."""
        document = document or self.document
        with requests.Session() as session:
            session.trust_env = False
            session.verify = self.ready["ca_file"]
            metadata = session.get(document["issuer"] + "/.well-known/openid-configuration", timeout=10).json()
            asked = {
                "response_type": "code",
                "client_id": document["client_id"],
                "redirect_uri": document["redirect_url"],
                "scope": " ".join(document["scopes"]),
                "state": uuid.uuid4().hex,
            }
            page = session.get(metadata["authorization_endpoint"] + "?" + urlencode(asked), allow_redirects=False, timeout=10)
            given = {
                "grant_type": "authorization_code",
                "code": parse_qs(urlsplit(page.headers["Location"]).query)["code"][0],
                "redirect_uri": document["redirect_url"],
                "client_id": document["client_id"],
                "client_secret": document["client_secret"],
            }
            answer = session.post(metadata["token_endpoint"], data=given, timeout=10).json()
        return {**answer, "token_endpoint": metadata["token_endpoint"], "jwks_uri": metadata["jwks_uri"]}
