"""Posting transactions, validated, journalled and durable, beside a plain Flask application and the named mock servers.

All are driven by the same eight connections that stay open. Ours speaks TLS, the others plain HTTP. The named ones store nothing
durably: Prism checks the body by our OpenAPI document, WireMock matches it as JSON, moto's server keeps it in memory.
"""

from __future__ import annotations

import json
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import msgspec
import requests

from acrmock.facts import load_facts
from acrmock.schema import record_schema
from benchmarks import named
from benchmarks.load import Connect, Served, Used, drive, free_port, listens, plain, request
from benchmarks.measure import CLOCK, ROUNDS, Row
from benchmarks.ours import Ours
from synthetic.exams import exams
from synthetic.transactions import Sender, body, transaction

CONNECTIONS = 8
POSTS = 400
WARM_UP = 80
JSON = {"Content-Type": "application/json"}
Bodies = Callable[[Sender, int], bytes]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A running server, how to reach it, and what makes the next request, given how many exams it holds."""

    what: str
    served: Served
    connect: Connect
    next: Callable[[int], bytes]
    status: int = 202
    goal: str = ""
    many: bool = False

    def run(self, count: int = POSTS, size: int = 1) -> Used:
        """What `count` posts over all connections take."""
        each = count // CONNECTIONS
        messages = [[self.next(size) for _ in range(each)] for _ in range(CONNECTIONS)]
        return drive(self.served, self.connect, messages, self.status)


def rows() -> list[Row]:
    """Posts per second of ours and each peer, in turn, and the medians."""
    found = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        here = Path(folder)
        ours, server = _acrmock(here, stack)
        makers: tuple[Callable[[], Target], ...] = (
            lambda: _plain(here, stack, server),
            lambda: _plain(here, stack, None),
            lambda: _prism(here, stack, server),
            lambda: _wiremock(here, stack),
            lambda: _moto(stack),
        )
        ours.run(WARM_UP)
        for make in makers:
            found += list(_beside(ours, make))
    return found


def _beside(ours: Target, make: Callable[[], Target]) -> Iterator[Row]:
    """Ours beside one peer; a peer that cannot be had has a row that says so."""
    try:
        peer = make()
    except (named.Absent, OSError, RuntimeError) as absent:
        yield Row(what="posts of 1 exam, 8 connections", unit="posts/s", ours=ours.run().rate, peer=f"absent: {absent}"[:160])
        return
    with peer.served:
        try:
            peer.run(WARM_UP)
        except (OSError, RuntimeError) as error:
            what = f"{peer.what}: failed ({error})"[:160]
            yield Row(what="posts of 1 exam, 8 connections", unit="posts/s", ours=ours.run().rate, peer=what)
            return
        for size, count in ((1, POSTS), (10, POSTS // 4)) if peer.many else ((1, POSTS),):
            pairs = [(ours.run(count, size), peer.run(count, size)) for _ in range(ROUNDS)]
            yield Row(
                what=f"posts of {size} exam{'s' * (size > 1)}, validated, journalled, durable, {CONNECTIONS} connections",
                unit="posts/s",
                ours=median(mine.rate for mine, _ in pairs),
                peer=peer.what,
                theirs=median(theirs.rate for _, theirs in pairs),
                goal=peer.goal,
                cpu=(pairs[-1][0].cpu, pairs[-1][1].cpu),
                memory=(pairs[-1][0].memory, pairs[-1][1].memory),
            )


def _acrmock(here: Path, stack: ExitStack) -> tuple[Target, Ours]:
    ours = stack.enter_context(Ours(here))
    document = ours.document
    make, slug, mapping = bodies(document["registries"])
    sender = Sender(partner_id=document["partner_id"], app_id=document["app_id"], facility_id=document["facility_id"])
    path = f"{urlsplit(document['nrdr']).path}/{slug}/v{mapping}/transactions"
    headers = {**JSON, "Authorization": f"Bearer {ours.sign_in()['access_token']}"}
    target = Target(
        what="acrmock", served=ours, connect=ours.connect, next=lambda size: request("POST", path, headers, make(sender, size))
    )
    return target, ours


def _plain(here: Path, stack: ExitStack, ours: Ours | None) -> Target:
    """The plain application: doing the same job with tokens of `ours`, else only validating and storing."""
    facts = load_facts()
    registry = facts.registry("lcsr")
    version = registry.default(CLOCK.now().date()) if registry else None
    if registry is None or version is None:
        raise RuntimeError("no mapping version in force")
    name = "same" if ours is not None else "bare"
    schema, key = here / f"{name}.schema.json", here / "key.json"
    schema.write_text(json.dumps(record_schema(version)))
    options, headers = [], dict(JSON)
    if ours is not None:
        given = ours.sign_in()
        keys = requests.get(given["jwks_uri"], verify=ours.ready["ca_file"], timeout=10).json()["keys"]
        key.write_text(json.dumps(keys[0]))
        options, headers["Authorization"] = [str(key)], f"Bearer {given['access_token']}"
    port = free_port()
    files = [str(port), str(here / f"{name}.sqlite"), str(schema)]
    served = stack.enter_context(Served([sys.executable, "-m", "benchmarks.plain", *files, *options]))
    served.until(lambda: listens(port))
    make, _, _ = bodies({registry.slug: version.version})
    sender = Sender(partner_id="p", app_id="a", facility_id="f")
    same = "Flask + waitress + jsonschema + SQLite: checks the token, keeps the exchange; no TLS, no redaction, no facts"
    return Target(
        what=same if ours is not None else "the same without token and exchange",
        served=served,
        connect=plain(port),
        next=lambda size: request("POST", "/transactions", headers, make(sender, size)),
        goal=">= 4 x" if ours is not None else "",
        many=ours is not None,
    )


def _prism(here: Path, stack: ExitStack, ours: Ours) -> Target:
    document = requests.get(ours.ready["url"] + "/openapi.json", verify=ours.ready["ca_file"], timeout=30).json()
    make, slug, mapping = bodies(ours.document["registries"])
    path = next(path for path in document["paths"] if path.endswith("/transactions") and "post" in document["paths"][path])
    path = path.replace("{registry}", slug).replace("{mapping}", mapping)
    served, port = named.prism(document, here)
    stack.enter_context(served)
    told = ours.document
    sender = Sender(partner_id=told["partner_id"], app_id=told["app_id"], facility_id=told["facility_id"])
    headers = {**JSON, "Authorization": "Bearer x"}
    return Target(
        what="Prism, warm: checks the envelope, stores nothing",
        served=served,
        connect=plain(port),
        next=lambda size: request("POST", path, headers, make(sender, size)),
        goal="ahead",
    )


def _wiremock(here: Path, stack: ExitStack) -> Target:
    stub = {
        "request": {"method": "POST", "urlPath": "/transactions", "bodyPatterns": [{"matchesJsonPath": "$.Exams[0]"}]},
        "response": {"status": 202, "jsonBody": {"Status": "Loading"}, "headers": JSON},
    }
    served, port = named.wiremock(stub, here)
    stack.enter_context(served)
    make, _, _ = bodies({"lcsr": ""})
    sender = Sender(partner_id="p", app_id="a", facility_id="f")
    target = Target(
        what="WireMock, warm: matches the body, stores nothing",
        served=served,
        connect=plain(port),
        next=lambda size: request("POST", "/transactions", JSON, make(sender, size)),
        goal="towards",
    )
    for _ in range(5):
        target.run(POSTS)
    return target


def _moto(stack: ExitStack) -> Target:
    served, port = named.moto()
    stack.enter_context(served)
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=x"
    }
    with requests.Session() as session:
        session.trust_env = False
        session.put(f"http://localhost:{port}/bucket", headers=headers, timeout=30)
    make, _, _ = bodies({"lcsr": ""})
    sender = Sender(partner_id="p", app_id="a", facility_id="f")
    return Target(
        what="moto's server, warm: puts the body as an object, in memory",
        served=served,
        connect=plain(port),
        next=lambda size: request("PUT", f"/bucket/{uuid.uuid4()}", {**JSON, **headers}, make(sender, size)),
        status=200,
    )


def bodies(registries: Mapping[str, str]) -> tuple[Bodies, str, str]:
    """What makes the body of a new transaction of so many exams, and the registry and mapping version that it is for."""
    facts = load_facts()
    slug, mapping = next(iter(registries.items()))
    now = CLOCK.now()
    registry = facts.registry(slug)
    version = (registry.version(mapping) or registry.default(now.date())) if registry else None
    if registry is None or version is None:
        raise RuntimeError(f"{slug} {mapping} is not known")
    known = list(exams(facts, slug, mapping=version.version, seed=3, count=50, as_of=now.date()))
    places = iter(range(1 << 62))

    def make(sender: Sender, size: int) -> bytes:
        first = next(places) * size
        some = [known[(first + index) % len(known)] for index in range(size)]
        return body(transaction(facts, registry, version, some, sender=sender, at=now, identifier=str(uuid.uuid4())))

    return make, slug, version.version
