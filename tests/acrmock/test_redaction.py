"""Redaction: no issued secret survives anywhere, what must be known of it does, and persons become pseudonyms."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock._cleaning import Seen, Spot, without_parts
from acrmock._scan import _JWT_OR_RUN, JWT
from acrmock.record import SecretKind
from acrmock.redaction import BODY_LIMIT, Digester, Redactor

DIGESTER = Digester(b"k" * 32)
SECRETS = {
    SecretKind.CLIENT_SECRET: "Zk3-vQ8_rT1yUw5xLp0aBn7cDm2eFo9g",
    SecretKind.CODE: "c0de-4hJk_L9mN2pQ",
    SecretKind.ACCESS_TOKEN: "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x",
    SecretKind.PASSWORD: "Pw9-kLm2_x7Q",
}


class Vault:
    """The marks of what was issued."""

    def __init__(self) -> None:
        self.marks = {DIGESTER.mark(value): kind for kind, value in SECRETS.items()}

    def __call__(self, marks: Sequence[str]) -> Mapping[str, SecretKind]:
        """Which of these were issued."""
        return {mark: self.marks[mark] for mark in marks if mark in self.marks}


KNOWN = Vault()


def redactor(**options: object) -> Redactor:
    """A redactor that has learnt the secrets."""
    made = Redactor(DIGESTER, **options)  # type: ignore[arg-type]
    for value in SECRETS.values():
        made.learn(value)
    return made


def ref(kind: SecretKind) -> str:
    """The reference of a secret."""
    return DIGESTER.ref(kind, SECRETS[kind])


def percent(text: str) -> str:
    """Every character percent-encoded."""
    return "".join(f"%{ord(character):02x}" for character in text)


ENCODINGS = {
    "raw": lambda text: text,
    "percent": percent,
    "half percent": lambda text: percent(text[: len(text) // 2]) + text[len(text) // 2 :],
    "percent twice": lambda text: quote(percent(text), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 of a pair": lambda text: base64.b64encode(f"client:{text}".encode()).decode(),
    "base64url": lambda text: base64.urlsafe_b64encode(f"?>{text}".encode()).decode().rstrip("="),
    "base64 in percent": lambda text: quote(base64.b64encode(f"a:{text}".encode()).decode(), safe=""),
}
GLUE = st.text("abcXYZ019-_./ ;,:=\"'<>&?", max_size=12)
ESCAPED = re.compile(r"%[0-9a-fA-F]{2}")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(
    kind=st.sampled_from(list(SECRETS)),
    encoding=st.sampled_from(list(ENCODINGS)),
    place=st.sampled_from(
        [
            "path",
            "query",
            "query name",
            "header",
            "header name",
            "cookie",
            "authorization",
            "referer",
            "form",
            "json",
            "json key",
            "text",
            "answer",
            "page",
            "location",
            "set-cookie",
            "fragment",
            "broken json",
        ]
    ),
    before=GLUE,
    after=GLUE,
)
def test_no_issued_secret_survives(  # noqa: C901, PLR0912, PLR0915 - one branch per place
    kind: SecretKind, encoding: str, place: str, before: str, after: str
) -> None:
    """Wherever an issued secret stands, in whichever encoding and glued to whatever, the encoded entry does not hold it."""
    secret = SECRETS[kind]
    encoded = ENCODINGS[encoding](secret)
    if encoding.startswith("base64"):
        before, after = before + " ", " " + after  # what is glued to base64 changes what it decodes to
    if kind is SecretKind.ACCESS_TOKEN:
        before, after = before + " ", " " + after  # a JWT glued to token characters is another token
    text = before + encoded + after
    url, headers, body = "/x", [("Host", "h")], b""
    answer_headers, answer_body, media = [("Content-Type", "text/plain")], b"", "text/plain"
    match place:
        case "path":
            url = f"/a/{text}/b"
        case "query":
            url = f"/a?q=1&state={text}&z"
        case "query name":
            url = f"/a?{text}=1"
        case "fragment":
            url = f"/a?b=c#{text}"
        case "header":
            headers.append(("X-Odd", text))
        case "header name":
            headers.append((text, "1"))
        case "cookie":
            headers.append(("Cookie", f"a=b; {text}"))
        case "authorization":
            headers.append(("Authorization", f"Custom {text}"))
        case "referer":
            headers.append(("Referer", f"https://h/{text}?x={text}"))
        case "form":
            media, body = "application/x-www-form-urlencoded", f"a=1&b={text}".encode()
        case "json":
            media, body = "application/json", json.dumps({"a": [{"b": text}]}).encode()
        case "json key":
            media, body = "application/json", json.dumps({text: 1}).encode()
        case "broken json":
            media, body = "application/json", ('{"a": "' + text).encode()
        case "text":
            body = text.encode()
        case "answer":
            answer_body = text.encode()
        case "page":
            answer_headers, answer_body = [("Content-Type", "text/html")], f"<p>{text}</p>".encode()
        case "location":
            answer_headers.append(("Location", f"https://h/cb?x={text}"))
        case "set-cookie":
            answer_headers.append(("Set-Cookie", f"sid={text}; Path=/"))
    made = redactor()
    request, _ = made.request("GET", url, [*headers, ("Content-Type", media)], body, KNOWN)
    response, _ = made.response(200, "OK", answer_headers, answer_body, KNOWN)
    stored = msgspec.json.encode([request, response]).decode()
    for _ in range(4):
        assert secret not in stored
        for run in re.findall(r"[A-Za-z0-9+/_-]{12,}", stored):
            plain = run.replace("-", "+").replace("_", "/")
            plain = plain[: len(plain) - 1] if len(plain) % 4 == 1 else plain
            assert secret.encode() not in base64.b64decode(plain + "=" * (-len(plain) % 4))
        stored = ESCAPED.sub(lambda match: chr(int(match.group()[1:], 16)), stored)


@settings(deadline=None)
@given(
    st.text(max_size=60),
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=40)), max_size=6),
    st.binary(max_size=300),
    st.sampled_from(["", "application/json", "application/x-www-form-urlencoded", "text/html; charset=x"]),
)
def test_any_input(url: str, headers: list[tuple[str, str]], body: bytes, media: str) -> None:
    """Any URL, headers (twice the same name, too) and body can be redacted and encoded."""
    made = redactor(identities={"Name": "name"})
    request, _ = made.request("GET", url, [*headers, *headers, ("Content-Type", media)], body, KNOWN)
    response, _ = made.response(200, "OK", [*headers, ("Content-Type", media)], body, KNOWN)
    assert msgspec.json.encode([request, response])


def test_equal_values_stay_equal_and_exposures_tell_where() -> None:
    """One secret in many places is one reference, and each place of the request is an exposure with its pointer."""
    secret, code = SECRETS[SecretKind.CLIENT_SECRET], SECRETS[SecretKind.CODE]
    basic = base64.b64encode(f"me:{quote(secret)}".encode()).decode()
    request, exposures = redactor().request(
        "POST",
        f"/t/{percent(secret)}?state=s&x={secret}",
        [
            ("Authorization", f"Basic {basic}"),
            ("Referer", f"https://h/?code={code}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ],
        f"client_id=me&client_secret={secret}&code={code}&code_verifier=abc".encode(),
        KNOWN,
    )
    one, two = ref(SecretKind.CLIENT_SECRET), ref(SecretKind.CODE)
    assert request.url == f"/t/{one}?state=s&x={one}"
    assert request.headers[0].value == f"Basic me:{one}"
    assert request.headers[1].value == f"https://h/?code={two}"
    assert request.postData is not None
    values = {pair.name: pair.value for pair in request.postData.params}
    assert values == {
        "client_id": "me",
        "client_secret": one,
        "code": two,
        "code_verifier": DIGESTER.ref("code_verifier", "abc"),
    }
    assert [(seen.secret, seen.place, seen.name, seen.pointer) for seen in exposures] == [
        (SecretKind.CLIENT_SECRET, "path", "", "/request/url"),
        (SecretKind.CLIENT_SECRET, "query", "x", "/request/queryString/1/value"),
        (SecretKind.CLIENT_SECRET, "header", "Authorization", "/request/headers/0/value"),
        (SecretKind.CODE, "header", "Referer", "/request/headers/1/value"),
        (SecretKind.CLIENT_SECRET, "body", "client_secret", "/request/postData/params/1/value"),
        (SecretKind.CODE, "body", "code", "/request/postData/params/2/value"),
    ]


def test_answers() -> None:
    """A redirect's code, a token answer's members and a cookie become references; the type and the rest stay."""
    token, code = SECRETS[SecretKind.ACCESS_TOKEN], SECRETS[SecretKind.CODE]
    body = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3600, "refresh_token": "foreign"}).encode()
    headers = [
        ("Content-Type", "application/json"),
        ("Location", f"https://h/cb?code={code}&state=s%20t"),
        ("Set-Cookie", "sid=value; Path=/; Secure"),
    ]
    response, exposures = redactor().response(302, "Found", headers, body, KNOWN)
    assert response.redirectURL == f"https://h/cb?code={ref(SecretKind.CODE)}&state=s%20t"
    assert response.headers[2].value == f"sid={DIGESTER.ref('cookie', 'value')}; Path=/; Secure"
    assert json.loads(response.content.text) == {
        "access_token": ref(SecretKind.ACCESS_TOKEN),
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": DIGESTER.ref("refresh_token", "foreign"),
    }
    assert exposures == ()


def test_page_is_an_exposure() -> None:
    """A secret in an HTML answer is an exposure in a page."""
    body = f"<input value='{SECRETS[SecretKind.CODE]}'>".encode()
    _, exposures = redactor().response(200, "OK", [("Content-Type", "text/html")], body, KNOWN)
    assert [(seen.secret, seen.place, seen.pointer) for seen in exposures] == [
        (SecretKind.CODE, "page", "/response/content/text")
    ]


def test_what_is_no_secret_stays() -> None:
    """State, nonce, challenge, redirect URI, problem codes and plain bodies stay byte for byte."""
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    url = f"/authorize?state=a%2Fb&nonce=n&code_challenge={challenge}&redirect_uri=https%3A%2F%2Flocalhost"
    request, exposures = redactor().request("GET", url, [("Accept", "*/*")], b'{"a":  1.50, "code": "LCSR-REQ-001"}', KNOWN)
    assert request.url == url
    assert request.queryString[0].value == "a/b"
    assert request.postData is not None
    assert request.postData.text == '{"a":  1.50, "code": "LCSR-REQ-001"}'
    assert exposures == ()


def test_persons_become_pseudonyms_of_the_same_shape() -> None:
    """Identifiers keep type, length and pattern, equal ones stay equal, synthetic ones stay as they are."""
    kinds = {"Ssn": "ssn", "Npi": "npi", "Mbi": "mbi", "Name": "name", "Born": "birth-date"}
    made = redactor(identities=kinds, synthetic=lambda kind, value: kind == "ssn" and value.startswith("000"))
    exam = {
        "Ssn": "123-45-6789",
        "Npi": "1234567893",
        "Mbi": "1EG4-TE5-MK73",
        "Name": "Jané O'Doe",
        "Born": "1950-02-03",
        "Kept": "Jané",
    }
    body = json.dumps({"Exams": [exam, exam, {"Ssn": "000-12-3456", "Npi": 1234567893}]}, ensure_ascii=False).encode()
    request, _ = made.request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert request.postData is not None
    first, second, third = json.loads(request.postData.text)["Exams"]
    assert first == second
    assert first["Kept"] == "Jané"
    assert third["Ssn"] == "000-12-3456"
    assert isinstance(third["Npi"], int)
    assert all(first[name] != exam[name] for name in kinds)
    assert re.fullmatch(r"000-\d\d-\d{4}", first["Ssn"])
    assert re.fullmatch(r"9\d{9}", first["Npi"])
    assert re.fullmatch(r"\dS[A-Z]\d-[A-Z]{2}\d-[A-Z]{2}\d\d", first["Mbi"])
    assert re.fullmatch(r"[A-Z][a-z]{3} [A-Z]'[A-Z][a-z]{2}", first["Name"])
    assert re.fullmatch(r"19[3-6]\d-(0[1-9]|1[0-2])-([01]\d|2[0-8])", first["Born"])


def test_escaped_secret_in_json() -> None:
    """A secret written with JSON escapes, in a member that stands twice, does not survive."""
    secret = SECRETS[SecretKind.CLIENT_SECRET]
    escaped = "".join(f"\\u{ord(character):04x}" for character in secret)
    body = f'{{"a": "{escaped}", "a": "x"}}'.encode()
    request, exposures = redactor().request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert request.postData is not None
    assert request.postData.text == f'{{"a": "{ref(SecretKind.CLIENT_SECRET)}", "a": "x"}}'
    assert len(exposures) == 1


def test_half_a_surrogate_pair_can_be_written() -> None:
    """An escape that no character is stays one under a name that matters, in a record that UTF-8 can carry."""
    body = (
        b'{"Patient_Last_Name": "A\\ud800b", "client_secret": "\\udc00", "x\\ud800": "'
        + SECRETS[SecretKind.CODE].encode()
        + b'"}'
    )
    names = {"Patient_Last_Name": "name"}
    record, seen = redactor(identities=names).request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert msgspec.json.encode((record, seen))
    assert record.postData is not None
    assert SECRETS[SecretKind.CODE] not in record.postData.text


def test_long_and_binary_bodies() -> None:
    """A long body is cut and says so, a secret beyond the cut is still an exposure; a binary body is only a digest."""
    secret = SECRETS[SecretKind.CLIENT_SECRET]
    body = b'{"a": "' + b"x y " * (BODY_LIMIT // 2) + secret.encode() + b'"}'
    request, exposures = redactor().request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert request.postData is not None
    assert request.postData.truncated
    assert len(request.postData.text) <= BODY_LIMIT
    assert request.bodySize == len(body)
    assert [seen.secret for seen in exposures] == [SecretKind.CLIENT_SECRET]
    request, _ = redactor().request("POST", "/", [], b"\0" + secret.encode("utf-16-le"), KNOWN)
    assert request.postData is not None
    assert request.postData.text.startswith("d:binary:")


@pytest.mark.parametrize("value", ["short", "with space in it", "x" * 2000, "ümläut-ümläut"])
def test_secrets_that_could_not_be_recognised(value: str) -> None:
    """A secret of a form that could not be found again must not be issued."""
    with pytest.raises(ValueError, match="issued secret"):
        redactor().learn(value)


def test_digests() -> None:
    """The same value has the same mark under one key and another under another; comparison takes references too."""
    assert DIGESTER.mark("a") == DIGESTER.mark("a") != Digester(b"x" * 32).mark("a")
    assert DIGESTER.same(DIGESTER.ref("code", "a"), "a")
    assert not DIGESTER.same(DIGESTER.mark("a"), "b")


_NAMES = st.sampled_from(["Name", "Ssn", "SSN", "password", "PASSWORD", "token", "a", "é", 'q"', "b\\", ""])
_TEXTS = st.sampled_from(["", "x", "Jané", "123-45-6789", 'say "hi"', "tab\t", "\\", '"Name": "x', *SECRETS.values()])
_PLAIN = _TEXTS | st.integers(-9, 999) | st.booleans() | st.none()
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.dictionaries(_NAMES, inner, max_size=3) | st.lists(inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None, max_examples=300)
@given(value=_VALUES, ascii_only=st.booleans(), escape=st.sampled_from(["", "a", "x", "S"]))
def test_looking_at_what_matters_is_as_good_as_looking_at_each_token(value: object, *, ascii_only: bool, escape: str) -> None:
    """The quick way through JSON gives the text, and the exposures, that going through it token by token gives."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    if escape:
        text = re.sub(rf"(?<![\\u0-9]){escape}", f"\\\\u{ord(escape):04x}", text)
    kinds = {"Name": "name", "Ssn": "ssn"}
    ways = []
    for way in ("_json", "_tokens"):
        seen = Seen(KNOWN)
        ways.append((getattr(redactor(identities=kinds), way)(text, seen, Spot("body", "", "/p")), seen.exposures))
    assert ways[0] == ways[1]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ('{"a": [{"Name": null}, "x", 1]}', '{"a": [{"Name": null}, "x", 1]}'),
        ('{"Name": true, "a": ["x", {"Name": []}, "y"]}', '{"Name": true, "a": ["x", {"Name": []}, "y"]}'),
        ('["x", {"Name": {}}, 7]}], "x"', '["x", {"Name": {}}, 7]}], "x"'),
    ],
)
def test_a_name_rules_its_own_value_only(given: str, kept: str) -> None:
    """What follows a member's end, in a list or in what is no JSON, is not taken for that member's value."""
    body = f'{{"b": "\\q", "c": {given}'.encode()  # a broken escape, so that it is gone through token by token
    request, _ = redactor(identities={"Name": "name"}).request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert request.postData is not None
    assert request.postData.text.endswith(kept)


