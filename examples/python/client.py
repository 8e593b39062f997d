"""A worked client of ACR Connect and NRDR in Python: Authlib signs in and refreshes, requests (below it) posts and polls.

Run by `acrmock certify --launch "python client.py"`, or against `acrmock serve` by hand (see README.md). What a registry client
needs is all here: discovery, state, nonce, PKCE, a checked ID token, offline refresh, transactions, statuses at the server's
pace, updates and follow-ups. Put your own records in the place of EXAMS_FILE.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import sys
import time
import uuid
import webbrowser
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

TERMINAL = {"Failed", "ValidationFail", "Posted", "PartiallySuccessful", "UpdatedWithNewTransaction"}
STEPS = ("sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again")

registered: dict[str, Any] = json.loads(Path(os.environ["ACRMOCK_REGISTRATION"]).read_bytes())
registry, version = next(iter(registered["registries"].items()))
change: dict[str, Any] = json.loads(os.environ.get("EXAM_CHANGE", '{"Patient_Weight": 181.5}'))
kept = Path(os.environ.get("CLIENT_STATE", Path(os.environ["ACRMOCK_REGISTRATION"]).with_name("client-state.json")))
state: dict[str, Any] = json.loads(kept.read_bytes()) if kept.exists() else {"token": None, "exams": []}


def keep() -> None:
    """Remember tokens and exams for the next run; only this user may read them."""
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(state))


def new_token(token: dict[str, Any], **_: Any) -> None:
    """Keep what a sign-in or a refresh gave; Authlib calls this by itself after a refresh."""
    state["token"] = dict(token)
    keep()


def connect() -> tuple[OAuth2Session, dict[str, Any]]:
    """Authlib's session, and the server's metadata, read anew in each run because endpoints may move."""
    session = OAuth2Session(
        registered["client_id"],
        registered["client_secret"],
        scope=" ".join(registered["scopes"]),
        redirect_uri=registered["redirect_url"],
        token=state["token"],
        token_endpoint_auth_method="client_secret_post",
        code_challenge_method="S256",
        update_token=new_token,
        leeway=1,
        default_timeout=20,
    )
    session.trust_env = False
    session.verify = registered["ca_file"]
    url = registered["issuer"] + "/.well-known/openid-configuration"
    metadata: dict[str, Any] = session.get(url, withhold_token=True).json()
    if metadata["issuer"] != registered["issuer"]:
        raise SystemExit(f"this is another issuer: {metadata['issuer']}")
    session.metadata["token_endpoint"] = metadata["token_endpoint"]
    return session, metadata


def sign_in() -> None:
    """A person signs in with a browser; the code that comes back is swapped for tokens once."""
    session, metadata = connect()
    expected, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    verifier += secrets.token_urlsafe(16)
    url, _ = session.create_authorization_url(
        metadata["authorization_endpoint"], state=expected, nonce=nonce, code_verifier=verifier
    )
    answer = browser_comes_back(url)
    if not secrets.compare_digest(answer.get("state", ""), expected):
        raise SystemExit("the answer is not to our request")
    if answer.get("iss", registered["issuer"]) != registered["issuer"]:
        raise SystemExit("the answer is another issuer's")
    if "error" in answer:
        raise SystemExit(f"the sign-in was refused: {answer['error']}")
    token = session.fetch_token(metadata["token_endpoint"], code=answer["code"], code_verifier=verifier)
    keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], withhold_token=True).json())
    claims = jwt.decode(token["id_token"], keys, algorithms=["RS256"]).claims
    jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": registered["issuer"]},
        aud={"essential": True, "value": registered["client_id"]},
        nonce={"essential": True, "value": nonce},
        exp={"essential": True},
        sub={"essential": True},
    ).validate(claims)
    new_token(token)
    print("signed in as", session.get(metadata["userinfo_endpoint"]).json().get("name"))


def browser_comes_back(url: str) -> dict[str, str]:
    """Open the user's browser at `url`; the parameters with which it comes to our redirect URL."""
    here = urlsplit(registered["redirect_url"])
    answers: list[dict[str, str]] = []

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            target = urlsplit(self.path)
            ours = target.path == here.path
            if ours:
                answers.append({name: values[0] for name, values in parse_qs(target.query).items()})
            self.send_response(200 if ours else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Referrer-Policy", "no-referrer")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Signed in</title><p>You can close this page.")

        def log_message(self, *_: Any) -> None:
            """Say nothing: the address holds a code."""

    with HTTPServer(("127.0.0.1", here.port or 443), Callback) as server:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(os.environ["REDIRECT_CERT"], os.environ["REDIRECT_KEY"])
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        server.timeout = 60
        webbrowser.open(url)
        give_up = time.monotonic() + 60
        while not answers and time.monotonic() < give_up:
            server.handle_request()
    if not answers:
        raise SystemExit("nobody came back from the sign-in page")
    return answers[0]


