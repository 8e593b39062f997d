"""The application under test as the flags describe it, and the body of its registration."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.facts.model import Profile, Role
from conformance.vendors.kinds import DOCUMENTS
from conformance.vendors.senders.address import DEFAULT_CALLING_AE

MAX_LOGO_BYTES = 1_000_000

DEFAULT_NAME = "Client under test"
DEFAULT_REDIRECT_URL = "https://localhost:8765/callback"
# a public address that belongs to nobody's client: the AS112 service (RFC 7535 section 3.3)
DEFAULT_ADDRESS = "192.31.196.1"
DEFAULT_STATIONS = ("MOCKCT1", "MOCKXA1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRequest:
    """What `register` and `certify` take; None or empty is *not given*."""

    name: str | None = None
    redirect_url: tuple[str, ...] = ()
    post_logout_url: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    local_source: tuple[str, ...] = ()
    registry: tuple[str, ...] = ()
    logo: Path | None = None
    link: str | None = None
    facility: int | None = None
    user: tuple[str, ...] = ()
    dicom: tuple[str, ...] = ()
    station: tuple[str, ...] = ()
    guide: str | None = None
    environment: str | None = None
    application: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The registration as the flags gave it (keys are the flags in snake case); raises `SetupError` for a logo unread."""
        values: dict[str, Any] = {
            "name": self.name,
            "redirect_url": list(self.redirect_url),
            "post_logout_url": list(self.post_logout_url),
            "ip": list(self.ip),
            "local_source": list(self.local_source),
            "registry": list(self.registry),
            "logo": _logo(self.logo),
            "link": self.link,
            "facility": self.facility,
            "user": list(self.user),
            "dicom": list(self.dicom),
            "station": list(self.station),
            "guide": self.guide,
            "environment": self.environment,
            "application": self.application,
            "settings": dict(self.settings),
        }
        return {key: value for key, value in values.items() if value not in (None, [], {})}

    def body_with_defaults(self, profile: Profile, facts: Facts, *, run: str) -> dict[str, Any]:
        """The registration within a run: what was not given gets a default, and `given` names what was."""
        body = self.body()
        given = sorted(key for key in body if key != "settings")
        defaults: dict[str, Any] = {
            "name": DEFAULT_NAME,
            "redirect_url": [DEFAULT_REDIRECT_URL],
            "ip": [DEFAULT_ADDRESS],
            "registry": list(claimed(profile, facts)),
            "environment": "test",
        }
        if profile.role is not Role.NONE:
            defaults |= {"dicom": [DEFAULT_CALLING_AE], "station": list(DEFAULT_STATIONS)}
        told = {key: value for key, value in (defaults | body).items() if value != []}
        return {**told, "run": run, "local": profile.local, "given": given}


def claimed(profile: Profile, facts: Facts) -> tuple[str, ...]:
    """What a vendor of that profile claims: its registries, and where documents are judged, theirs (it has no mappings)."""
    return (*profile.registries, *((facts.text("cdsr.registry"),) if DOCUMENTS in profile.groups else ()))


def _logo(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LOGO_BYTES + 1)
    except OSError as error:
        raise SetupError("the logo cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    if len(data) > MAX_LOGO_BYTES:
        raise SetupError("the logo is too large", where=str(path), expected=f"at most {MAX_LOGO_BYTES} bytes")
    return base64.b64encode(data).decode("ascii")
