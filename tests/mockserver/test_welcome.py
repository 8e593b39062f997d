"""The page where a newcomer's browser lands, and what is left to the unmatched inbox there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from mockserver.engine import Engine

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
NEWCOMER = {"name": "Example PACS", "redirect_url": ["https://localhost:8765/callback"], "ip": ["8.8.4.4"], "registry": ["lcsr"]}


@pytest.fixture
def served() -> Iterator[tuple[str, str]]:
    """The URL and the control token of an engine with DICOM, where nobody is registered."""
    engine = Engine(tls=False, dicom_port=0)
    ready = engine.start()
    yield ready.url, ready.control_token
    engine.stop()


def _register(url: str, token: str) -> None:
    asked = requests.post(f"{url}/_acrmock/applications", json=NEWCOMER, headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert asked.status_code == 201, asked.text


def _inbox(url: str, token: str) -> list[dict[str, Any]]:
    answer = requests.get(f"{url}/_acrmock/unmatched", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    return list(answer.json()["unmatched"])


def test_a_browser_sees_what_this_is(served: tuple[str, str]) -> None:
    """The page says that it is not ACR's, how to begin, and where the token stands; it holds neither script nor token."""
    url, token = served
    answer = requests.get(url, headers=BROWSER, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "It is not ACR's" in answer.text
    assert "acrmock register --name" in answer.text
    assert "ready.json" in answer.text
    assert token not in answer.text
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_every_link_leads_somewhere(served: tuple[str, str]) -> None:
    """Open pages answer without a token; guarded ones let the browser ask for it, and take it as the password."""
    url, token = served
    _register(url, token)
    page = requests.get(url, headers=BROWSER, timeout=10).text
    assert "acrmock register" not in page
    told = requests.get(url, timeout=10).json()
    assert [link["path"] for kind in ("open", "guarded") for link in told[kind]] == re.findall(r'<a href="([^"]+)"', page)
    assert any(link["path"].endswith("openid-configuration") for link in told["open"])
    for link in told["open"]:
        assert requests.get(urljoin(url, link["path"]), headers=BROWSER, timeout=10).status_code == 200, link
    for link in told["guarded"]:
        where = urljoin(url, link["path"])
        unasked = requests.get(where, headers=BROWSER, timeout=10)
        assert unasked.status_code == 401, link
        assert "Basic realm=" in unasked.headers["WWW-Authenticate"], link
        known = requests.get(where, headers=BROWSER, auth=("any", token), timeout=10)
        assert known.status_code == 200, link


def test_a_program_gets_json(served: tuple[str, str]) -> None:
    """Who does not ask for HTML gets the same as JSON."""
    url, _ = served
    for accept in ("application/json", "*/*"):
        answer = requests.get(url, headers={"Accept": accept}, timeout=10)
        assert answer.headers["Content-Type"] == "application/json"
        assert "not ACR's" in answer.json()["what"]
        assert answer.json()["registered"] is False


def test_a_look_around_does_not_fill_the_inbox(served: tuple[str, str]) -> None:
    """Looks at the root and browsers' own requests for an icon are not recorded."""
    url, token = served
    requests.get(url, headers=BROWSER, timeout=10)
    requests.head(url, timeout=10)
    assert requests.get(f"{url}/favicon.ico", timeout=10).status_code == 204
    assert _inbox(url, token) == []


@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/?code=abc&state=xyz"), ("POST", "/favicon.ico")])
def test_a_client_that_lost_its_way_is_kept(served: tuple[str, str], method: str, path: str) -> None:
    """What posts or carries a query at the root is a misaddressed client: 404, and in the inbox."""
    url, token = served
    assert requests.request(method, url + path, timeout=10).status_code == 404
    assert [stray["method"] for stray in _inbox(url, token)] == [method]
