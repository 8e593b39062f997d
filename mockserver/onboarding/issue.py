"""What ACR issues: client ID and secret, partner, application and facility IDs, test users (fact N2.6, srv-credentials).

Every value is random and unique on the server, so that no two environments or applications share one. Secrets are given out
once and kept only as marks.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from acrmock.record import SecretKind
from mockserver.onboarding.admission import Admission
from mockserver.onboarding.model import Registration, User
from mockserver.onboarding.people import Person
from mockserver.store import GLOBAL, Stored, Unit

if TYPE_CHECKING:
    from acrmock.facts import Facts

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """How issued identifiers look (settings `onboarding.issued.*`): beginnings, characters, digits."""

    client_prefix: str
    client_length: int
    client_alphabet: str
    user_prefix: str
    user_length: int
    facility_digits: int
    partner_digits: int
    app_digits: int

    @classmethod
    def of(cls, facts: Facts) -> Shapes:
        """The shapes as the layers state them; raises `FactsError` where a setting is missing."""
        return cls(
            client_prefix=facts.text("onboarding.issued.client_id_prefix"),
            client_length=facts.integer("onboarding.issued.client_id_length"),
            client_alphabet=facts.text("onboarding.issued.client_id_alphabet"),
            user_prefix=facts.text("onboarding.issued.user_id_prefix"),
            user_length=facts.integer("onboarding.issued.user_id_length"),
            facility_digits=facts.integer("onboarding.issued.facility_digits"),
            partner_digits=facts.integer("onboarding.issued.partner_digits"),
            app_digits=facts.integer("onboarding.issued.app_digits"),
        )


def opaque_id(prefix: str, length: int, alphabet: str = _LOWER) -> str:
    """An identifier of `length` characters: `prefix`, then characters of `alphabet` (eight at least)."""
    return prefix + "".join(secrets.choice(alphabet) for _ in range(max(8, length - len(prefix))))


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


def issue(unit: Unit, admission: Admission, application: str, remember: Issue, shapes: Shapes) -> Issued:
    """Everything that `admission` gets, made up and remembered within `unit`; the identifiers look as `shapes` says."""

    def new(what: str, make: Callable[[], str]) -> str:
        while unit.get(ISSUED, GLOBAL, value := make(), IssuedValue) is not None:
            continue
        unit.put(ISSUED, GLOBAL, value, IssuedValue(what=what, application=application, environment=admission.environment))
        return value

    facilities = tuple(new(FACILITY_ID, lambda: plain_id(shapes.facility_digits)) for _ in range(admission.facilities))
    client_secret = secrets.token_urlsafe(SECRET_BYTES)
    users, logins = _people(admission.people, facilities, new, remember, shapes)
    registration = Registration(
        environment=admission.environment,
        client_id=new(CLIENT_ID, lambda: opaque_id(shapes.client_prefix, shapes.client_length, shapes.client_alphabet)),
        client_secret_digest=remember(SecretKind.CLIENT_SECRET, client_secret),
        partner_id=new(PARTNER_ID, lambda: plain_id(shapes.partner_digits)),
        app_id=new(APP_ID, lambda: plain_id(shapes.app_digits)),
        facilities=facilities,
        users=users,
        redirect_urls=admission.redirect_urls,
        post_logout_urls=admission.post_logout_urls,
        calling_aes=admission.calling_aes,
        stations=admission.stations,
        registries=admission.registries,
        documents=admission.documents,
        scopes=admission.scopes,
        addresses=admission.addresses,
        local_sources=admission.local_sources,
        local_sources_given=admission.local_sources_given,
        logo=admission.logo,
        guide=admission.guide,
        settings=dict(admission.settings),
    )
    return Issued(registration, client_secret, logins)


def _people(
    people: tuple[Person, ...],
    facilities: tuple[str, ...],
    new: Callable[[str, Callable[[], str]], str],
    remember: Issue,
    shapes: Shapes,
) -> tuple[tuple[User, ...], tuple[Login, ...]]:
    users: list[User] = []
    logins: list[Login] = []
    for number, person in enumerate(people, 1):
        username = person.username or new(USERNAME, lambda number=number: f"user{number}.{secrets.token_hex(3)}")  # type: ignore[misc]
        secret = password()
        facility = facilities[person.facility - 1]
        digest = remember(SecretKind.PASSWORD, secret)
        sub = new(USER_ID, lambda: opaque_id(shapes.user_prefix, shapes.user_length))
        users.append(User(username=username, password_digest=digest, facility_id=facility, name=f"Test User {number}", sub=sub))
        logins.append(Login(username, secret, facility))
    return tuple(users), tuple(logins)
