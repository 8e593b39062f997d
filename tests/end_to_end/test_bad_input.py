"""Bad input of every kind against the served process: a clear answer each time, and nothing is harmed."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
import requests
from clients.command import ACRMOCK, acrmock
from clients.server import Served
from clients.vendor import bearer_session, post_path, transaction

JSON = {"Content-Type": "application/json"}
HOST = b"Host: localhost\r\nConnection: close\r\n"


class House:
    """A served process, one registered application that is signed in, and a transaction of its own."""

    def __init__(self, data: Path) -> None:
        self.served = Served(data)
        self.registration = self.served.register("Bad input")
        self.session = bearer_session(self.registration)
        self.url = self.registration["nrdr"] + post_path(self.registration)
        self.template = transaction(self.registration)

    def body(self, **header: Any) -> dict[str, Any]:
        """A correct transaction under a new ID, but for what is given of its header."""
        fields = {**self.template["Transaction_Header"], "Transaction_ID": str(uuid.uuid4()), **header}
        return {**self.template, "Transaction_Header": fields}

    def post(self, body: Any) -> requests.Response:
        """A post of exactly these bytes (or of what an iterator yields, in chunks)."""
        return self.session.post(self.url, data=body, headers=JSON, timeout=60)

    def control(self, path: str, body: Any, **headers: str) -> requests.Response:
        """A post to the control API."""
        sent = {**JSON, "Authorization": f"Bearer {self.served.ready['control_token']}", **headers}
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        url = f"{self.served.ready['url']}/_acrmock/{path}"
        return requests.post(url, data=text, headers=sent, verify=self.registration["ca_file"], timeout=60)

    def journal(self) -> bytes:
        """Everything that was recorded."""
        url, token = f"{self.served.ready['url']}/_acrmock/journal", self.served.ready["control_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(url, headers=headers, verify=self.registration["ca_file"], timeout=60).content

    def connect(self) -> ssl.SSLSocket:
        """A connection under TLS."""
        plain = socket.create_connection(("127.0.0.1", self.served.ready["port"]), timeout=20)
        context = ssl.create_default_context(cafile=self.registration["ca_file"])
        return context.wrap_socket(plain, server_hostname="localhost")

    def talk(self, data: bytes) -> bytes:
        """What comes back for these bytes until the server closes, which it may do before it has all of them."""
        parts = []
        with self.connect() as sock:
            with contextlib.suppress(ssl.SSLEOFError, ConnectionError):
                sock.sendall(data)
            try:
                while part := sock.recv(65536):
                    parts.append(part)
            except (ssl.SSLEOFError, ConnectionResetError):
                pass
        return b"".join(parts)

    def still_well(self) -> None:
        """It answers, takes a correct transaction, and its log holds no traceback."""
        assert self.post(json.dumps(self.body())).status_code == 202
        assert "Traceback" not in self.served.log.read_text()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A running house, which must end cleanly and without a traceback."""
    with pytest.MonkeyPatch.context() as environment:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests would prefer them over a session's own
            environment.delenv(name, raising=False)
        made = House(tmp_path_factory.mktemp("bad") / "data")
        yield made
        made.still_well()
        made.served.stop()


BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "not JSON": (b"{not", 400),
    "not text": (bytes(range(256)), 400),
    "UTF-16": ("{}".encode("utf-16"), 400),
    "duplicate keys": (b'{"Transaction_Header":{},"Exams":[],"Exams":[]}', 400),
    "NaN": (b'{"Transaction_Header":{},"Exams":[{"a":NaN}]}', 400),
    "infinite": (b"[1e999]", 400),
    "huge integer": (b"[" + b"9" * 5000 + b"]", 400),
    "half a surrogate": (b'{"Transaction_Header":{"Transaction_ID":"\\ud800"},"Exams":[]}', 400),
    "depth 10,000": (b"[" * 10_000 + b"]" * 10_000, 400),
    "null": (b"null", 422),
    "wrong shapes": (b'{"Transaction_Header":[],"Exams":{}}', 422),
    "100 MB": (b'{"a":"' + b"x" * 100_000_000 + b'"}', 413),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(house: House, name: str) -> None:
    """Each body that is no transaction gets its status, as a problem document with a code."""
    body, status = BODIES[name]
    answer = house.post(body)
    assert answer.status_code == status, answer.text
    assert answer.json()["code"].startswith("acrmock:")
    house.still_well()


def test_hundred_megabytes_in_chunks(house: House) -> None:
    """A body without a stated length is refused once it is too large."""
    assert house.post(b"x" * 65536 for _ in range(1600)).status_code == 413


