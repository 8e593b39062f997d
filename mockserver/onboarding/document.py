"""The registration document: what a vendor is told once, and configures its software with (S2 step 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acrmock.documents import REGISTRATION_SCHEMA, RegistrationDocument, SignInUser
from mockserver import guides
from mockserver.dirlink.titles import address
from mockserver.onboarding.register import Accepted

if TYPE_CHECKING:
    from mockserver.context import EngineCore


def document(core: EngineCore, accepted: Accepted) -> RegistrationDocument:
    """The document of a registration that was accepted."""
    application, issued = accepted.application, accepted.issued
    registration = issued.registration
    base = core.base_url(application.id, registration.environment)
    settings = core.settings_for(registration)
    return RegistrationDocument(
        schema=REGISTRATION_SCHEMA,
        application=application.id,
        name=application.name,
        environment=registration.environment,
        client_id=registration.client_id,
        client_secret=issued.client_secret,
        redirect_url=next(iter(registration.redirect_urls), ""),
        redirect_urls=registration.redirect_urls,
        post_logout_urls=registration.post_logout_urls,
        guide=registration.guide or guides.names(core.facts)[0],
        partner_id=registration.partner_id,
        app_id=registration.app_id,
        facility_id=registration.facilities[0],
        facilities=registration.facilities,
        issuer=base + settings.text("auth.base_path"),
        nrdr=base + settings.text("nrdr.base_path"),
        cdsr=base + settings.text("cdsr.path"),
        scopes=registration.scopes,
        registries=registration.registries,
        users=tuple(
            SignInUser(username=login.username, password=login.password, facility_id=login.facility_id) for login in issued.logins
        ),
        ca_file=core.ca_file,
        stations=registration.stations,
        dicom=address(core.facts, core.dicom, application, registration.environment),
        dicom_tls=address(core.facts, core.dicom_tls, application, registration.environment),
        remarks=accepted.remarks,
    )
