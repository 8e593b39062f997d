"""Who may speak to the control API."""

from __future__ import annotations

import io
from typing import Any

import pytest

CALLS = [
    ("GET", "/applications"),
    ("POST", "/applications"),
    ("GET", "/applications/x"),
    ("POST", "/applications/x/move"),
    ("POST", "/runs"),
    ("GET", "/journal"),
    ("GET", "/journal/await"),
    ("POST", "/observations"),
    ("GET", "/clock"),
    ("POST", "/clock"),
    ("GET", "/plans"),
    ("POST", "/reset"),
    ("POST", "/acknowledge"),
    ("GET", "/no/such/call"),
]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_every_call_needs_the_token(house: Any, method: str, path: str) -> None:
    """Without the token 401 and how to get it; with another 403; both before anything is looked at."""
    missing = house.call(method, f"/_acrmock{path}", headers={"Authorization": None})
    assert missing.status_code == 401
    assert missing.headers["WWW-Authenticate"].startswith("Bearer")
    assert "ready.json" in missing.json["hint"]
    for wrong in ("Bearer other", "Basic Og==", "Bearer ", "Bearer \u00e9"):
        answer = house.call(method, f"/_acrmock{path}", headers={"Authorization": wrong.encode().decode("latin-1")})
        assert answer.status_code in {401, 403}
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8443", "evil.example@localhost", "", "[::1", "127.0.0.1.evil.example"]
)
def test_another_host_name_is_refused(house: Any, host: str) -> None:
    """A name that was bound to this address from outside (DNS rebinding) is refused, the token notwithstanding."""
    answer = house.call("GET", "/_acrmock/applications", headers={"Host": host})
    assert answer.status_code == 403
    assert answer.json["code"] == "acrmock:control-origin-refused"
    assert house.call("GET", "/_acrmock/ca.pem", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8443", "127.0.0.1:8443", "[::1]:8443", "localhost.:1"])
def test_own_names_are_answered(house: Any, host: str) -> None:
    """Loopback names and addresses are this server's own."""
    assert house.call("GET", "/_acrmock/applications", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:3000", ""])
def test_a_page_of_another_origin_is_refused(house: Any, origin: str) -> None:
    """A browser that says another origin asks is refused."""
    assert house.call("GET", "/_acrmock/applications", headers={"Origin": origin}).status_code == 403
    assert house.call("GET", "/_acrmock/applications", headers={"Origin": "https://localhost:8443"}).status_code == 200


def test_the_authority_needs_no_token(house: Any) -> None:
    """The certificate authority is given to everybody."""
    answer = house.call("GET", "/_acrmock/ca.pem", headers={"Authorization": None})
    assert answer.status_code == 200
    assert answer.data.startswith(b"-----BEGIN CERTIFICATE")


def test_unknown_calls_and_methods(house: Any) -> None:
    """A path that no call has is 404, a method that it has not is 405 with what is allowed."""
    assert house.get("/no/such/call", 404)["code"] == "acrmock:control-path-unknown"
    answer = house.call("DELETE", "/_acrmock/applications")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    options = house.call("OPTIONS", "/_acrmock/runs")
    assert (options.status_code, options.headers["Allow"]) == (204, "POST, OPTIONS")
    assert house.call("HEAD", "/_acrmock/applications").status_code == 200


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'{"profile": NaN}', 400),
        (b'{"profile": "a", "profile": "b"}', 400),
        (b"[" * 100_000, 400),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (b"null", 422),
        (b'{"profile": 5}', 422),
        (b'{"profile": "lcsr", "extra": 1}', 422),
        (b" " * (9 * 1024 * 1024), 413),
    ],
)
def test_bad_bodies_get_a_clear_answer(house: Any, data: bytes, status: int) -> None:
    """What is not strict JSON of the right shape is refused with a problem document, however hostile."""
    answer = house.call("POST", "/_acrmock/runs", data=data, content_type="application/json")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"]


def test_the_media_type_is_needed(house: Any) -> None:
    """A form or plain text, which any page could send, is refused."""
    for media in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = house.call("POST", "/_acrmock/runs", data=b'{"profile": "lcsr"}', content_type=media)
        assert answer.status_code == 415


def test_a_chunked_body_is_bounded_too(house: Any) -> None:
    """A body without a length is read up to the limit and no further."""
    good = b'{"application": "x", "advance": 1' + b" " * 100_000 + b"}"
    for data, status in ((good, 404), (b" " * (9 * 1024 * 1024), 413)):
        options = {
            "headers": {"Transfer-Encoding": "chunked"},
            "environ_overrides": {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
        }
        answer = house.call("POST", "/_acrmock/clock", input_stream=io.BytesIO(data), content_type="application/json", **options)
        assert answer.status_code == status


def test_a_body_that_was_cut_off(house: Any) -> None:
    """A body shorter than it says is refused, not read as if it were whole."""
    options = {"environ_overrides": {"CONTENT_LENGTH": "100"}}
    answer = house.call("POST", "/_acrmock/runs", input_stream=io.BytesIO(b"{}"), content_type="application/json", **options)
    assert answer.status_code == 400
