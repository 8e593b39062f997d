"""Canaries of every kind, planted in every place and encoding over the wires, are nowhere on the disk and in no export."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import json
import re
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import pytest
import requests
from clients.command import acrmock
from clients.person import Form, sign_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.identity import classify_mbi, classify_npi, classify_ssn, npi_check_digit
from conformance.control import Control
from conformance.plugin import ApplicationUnderTest, ServerUnderTest
from conformance.recording import read
from conformance.reports import har, html, jsonout, junit, markdown, terminal
from mockserver import Engine

VERIFIER = "Canary-verifier_0123456789~abcdefghijklmnopqrstuvwxyz.A"
PERSON = {
    "Patient_SSN": "219-09-8765",
    "New_Medicare_Beneficiary_ID": "7QF4-RT6-WX91".replace("-", ""),
    "Medicare_Beneficiary_ID": "487651234A",
    "Patient_First_Name": "Quillonia",
    "Patient_Middle_Name": "Zebedaia",
    "Patient_Last_Name": "Vanderquist",
    "Patient_Date_Of_Birth": "1947-11-23",
    "Radiologist_Reading_NPI": "148765923" + npi_check_digit("148765923"),
    "Ordering_Practitioner_NPI": "129384756" + npi_check_digit("129384756"),
    "Other_ID": "HOSP-7781-XYZ",
}
"""Made up, and outside every synthetic range: nobody's as far as anybody knows, but anybody's as far as a mock can tell."""

UNNAMED = {
    "SSN": "318-24-7761",
    "SSN without hyphens": "318247762",
    "MBI": "4QH7TK3MW52",
    "NPI": "137946208" + npi_check_digit("137946208"),
    "telephone": "617-482-3905",
    "telephone abroad": "+44 20 7946 1953",
    "e-mail": "wilhelmina.q@st-elsewhere.org",
    "date of birth": "1951-08-17",
    "date of birth, month first": "08/19/1952",
}
"""The like under no name that would tell: only their shape does."""


LONGEST_PREFIX = 256
"""Of a fault rule's value, in characters: tokens are longer."""
CUT = ("client secret", "password", "control token", "code", "refresh token", "e-mail", "telephone abroad")
"""What is planted where it is cut."""


def percent(text: str) -> str:
    """Every character percent-encoded."""
    return "".join(f"%{ord(character):02X}" for character in text)


ENCODINGS: Mapping[str, Callable[[str], str]] = {
    "raw": lambda text: text,
    "percent": percent,
    "percent twice": lambda text: percent(text).replace("%", "%25"),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
}


def escaped(text: str) -> str:
    """A JSON string of nothing but escapes."""
    return '"' + "".join(f"\\u{ord(character):04x}" for character in text) + '"'


def b64(text: str) -> str:
    """Base64 of text."""
    return base64.b64encode(text.encode()).decode()


@dataclass(frozen=True)
class Sent:
    """A request as it goes onto the wire."""

    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    media: str = "application/json"


def places(path: str, value: str) -> Iterator[Sent]:
    """A request for each place in which a value that was issued could stand."""
    yield Sent(f"{path}/{value}/x")
    yield Sent(f"{path}?state={value}&{value}=1")
    for name in ("Referer", "User-Agent", "traceparent", "X-Request-ID", "Authorization", "Cookie", "Content-Type"):
        yield Sent(path, ((name, f"https://h.example/cb?x={value}" if name == "Referer" else value),))
    yield Sent(path, (("Cookie", f"sid={value}; other=1"),))
    yield Sent(path, (("Authorization", f"Bearer {value}"),))
    yield Sent(path, (("Authorization", "Basic " + b64(f"somebody:{value}")),))
    yield Sent(path, (("Authorization", "Basic " + b64(f"{value}:")),))
    yield Sent(path, (("traceparent", f"00-{value}-00f067aa0ba902b7-01"),))
    yield Sent(path, body=f"client_id={value}&a={value}&{value}=b", media="application/x-www-form-urlencoded")
    yield Sent(path, body=json.dumps({"a": value, "Transaction_Header": {"b": [{"c": value}]}}))
    yield Sent(path, body=json.dumps({value: 1, "n": {value: [value]}}))
    yield Sent(path, body=f'{{"a": {escaped(value)}, {escaped(value)}: "x"}}')
    yield Sent(path, body='{"a": "\\q", "b": "' + value)  # no JSON at all
    yield Sent(path, body=f"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n{value}\r\n--x--", media="multipart/form-data")


