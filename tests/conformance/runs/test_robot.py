"""The robot user: it signs in, follows, reports, and goes nowhere it should not."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from conformance.runs import robot
from conformance.runs.robot import Person, Registration, Reporting, Robot, RobotError, Where

if TYPE_CHECKING:
    from tests.conformance.runs.conftest import Door

FORM = '<form method="post"><input name="username"><input name="password" type="password">{}</form>'
BUTTONS = '<button name="decision" value="allow"></button><button name="decision" value="deny"></button>'


def _registration(issuer: str, redirect_url: str, ca_file: Path) -> Registration:
    return Registration(
        application="default",
        environment="test",
        issuer=issuer,
        redirect_url=redirect_url,
        users=(Person(username="user", password="pass"),),
        ca_file=str(ca_file),
    )


def _issuer(door: Callable[..., Door], back_to: str) -> Door:
    issuer = door()

    def page(_: str, body: str) -> tuple[int, dict[str, str], str]:
        if body == "username=user&password=pass&decision=allow":
            return 302, {"Location": f"{back_to}?code=c&state=s"}, ""
        return 200, {}, FORM.format(BUTTONS)

    issuer.answers["/authorize"] = page
    return issuer


def test_it_signs_in_and_comes_back(door: Callable[..., Door], ca_file: Path) -> None:
    """The form is filled and allowed, and the redirect URL visited, whatever certificate its loopback listener has."""
    vendor = door(trusted=False)
    vendor.answers["/callback"] = lambda *_: (200, {}, "signed in")
    issuer = _issuer(door, f"{vendor.url}/callback")
    Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file)).run(f"{issuer.url}/authorize?client_id=x")
    assert vendor.seen == [("GET", "/callback?code=c&state=s", "")]


def test_it_gives_the_code_that_the_page_shows(door: Callable[..., Door], ca_file: Path) -> None:
    """A second step without a password is answered with the one-time code that its page shows."""
    vendor = door(trusted=False)
    vendor.answers["/callback"] = lambda *_: (200, {}, "signed in")
    issuer = _issuer(door, f"{vendor.url}/callback")
    first = issuer.answers["/authorize"]
    step = '<form method="post" action="/second"><input name="passcode" data-code="012345">' + BUTTONS + "</form>"
    issuer.answers["/authorize"] = lambda method, body: (200, {}, step) if body else first(method, body)
    issuer.answers["/second"] = lambda _, body: (
        (303, {"Location": f"{vendor.url}/callback?code=c"}, "") if body == "passcode=012345&decision=allow" else (400, {}, "no")
    )
    Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file)).run(f"{issuer.url}/authorize?client_id=x")
    assert vendor.seen == [("GET", "/callback?code=c", "")]


def test_it_posts_a_form_post_page(door: Callable[..., Door], ca_file: Path) -> None:
    """A page that would post itself to the redirect URL (OAuth 2.0 Form Post Response Mode) is posted."""
    vendor = door(trusted=False)
    vendor.answers["/callback"] = lambda *_: (200, {}, "signed in")
    issuer = door()
    page = f'<form method="post" action="{vendor.url}/callback"><input type="hidden" name="code" value="c"></form>'
    issuer.answers["/authorize"] = lambda *_: (200, {}, page)
    Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file)).run(f"{issuer.url}/authorize")
    assert vendor.seen == [("POST", "/callback", "code=c")]


def test_it_reports_what_it_saw(door: Callable[..., Door], ca_file: Path) -> None:
    """The visit to the redirect URL is reported to the control API in the shape of a HAR entry."""
    vendor, control = door(trusted=False), door()
    vendor.answers["/callback"] = lambda *_: (200, {}, "signed in")
    control.answers["/_acrmock/observations"] = lambda *_: (201, {"Content-Type": "application/json"}, "{}")
    issuer = _issuer(door, f"{vendor.url}/callback")
    reporting = Reporting(url=control.url, control_token="t", ca_file=str(ca_file), run="r1")
    Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file), reporting).run(f"{issuer.url}/authorize")
    ((_, _, body),) = control.seen
    told = msgspec.json.decode(body)
    assert told["run"] == "r1"
    assert told["request"]["queryString"] == [{"name": "code", "value": "c"}, {"name": "state", "value": "s"}]
    assert told["response"]["content"]["text"] == "signed in"


@pytest.mark.parametrize(
    "target",
    [
        "https://example.org/callback",
        "http://localhost:9/callback",
        "file:///etc/passwd",
        "//x",
        "https://[bad",
    ],
)
def test_it_refuses_strangers(target: str, ca_file: Path) -> None:
    """An address that is neither the issuer's nor registered is not opened."""
    visitor = Robot(_registration("https://localhost:1/test", "https://localhost:9/callback", ca_file))
    with pytest.raises(RobotError, match="goes only to"):
        visitor.run(target)


