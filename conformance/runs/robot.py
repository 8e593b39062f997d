"""What the robot user does with a page: signs in, allows, follows redirects, and reports what it saw at the vendor's door."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec
import requests
import urllib3

from acrmock.errors import SetupError
from acrmock.typed import decode
from conformance.control import Control
from conformance.flows.forms import Form, parse_forms
from conformance.runs.observation import observed_request, observed_response

MAX_PAGES = 20
TIMEOUT = 15.0
MAX_PAGE_BYTES = 1_000_000


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A test user of the registration document."""

    username: str
    password: str


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """What the robot needs of a registration document."""

    application: str
    environment: str
    issuer: str
    redirect_url: str
    users: tuple[Person, ...]
    redirect_urls: tuple[str, ...] = ()
    ca_file: str = ""


class Reporting(msgspec.Struct, frozen=True, kw_only=True):
    """Where the robot reports what it saw: the file named in `ACRMOCK_BROWSER_REPORT`, readable by the user only."""

    url: str
    control_token: str
    ca_file: str = ""
    run: str | None = None


class Where(Enum):
    """Whose page an address is."""

    ISSUER = "the issuer's"
    VENDOR = "a registered redirect URL"
    VENDOR_HOST = "the redirect URL's origin"
    STRANGER = "a stranger's"


@dataclass(slots=True)
class Visit:
    """The next thing to fetch: an address, and the pairs of a form if one is to be posted."""

    url: str
    form: list[tuple[str, str]] | None = None


class RobotError(SetupError):
    """The robot cannot go on: a refusal page, a stranger's address, too many redirects."""