def shaped(path: str, value: str) -> Iterator[Sent]:
    """A request for each place in which an identifier can stand whose name tells nothing."""
    yield Sent(f"{path}/{quote(value, safe='')}/x")
    yield Sent(f"{path}/{percent(value)}")
    yield Sent(f"{path}?chart={quote(value, safe='')}&{quote(value, safe='')}=1&again={percent(value).replace('%', '%25')}")
    for name in ("Referer", "User-Agent", "X-Request-ID", "X-Chart", "From"):
        told = f"https://h.example/chart?n={quote(value, safe='')}" if name == "Referer" else f"chart {value} (see there)"
        yield Sent(path, ((name, told),))
    yield Sent(path, (("Cookie", f"chart={value}; {value}=1"),))
    yield Sent(path, (("Authorization", "Basic " + b64(f"{value}:x")),))
    yield Sent(path, body=f"note={quote(value, safe='')}&{quote(value, safe='')}=b", media="application/x-www-form-urlencoded")
    yield Sent(path, body=json.dumps({"note": f"Called {value}, no answer.", value: [value, {"x": value}]}))
    yield Sent(path, body=f"A page about {value}.", media="text/plain")


def transaction(application: ApplicationUnderTest, identifier: str, exam: Mapping[str, Any]) -> str:
    """A transaction of one exam."""
    header = {
        "Transaction_ID": identifier,
        "Transaction_Date": "2026-03-01T10:00:00Z",
        "Partner_ID": application.partner_id,
        "App_ID": application.app_id,
        "Facility_ID": application.facility_id,
        "Registry": "LCSR",
        "Data_Version": application.registries["lcsr"],
        "Number_Of_Exams": 1,
    }
    return json.dumps({"Transaction_Header": header, "Exams": [exam]})


def persons(application: ApplicationUnderTest) -> Iterator[str]:
    """Transactions with a person in them: as they should be, and in the ways in which clients get it wrong."""
    exam = {"Exam_Date": "2026-02-01", "Smoking_Status": "1", "Indication_Of_Exam": "1", **PERSON}
    yield transaction(application, "plain", exam)
    yield transaction(application, "lower", {name.lower(): value for name, value in exam.items()})
    yield transaction(application, "nested", {name: {"value": [value, {"again": value}]} for name, value in exam.items()})
    yield transaction(application, "listed", {name: [value, None, value] for name, value in exam.items()})
    yield transaction(application, "numbers", {n: int(v) if v.isdigit() else v for n, v in exam.items()})
    members = ", ".join(f"{escaped(name)}: {escaped(value)}" for name, value in PERSON.items())
    yield transaction(application, "escaped", {}).replace("[{}]", f"[{{{members}}}]")
    yield transaction(application, "cut", exam)[:-1]
    yield transaction(application, "broken", exam).replace('"Exams"', '"\\q": 1, "Exams"')


class Wire:
    """One connection on which anything can be sent as it is."""

    def __init__(self, url: str, ca_file: str) -> None:
        parts = urlsplit(url)
        context = ssl.create_default_context(cafile=ca_file)
        self.connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, context=context, timeout=30)

    def send(self, sent: Sent) -> int:
        """Send it; the status of the answer, which is never the server's own failure."""
        body = sent.body.encode()
        self.connection.putrequest("POST" if body else "GET", sent.target)
        names = {name for name, _ in sent.headers}
        for name, value in sent.headers:
            self.connection.putheader(name, value)
        if body:
            self.connection.putheader("Content-Length", str(len(body)))
            if "Content-Type" not in names:
                self.connection.putheader("Content-Type", sent.media)
        self.connection.endheaders(body or None)
        answer = self.connection.getresponse()
        answer.read()
        if answer.will_close:
            self.connection.close()
        assert answer.status < 500, (sent, answer.status)
        return answer.status