def test_it_refuses_to_be_redirected_to_strangers(door: Callable[..., Door], ca_file: Path) -> None:
    """A redirect to a host that is not registered is not followed."""
    issuer = door()
    stranger = door()
    issuer.answers["/authorize"] = lambda *_: (302, {"Location": f"{stranger.url}/x"}, "")
    with pytest.raises(RobotError, match="goes only to"):
        Robot(_registration(issuer.url, "https://localhost:9/callback", ca_file)).run(f"{issuer.url}/authorize")
    assert stranger.seen == []


def test_it_may_begin_on_the_client_s_own_page(door: Callable[..., Door], ca_file: Path) -> None:
    """A client that is a web site sends the browser to the issuer, and knows it again by its cookie when it comes back."""
    vendor = door(trusted=False)
    issuer = _issuer(door, f"{vendor.url}/callback")
    cookies = {"Location": f"{issuer.url}/authorize?client_id=x", "Set-Cookie": "correlation=c1; path=/; secure; httponly"}
    vendor.answers["/start"] = lambda *_: (302, cookies, "")
    vendor.answers["/callback"] = lambda *_: (302, {"Location": "/done"}, "")
    vendor.answers["/done"] = lambda *_: (200, {}, "signed in")
    Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file)).run(f"{vendor.url}/start")
    assert [path for _, path, _ in vendor.seen] == ["/start", "/callback?code=c&state=s", "/done"]


def test_the_issuer_sends_it_to_the_redirect_url_only(door: Callable[..., Door], ca_file: Path) -> None:
    """From the issuer, another page of the client's origin is not opened before the redirect URL was."""
    vendor = door(trusted=False)
    issuer = _issuer(door, f"{vendor.url}/elsewhere")
    with pytest.raises(RobotError, match="goes only to"):
        Robot(_registration(issuer.url, f"{vendor.url}/callback", ca_file)).run(f"{issuer.url}/authorize")
    assert vendor.seen == []


def test_it_verifies_the_issuer(door: Callable[..., Door], ca_file: Path) -> None:
    """An issuer with a certificate of another authority is not trusted."""
    issuer = door(trusted=False)
    with pytest.raises(RobotError, match="cannot be opened"):
        Robot(_registration(issuer.url, "https://localhost:9/callback", ca_file)).run(f"{issuer.url}/authorize")


def test_it_does_not_go_round_in_circles(door: Callable[..., Door], ca_file: Path) -> None:
    """Endless redirects end, and a refused password is not tried again."""
    issuer = door()
    issuer.answers["/loop"] = lambda *_: (302, {"Location": "/loop"}, "")
    issuer.answers["/form"] = lambda *_: (200, {}, FORM.format(BUTTONS))
    visitor = _registration(issuer.url, "https://localhost:9/callback", ca_file)
    with pytest.raises(RobotError, match="no end"):
        Robot(visitor).run(f"{issuer.url}/loop")
    with pytest.raises(RobotError, match="refused the user"):
        Robot(visitor).run(f"{issuer.url}/form")
    with pytest.raises(RobotError, match="no way on"):
        Robot(visitor).run(f"{issuer.url}/nothing")


def test_whose_page_an_address_is(ca_file: Path) -> None:
    """Hosts are compared with their ports; a path beside the redirect URL is not registered."""
    visitor = Robot(_registration("https://localhost:1/test", "https://127.0.0.1:9/callback", ca_file))
    assert visitor.where("https://LOCALHOST:1/anything") is Where.ISSUER
    assert visitor.where("https://127.0.0.1:9/callback?x=1#y") is Where.VENDOR
    assert visitor.where("https://127.0.0.1:9/else") is Where.VENDOR_HOST
    assert visitor.where("https://127.0.0.1:10/callback") is Where.STRANGER


def test_only_loopback_goes_unverified() -> None:
    """A registered redirect URL elsewhere is verified like any site."""
    assert robot._verify("https://localhost:1/cb", Where.VENDOR, "ca") is False
    assert robot._verify("https://127.8.8.8:1/cb", Where.VENDOR, "ca") is False
    assert robot._verify("https://app.example/cb", Where.VENDOR, "ca") is True
    assert robot._verify("https://localhost:1/a", Where.ISSUER, "ca") == "ca"


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--help"], 0), (["a", "b"], 2), (["https://localhost:1/"], 2)])
def test_the_command_explains_itself(arguments: list[str], code: int) -> None:
    """Without exactly one address and a registration document, the command says so."""
    line = [sys.executable, "-m", "conformance.runs.browser", *arguments]
    root = Path(__file__).resolve().parents[3]
    answer = subprocess.run(line, capture_output=True, text=True, cwd=root, env={"PATH": ""}, timeout=30, check=False)
    assert answer.returncode == code, answer.stderr
    assert "Traceback" not in answer.stderr
