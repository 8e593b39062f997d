"""The quick way of redaction gives what the thorough one gives, whatever came before, and forgets when a secret is learnt."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock._cleaning import may_hold, without_parts
from acrmock._people import People
from acrmock._pseudonym import _bytes, _shape, pseudonym
from acrmock._quickly import KeptHeaders, Memory
from acrmock.record import NameValue, SecretKind
from acrmock.redaction import Digester, Noted, Redactor

DIGESTER = Digester(b"q" * 32)
SECRET, TOKEN = "Zk3-vQ8_rT1yUw5xLp0a", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x"
MARKS = {DIGESTER.mark(SECRET): SecretKind.CLIENT_SECRET, DIGESTER.mark(TOKEN): SecretKind.ACCESS_TOKEN}
IDENTITIES = {"Patient_SSN": "ssn", "Birth_Date": "birth-date", "Last_Name": "name", "NPI": "npi", "Other_ID": "id", "MBI": "mbi"}
HEADERS = (("Host", "localhost"), ("Content-Type", "application/json"))


def known(marks: Sequence[str]) -> Mapping[str, SecretKind]:
    """Which of these were issued."""
    return {mark: MARKS[mark] for mark in marks if mark in MARKS}


class Thorough:
    """In place of the quick way: it can tell nothing."""

    def __init__(self) -> None:
        self.memory = Memory(0)

    def json(self, *_: object) -> None:
        """Look thoroughly."""

    def words(self, _words: object, _known: object) -> bool:
        """Look thoroughly."""
        return False

    def url(self, _url: str) -> bool:
        """Look thoroughly."""
        return False

    def keep_url(self, _memory: Memory, _url: str) -> None:
        """Remember nothing."""

    def keep_field(self, _memory: Memory, _part: str, _pair: NameValue) -> None:
        """Remember nothing."""

    def keep_header(self, _kept: KeptHeaders, _pair: NameValue) -> None:
        """Remember nothing."""


def redactor(*, quick: bool = True) -> Redactor:
    """A redactor that has learnt the secrets, with or without its quick way."""
    made = Redactor(
        DIGESTER,
        identities=IDENTITIES,
        dated=("Exam_Date",),
        synthetic=lambda kind, value: kind == "npi" and value.startswith("9"),
    )
    for secret in (SECRET, TOKEN):
        made.learn(secret)
    if not quick:
        made.quick = Thorough()  # type: ignore[assignment]
    return made


QUICK, SLOW = redactor(), redactor(quick=False)
NAMES = st.sampled_from(
    [*IDENTITIES, "patient_ssn", "Exam_Date", "Code", "password", "token", "\u017fecret", "birth\u212adate", "a b", "Note\\", ""]
)
PIECES = st.sampled_from(
    [
        *(
            SECRET,
            TOKEN,
            SECRET[:-1],
            "123-45-6789",
            "123456789",
            "1EG4-TE5-MK73",
            "1234567893",
            "312-867-5309",
            "+49 30 1234567",
        ),
        *("joe@hospital.org", "1950-02-03", "3/4/1961", "2026-01-02", "9158187846", "1", "N", "plain words", 'a "quote"', "\\"),
        *("line\nbreak", "\t", "n", "50%41", "\u00fc\u2028", "\x7f", ":", "Exam_Date", "=", " ", ",", "{", "[", "\U0001f600"),
        *("d:token:" + "A" * 22, str(uuid.UUID(int=77)), "WmszLXZROF9yVDF5VXc1eExwMGE=", "//", "who", "exp"),
    ]
)
TEXTS = st.lists(PIECES, max_size=3).map("".join)
SCALARS = st.none() | st.booleans() | st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | TEXTS, inner, max_size=6), max_leaves=20
)
STYLES: list[dict[str, Any]] = [
    {"separators": (",", ":"), "ensure_ascii": False},
    {"ensure_ascii": False},
    {},
    {"separators": (" ,\n", " :\n"), "ensure_ascii": False},
]
PATIENT = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def cleaned(made: Redactor, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> object:
    """All that a redactor makes of a request, and of an answer with the same body."""
    noted = Noted()
    return (
        made.request("POST", url, headers, body, known, noted=noted),
        noted.person,
        made.response(200, "OK", headers, body, known),
    )


REFERENCES = {value: DIGESTER.ref(MARKS[DIGESTER.mark(value)], value) for value in (SECRET, TOKEN)}
ANSWERS = st.dictionaries(
    st.sampled_from(["access_token", "refresh_token", "id_token", "scope", "client_secret", "Birth_Date", "expires_in", SECRET]),
    st.integers(0, 10**9)
    | st.sampled_from([SECRET, TOKEN, f"{SECRET}x", f"{TOKEN}x", f"a {TOKEN}", "openid offline", "1950-02-03"]),
)


@PATIENT
@given(value=ANSWERS)
def test_secrets_that_are_known_already(value: dict[str, Any]) -> None:
    """References that a caller brings stand where a search puts them, in an answer, a body and a form, and are exposed alike."""
    body, form = json.dumps(value, separators=(",", ":")).encode(), urlencode(value).encode()
    headers = {"json": (("Content-Type", "application/json"),), "form": (("Content-Type", "application/x-www-form-urlencoded"),)}
    made = QUICK.response(200, "OK", headers["json"], body, known, references=REFERENCES)
    assert made == SLOW.response(200, "OK", headers["json"], body, known)
    for kind, sent in (("json", body), ("form", form)):
        made_of_request = QUICK.request("POST", "/token", headers[kind], sent, known, references=REFERENCES)
        assert made_of_request == SLOW.request("POST", "/token", headers[kind], sent, known)


def test_an_answer_of_tokens_is_told_quickly() -> None:
    """Nothing is looked up where the caller brings the references."""

    def none(_marks: object) -> Mapping[str, SecretKind]:
        raise AssertionError

    body = json.dumps({"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN, "refresh_token": SECRET}).encode()
    made, _ = QUICK.response(200, "OK", (("Content-Type", "application/json"),), body, none, references=REFERENCES)
    assert all(reference in made.content.text for reference in REFERENCES.values())


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"Patient_SSN": "123-45-6789", "Birth_Date": "1950-02-03", "NPI": "9158187846", "Code": "1", "n": 1.5}, True),
        ({"Last_Name": "M\u00fcller", "Note": 'a "quote", a \\ and\nlines', "list": [{"Other_ID": "P-1"}, None]}, True),
        ({"Note": "born 1950-02-03"}, False),
        ({"Note": f"x {SECRET}"}, False),
        ({"Note": "50%"}, False),
        ({"password": "x"}, False),
        ({"Patient_SSN": ["123-45-6789"]}, False),
        ({"NPI": 1234567893}, False),
        ({"N\u00f6te": "1"}, False),
        ({'N"te': "1"}, False),
    ],
)
def test_what_is_told_quickly(value: object, told: bool) -> None:  # noqa: FBT001 - a parameter
    """What senders send is told quickly, what may hold more is not."""
    text = json.dumps(value, ensure_ascii=False)
    assert (QUICK.quick.json(text, known) is not None) is told


@PATIENT
@given(value=VALUES, style=st.sampled_from(STYLES))
def test_bodies(value: object, style: dict[str, Any]) -> None:
    """JSON of any style is cleaned alike, whatever was remembered of the bodies before it."""
    body = json.dumps(value, **style).encode()
    assert cleaned(QUICK, "/x", HEADERS, body) == cleaned(SLOW, "/x", HEADERS, body)


@PATIENT
@given(
    value=VALUES, style=st.sampled_from(STYLES), at=st.integers(0, 400), put=st.sampled_from(['"', "\\", "", ":", "}", "\0", "'"])
)
def test_broken_bodies(value: object, style: dict[str, Any], at: int, put: str) -> None:
    """What is no longer JSON is cleaned alike."""
    text = json.dumps(value, **style)
    body = (text[:at] + put + text[at + 1 :]).encode()
    assert cleaned(QUICK, "/x", HEADERS, body) == cleaned(SLOW, "/x", HEADERS, body)


@PATIENT
@given(
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Host", "X-Odd", "Authorization", "Cookie", "Referer", "X-API-Key", SECRET, "Location"]), TEXTS
        ),
        max_size=5,
    ),
    segments=st.lists(PIECES, max_size=4),
    query=st.sampled_from(["", "?a=1", "#f", f"?token={SECRET}"]),
)
def test_headers_and_urls(headers: list[tuple[str, str]], segments: list[str], query: str) -> None:
    """Header fields and URLs are cleaned alike, at the first time and when they come again."""
    url = "/" + "/".join(segments) + query
    for _ in range(2):
        assert cleaned(QUICK, url, headers, b"{}") == cleaned(SLOW, url, headers, b"{}")


@PATIENT
@given(
    fields=st.lists(
        st.tuples(NAMES | st.sampled_from(["refresh_token", "client_id", "+", "%"]), TEXTS | st.sampled_from(["a+b", "%2B"])),
        max_size=5,
    ),
    bare=st.booleans(),
)
def test_forms(fields: list[tuple[str, str]], bare: bool) -> None:  # noqa: FBT001 - a parameter
    """The fields of a form, encoded or not, are cleaned alike, at the first time and when they come again."""
    form = "&".join(f"{name}={value}" for name, value in fields) if bare else urlencode(fields)
    headers = (("Content-Type", "application/x-www-form-urlencoded"),)
    for _ in range(2):
        assert cleaned(QUICK, "/x", headers, form.encode()) == cleaned(SLOW, "/x", headers, form.encode())


@PATIENT
@given(
    texts=st.lists(TEXTS, max_size=3), pieces=st.lists(st.sampled_from([SECRET, TOKEN, "joe@hospital.org", "short"]), max_size=3)
)
def test_what_cannot_hold_a_part_holds_none(texts: list[str], pieces: list[str]) -> None:
    """Where the quick look says that no part of a piece can stand, the thorough one finds none, in one text or in several."""
    found = {piece: DIGESTER.ref("token", piece) for piece in pieces}
    if not may_hold("\n".join(texts), found):
        assert [without_parts(text, found) for text in texts] == texts


@pytest.mark.parametrize("text", ["Abcdefgh-1234567", "Abcdefgh-1234567890z"])
def test_what_was_harmless_is_looked_at_again_once_it_is_a_secret(text: str) -> None:
    """A text that came often is redacted everywhere as soon as it was issued."""
    made, marks = redactor(), dict(MARKS)

    def lookup(wanted: Sequence[str]) -> Mapping[str, SecretKind]:
        return {mark: marks[mark] for mark in wanted if mark in marks}

    def entry() -> str:
        headers = [("X-Odd", text), (text, "1")]
        body = json.dumps({"Code": text, text: 1}).encode()
        form = f"{text}=1&x={text}".encode()
        kind = ("Content-Type", "application/x-www-form-urlencoded")
        return str(made.request("POST", f"/a/{text}/{uuid.UUID(int=5)}", headers, body, lookup)[0]) + str(
            made.request("POST", "/", [kind], form, lookup)[0].postData
        )

    before = [entry() for _ in range(3)]
    assert before[0] == before[2]
    assert before[0].count(text) == 9
    assert made.quick.url(f"/a/{text}/{uuid.UUID(int=5)}")
    assert made.quick.words((text,), lookup)
    before_it_was_learnt = made.quick.memory
    made.keep_nothing(before_it_was_learnt, text)
    assert made.is_nothing_new(text, {})
    made.learn(text)
    marks[DIGESTER.mark(text)] = SecretKind.CODE
    assert text not in entry()
    assert not made.quick.words((text,), lookup)
    assert not made.is_nothing_new(text, {})
    made.keep_nothing(before_it_was_learnt, text)  # who had looked before
    assert not made.is_nothing_new(text, {})


def test_a_uuid_that_was_issued_is_found_behind_a_known_path() -> None:
    """That a URL is known but for its last segment does not hide a secret in that segment."""
    made, issued = redactor(), str(uuid.UUID(int=9))
    made.learn(issued)
    for _ in range(2):
        made.request("GET", f"/a/b/{uuid.UUID(int=5)}", (), b"", known)
    assert made.quick.url(f"/a/b/{uuid.UUID(int=5)}")
    request, seen = made.request("GET", f"/a/b/{issued}", (), b"", lambda _: {DIGESTER.mark(issued): SecretKind.CODE})
    assert issued not in request.url
    assert [exposure.place for exposure in seen] == ["path"]


def test_memory_is_bounded() -> None:
    """However many different bodies, headers and URLs come, what is remembered of them stays small."""
    made = redactor()
    for number in range(3000):
        url, headers = f"/a/{number}", [("X-Odd", f"v{number}")]
        made.request("POST", url, headers, json.dumps({"Code": f"c{number}", f"n{number}": 1}).encode(), known)
        made.response(200, "OK", headers, b"", known)
        made.request("POST", url, (("Content-Type", "application/x-www-form-urlencoded"),), f"n{number}=1".encode(), known)
        made.keep_nothing(made.quick.memory, f"text {number}")
    memory = made.quick.memory
    kept = (memory.parts, memory.urls, memory.sent, memory.answered, memory.fields, memory.texts)
    assert max(map(len, kept)) <= 4097


@given(st.uuids(), st.booleans())
def test_no_identifier_of_a_person_is_a_uuid(value: uuid.UUID, upper: bool) -> None:  # noqa: FBT001 - a parameter
    """A UUID is passed over when identifiers of persons are sought, and thorough looking finds none in it."""
    people, text = People(DIGESTER.stream), str(value)
    text = text.upper() if upper else text
    assert people.clean(text) == text
    assert not people.finds(text)
    assert not people.finds(f"/a/{text}")


@given(st.text(max_size=60), st.sampled_from(["name", "id", "mbi"]))
def test_pseudonyms_of_short_values(value: str, kind: str) -> None:
    """A short ASCII value gets, character by character, what any value gets."""
    source = _bytes(DIGESTER.stream, f"{kind}\0{value}")
    shaped = "".join([_shape(letter, source) for letter in value])
    if kind == "mbi" and len(shaped) > 1 and shaped[1].isalpha():
        shaped = shaped[0] + "S" + shaped[2:]
    assert pseudonym(DIGESTER.stream, kind, value) == shaped