def test_what_stands_within_a_sensitive_member_goes_too() -> None:
    """Objects, lists and numbers under a sensitive name, in any case of letters, lose every value."""
    value = {"client_secret": {"v": ["s3cret-one", {"w": "s3cret-two"}], "n": 9}, "PASSWORD": 12345, "NAME": {"x": ["Jane"]}}
    body = json.dumps({**value, "kept": ["s", 1]}).encode()
    request, _ = redactor(identities={"Name": "name"}).request("POST", "/", [("Content-Type", "application/json")], body, KNOWN)
    assert request.postData is not None
    read = json.loads(request.postData.text)
    assert read["kept"] == ["s", 1]
    assert read["PASSWORD"] == DIGESTER.ref("password", "12345")
    assert read["client_secret"]["n"] == DIGESTER.ref("client_secret", "9")
    for gone in ("s3cret", "Jane", "12345"):
        assert gone not in request.postData.text


PIECE = st.sampled_from(["eyJ", "eyJa", ".", "aaaa", "b_", "-", " ", "c"])


@given(st.lists(PIECE, max_size=20).map("".join))
def test_tokens_are_found_as_their_pattern_has_it(text: str) -> None:
    """A run is looked at once, and what is found is what the pattern finds that begins anew at each letter."""
    assert [piece for piece in _JWT_OR_RUN.findall(text) if "." in piece] == JWT.findall(text)