def deliver(exams: list[dict[str, Any]]) -> None:
    """Post exams as one transaction and follow its status to the end, no faster than the server asks."""
    session, _ = connect()
    header = {
        "Transaction_ID": str(uuid.uuid4()),
        "Transaction_Date": datetime.now(UTC).isoformat(timespec="seconds"),
        "Partner_ID": registered["partner_id"],
        "App_ID": registered["app_id"],
        "Facility_ID": registered["users"][0]["facility_id"],
        "Registry": registry.upper(),
        "Data_Version": version,
        "Number_Of_Exams": len(exams),
    }
    body = {"Transaction_Header": header, "Exams": exams}
    answer = session.post(f"{registered['nrdr']}/{registry}/v{version}/transactions", json=body)
    if answer.status_code != 202:
        raise SystemExit(f"refused with {answer.status_code}: {answer.text}")
    where = urljoin(answer.url, answer.headers["Location"])
    while True:
        time.sleep(float(answer.headers.get("Retry-After", "0")))
        answer = session.get(where)
        answer.raise_for_status()
        status = answer.json()
        print(header["Transaction_ID"], status["Status"])
        if status["Status"] in TERMINAL:
            break
    for exam in status.get("Exams", ()):
        for error in exam.get("Errors", ()):
            print("rejected:", error["pointer"], error["message"])


def submit() -> None:
    """The records of the day."""
    lines = Path(os.environ["EXAMS_FILE"]).read_text("utf-8").splitlines()
    state["exams"] = [json.loads(line) for line in lines if line]
    keep()
    deliver(state["exams"])


def update() -> None:
    """A value of a record changed: the whole record again under its key."""
    deliver([{**state["exams"][0], **change}])


def follow_up() -> None:
    """Work-up followed a screen: the record again, with the follow-up in it, here in the elements of LCSR."""
    if registry != "lcsr":
        print("no follow-up is made for", registry)
        return
    exam = next(e for e in state["exams"][1:] if date.fromisoformat(e["Exam_Date"]) < date.today() - timedelta(days=1))
    day = min(date.fromisoformat(exam["Exam_Date"]) + timedelta(days=30), date.today() - timedelta(days=1))
    new = {
        "Date_Of_Follow_Up": day.isoformat(),
        "Follow_Up_Unique_ID": f"FU-{uuid.uuid4().hex[:12]}",
        "Follow_Up_Diagnostic": "1",
    }
    deliver([{**exam, "Follow_Ups": [*exam.get("Follow_Ups", ()), new]}])


def refresh() -> None:
    """The access token has expired; Authlib refreshes it by itself before the next request."""
    deliver([{**state["exams"][-1], **change}])


def main() -> None:
    """Do the step that ACRMOCK_STEP names, or all of them."""
    missing = [name for name in ("EXAMS_FILE", "REDIRECT_CERT", "REDIRECT_KEY") if name not in os.environ]
    if missing:
        sys.exit(f"{', '.join(missing)} must be set: README.md says to what")
    jobs = dict(zip(STEPS, (sign_in, submit, update, follow_up, refresh, sign_in), strict=True))
    step = os.environ.get("ACRMOCK_STEP")
    for name in [step] if step else STEPS:
        jobs[name]()


if __name__ == "__main__":
    main()
