"""What a vendor's client is given: the registration document, its step, its profile, and the words of the interface."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from acrmock.documents import DicomAddress
from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.schema import HEADER_PARTS
from acrmock.typed import decode


class VendorError(SetupError):
    """The vendor's client cannot do what it set out to do; exit code 1, and only its traffic is judged."""

    exit_code = 1


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A test user of the registration document."""

    username: str
    password: str
    facility_id: str


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """The registration document, as far as a vendor's client needs it."""

    application: str
    environment: str
    client_id: str
    client_secret: str
    redirect_url: str
    partner_id: str
    app_id: str
    facility_id: str
    issuer: str
    nrdr: str
    users: tuple[User, ...]
    facilities: tuple[str, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    registries: dict[str, str] = {}
    ca_file: str = ""
    cdsr: str | None = None
    dicom: DicomAddress | None = None
    stations: tuple[str, ...] = ()


def read_registration(path: Path) -> Registration:
    """The registration document at `path`; raises `SetupError` when it is absent or no such document."""
    try:
        return decode(path.read_bytes(), Registration)
    except OSError as error:
        raise SetupError(
            "the registration document cannot be read",
            where=str(path),
            actual=error.strerror or str(error),
            fix="name it in ACRMOCK_REGISTRATION or with --registration",
        ) from error
    except msgspec.MsgspecError as error:
        raise SetupError("this is no registration document", where=str(path), actual=str(error)) from error


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """The names that the interface documents give to a vendor: envelope, header, status body, paths and words."""

    header: str
    exams: str
    follow_ups: str
    elements: dict[str, str]
    status: dict[str, str]
    terminal: frozenset[str]
    superseded: str
    rejected: str
    post: str
    read: str
    media_type: str
    accepted: int


def wording(facts: Facts) -> Wording:
    """The interface's names as the facts give them (facts U11 to U18)."""
    return Wording(
        header=facts.text("nrdr.envelope.header"),
        exams=facts.text("nrdr.envelope.exams"),
        follow_ups=facts.text("nrdr.envelope.follow_ups"),
        elements={key: facts.text(f"nrdr.header.{key}") for key in HEADER_PARTS},
        status={
            key.removeprefix("nrdr.status.field."): facts.text(key)
            for key in facts.settings
            if key.startswith("nrdr.status.field.")
        },
        terminal=frozenset(facts.text(f"nrdr.status.word.{key}") for key in facts.texts("nrdr.status.terminal")),
        superseded=facts.text("nrdr.status.word.updated_with_new_transaction"),
        rejected=facts.text("nrdr.record.word.rejected"),
        post=facts.text("nrdr.path.post"),
        read=facts.text("nrdr.path.status"),
        media_type=facts.text("nrdr.media_type"),
        accepted=facts.integer("nrdr.accepted_status"),
    )


def issuer_name(registration: Registration, facts: Facts) -> str:
    """The issuer as metadata and ID tokens must name it: its address, unless the guide of the time names another (fact N1.24)."""
    named, base = facts.text("auth.issuer_path"), facts.text("auth.base_path")
    if not named or not registration.issuer.endswith(base):
        return registration.issuer
    return registration.issuer.removesuffix(base) + named


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment variables say; `step` empty means the whole job."""

    registration: Path
    step: str
    profile: str
    state: Path


def surroundings(environment: Mapping[str, str] | None = None) -> Surroundings:
    """The vendor's surroundings; raises `SetupError` without ACRMOCK_REGISTRATION."""
    env = os.environ if environment is None else environment
    path = env.get("ACRMOCK_REGISTRATION")
    if not path:
        raise SetupError("no registration document is named", fix="set ACRMOCK_REGISTRATION, or run it with `acrmock certify`")
    registration = Path(path)
    state = env.get("ACRMOCK_VENDOR_STATE") or str(registration.with_name("vendor-state.json"))
    return Surroundings(
        registration=registration, step=env.get("ACRMOCK_STEP", ""), profile=env.get("ACRMOCK_PROFILE", ""), state=Path(state)
    )
