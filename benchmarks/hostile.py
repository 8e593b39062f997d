"""`python -m benchmarks.hostile [--requests N] [--seed S]`: hostile requests, and what must hold all the same.

Methods, targets, queries, headers, cookies, forms, multipart bodies, chunks and raw bytes are made from a seed, most of them from
a correct request that is then broken. No answer may be a 5xx other than 501 and 505 (a method or version that nobody knows), no
traceback may stand in the server's words, memory must not grow, and a client that behaves is served at the end as at the start.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import msgspec
import requests

from benchmarks.load import exchange, request
from benchmarks.ours import Ours
from benchmarks.soak import resident
from benchmarks.submission import JSON, bodies
from synthetic.transactions import Sender

INTENDED = frozenset({501, 505})
BATCH = 500
THREADS = 8
WARM_UP = 0.3
"""The part of the run after which memory is held to be what it will be."""
GROWTH = 24.0
"""MiB that memory may grow after that."""
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "P\xd6ST", "A" * 300, "")
ODD = (
    "",
    "\0",
    "%",
    "%00",
    "%zz",
    "..",
    "../" * 40,
    "\x7f",
    "'\"<script>",
    "{{7*7}}",
    "\xff\xfe",
    "9" * 400,
    "a" * 9000,
    "${x}",
    "\u2028",
)
MEDIA = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/xml",
    "",
    "/",
    "a/b;c=",
)
HEADERS = (
    "Authorization",
    "Cookie",
    "Content-Type",
    "Accept",
    "Content-Encoding",
    "Transfer-Encoding",
    "X-Forwarded-For",
    "Forwarded",
    "Range",
    "If-Match",
    "Traceparent",
    "Origin",
    "Referer",
    "Expect",
    "Upgrade",
    "X_Odd",
)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a run: how many requests, the statuses, what was wrong, and memory (MiB) after warming up and at the end."""

    requests: int
    statuses: dict[str, int]
    wrong: tuple[str, ...]
    memory: tuple[float, float]