def test_lying_content_length(house: House) -> None:
    """A body shorter than its Content-Length is refused when the client ends, and is never a transaction."""
    begin = f"POST {house.url.partition('/test')[2]} HTTP/1.1\r\n".encode().replace(b"POST ", b"POST /test", 1)
    with house.connect() as sock:
        sock.sendall(begin + HOST + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{}")
    house.still_well()


def test_every_value_of_an_exam_hostile(house: House) -> None:
    """Exams whose every value is hostile are accepted or refused, never a fault, and their status can be read."""
    for value in (-1, 1e308, "x" * 10_000, "\0", [], {}, None, True, "\u202e<script>", "9999-12-31", "0000-00-00"):
        body = house.body()
        body["Exams"] = [dict.fromkeys(exam, value) for exam in body["Exams"]]
        answer = house.post(json.dumps(body))
        assert answer.status_code in {202, 422}, answer.text
        if answer.status_code == 202:
            identifier = body["Transaction_Header"]["Transaction_ID"]
            polled = house.session.get(f"{house.registration['nrdr']}/lcsr/transactions/{identifier}", timeout=20)
            assert polled.status_code == 200, polled.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"redirect_url": "https://localhost/" + "x" * 1_000_000}, "too long"),
        ({"ip": ["0.0.0.0/0"]}, "every address"),
        ({"ip": ["::/0"]}, "every address"),
        ({"local_source": ["0.0.0.0/0"]}, "every address"),
        ({"redirect_url": "javascript:alert(1)"}, "scheme"),
        ({"redirect_url": "https://a\r\nSet-Cookie: b"}, "cannot be seen"),
        ({"name": "x" * 100_000}, "too long"),
        ({"name": "a\u202eb"}, "reorder"),
        ({"facility": 1_000_000_000}, "facilities"),
    ],
)
def test_registration(house: House, change: dict[str, Any], reason: str) -> None:
    """Each registration that must not be is refused with its reason."""
    whole = {"name": "X", "redirect_url": "https://localhost:1/cb", "ip": ["198.51.100.7"], "registry": ["lcsr"]}
    answer = house.control("applications", whole | change)
    assert answer.status_code == 422
    assert reason in answer.json()["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"set": "0001-01-01T00:00:00Z"},
        {"set": "0001-01-01T00:00:00+14:00"},
        {"set": "9999-12-31T23:59:59Z"},
        {"set": "NaN"},
        {"set": ""},
        {"advance": 1e300},
        {"advance": -1},
        {"advance": "x"},
        {},
    ],
)
def test_clock(house: House, change: dict[str, Any]) -> None:
    """A clock that cannot be set so is refused, and stands where it stood."""
    answer = house.control("clock", {"application": house.registration["application"], **change})
    assert answer.status_code == 422
    house.still_well()


def test_control_bodies(house: House) -> None:
    """The control API reads strict JSON of a bounded size and depth."""
    statuses = {
        b"": 400,
        b"{": 400,
        b'{"application":"a","application":"b"}': 400,
        b'{"application":"a","advance":NaN}': 400,
        b"[" * 10_000: 400,
        b"x" * 20_000_000: 413,
        b'{"application":1}': 422,
    }
    assert [house.control("clock", body).status_code for body in statuses] == list(statuses.values())


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Host": "rebound.example"}, 403),
        ({"Origin": "https://rebound.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_control_is_guarded(house: House, headers: dict[str, str], status: int) -> None:
    """Without the token, or from a foreign page, the control API does nothing."""
    assert house.control("reset", {}, **headers).status_code == status


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /healthz HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(10_000)) + b"\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nX: " + b"y" * 1_000_000 + b"\r\n\r\n", 431),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 400),
        (b"POST /test/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /test/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (b"GET /a/../test/oauth2/default/.well-known/openid-configuration HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /%c0%af%00%ff HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET /a/nobody/test/nrdr/lcsr/transactions/x HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET " + b"/.well-known/" * 3000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404),
        (b"GET http://elsewhere.example/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"DELETE /test/oauth2/default/v1/token HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"\xff\xfe\xfd\r\n\r\n", 400),
    ],
)
def test_requests_that_are_none(house: House, request_bytes: bytes, status: int) -> None:
    """Header floods, tricks with paths and framing, and noise get their status, and the next client is served."""
    assert house.talk(request_bytes).startswith(f"HTTP/1.1 {status} ".encode())
    assert "Traceback" not in house.served.log.read_text()