def issued(application: ApplicationUnderTest, control_token: str) -> dict[str, str]:
    """One value of each kind that acrmock issues."""
    asked = {
        "response_type": "code",
        "client_id": application.client_id,
        "redirect_uri": application.redirect_url,
        "scope": " ".join(application.scopes),
        "state": "s" * 32,
        "nonce": "n" * 32,
    }
    url = f"{application.issuer}/v1/authorize?{urlencode(asked)}"
    user, ca = application.users[0], application["ca_file"]
    spare = parse_qs(urlsplit(sign_in(url, user, ca)).query)["code"][0]
    code = parse_qs(urlsplit(sign_in(url, user, ca)).query)["code"][0]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": application.redirect_url,
        "client_id": application.client_id,
        "client_secret": application.client_secret,
    }
    answer = requests.post(f"{application.issuer}/v1/token", data=form, verify=ca, timeout=30)
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    cookies = signed_in_cookies(url, user, ca)
    return {
        "client secret": application.client_secret,
        "password": user["password"],
        "control token": control_token,
        "code": spare,
        "redeemed code": code,
        "access token": tokens["access_token"],
        "refresh token": tokens["refresh_token"],
        "ID token": tokens["id_token"],
        **cookies,
    }


def signed_in_cookies(url: str, user: Mapping[str, str], ca_file: str) -> dict[str, str]:
    """The cookies that a browser has after a sign-in."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = ca_file, False
        form = Form()
        form.feed(browser.get(url, timeout=30).text)
        fields = {**form.fields, "username": user["username"], "password": user["password"], "decision": "allow"}
        browser.post(urljoin(url, form.action or url), data=fields, allow_redirects=False, timeout=30)
        return {f"cookie {cookie.name}": str(cookie.value) for cookie in browser.cookies}


def spellings(value: str) -> set[bytes]:
    """A value as it could stand in a file: raw, percent-encoded once and twice, in base64 at each alignment."""
    found = {value, percent(value), percent(value).lower(), quote(value, safe=""), percent(value).replace("%", "%25")}
    found |= {"".join(f"\\u{ord(character):04x}" for character in value)}
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + value.encode()).decode().rstrip("=")
        core = whole[(0, 2, 3)[shift] : -1]
        found |= {core, core.replace("+", "-").replace("/", "_")}
    return {text.encode() for text in found}


@dataclass(frozen=True)
class Left:
    """What is left when the server has stopped: the canaries, and each file and export by name."""

    canaries: Mapping[str, str]
    named: Mapping[str, str]
    files: Mapping[str, bytes]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    """Everything planted over TLS at a real engine, then the engine stopped."""
    data = tmp_path_factory.mktemp("canaries") / "data"
    exports: dict[str, bytes] = {}
    with Engine(data=data) as engine:
        assert engine.ready is not None
        ready = engine.ready
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            application = ServerUnderTest(control, process=False).register(ip="198.51.100.7")
            canaries = issued(application, ready.control_token)
            wire = Wire(ready.url, str(ready.ca_file))
            plant(wire, application, canaries)
            plant_unnamed(wire, application, canaries["access token"])
            plant_cut(wire, application, canaries)
            plant_events(control, application, [*canaries.values(), *UNNAMED.values()])
            for value in canaries.values():
                if len(value) <= LONGEST_PREFIX:
                    with pytest.raises(SetupError, match="holds a secret that was issued here"):
                        control.set_fault(application="default", error="rate-limited", value={"name": "a", "prefix": value})
                with pytest.raises(SetupError, match="registration is refused"):
                    ServerUnderTest(control, process=False).register(name=f"Room {value}", ip="198.51.100.7")
                with pytest.raises(SetupError, match="registration is refused"):
                    ServerUnderTest(control, process=False).register(redirect_url=f"https://h.example/{percent(value)}")
            journal = b"".join(line + b"\n" for line in control.journal())
            own = b"".join(line + b"\n" for line in control.journal(run=application.run))
            whole, recording = read(iter(journal.splitlines(True))), read(iter(own.splitlines(True)))
            result = application.verdict()
            exports = {
                "journal.ndjson": journal,
                "traffic.har": har.render(whole),
                "result.json": jsonout.render(result),
                "report.html": html.render(result, recording, load_facts()).encode(),
                "junit.xml": junit.render(result, recording),
                "report.md": markdown.render(result, recording).encode(),
                "report.txt": terminal.render(result, recording, 200).encode(),
            }
            wal = {f"running/{path.name}": path.read_bytes() for path in data.glob("store*")}
    files = {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    kept = {name: held for name, held in files.items() if Path(name).parts[0] != "keys"}
    assert any(name.startswith("store") for name in kept)
    return Left(canaries, {**PERSON, "code_verifier": VERIFIER}, {**exports, **wal, **kept})


def plant(wire: Wire, application: ApplicationUnderTest, canaries: Mapping[str, str]) -> None:
    """Every canary in every place and encoding, at an endpoint of each wire, at the control API and at no endpoint at all."""
    nrdr, issuer = urlsplit(application.nrdr).path, urlsplit(application.issuer).path
    post = f"{nrdr}/lcsr/v{application.registries['lcsr']}/transactions"
    paths = (post, f"{issuer}/v1/token", "/_acrmock/runs", "/nothing/here")
    turn = 0
    for value in canaries.values():
        for encode in ENCODINGS.values():
            turn += 1
            for sent in places(paths[turn % len(paths)], encode(value)):
                wire.send(sent)
    for encode in ENCODINGS.values():
        value = encode(VERIFIER)
        for form in (f"grant_type=authorization_code&code_verifier={value}", f"CODE_VERIFIER={value}"):
            wire.send(Sent(f"{issuer}/v1/token", body=form, media="application/x-www-form-urlencoded"))
            wire.send(Sent(f"{issuer}/v1/authorize?{form}", (("Referer", f"https://h.example/?{form}#{form}"),)))
        wire.send(Sent(f"{issuer}/v1/token", body=json.dumps({"a": [{"code_verifier": {"v": [value]}}]})))
    bearer = (("Authorization", f"Bearer {canaries['access token']}"),)
    for body in persons(application):
        wire.send(Sent(post, bearer, body))
        wire.send(Sent(f"{issuer}/v1/token", body=body))
    for value in canaries.values():
        wire.send(
            Sent(post, bearer, transaction(application, value[:64], {"Exam_Date": value, value: "1", "Patient_Sex": value}))
        )
        wire.send(Sent(f"{nrdr}/lcsr/transactions/{value}", bearer))
    for encode in ENCODINGS.values():
        form = "&".join(f"{name}={encode(value)}" for name, value in PERSON.items())
        wire.send(Sent(f"{post}?{form}", (("Referer", f"https://h.example/p?{form}"), *bearer)))
        wire.send(Sent(f"{issuer}/v1/token", body=form, media="application/x-www-form-urlencoded"))


def plant_unnamed(wire: Wire, application: ApplicationUnderTest, token: str) -> None:
    """Identifiers that no name marks: in every place, and as the ID of a transaction that is accepted, sent again and polled."""
    nrdr, issuer = urlsplit(application.nrdr).path, urlsplit(application.issuer).path
    post = f"{nrdr}/lcsr/v{application.registries['lcsr']}/transactions"
    bearer = (("Authorization", f"Bearer {token}"),)
    for value in UNNAMED.values():
        for path in (post, f"{issuer}/v1/authorize", "/nothing/here"):
            for sent in shaped(path, value):
                wire.send(sent)
        exam = {"Exam_Date": "2026-02-01", "Other_Comments": f"Reached {value}.", "Smoking_Status": value}
        for _ in range(2):
            status = wire.send(Sent(post, bearer, transaction(application, value, exam)))
            assert status == (202 if re.fullmatch("[A-Za-z0-9._-]+", value) else 422)
        asked = wire.send(Sent(f"{nrdr}/lcsr/transactions/{quote(value, safe='')}", bearer))
        assert asked == (200 if status == 202 else 404)


def plant_cut(wire: Wire, application: ApplicationUnderTest, canaries: Mapping[str, str]) -> None:
    """Canaries so far behind in a value that a note of its first 64 or 200 characters ends amid them."""
    nrdr, issuer = urlsplit(application.nrdr).path, urlsplit(application.issuer).path
    post = f"{nrdr}/lcsr/v{application.registries['lcsr']}/transactions"
    bearer = (("Authorization", f"Bearer {canaries['access token']}"),)
    exam = {"Exam_Date": "2026-02-01"}
    for kind in CUT:
        for size in (2, 20, 40, 160, 180):
            value = "." * size + (canaries[kind] if kind in canaries else f" {UNNAMED[kind]}")
            quoted = quote(value, safe="")
            whole = json.loads(transaction(application, f"cut-{len(kind)}-{size}-{kind[:2]}", exam))
            for element in whole["Transaction_Header"]:
                header = {**whole["Transaction_Header"], element: value}
                wire.send(Sent(post, bearer, json.dumps({**whole, "Transaction_Header": header})))
            named = {**whole, "Exams": [{**exam, value: "1", "Smoking_Status": value}]}
            assert wire.send(Sent(post, bearer, json.dumps(named))) == 202
            wire.send(Sent(post, bearer, json.dumps({**whole, value: 1})))
            wire.send(Sent(f"{nrdr}/{quoted}/v1/transactions", bearer, json.dumps(whole)))
            wire.send(Sent(f"{nrdr}/lcsr/v{quoted}/transactions", bearer, json.dumps(whole)))
            wire.send(Sent(f"{nrdr}/lcsr/transactions?{quoted}=1", bearer))
            wire.send(Sent(f"{issuer}/v1/token", body=f"grant_type={quoted}", media="application/x-www-form-urlencoded"))
            asked = (
                f"client_id={application.client_id}&redirect_uri={quote(application.redirect_url, safe='')}&response_type=code"
            )
            for name in ("login_hint", "prompt", "response_mode", "scope", "max_age"):
                scope = "" if name == "scope" else "&scope=openid"
                wire.send(Sent(f"{issuer}/v1/authorize?{asked}{scope}&{name}={quoted}"))
            wire.send(Sent(post, (*bearer, ("Content-Type", value)), json.dumps(whole)))


def plant_events(control: Control, application: ApplicationUnderTest, values: Sequence[str]) -> None:
    """Secrets and identifiers in an event and in what the robot user saw at the vendor's door."""
    for value in values:
        control.event(application.run, "client-exited", {"step": "submit", "output": f"said {value}", "code": 1})
        seen = {
            "request": {
                "method": "GET",
                "url": f"{application.redirect_url}?note={quote(value, safe='')}",
                "headers": [{"name": "X-Note", "value": value}],
                "postData": {"mimeType": "text/plain", "text": f"for {value}"},
            },
            "response": {"status": 200, "content": {"mimeType": "text/html", "text": f"<p>Hello {value}, welcome.</p>"}},
            "application": application.application,
            "environment": "test",
            "run": application.run,
        }
        control.observe(seen)