class Robot:
    """One sign-in by the robot user, from a first address to the vendor's page."""

    def __init__(self, registration: Registration, reporting: Reporting | None = None, *, decision: str = "allow") -> None:
        self.registration = registration
        self.reporting = reporting
        self.decision = decision
        self.signed_in = False
        self._at_issuer = False
        self._tried = False
        # two jars: both doors are often on `localhost`, and cookies know no ports
        self._sessions = {True: _session(), False: _session()}
        self._registered = tuple(dict.fromkeys((registration.redirect_url, *registration.redirect_urls)))

    def run(self, url: str) -> None:
        """Open `url` and go on until the vendor's page has answered; raises `RobotError` when that cannot be."""
        visit: Visit | None = Visit(url)
        for _ in range(MAX_PAGES):
            if visit is None:
                return
            visit = self._open(visit)
        raise RobotError(f"no end after {MAX_PAGES} pages", where=_bare(url))

    def where(self, url: str) -> Where:
        """Whose page `url` is."""
        if _origin(url) == _origin(self.registration.issuer):
            return Where.ISSUER
        bare = _bare(url)
        if any(bare == _bare(registered) for registered in self._registered):
            return Where.VENDOR
        if any(_origin(url) == _origin(registered) for registered in self._registered):
            return Where.VENDOR_HOST
        return Where.STRANGER

    def _open(self, visit: Visit) -> Visit | None:
        where = self.where(visit.url)
        # a client that is a web site begins on a page of its own; from the issuer one comes to the redirect URL first
        if where is Where.STRANGER or (where is Where.VENDOR_HOST and self._at_issuer and not self.signed_in):
            raise RobotError("the robot user goes only to the issuer and to registered redirect URLs", actual=_bare(visit.url))
        answer = self._fetch(visit, where)
        _log(f"{answer.status_code} {_bare(visit.url)} ({where.value})")
        if where is not Where.ISSUER:
            self.signed_in = self.signed_in or where is Where.VENDOR
            self._report(answer)
        self._at_issuer = where is Where.ISSUER
        if answer.is_redirect:
            return Visit(urljoin(visit.url, answer.headers["Location"]))
        return self._answer_page(visit.url, answer) if where is Where.ISSUER else None

    def _fetch(self, visit: Visit, where: Where) -> requests.Response:
        verify = _verify(visit.url, where, self.registration.ca_file)
        method = "GET" if visit.form is None else "POST"
        # without a session's merging: a prepared request leaves with exactly what is reported
        session = self._sessions[where is Where.ISSUER]
        request = session.prepare_request(requests.Request(method, visit.url, data=visit.form))
        try:
            with session.send(request, verify=verify, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                answer._content = answer.raw.read(MAX_PAGE_BYTES, decode_content=True)  # noqa: SLF001 - bounded read
                return answer
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise RobotError("the page cannot be opened", where=_bare(visit.url), actual=_why(error)) from error

    def _answer_page(self, url: str, answer: requests.Response) -> Visit:
        forms = parse_forms(answer.text)
        sign_in = next((form for form in forms if form.asks_for("password")), None)
        if sign_in is not None:
            return self._submit(url, sign_in, self._credentials(sign_in))
        decide = next((form for form in forms if form.button(self.decision)), None)
        if decide is not None:
            return self._submit(url, decide, {c.name: c.shown for c in decide.controls if c.shown})
        onward = next((form for form in forms if form.action and form.method == "post"), None)
        if onward is not None and self.where(urljoin(url, onward.action)) is not Where.ISSUER:
            return self._submit(url, onward, {})
        raise RobotError("the page offers no way on", where=_bare(url), actual=f"status {answer.status_code}")

    def _credentials(self, form: Form) -> dict[str, str]:
        if self._tried:
            raise RobotError("the sign-in page refused the user's name and password")
        self._tried = True
        person = self.registration.users[0] if self.registration.users else None
        if person is None:
            raise RobotError("the registration document names no user")
        named = {"username": person.username, "password": person.password}
        by_type = {c.name: person.password for c in form.controls if c.type == "password"}
        by_type.update({c.name: person.username for c in form.controls if c.type in {"text", "email"}})
        return {**by_type, **{name: value for name, value in named.items() if name in by_type}}

    def _submit(self, url: str, form: Form, answers: dict[str, str]) -> Visit:
        target = urljoin(url, form.action) if form.action else url
        pairs = form.filled(answers, form.button(self.decision))
        if form.method == "post":
            return Visit(target, pairs)
        return Visit(target.partition("?")[0] + "?" + urlencode(pairs))

    def _report(self, answer: requests.Response) -> None:
        if self.reporting is None:
            return
        body = {
            "run": self.reporting.run,
            "application": self.registration.application,
            "environment": self.registration.environment,
            "request": msgspec.to_builtins(observed_request(answer.request)),
            "response": msgspec.to_builtins(observed_response(answer)),
        }
        with Control(self.reporting.url, self.reporting.control_token, self.reporting.ca_file or None) as control:
            control.observe(body)


def run_from_environment(url: str, environment: Mapping[str, str] | None = None) -> int:
    """Be the robot that the environment describes; the exit code. Everything said goes to standard error."""
    around = os.environ if environment is None else environment
    try:
        registration = _read(around["ACRMOCK_REGISTRATION"], Registration)
        report = around.get("ACRMOCK_BROWSER_REPORT")
        Robot(registration, _read(report, Reporting) if report else None).run(url)
    except SetupError as error:
        _log(f"acrmock-browser: {error}")
        return error.exit_code
    return 0


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.update({"User-Agent": "acrmock-browser", "Accept": "text/html"})
    return session


def _read(path: str, type_: type[Any]) -> Any:
    try:
        return decode(Path(path).read_bytes(), type_)
    except (OSError, msgspec.MsgspecError) as error:
        raise SetupError("cannot be read", where=path, actual=str(error)) from error


def _why(error: Exception) -> str:
    """Why a page could not be opened, without the address: its query may carry a code."""
    inner = error.args[0] if error.args else error
    return str(getattr(inner, "reason", inner)).partition("url: ")[0][:300]


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        default = {"https": 443, "http": 80}.get(parts.scheme, 0)
        return parts.scheme.lower(), (parts.hostname or "").lower(), parts.port or default
    except ValueError:
        return "", "", 0


def _bare(url: str) -> str:
    return url.partition("#")[0].partition("?")[0][:300]


def _verify(url: str, where: Where, ca_file: str) -> bool | str:
    if where is Where.ISSUER:
        return ca_file or True
    if _is_loopback(_origin(url)[1]):
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _log(text: str) -> None:
    sys.stderr.write(text + "\n")
