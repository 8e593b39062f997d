"""What ACR issues: client ID and secret, partner, application and facility IDs, test users (fact N2.6, srv-credentials).

Every value is random and unique on the server, so that no two environments or applications share one. Secrets are given out
once and kept only as marks.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass

from acrmock.record import SecretKind
from mockserver.onboarding.admission import Admission
from mockserver.onboarding.model import Registration, User
from mockserver.onboarding.people import Person
from mockserver.store import GLOBAL, Stored, Unit

ISSUED = "issued"
"""The kind under which issued identifiers are known, in the global scope, keyed by the value."""

CLIENT_ID, PARTNER_ID, APP_ID, FACILITY_ID, USER_ID, USERNAME = (
    "client_id",
    "partner_id",
    "app_id",
    "facility_id",
    "sub",
    "username",
)

_LOWER = string.ascii_lowercase + string.digits
_PASSWORD = string.ascii_letters + string.digits
_NO_LEADING_ZERO = "123456789"
PASSWORD_LENGTH = 14
SECRET_BYTES = 48
"""48 bytes are 64 characters of base64url."""

Issue = Callable[[SecretKind, str], str]
"""Remembers a secret and gives its mark."""


class IssuedValue(Stored, frozen=True, kw_only=True):
    """That an identifier was issued: what it is (`client_id`, `partner_id`, …) and whose."""

    what: str
    application: str
    environment: str


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name, password and facility, to be given out once."""

    username: str
    password: str
    facility_id: str


@dataclass(frozen=True, slots=True)
class Issued:
    """One environment of an application as stored, with the secrets that are given out once."""

    registration: Registration
    client_secret: str
    logins: tuple[Login, ...]


def okta_id(prefix: str) -> str:
    """An Okta-shaped identifier: `prefix` and 17 lower-case letters and digits (fact N1.26)."""
    return prefix + "".join(secrets.choice(_LOWER) for _ in range(17))


def plain_id(digits: int) -> str:
    """A plain identifier of that many digits, without a leading zero."""
    return secrets.choice(_NO_LEADING_ZERO) + "".join(secrets.choice(string.digits) for _ in range(digits - 1))


def password() -> str:
    """A password with lower case, upper case and digits, of at least ten characters (fact N1.31)."""
    while True:
        text = "".join(secrets.choice(_PASSWORD) for _ in range(PASSWORD_LENGTH))
        if any(map(str.islower, text)) and any(map(str.isupper, text)) and any(map(str.isdigit, text)):
            return text


def whose(unit: Unit, value: str) -> IssuedValue | None:
    """Whose an issued identifier is, or None where it was never issued."""
    return unit.get(ISSUED, GLOBAL, value, IssuedValue) if 0 < len(value) <= 64 else None


def issue(unit: Unit, admission: Admission, application: str, remember: Issue) -> Issued:
    """Everything that `admission` gets, made up and remembered within `unit`."""

    def new(what: str, make: Callable[[], str]) -> str:
        while unit.get(ISSUED, GLOBAL, value := make(), IssuedValue) is not None:
            continue
        unit.put(ISSUED, GLOBAL, value, IssuedValue(what=what, application=application, environment=admission.environment))
        return value

    facilities = tuple(new(FACILITY_ID, lambda: plain_id(6)) for _ in range(admission.facilities))
    client_secret = secrets.token_urlsafe(SECRET_BYTES)
    users, logins = _people(admission.people, facilities, new, remember)
    registration = Registration(
        environment=admission.environment,
        client_id=new(CLIENT_ID, lambda: okta_id("0oa")),
        client_secret_digest=remember(SecretKind.CLIENT_SECRET, client_secret),
        partner_id=new(PARTNER_ID, lambda: plain_id(7)),
        app_id=new(APP_ID, lambda: plain_id(8)),
        facilities=facilities,
        users=users,
        redirect_urls=admission.redirect_urls,
        registries=admission.registries,
        scopes=admission.scopes,
        addresses=admission.addresses,
        local_sources=admission.local_sources,
        local_sources_given=admission.local_sources_given,
        logo=admission.logo,
        settings=dict(admission.settings),
    )
    return Issued(registration, client_secret, logins)


def _people(
    people: tuple[Person, ...], facilities: tuple[str, ...], new: Callable[[str, Callable[[], str]], str], remember: Issue
) -> tuple[tuple[User, ...], tuple[Login, ...]]:
    users: list[User] = []
    logins: list[Login] = []
    for number, person in enumerate(people, 1):
        username = person.username or new(USERNAME, lambda number=number: f"user{number}.{secrets.token_hex(3)}")  # type: ignore[misc]
        secret = password()
        facility = facilities[person.facility - 1]
        digest = remember(SecretKind.PASSWORD, secret)
        sub = new(USER_ID, lambda: okta_id("00u"))
        users.append(User(username=username, password_digest=digest, facility_id=facility, name=f"Test User {number}", sub=sub))
        logins.append(Login(username, secret, facility))
    return tuple(users), tuple(logins)