def found_in(left: Left, named: Mapping[str, str]) -> list[str]:
    """Where which canary stands."""
    return [
        f"{kind} in {name}: …{held[max(0, at - 60) : at + 20]!r}"
        for kind, value in named.items()
        for name, held in left.files.items()
        for spelling in spellings(value)
        for at in [held.find(spelling)]
        if at >= 0
    ]


def test_nothing_that_was_issued_is_left(left: Left) -> None:
    """Secrets, passwords, codes, tokens, cookies are in no file but the keys and in no export, in no encoding."""
    assert any(kind.startswith("cookie") for kind in left.canaries)
    assert found_in(left, left.canaries) == []


def test_no_person_and_no_verifier_is_left(left: Left) -> None:
    """Identifiers under their elements' names and code verifiers are nowhere either, however they were written."""
    assert classify_ssn(PERSON["Patient_SSN"]) == "issuable"
    assert classify_mbi(PERSON["New_Medicare_Beneficiary_ID"]) == "issuable"
    assert classify_npi(PERSON["Radiologist_Reading_NPI"]) == "issuable"
    assert found_in(left, left.named) == []


def test_no_identifier_without_a_name_is_left(left: Left) -> None:
    """An SSN, MBI, NPI, telephone, e-mail or birthday in a path, query, header, cookie, ID, event or free text is nowhere."""
    assert found_in(left, UNNAMED) == []


