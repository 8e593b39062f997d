"""One thing wrong at a time: for each check, runs that break it and nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
from builder import CALLBACK, Mutation, Story, Vendor, exam, random_text, secret

from acrmock.record import (
    BearerFacts,
    ClientFacts,
    FieldProblem,
    HttpEntry,
    IdentityMark,
    NameValue,
    RecordProblem,
    SecretKind,
)
from acrmock.record import Operation as Op

MUTATIONS: list[tuple[str, str, Mutation]] = []


def breaks(check: str, label: str, mutation: Mutation) -> None:
    """Note a mutation that fails `check` and no other."""
    MUTATIONS.append((check, label, mutation))


def put(operation: Op, pointer: str, value: Any, nth: int = 0) -> Mutation:
    """Set a place in the nth exchange of an operation."""
    return lambda story: story.put(story.of(operation)[nth], pointer, value)


def every(operation: Op, pointer: str, value: Any) -> Mutation:
    """Set a place in all exchanges of an operation."""

    def change(story: Story) -> None:
        for place in story.of(operation):
            story.put(place, pointer, value)

    return change


def query(name: str, *values: str | None) -> Mutation:
    """Set or drop a parameter in each authorization request."""

    def change(story: Story) -> None:
        for place, value in zip(story.of(Op.AUTHORIZE), values, strict=True):
            story.query(place, name, value)

    return change


def declared(name: str, value: Any) -> Mutation:
    """Change what was declared at registration."""
    return lambda story: story.put(story.events("registration-attempted")[0], f"/data/declared/{name}", value)


def exposed(operation: Op, kind: SecretKind, where: str, name: str) -> Mutation:
    """Note a secret in the first exchange of an operation."""
    return lambda story: story.expose(story.of(operation)[0], kind, where, name)


def both(*mutations: Mutation) -> Mutation:
    """Several changes that make one fault."""

    def change(story: Story) -> None:
        for mutation in mutations:
            mutation(story)

    return change


def _entry(story: Story, place: int) -> HttpEntry:
    entry = story.entries[place]
    assert isinstance(entry, HttpEntry)
    return entry


def again(operation: Op, nth: int = 0, times: int = 1) -> Mutation:
    """Repeat an exchange right after itself, seconds later."""

    def change(story: Story) -> None:
        place = story.of(operation)[nth]
        for _ in range(times):
            story.entries.insert(place + 1, story.entries[place])

    return change


def drop(operation: Op, *which: int) -> Mutation:
    """Leave exchanges out."""

    def change(story: Story) -> None:
        places = story.of(operation)
        for place in sorted((places[nth] for nth in which), reverse=True):
            del story.entries[place]

    return change


for label, addresses in {
    "none": [],
    "all": ["0.0.0.0/0"],
    "all of version 6": ["::/0"],
    "no address": ["gateway"],
    "host bits": ["203.0.113.5/24"],
    "too wide": ["203.0.0.0/8"],
    "private": ["10.1.2.3"],
    "loopback": ["127.0.0.1"],
    "multicast": ["224.0.0.1"],
    "broadcast": ["255.255.255.255"],
    "mapped private": ["::ffff:10.0.0.1"],
    "shared": ["100.64.0.1"],
    "unspecified": ["0.0.0.0"],  # noqa: S104 - an address that is declared
}.items():
    breaks("apply-addresses", label, declared("addresses", addresses))

for label, name in {"blank": "  ", "disguised": "Lung\u202eManager", "control": "Lung\x07", "long": "x" * 5000}.items():
    breaks("apply-name", label, declared("name", name))

for label, url in {
    "http": "http://vendor.example/cb",
    "fragment": CALLBACK + "#",
    "wildcard": "https://*.vendor.example/cb",
    "user info": "https://me@vendor.example/cb",
    "relative": "/callback",
    "own scheme": "vendorapp://cb",
    "no host": "https:///cb",
    "port": "https://vendor.example:99999/cb",
    "space": "https://vendor.example/a b",
    "long": "https://vendor.example/" + "a" * 1_000_000,
}.items():
    breaks("apply-redirect-https", label, declared("redirect_urls", [CALLBACK, url]))

breaks("apply-registries", "none", declared("registries", []))
breaks("apply-registries", "unknown", declared("registries", ["lcsr", "lsr"]))
breaks("apply-registries", "unknown version", declared("registries", ["lcsr:9.9"]))
breaks("apply-registries", "obsolete", declared("registries", {"lcsr": "1.6"}))
breaks("apply-logo", "size", declared("logo/width", 151))
breaks("apply-logo", "format", declared("logo/format", "jpeg"))
breaks("apply-logo", "no link", declared("logo/link", ""))

breaks(
    "allow-registered",
    "one refused",
    both(put(Op.NRDR_STATUS, "/facts/allowed", False, 2), put(Op.NRDR_STATUS, "/peer", "192.0.2.9", 2)),
)
breaks("allow-all-used", "never seen", declared("local_sources", ["127.0.0.0/8", "192.0.2.0/24"]))

breaks("auth-discovery", "hard-coded", put(Op.AUTHORIZE, "/facts/moved", False, 1))
breaks("auth-discovery", "old token endpoint", put(Op.TOKEN, "/facts/moved", False, 2))


def _never_read(story: Story) -> None:
    del story.entries[story.events("endpoints-moved")[0]]
    drop(Op.DISCOVERY, 0, 1)(story)


breaks("auth-discovery", "never read", _never_read)

breaks("auth-code-flow", "implicit", query("response_type", "token", "code"))
breaks("auth-code-flow", "hybrid", query("response_type", "code id_token", "code"))
breaks("auth-code-flow", "no type", query("response_type", None, "code"))
breaks("auth-code-flow", "no openid", query("scope", "lcsr_data_submission offline_access", "openid lcsr_data_submission"))
breaks("auth-code-flow", "no registry", query("scope", "openid offline_access", "openid offline_access"))
breaks("auth-code-flow", "no scope", query("scope", None, None))


def _password(story: Story) -> None:
    again(Op.TOKEN)(story)
    place = story.of(Op.TOKEN)[1]
    story.put(place, "/facts/grant/grant_type", "password")
    story.put(place, "/response/status", 400)


breaks("auth-code-flow", "password", _password)

breaks("auth-redirect-exact", "other", put(Op.AUTHORIZE, "/facts/authorize/redirect_registered", False))
breaks("auth-redirect-exact", "absent", query("redirect_uri", None, CALLBACK))
breaks("auth-redirect-exact", "at the token endpoint", put(Op.TOKEN, "/facts/grant/redirect_equal", False))


def _unbound(story: Story) -> None:
    for name in ("state", "nonce", "code_challenge", "code_challenge_method"):
        query(name, None, None)(story)
    every(Op.TOKEN, "/facts/grant/verifier", "not-used")(story)
    for nth in (0, 1):
        back = f"{CALLBACK}?code={secret('code', nth + 1)}"
        story.put(story.of(Op.SIGN_IN)[nth], "/response/headers", (NameValue(name="Location", value=back),))


breaks("auth-csrf", "unbound", _unbound)
breaks("auth-state-present", "absent once", query("state", None, random_text(2)))
breaks("auth-state-present", "empty always", query("state", "", ""))

for label, first, second in (
    ("same", random_text(7), random_text(7)),
    ("short", "4fze1k", "9qka0t"),
    ("counter", "state-for-the-sign-in-of-the-vendor-000001", "state-for-the-sign-in-of-the-vendor-000002"),
    ("seconds", "1767953472", "1767953999"),
    ("time", "2026-01-09T12:00:00.123456Z-sign-in-page", "2026-01-09T12:11:17.553956Z-sign-in-page"),
    ("one letter", "a" * 40, "b" * 40),
    ("time of UUID 1", "6fa1d2c0-ed4c-11f0-9f2a-0242ac120002", "71c9e5aa-ed4c-11f0-9f2a-0242ac120002"),
):
    breaks("auth-state-unique", label, query("state", first, second))

breaks("auth-nonce", "absent", query("nonce", random_text(3, "nonce"), None))
breaks("auth-nonce", "same", query("nonce", "n-1", "n-1"))
breaks("auth-pkce", "plain", query("code_challenge_method", "plain", "S256"))
breaks("auth-pkce", "method left out", query("code_challenge_method", None, "S256"))
breaks("auth-pkce", "absent", query("code_challenge", None, None))
breaks("auth-pkce", "same challenge", query("code_challenge", "c" * 43, "c" * 43))
breaks("auth-pkce", "wrong verifier", put(Op.TOKEN, "/facts/grant/verifier", "mismatch"))
breaks("auth-client-id", "unknown", put(Op.AUTHORIZE, "/facts/client/whose", "unknown"))
breaks("auth-client-id", "other environment", put(Op.TOKEN, "/facts/client/whose", "other-environment", 1))

for operation, kind, where, name in (
    (Op.TOKEN, SecretKind.CLIENT_SECRET, "query", "client_secret"),
    (Op.BROWSER, SecretKind.CLIENT_SECRET, "page", ""),
    (Op.BROWSER, SecretKind.REFRESH_TOKEN, "query", "rt"),
    (Op.BROWSER, SecretKind.REFRESH_TOKEN, "header", "Location"),
    (Op.NRDR_POST, SecretKind.REFRESH_TOKEN, "header", "Referer"),
    (Op.BROWSER, SecretKind.ACCESS_TOKEN, "page", ""),
    (Op.NRDR_STATUS, SecretKind.ACCESS_TOKEN, "header", "Referer"),
    (Op.BROWSER, SecretKind.CODE, "page", ""),
    (Op.BROWSER, SecretKind.CODE, "header", "Referer"),
    (Op.TOKEN, SecretKind.CODE, "query", "code"),
    (Op.AUTHORIZE, SecretKind.ID_TOKEN, "query", "token"),
):
    breaks("auth-secret-private", f"{kind.value} {where} {name} at {operation.value}", exposed(operation, kind, where, name))


def _second_page(story: Story) -> None:
    again(Op.BROWSER)(story)
    story.put(story.of(Op.BROWSER)[1], "/request/url", "https://localhost:8765/home?code=x")


breaks("auth-secret-private", "code taken along", _second_page)

breaks("auth-client-auth", "both", put(Op.TOKEN, "/facts/client/methods", ("basic", "body")))
NAMED = ClientFacts(presented=True, whose="own")
breaks("auth-client-auth", "none", both(put(Op.TOKEN, "/facts/client", NAMED, 1), put(Op.TOKEN, "/facts/exposures", (), 1)))
breaks("auth-client-auth", "at a registry", exposed(Op.NRDR_POST, SecretKind.CLIENT_SECRET, "header", "Authorization"))
breaks("auth-client-auth", "at authorize", put(Op.AUTHORIZE, "/facts/client/methods", ("body",)))

breaks("auth-code-once", "reused", both(again(Op.TOKEN), put(Op.TOKEN, "/facts/grant/grant_state", "reused", 1)))
breaks("auth-code-once", "twice", again(Op.TOKEN))
breaks("auth-code-once", "late", both(again(Op.TOKEN), put(Op.TOKEN, "/facts/grant/grant_state", "expired")))


def _asks_a_person(story: Story) -> None:
    """In the step `refresh` a whole sign-in stands in the place of the refresh."""
    place = story.of(Op.TOKEN)[1]
    other = Story(now=story.now)
    vendor = Vendor(other)
    vendor.signed_in = 8
    vendor.sign_in_whole()
    story.entries[place : place + 1] = other.entries


breaks("auth-refresh", "asks a person", _asks_a_person)
breaks("auth-refresh", "refused", put(Op.TOKEN, "/response/status", 400, 1))

breaks("auth-bearer-header", "query", put(Op.NRDR_STATUS, "/facts/bearer/place", "query"))
breaks("auth-bearer-header", "body", put(Op.NRDR_POST, "/facts/bearer/place", "body"))
breaks("auth-bearer-header", "refresh token", put(Op.NRDR_STATUS, "/facts/bearer/kind", "refresh"))
breaks("auth-bearer-header", "other scheme", put(Op.NRDR_STATUS, "/facts/bearer", BearerFacts()))
breaks("auth-bearer-header", "twice", exposed(Op.NRDR_POST, SecretKind.ACCESS_TOKEN, "query", "access_token"))
breaks("auth-bearer-header", "in the vendor's URL", exposed(Op.BROWSER, SecretKind.ACCESS_TOKEN, "query", "t"))
breaks("auth-id-token-not-api", "once", put(Op.NRDR_STATUS, "/facts/bearer/kind", "id"))

T = "/facts/transaction"
ABSENT = FieldProblem(pointer="/Transaction_Header/Partner_ID", element="Partner_ID", expected="the issued ID", actual="absent")
breaks("tx-header", "absent", put(Op.NRDR_POST, f"{T}/header_problems", (ABSENT,)))
for name in ("partner", "app"):
    breaks("tx-header", name, put(Op.NRDR_POST, f"{T}/{name}_issued", False))
breaks(
    "tx-header",
    "facility",
    both(put(Op.NRDR_POST, f"{T}/facility_issued", False), put(Op.NRDR_POST, f"{T}/facility_of_user", False)),
)
breaks("tx-header", "count", put(Op.NRDR_POST, f"{T}/declared_exams", 2))
breaks("tx-header", "other version", put(Op.NRDR_POST, f"{T}/declared_mapping", "1.7"))
breaks("tx-header", "other registry", put(Op.NRDR_POST, f"{T}/declared_registry", "GRID"))
breaks("tx-facility-token", "another", put(Op.NRDR_POST, f"{T}/facility_of_user", False))

WRONG = RecordProblem(
    code="LCSR-001", severity="error", pointer="/Exams/0/Patient_Sex", element="Patient_Sex", message="not listed"
)


def rejected(story: Story) -> None:
    """One more transaction, whose exam is rejected."""
    vendor = Vendor(story)
    vendor.token = secret("access", 2)
    record = msgspec.structs.replace(exam(9, key=9, patient=9), status="Rejected", problems=(WRONG,))
    end = story.entries.pop()
    vendor.submit("t-9", record)
    story.entries.append(end)


breaks("tx-schema", "rejected", rejected)
breaks(
    "tx-schema",
    "no list",
    both(
        put(Op.NRDR_POST, f"{T}/envelope_valid", False, 3),
        put(Op.NRDR_POST, f"{T}/accepted", False, 3),
        put(Op.NRDR_POST, f"{T}/records", (), 3),
        put(Op.NRDR_POST, f"{T}/exams", 0, 3),
        put(Op.NRDR_POST, f"{T}/declared_exams", 0, 3),
    ),
)
breaks("tx-version-in-force", "obsolete", put(Op.NRDR_POST, f"{T}/mapping_state", "obsolete"))
breaks("tx-version-in-force", "unknown", put(Op.NRDR_POST, f"{T}/mapping_state", "unknown"))
breaks("tx-complete", "never", every(Op.NRDR_POST, f"{T}/records/0/status", "Incomplete"))
breaks("tx-coverage", "no values", every(Op.NRDR_POST, f"{T}/values", ()))
breaks("tx-coverage", "no branches", every(Op.NRDR_POST, f"{T}/branches", ()))


def _same_id(story: Story) -> None:
    story.put(story.of(Op.NRDR_POST)[3], f"{T}/transaction_id", "t-1")
    for nth in (6, 7):
        story.put(story.of(Op.NRDR_STATUS)[nth], "/facts/status/transaction_id", "t-1")


breaks("tx-id-unique", "another body", _same_id)
breaks("tx-update", "another key", put(Op.NRDR_POST, f"{T}/records/0/key", "d:key:77", 1))
breaks("tx-update", "unchanged", put(Op.NRDR_POST, f"{T}/records/0/content", "d:content:1", 1))
R = f"{T}/records/0"
breaks("tx-follow-up", "future", put(Op.NRDR_POST, f"{R}/follow_ups/0/in_future", True, 2))
breaks("tx-follow-up", "late", put(Op.NRDR_POST, f"{R}/follow_ups/0/days_after_exam", 500, 2))
breaks("tx-follow-up", "before", put(Op.NRDR_POST, f"{R}/follow_ups/0/days_after_exam", -1, 2))
breaks("tx-follow-up", "none", put(Op.NRDR_POST, f"{R}/follow_ups", (), 2))
breaks(
    "tx-follow-up",
    "new exam",
    both(put(Op.NRDR_POST, f"{R}/patient", "d:patient:1", 3), put(Op.NRDR_POST, f"{R}/exam_date", "2026-01-05", 3)),
)


def _not_latest(story: Story) -> None:
    """A later screen, a year on, came before the follow-up on the old one."""
    for place in story.of(Op.NRDR_POST)[:3]:
        story.put(place, f"{R}/exam_date", "2024-11-01")
    first = story.of(Op.NRDR_POST)[0]
    story.put(story.of(Op.NRDR_POST)[2], f"{R}/follow_ups/0/days_after_exam", 366)
    later = exam(50, key=50, day="2025-11-02")
    story.put(first, f"{T}/records", (*_entry(story, first).facts.transaction.records, later))  # type: ignore[union-attr]
    story.put(first, f"{T}/exams", 2)
    story.put(first, f"{T}/declared_exams", 2)


breaks("tx-follow-up", "not the latest", _not_latest)
REAL = IdentityMark(pointer="/Exams/0/Patient_SSN", element="Patient_SSN", mark="a number that was issued", grade="undeniable")
breaks("tx-test-data", "undeniable", put(Op.NRDR_POST, f"{T}/identity", (REAL,)))
breaks("tx-media-type", "another", put(Op.NRDR_POST, "/request/headers/1/value", "text/json"))
breaks("tx-media-type", "none", put(Op.NRDR_POST, "/request/headers", (NameValue(name="Authorization", value="Bearer x"),)))
breaks("tx-media-type", "charset", put(Op.NRDR_POST, "/request/headers/1/value", "application/json; charset=latin1"))
breaks(
    "tx-media-type", "not JSON", both(put(Op.NRDR_POST, "/facts/body_json", False, 3), put(Op.NRDR_POST, f"{T}/records", (), 3))
)
breaks("tx-media-type", "not UTF-8", put(Op.NRDR_POST, "/facts/body_utf8", False, 3))
breaks("tx-media-type", "too long", put(Op.NRDR_POST, "/facts/body_bytes", 10**9))

breaks("status-each", "never", drop(Op.NRDR_STATUS, 6, 7))
breaks("status-each", "another ID", both(*(put(Op.NRDR_STATUS, "/facts/status/transaction_id", "zz", n) for n in (6, 7))))
breaks("status-terminal", "stops early", drop(Op.NRDR_STATUS, 7))


def _polls_on(story: Story) -> None:
    again(Op.NRDR_STATUS, nth=7, times=3)(story)


breaks("status-terminal", "goes on", _polls_on)


def _hurries(story: Story) -> None:
    first, second = story.of(Op.NRDR_STATUS)[:2]
    story.put(second, "/t", story.entries[first].t)


breaks("status-pace", "hurries", _hurries)