def test_many_slow_clients(house: House) -> None:
    """Two hundred clients that never finish their request hold up nobody."""
    begun = (b"GET /healthz HTTP/1.1\r\nX: ", b"POST /test/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
    slow = [house.connect() for _ in range(200)]
    try:
        for number, sock in enumerate(slow):
            sock.sendall(begun[number % 2])
        house.still_well()
    finally:
        for sock in slow:
            sock.close()


def test_forwarded_address_is_not_believed(house: House) -> None:
    """What a client says of its address changes nothing of what is recorded."""
    claimed = {"X-Forwarded-For": "203.0.113.66", "Forwarded": "for=203.0.113.66", "X-Real-IP": "203.0.113.66"}
    house.session.get(f"{house.registration['nrdr']}/lcsr/transactions/x", headers=claimed, timeout=20)
    peers = {json.loads(line).get("peer") for line in house.journal().splitlines()}
    assert peers <= {"127.0.0.1", None}


def test_same_id_at_once(house: House) -> None:
    """Sixteen posts of one ID at once: the same bytes are one transaction, of different ones only one is accepted."""
    same = json.dumps(house.body())
    identifier = str(uuid.uuid4())
    different = [
        json.dumps(house.body(Transaction_ID=identifier, Transaction_Date=f"2026-01-02T03:04:{n:02}Z")) for n in range(16)
    ]

    def post(body: str) -> int:
        headers = {**JSON, "Authorization": str(house.session.headers["Authorization"])}
        return requests.post(house.url, data=body, headers=headers, verify=house.registration["ca_file"], timeout=60).status_code

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(post, [same] * 16)) == {202: 16}
        assert Counter(pool.map(post, different)) == {202: 1, 409: 15}


def test_no_secret_stays(house: House, tmp_path: Path) -> None:
    """Secrets sent in every wrong place and coding stand in no file, record or report."""
    registration = house.registration
    secrets = {
        registration["client_secret"],
        registration["users"][0]["password"],
        str(house.session.headers["Authorization"]).removeprefix("Bearer "),
        house.served.ready["control_token"],
    }
    verify = registration["ca_file"]
    for secret in secrets:
        coded = "".join(f"%{ord(sign):02X}" for sign in secret)
        for sent in (
            secret,
            coded,
            base64.b64encode(secret.encode()).decode(),
            base64.b64encode(f"x:{secret}".encode()).decode(),
        ):
            status = f"{registration['nrdr']}/lcsr/transactions/"
            odd = {"traceparent": sent, "User-Agent": sent, "Cookie": f"a={sent}", "Referer": f"https://x/?t={sent}"}
            house.session.get(status + quote(sent, safe="%"), headers=odd, timeout=20)
            requests.get(f"{house.served.ready['url']}/nowhere/{sent}?t={sent}", verify=verify, timeout=20)
            house.post(json.dumps(house.body(Transaction_ID=sent, Partner_ID=sent)))
            form = {"grant_type": sent, "code": sent, "client_id": sent, "redirect_uri": sent}
            requests.post(f"{registration['issuer']}/v1/token", data=form, verify=verify, timeout=20)
            house.control("applications", {"name": sent[:40], "redirect_url": f"https://x/{sent}", "ip": [sent], "link": sent})
            house.talk(b"GET /x HTTP/1.1\r\nBad Line " + sent.encode() + b"\r\n\r\n")
            house.talk(sent.encode() + b" /test/x HTTP/1.1\r\n" + HOST + b"\r\n")
    recording, out = tmp_path / "journal.ndjson", tmp_path / "out"
    recording.write_bytes(house.journal())
    acrmock("score", str(recording), "--profile", "lcsr", "--out", str(out))
    kept = [*house.served.data.glob("store.sqlite3*"), house.served.log, recording, *out.glob("*.*")]
    assert len(kept) >= 6, kept
    for path in kept:
        found = path.read_bytes()
        for text in (found, unquote_to_bytes(found)):
            for secret in secrets:
                raw = secret.encode()
                assert raw not in text, path
                assert base64.b64encode(raw)[:-4] not in text, path
                assert base64.b64encode(b"x:" + raw)[4:-4] not in text, path