def test_no_part_is_left_where_a_value_was_cut(left: Left) -> None:
    """What the journal and the state keep of a long value is cut after it was cleaned: not even a canary's beginning is there."""
    parts = {kind: (left.canaries.get(kind) or UNNAMED[kind])[:12] for kind in CUT}
    assert found_in(left, parts) == []


def test_the_commands_write_nothing_either(left: Left, tmp_path: Path) -> None:
    """What `acrmock report` makes of the recording holds no canary."""
    journal = tmp_path / "journal.ndjson"
    journal.write_bytes(left.files["journal.ndjson"])
    done = acrmock("score", str(journal), "--profile", "lcsr", "--out", str(tmp_path / "out"))
    written = {str(path): path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert written, done.stderr
    output = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    assert found_in(Left(left.canaries, left.named, {**written, **output}), {**left.canaries, **left.named}) == []


JOINTS = ("", " ", ".", "-", "/", "&", ":", '"', "\\", "%22", "%", "'", "\u00fc", ";q=", "eyJ", "d:token:")
SPELT: Mapping[str, Callable[[str], str]] = {
    **ENCODINGS,
    "half percent": lambda text: text[:9] + percent(text[9:]),
    "basic": lambda text: f"Basic {b64(f'somebody:{text}')}",
    "as a name": lambda text: f"{text}=1",
}
MIXES = st.lists(st.tuples(st.sampled_from(JOINTS), st.sampled_from(list(SPELT)), st.integers(0, 20)), min_size=1, max_size=3)
PADS = st.sampled_from(["", "." * 20, "." * 40, "x " * 20, "%41" * 15, "." * 60, "y " * 80, "." * 180, "." * 196])
HEADER_NAMES = ("Transaction_ID", "Registry", "Data_Version", "Facility_ID", "Partner_ID", "Number_Of_Exams", "Odd")


_TEXT_FIELDS = ("User-Agent", "Cookie", "Authorization", "X-Odd")


def mixed(path: str, text: str, post: str, application: ApplicationUnderTest) -> Iterator[Sent]:
    """Requests with a text in each place, at an endpoint and in a transaction."""
    quoted = quote(text, safe="")
    whole = json.loads(transaction(application, "mix", {"Exam_Date": "2026-02-01"}))
    yield Sent(f"{path}/{quoted}?{quoted}={quoted}#{quoted}")
    fields = tuple((name, text) for name in ("User-Agent", "Cookie", "Authorization", "X-Odd"))
    yield Sent(path, fields)
    yield Sent(path, ((re.sub(r"[^A-Za-z0-9_.-]", "-", text), "1"), ("Referer", f"https://h.example/{quoted}?{quoted}")))
    yield Sent(path, body=f"grant_type={quoted}&{quoted}=1&scope={quoted}", media="application/x-www-form-urlencoded")
    for name in HEADER_NAMES:
        yield Sent(post, body=json.dumps({**whole, "Transaction_Header": {**whole["Transaction_Header"], name: text}}))
    yield Sent(post, body=json.dumps({**whole, "Exams": [{text: text, "Exam_Date": text, "deep": {text: [text]}}]}))


def beside(control: Control, application: ApplicationUnderTest, text: str) -> Iterator[Callable[[], object]]:
    """Everything else that can be told to a server, with a text in it; it may refuse."""
    whose = {"application": application.application, "environment": "test"}
    yield lambda: control.event(application.run, "client-exited", {"output": text, text: [text]})
    yield lambda: control.set_fault(**whose, error="rate-limited", name=text)
    yield lambda: control.set_fault(**whose, error="rate-limited", header={"name": "X-Odd", "value": text})
    yield lambda: control.plan(application.application, "test", {"kind": text})
    yield lambda: control.configure_station(application.application, "test", text, application.facility_id)
    yield lambda: control.settings(application.application, "test", {text: text})
    yield lambda: control.move_clock(application.application, set=text)
    yield lambda: control.acknowledge(**whose, transaction=text, who=text, why=text)
    yield lambda: control.begin_step(application.run, text)
    yield lambda: control.start_run(profile="lcsr", revision=text, claims=[text], launch=False)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    for name in (text, f"lcsr_exam_{text}.txt", f"lcsr_exam_{digest}.txt"):
        file = {"environment": "test", "registry": "lcsr", "name": name, "errors": "continue"}
        content = f"Exam_Date|Other_Comments|{text}\r\n2026-02-01|{text}|{text}\r\n".encode()
        yield lambda file=file, content=content: control.upload(application.application, io.BytesIO(content), file)


def test_mixed_canaries_are_in_no_table_and_no_file(tmp_path: Path) -> None:
    """Canaries joined to anything, behind any padding, in each place and the control API, are nowhere, not in part."""
    data = tmp_path / "data"
    with Engine(data=data) as engine:
        assert engine.ready is not None
        ready = engine.ready
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            application = ServerUnderTest(control, process=False).register(ip="198.51.100.7")
            canaries = issued(application, ready.control_token)
            kinds, wire = list(canaries), Wire(ready.url, str(ready.ca_file))
            nrdr, issuer = urlsplit(application.nrdr).path, urlsplit(application.issuer).path
            post = f"{nrdr}/lcsr/v{application.registries['lcsr']}/transactions"
            paths = (post, f"{issuer}/v1/token", f"{issuer}/v1/authorize", "/_acrmock/runs", "/nothing/here")
            bearer = ("Authorization", f"Bearer {canaries['access token']}")

            @settings(max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
            @given(mix=MIXES, pad=PADS, path=st.sampled_from(paths))
            def plant_mixed(mix: list[tuple[str, str, int]], pad: str, path: str) -> None:
                text = pad + "".join(joint + SPELT[spelt](canaries[kinds[at % len(kinds)]]) for joint, spelt, at in mix)
                for sent in mixed(path, text, post, application):
                    own = any(name == "Authorization" for name, _ in sent.headers)
                    wire.send(sent if own else replace(sent, headers=(*sent.headers, bearer)))
                for say in beside(control, application, text):
                    with contextlib.suppress(SetupError):
                        say()

            plant_mixed()
            exported = b"".join(line + b"\n" for line in control.journal())
    files = {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    kept = {name: held for name, held in files.items() if Path(name).parts[0] != "keys"}
    parts = {f"part of {kind}": value[:12] for kind, value in canaries.items() if not value.startswith("eyJ")}
    assert b'"entries":' in exported
    assert found_in(Left({}, {}, {"journal": exported, **kept}), {**canaries, **parts}) == []
