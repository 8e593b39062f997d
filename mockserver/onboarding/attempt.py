"""The event of an attempt to register: what was declared, what was issued, why it was refused; never a secret.

The checks of group *apply* judge this on paper, so it holds the vendor's own words, shortened and made fit to read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from acrmock.record import FieldProblem
from mockserver.onboarding.model import Application, Logo, Registration
from mockserver.onboarding.reasons import shown
from mockserver.onboarding.request import RegistrationRequest, Texts, as_list
from mockserver.onboarding.urls import without_user_info

EVENT = "registration-attempted"
MOST_ITEMS = 100


def event_data(
    request: RegistrationRequest,
    *,
    application: Application | None,
    registration: Registration | None,
    reasons: tuple[FieldProblem, ...] = (),
    remarks: tuple[FieldProblem, ...] = (),
    logo: Logo | None = None,
    day: str = "",
) -> dict[str, Any]:
    """The data of a `registration-attempted` event; `registration` is None where it was refused.

    `day` is the business date that mapping versions were held against.
    """
    return {
        "accepted": registration is not None,
        "application": application.id if application else request.application,
        "environment": shown(request.environment, 40),
        "given": list(request.fields_given()),
        "declared": _declared(request, application, registration, logo),
        "refused": msgspec.to_builtins(reasons),
        "remarks": msgspec.to_builtins(remarks),
        "issued": _issued(registration),
        "local": request.local or bool(application and application.local),
        "day": day,
    }


def _declared(
    request: RegistrationRequest, application: Application | None, registration: Registration | None, logo: Logo | None
) -> dict[str, Any]:
    """What was declared; where an environment was added, what was taken over too."""
    model = registration or (next(iter(application.environments.values()), None) if application else None)
    urls = _texts(request.redirect_url) or (model.redirect_urls if model else ())
    logout = _texts(request.post_logout_url) or (model.post_logout_urls if model else ())
    registries = _texts(request.registry) or (tuple(f"{k}:{v}" for k, v in model.registries.items()) if model else ())
    return {
        "name": shown(request.name or (application.name if application else ""), 400),
        "redirect_urls": [without_user_info(url) for url in urls],
        "post_logout_urls": [without_user_info(url) for url in logout],
        "calling_aes": [shown(text, 80) for text in _texts(request.dicom) or (model.calling_aes if model else ())],
        "stations": [shown(text, 80) for text in _texts(request.station) or (model.stations if model else ())],
        "addresses": [shown(text, 80) for text in _texts(request.ip) or (model.addresses if model else ())],
        "local_sources": [shown(text, 80) for text in _texts(request.local_source) or (model.local_sources if model else ())],
        "registries": [shown(text, 80) for text in registries],
        "logo": None if logo is None else {"width": logo.width, "height": logo.height, "format": logo.format, "link": logo.link},
    }


def _texts(value: Texts | None) -> tuple[str, ...]:
    return as_list(value)[:MOST_ITEMS]


def _issued(registration: Registration | None) -> dict[str, Any] | None:
    if registration is None:
        return None
    return {
        "client_id": registration.client_id,
        "partner_id": registration.partner_id,
        "app_id": registration.app_id,
        "facilities": list(registration.facilities),
        "users": [{"username": user.username, "facility_id": user.facility_id} for user in registration.users],
        "redirect_urls": [without_user_info(url) for url in registration.redirect_urls],
        "post_logout_urls": [without_user_info(url) for url in registration.post_logout_urls],
        "local_sources": list(registration.local_sources),
        "local_sources_given": registration.local_sources_given,
        "scopes": list(registration.scopes),
        "registries": dict(registration.registries),
        "guide": registration.guide,
    }