def refused_start(data: Path, *options: str) -> str:
    """What `serve` says when it must not start; it is a setup error without a traceback."""
    done = acrmock("serve", "--port", "0", "--data", str(data), *options)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_data_that_cannot_be_used(house: House, tmp_path: Path) -> None:
    """Data in use, a store that is damaged, newer or foreign, and a file for a directory: each is named."""
    assert "in use by another acrmock" in refused_start(house.served.data)
    for name, content, words in (("noise", b"\x01\x02" * 5000, "damaged"), ("cut", b"SQLite format 3\0" + b"\0" * 34, "damaged")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "store.sqlite3").write_bytes(content)
        assert words in refused_start(tmp_path / name)
        assert (tmp_path / name / "store.sqlite3").read_bytes() == content
    served = Served(tmp_path / "newer")
    served.stop()
    with sqlite3.connect(tmp_path / "newer" / "store.sqlite3") as store:
        store.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    store.close()
    assert "newer version" in refused_start(tmp_path / "newer")
    (tmp_path / "file").touch()
    assert "is a file" in refused_start(tmp_path / "file")


def test_port_in_use(house: House, tmp_path: Path) -> None:
    """A port that is taken is named, with the way out."""
    said = refused_start(tmp_path / "data", "--port", str(house.served.ready["port"]))
    assert "cannot listen" in said
    assert "--port" in said


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX limit is needed")
def test_full_disk(tmp_path: Path) -> None:
    """Where no more can be written, posts are refused; with room again, what was acknowledged is there."""
    served = Served(tmp_path / "data", wrapper=["/bin/sh", "-c", 'ulimit -f 600; exec "$@"', "sh"])  # blocks of 512 or 1024 bytes
    registration = served.register("Full")
    authorization = {"Authorization": str(bearer_session(registration).headers["Authorization"])}
    body, acknowledged, refused = transaction(registration), [], 0
    body["Exams"][0]["Odd"] = "x" * 20_000
    verify = registration["ca_file"]
    while refused < 3 and len(acknowledged) < 100:
        body["Transaction_Header"]["Transaction_ID"] = str(uuid.uuid4())
        url = registration["nrdr"] + post_path(registration)
        answer = requests.post(url, json=body, headers=authorization, verify=verify, timeout=20)
        assert answer.status_code in {202, 503, 507}, answer.text
        refused += answer.status_code != 202
        acknowledged += [body["Transaction_Header"]["Transaction_ID"]] if answer.status_code == 202 else []
    assert refused == 3
    assert acknowledged
    served.kill()
    again = Served(tmp_path / "data", options=["--port", str(served.ready["port"])])
    try:
        for identifier in acknowledged:
            url = f"{registration['nrdr']}/lcsr/transactions/{identifier}"
            assert requests.get(url, headers=authorization, verify=verify, timeout=20).status_code == 200, identifier
    finally:
        again.stop()


@pytest.mark.parametrize("content", [b"", b"\0\xff" * 1000, b"<xml/>", b'{"schema":"acrmock/record/99"}\n', b"[" * 100_000])
def test_files_that_are_no_recording(tmp_path: Path, content: bytes) -> None:
    """What is no recording is refused as such."""
    path = tmp_path / "recording"
    path.write_bytes(content)
    done = acrmock("score", str(path))
    assert done.returncode == 2
    assert "recording" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "--port", "99999"),
        ("serve", "--bind", ""),
        ("serve", "--public-url", "https://a\nb"),
        ("certify", "--profile", "lcsr", "--launch", ""),
        ("certify", "--profile", "lcsr", "--launch", "/nowhere/client"),
        ("demo", "--out", os.devnull),
        ("score", "missing.ndjson"),
        ("report", "missing"),
        ("resolve", "auth-pkce", "--passed", "--who", "a", "--why", "b", "--out", "missing"),
        ("generate", "exams", "--registry", "lcsr", "--count", "1", "--seed", "9" * 40),
        ("register", "--server", "file:///etc/passwd", "--token", "x", "--name", "x"),
    ],
)
def test_arguments(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Each argument that cannot be used is a usage error in words."""
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [*ACRMOCK, *arguments], cwd=tmp_path, env=paths, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "acrmock's own" not in done.stderr


@pytest.mark.parametrize(
    "text", ["a: &a [x]\nb: [*a, *a]\n", "[" * 20_000, '!!python/object/apply:os.system ["true"]\n', "a: 1\na: 2\n", "\x00"]
)
def test_overlays(tmp_path: Path, text: str) -> None:
    """An overlay that is a bomb, code or noise is refused with file and line."""
    path = tmp_path / "overlay.yaml"
    path.write_text(text)
    done = acrmock("facts", "check", str(path))
    assert done.returncode == 2
    assert f"{path}:" in done.stderr