@pytest.mark.parametrize(
    "unit", ["eyJ", "eyJaaaa.", "@.", "a@a.", " @aa.aa", '"', "\\", '{"a":', "\u00e9", "token=", "?#", "#a=b"]
)
def test_long_texts_of_one_piece(unit: str) -> None:
    """What begins like something to be found, thousands of times, is gone through once, in a body and in a header."""
    body, header = json.dumps({"a": unit * 50_000}, ensure_ascii=False).encode(), unit * 5000
    request, exposures = redactor().request(
        "POST", "http://h/x", [("Content-Type", "application/json"), ("Referer", f"http://a/{header}")], body, KNOWN
    )
    assert exposures == ()
    assert request.postData is not None
    kept = json.loads(request.postData.text) == {"a": unit * 50_000}
    assert kept == ("eyJ" not in unit)


def test_a_fragment_is_a_query_too() -> None:
    """A secret behind each number sign is found, and what is sent stays what it was but for it."""
    secret, code = SECRETS[SecretKind.CLIENT_SECRET], SECRETS[SecretKind.CODE]
    request, exposures = redactor().request("GET", f"http://h/x?a=b#code={code}&c=d#client_secret={secret}#", [], b"", KNOWN)
    assert request.url == f"http://h/x?a=b#code={ref(SecretKind.CODE)}&c=d#client_secret={ref(SecretKind.CLIENT_SECRET)}#"
    assert [(seen.secret, seen.place) for seen in exposures] == [
        (SecretKind.CODE, "path"),
        (SecretKind.CLIENT_SECRET, "path"),
    ]


