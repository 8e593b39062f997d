"""The registration document: what a vendor is told once, and configures its software with (S2 step 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from acrmock.record import FieldProblem
from mockserver import guides
from mockserver.onboarding.register import Accepted

if TYPE_CHECKING:
    from mockserver.context import EngineCore

SCHEMA = "acrmock/registration/1"


class UserDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A test user: who signs in, how, and for which facility."""

    username: str
    password: str
    facility_id: str


class RegistrationDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was issued for one environment of an application; it holds the secrets and is given out once.

    `registries` maps a slug to its mapping version. `remarks` are faults that did not stop the registration. `ca_file` is
    the certificate authority to trust, a path on the server's machine.
    """

    schema: str
    application: str
    name: str
    environment: str
    client_id: str
    client_secret: str
    redirect_url: str
    redirect_urls: tuple[str, ...]
    post_logout_urls: tuple[str, ...] = ()
    guide: str = ""
    partner_id: str
    app_id: str
    facility_id: str
    facilities: tuple[str, ...]
    issuer: str
    nrdr: str
    scopes: tuple[str, ...]
    registries: dict[str, str]
    users: tuple[UserDocument, ...]
    ca_file: str
    remarks: tuple[FieldProblem, ...] = ()


def document(core: EngineCore, accepted: Accepted) -> RegistrationDocument:
    """The document of a registration that was accepted."""
    application, issued = accepted.application, accepted.issued
    registration = issued.registration
    base = core.base_url(application.id, registration.environment)
    settings = core.settings_for(registration)
    return RegistrationDocument(
        schema=SCHEMA,
        application=application.id,
        name=application.name,
        environment=registration.environment,
        client_id=registration.client_id,
        client_secret=issued.client_secret,
        redirect_url=registration.redirect_urls[0],
        redirect_urls=registration.redirect_urls,
        post_logout_urls=registration.post_logout_urls,
        guide=registration.guide or guides.names(core.facts)[0],
        partner_id=registration.partner_id,
        app_id=registration.app_id,
        facility_id=registration.facilities[0],
        facilities=registration.facilities,
        issuer=base + settings.text("auth.base_path"),
        nrdr=base + settings.text("nrdr.base_path"),
        scopes=registration.scopes,
        registries=registration.registries,
        users=tuple(
            UserDocument(username=login.username, password=login.password, facility_id=login.facility_id)
            for login in issued.logins
        ),
        ca_file=core.ca_file,
        remarks=accepted.remarks,
    )