class Maker:
    """Makes hostile requests from a seed."""

    def __init__(self, seed: int, document: dict[str, Any], token: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        make, slug, mapping = bodies(document["registries"])
        sender = Sender(partner_id=document["partner_id"], app_id=document["app_id"], facility_id=document["facility_id"])
        self._body: Callable[[], bytes] = lambda: make(sender, 1)
        self._token = token
        self._client = {"client_id": document["client_id"], "client_secret": document["client_secret"]}
        nrdr, issuer = urlsplit(document["nrdr"]).path, urlsplit(document["issuer"]).path
        self._post = f"{nrdr}/{slug}/v{mapping}/transactions"
        self._paths = (
            self._post,
            f"{nrdr}/{slug}/transactions/x",
            f"{nrdr}/{slug}/transactions",
            *(f"{issuer}/v1/{name}" for name in ("authorize", "token", "introspect", "revoke", "logout", "userinfo", "keys")),
            f"{issuer}/.well-known/openid-configuration",
            "/_acrmock/applications",
            "/_acrmock/journal",
            "/healthz",
            "/openapi.json",
            "/a/nobody/test/nrdr",
        )
        self._kinds = (self._target, self._header, self._form, self._multipart, self._chunks, self._json, self._raw, self._broken)

    def __call__(self) -> bytes:
        """The next one."""
        return self._random.choice(self._kinds)()

    def _odd(self) -> str:
        choice = self._random
        if choice.random() < 0.5:
            return choice.choice(ODD)
        return "".join(chr(choice.randrange(1, 256)) for _ in range(choice.randrange(60))).replace("\r", "").replace("\n", "")

    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._random.random() < 0.5 else {}

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
        head = request("X", "Y", headers, b"")
        first, _, rest = head.partition(b"\r\n")
        del first
        rest = rest.replace(b"Content-Length: 0", b"Content-Length: %d" % len(body))
        return f"{method} {path} HTTP/1.1\r\n".encode("utf-8", "replace") + rest + body

    def _target(self) -> bytes:
        path = self._random.choice(self._paths)
        for _ in range(self._random.randrange(4)):
            mark = "&" if "?" in path else "?"
            path += (
                f"{mark}{quote(self._odd()[:500])}={self._odd() if self._random.random() < 0.3 else quote(self._odd()[:2000])}"
            )
        if self._random.random() < 0.3:
            path += "/" + quote(self._odd()[:300], safe="%/.")
        return self._request(self._random.choice(METHODS), path, self._auth())

    def _header(self) -> bytes:
        headers = self._auth()
        for _ in range(self._random.randrange(1, 12)):
            name = self._random.choice(HEADERS) if self._random.random() < 0.8 else self._odd()[:40]
            headers[name] = self._odd()
        return self._request(self._random.choice(METHODS[:7]), self._random.choice(self._paths), headers)

    def _form(self) -> bytes:
        names = ("grant_type", "code", "refresh_token", "token", "redirect_uri", "code_verifier", "scope", "username", "state")
        pairs = {**self._client} if self._random.random() < 0.5 else {}
        for _ in range(self._random.randrange(6)):
            pairs[self._random.choice(names)] = self._random.choice(("refresh_token", "authorization_code", self._odd()[:3000]))
        text = "&".join(f"{name}={quote(value) if self._random.random() < 0.7 else value}" for name, value in pairs.items())
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._request("POST", self._random.choice(self._paths), headers, text.encode("utf-8", "replace"))

    def _multipart(self) -> bytes:
        parts = "".join(
            "--x\r\nContent-Disposition: form-data; "
            f'name="{self._odd()[:50]}"; filename="{self._odd()[:50]}"\r\n\r\n{self._odd()}\r\n'
            for _ in range(self._random.randrange(5))
        )
        body = (parts + self._random.choice(("--x--\r\n", "--x", ""))).encode("utf-8", "replace")
        headers = {**self._auth(), "Content-Type": "multipart/form-data; boundary=x"}
        return self._request("POST", self._random.choice(self._paths), headers, body)

    def _chunks(self) -> bytes:
        head = f"POST {self._post} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self._token}\r\n"
        head += "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = self._body()
        pieces = [body[start : start + 300] for start in range(0, len(body), 300)]
        sizes = [f"{len(piece):x}" if self._random.random() < 0.9 else self._odd()[:10] for piece in pieces]
        framed = zip(sizes, pieces, strict=True)
        coded = b"".join(size.encode("utf-8", "replace") + b"\r\n" + piece + b"\r\n" for size, piece in framed)
        return (
            head.encode()
            + coded
            + self._random.choice((b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"-1\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 50))
        )

    def _json(self) -> bytes:
        body = bytearray(self._body())
        for _ in range(self._random.randrange(1, 6)):
            place = self._random.randrange(len(body))
            body[place : place + self._random.randrange(3)] = self._random.choice(
                (b"", b"\0", b'"', b"{", b"]", b"\xff", b"\\ud800", b"1e999", b"[" * 200, b"null", b'{"a":' * 50)
            )
        headers = {**JSON, "Authorization": f"Bearer {self._token}", "Content-Type": self._random.choice(MEDIA)}
        return self._request("POST", self._post, headers, bytes(body))

    def _raw(self) -> bytes:
        data = bytes(self._random.randrange(256) for _ in range(self._random.randrange(1, 400)))
        return data + b"\r\n\r\n"

    def _broken(self) -> bytes:
        whole = bytearray(request("POST", self._post, {**JSON, "Authorization": f"Bearer {self._token}"}, self._body()))
        for _ in range(self._random.randrange(1, 8)):
            whole[self._random.randrange(len(whole))] = self._random.randrange(256)
        return bytes(whole)


def run(count: int, seed: int, here: Path) -> Told:
    """Send so many hostile requests to a server of its own, and say what came of them."""
    statuses: Counter[str] = Counter()
    wrong: list[str] = []
    settled = 0.0
    log = here / "log.txt"
    with log.open("wb") as said, Ours(here, log=said) as ours:
        maker = Maker(seed, ours.document, str(ours.sign_in()["access_token"]))
        with ThreadPoolExecutor(THREADS) as pool:
            for first in range(0, count, BATCH):
                messages = [maker() for _ in range(min(BATCH, count - first))]
                for message, status in zip(messages, pool.map(partial(_send, ours), messages), strict=True):
                    statuses[status] += 1
                    if status.startswith("5") and int(status) not in INTENDED:
                        wrong.append(f"{status} for {message[:300]!r}")
                now = resident(ours.process.pid)
                settled = now if first <= count * WARM_UP else settled
                sys.stderr.write(f"{first + len(messages):>9,} requests  {now:6.1f} MiB  {len(wrong)} wrong\n")
        health = requests.get(ours.ready["url"] + "/healthz", verify=ours.ready["ca_file"], timeout=30)
        if health.status_code != 200:
            wrong.append(f"/healthz answers {health.status_code}")
        ours.sign_in()
        memory = (settled, resident(ours.process.pid))
    if b"Traceback" in log.read_bytes():
        wrong.append("a traceback: " + log.read_bytes().partition(b"Traceback")[2][:2000].decode("utf-8", "replace"))
    if memory[1] - memory[0] > GROWTH:
        wrong.append(f"memory grew from {memory[0]:.1f} to {memory[1]:.1f} MiB")
    return Told(requests=count, statuses=dict(statuses), wrong=tuple(wrong), memory=memory)


def _send(ours: Ours, message: bytes) -> str:
    """The status of the answer to one hostile request on a connection of its own; `closed` where there was none."""
    sock = ours.connect()
    try:
        sock.settimeout(10)
        sock.sendall(message)
        sock.settimeout(0.25)  # what waits for the rest of a body is left alone
        return str(exchange(sock, head=message.startswith(b"HEAD "))[0])
    except TimeoutError:
        return "waits"
    except (OSError, RuntimeError, ValueError):
        return "closed"
    finally:
        sock.close()


def main() -> int:
    """Run and report; 1 where something was wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, help="how many requests to send (default 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="what they are made from (default 1)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        told = run(asked.requests, asked.seed, Path(folder))
    sys.stdout.write(
        f"{told.requests:,} requests, answers {told.statuses}\nmemory {told.memory[0]:.1f} -> {told.memory[1]:.1f} MiB\n"
    )
    for one in told.wrong[:20]:
        sys.stdout.write(f"WRONG {one}\n")
    return int(bool(told.wrong))


if __name__ == "__main__":
    raise SystemExit(main())