def test_a_text_full_of_tokens_is_hidden_whole() -> None:
    """So many that to replace each would take minutes: one reference stands for all, and ours among them are told of."""
    token = SECRETS[SecretKind.ACCESS_TOKEN]
    body = " ".join([*(f"eyJaaaa{number}.bb.cc" for number in range(500)), token]).encode()
    request, exposures = redactor().request("POST", "http://h/x", [("Content-Type", "text/plain")], body, KNOWN)
    assert request.postData is not None
    assert re.fullmatch(r"d:text:[A-Za-z0-9_-]{22}", request.postData.text)
    assert [seen.secret for seen in exposures] == [SecretKind.ACCESS_TOKEN]


MAIL, DAY, JWT_OURS = "wilhelmina.quillonia@hospital.org", "1950-02-03", SECRETS[SecretKind.ACCESS_TOKEN]
PARTS = {
    SECRETS[SecretKind.CLIENT_SECRET]: "d:client_secret:A",
    JWT_OURS: "d:access_token:B",
    MAIL: "d:id:C",
    DAY: "d:id:D",
    "transactions@hospital.org": "d:id:E",
}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Zk3-vQ8_", "d:client_secret:A"),
        ("xZk3-vQ8_rT and Zk3-vQ8_x", "xd:client_secret:A and d:client_secret:Ax"),
        ("%5ak3-vQ8_%72T", "d:client_secret:A"),
        ("Zk3-vQ8", "Zk3-vQ8"),
        (JWT_OURS[:30], "d:access_token:B"),
        ("eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJSUzI1NiJ9"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJvdGhlciI", "eyJhbGciOiJSUzI1NiJ9.eyJvdGhlciI"),
        (MAIL[:19] + "'", "d:id:C'"),
        (MAIL[:12], MAIL[:12]),
        ("1950-02-0", "d:id:D"),
        ("1950-02-09", "1950-02-09"),
        ("1950-02-17", "1950-02-17"),
        ("transactions", "transactions"),
        ("transactions@hos", "d:id:E"),
        ("transaction_id", "transaction_id"),
    ],
)
def test_parts(text: str, kept: str) -> None:
    """What was cut is replaced, and what only begins alike (another day, a word, each JWT) stays."""
    found = without_parts(text, PARTS)
    assert found == kept


@settings(deadline=None)
@given(st.text("abcXYZ019-_./ ;,:=\"'<>&?{}%@eyJ", max_size=60))
def test_parts_in_harmless_text(text: str) -> None:
    """Text in which no eight characters of a piece stand stays as it is, and cleaning twice changes nothing more."""
    heads = [piece[:8] for piece in PARTS]
    clean = without_parts(text, PARTS)
    assert clean == text or any(head in said for said in (text, unquote(text), unquote(unquote(text))) for head in heads)
    assert without_parts(clean, PARTS) == clean


def test_parts_take_linear_time() -> None:
    """A long text full of beginnings is gone through once."""
    secret = SECRETS[SecretKind.CLIENT_SECRET]
    assert without_parts(f"{secret[:9]}," * 100_000, PARTS) == "d:client_secret:A," * 100_000


def test_json_with_percents_stays_json() -> None:
    """A percent-encoded secret in one string does not end another, in which a name would then be taken for half a name."""
    made = redactor(identities={"Patient_Last_Name": "name"})
    secret = percent(SECRETS[SecretKind.CLIENT_SECRET])
    body = json.dumps({"a": f"%22 {secret}", "Patient_Last_Name": "Vand%22erquist", "b": "\u00fc" + secret}).encode()
    request, _ = made.request("POST", "/x", (("Content-Type", "application/json"),), body, KNOWN)
    assert request.postData is not None
    kept = json.loads(request.postData.text)
    assert list(kept) == ["a", "Patient_Last_Name", "b"]
    assert "erquist" not in request.postData.text
    assert kept["b"] == "\u00fc" + ref(SecretKind.CLIENT_SECRET)
