"""A registration request weighed whole: what to issue, or every reason against it at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from acrmock.addresses import Network
from acrmock.record import FieldProblem
from mockserver import guides
from mockserver.onboarding.addresses import check_declared, check_local
from mockserver.onboarding.dicom import check_stations, check_titles
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.logos import check_logo
from mockserver.onboarding.model import Application, Logo, Registration
from mockserver.onboarding.names import check_name
from mockserver.onboarding.overrides import check_settings
from mockserver.onboarding.people import Person, check_facilities, check_users
from mockserver.onboarding.reasons import shown, wrong
from mockserver.onboarding.registries import (
    check_environment,
    check_registries,
    claims_documents,
    claims_exams,
    scopes_of,
)
from mockserver.onboarding.request import RegistrationRequest, as_list
from mockserver.onboarding.urls import check_url, without_user_info

if TYPE_CHECKING:
    from acrmock.facts import Facts

T = TypeVar("T")
Parser = Callable[[str, int], tuple[Network | None, list[FieldProblem]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A registration that may be issued. `remarks` are faults that do not stop it (a logo is only for the partners' list)."""

    name: str
    environment: str
    redirect_urls: tuple[str, ...]
    post_logout_urls: tuple[str, ...]
    calling_aes: tuple[str, ...]
    stations: tuple[str, ...]
    addresses: tuple[str, ...]
    local_sources: tuple[str, ...]
    local_sources_given: bool
    registries: dict[str, str]
    documents: bool
    scopes: tuple[str, ...]
    facilities: int
    people: tuple[Person, ...]
    guide: str
    logo: Logo | None
    local: bool
    settings: Mapping[str, Any]
    remarks: tuple[FieldProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """Every reason why a registration was refused; `logo` as measured and `remarks` for the record."""

    reasons: tuple[FieldProblem, ...]
    logo: Logo | None = None
    remarks: tuple[FieldProblem, ...] = ()


def weigh(
    request: RegistrationRequest,
    facts: Facts,
    day: date,
    *,
    existing: Application | None = None,
    local_sources: tuple[str, ...] = (),
) -> Admission | Declined:
    """`request` weighed on business date `day`.

    `existing` is the application that gets its other environment: what the request does not say is taken over from it.
    `local_sources` are this server's default (else the layer's).
    """
    limits = Limits.of(facts)
    model = next(iter(existing.environments.values()), None) if existing else None
    local = request.local or (existing.local if existing else False)
    found: list[FieldProblem] = []

    def kept(weighed: tuple[T, list[FieldProblem]]) -> T:
        """The value that was weighed; the reasons against it are gathered."""
        value, reasons = weighed
        found.extend(reasons)
        return value

    name = kept(_name(request, existing, limits))
    environment = kept((request.environment, check_environment(request.environment, limits)))
    claimed = _claimed(request, model, facts)
    redirect_urls = kept(_redirect_urls(request, model, limits, claimed, facts))
    post_logout_urls = kept(_post_logout_urls(request, model, limits))
    addresses = kept(_addresses(as_list(request.ip) or (model.addresses if model else ()), limits, local=local))
    sources = kept(_sources(request, model, limits, local_sources))
    calling_aes = kept(check_titles(as_list(request.dicom) or (model.calling_aes if model else ()), limits))
    stations = kept(check_stations(as_list(request.station) or (model.stations if model else ()), limits))
    registries = kept(check_registries(claimed, facts, day, needed=not calling_aes))
    stated = request.facility if model is None or request.facility is not None else len(model.facilities)
    facilities = kept(check_facilities(stated, limits))
    people = kept(check_users(None if request.user is None else as_list(request.user), facilities, limits))
    guide = kept(_guide(request, model, facts))
    settings = kept((dict(request.settings), check_settings(request.settings, facts)))
    logo, remarks = check_logo(request.logo, request.link, limits)
    if found:
        return Declined(reasons=tuple(found), logo=logo, remarks=tuple(remarks))
    return Admission(
        name=name,
        environment=environment,
        redirect_urls=redirect_urls,
        post_logout_urls=post_logout_urls,
        calling_aes=calling_aes,
        stations=stations,
        addresses=addresses,
        local_sources=sources,
        local_sources_given=request.local_source is not None or bool(model and model.local_sources_given),
        registries=registries,
        documents=claims_documents(claimed, facts),
        scopes=scopes_of(tuple(registries), facts, documents=_token_for_documents(request, claimed, facts)),
        facilities=facilities,
        people=people,
        guide=guide,
        logo=logo if logo is not None or model is None else model.logo,
        local=local,
        settings=settings,
        remarks=tuple(remarks),
    )


def _guide(request: RegistrationRequest, model: Registration | None, facts: Facts) -> tuple[str, list[FieldProblem]]:
    """The guide asked for, else the one that the other environment has; nothing for the first, which holds anyway."""
    if request.guide is None:
        return model.guide if model else "", []
    known = guides.names(facts)
    if request.guide in known:
        return "" if request.guide == known[0] else request.guide, []
    actual = shown(request.guide, 40)
    return "", [wrong("guide", "there is no such version of the guide", expected=" or ".join(known), actual=actual)]


def _name(request: RegistrationRequest, existing: Application | None, limits: Limits) -> tuple[str, list[FieldProblem]]:
    if existing is not None:
        if request.name in (None, existing.name):
            return existing.name, []
        reason = "the application is registered under another name"
        return existing.name, [wrong("name", reason, expected=existing.name, actual=request.name)]
    name = request.name or ""
    return name, check_name(name, limits)


def _claimed(request: RegistrationRequest, model: Registration | None, facts: Facts) -> tuple[str, ...]:
    if request.registry is None and model is not None:
        documents = (facts.text("cdsr.registry"),) if model.documents else ()
        return (*(f"{slug}:{version}" for slug, version in model.registries.items()), *documents)
    return as_list(request.registry)


def _token_for_documents(request: RegistrationRequest, claimed: tuple[str, ...], facts: Facts) -> bool:
    """Whether documents are claimed and need a token, by a layer or by the application's own settings (choice U33)."""
    asked = request.settings.get("cdsr.bearer_required", facts.flag("cdsr.bearer_required"))
    return claims_documents(claimed, facts) and asked is True


def _redirect_urls(
    request: RegistrationRequest, model: Registration | None, limits: Limits, claimed: tuple[str, ...], facts: Facts
) -> tuple[tuple[str, ...], list[FieldProblem]]:
    """Where a sign-in comes back to; who only sends dose reports or documents has none."""
    urls = as_list(request.redirect_url) or (model.redirect_urls if model else ())
    signs_in = claims_exams(claimed, facts) or _token_for_documents(request, claimed, facts)
    if not urls and not signs_in and (claimed or as_list(request.dicom)):
        return (), []
    if not urls:
        return (), [
            wrong("redirect_url", "a redirect URL is needed: the sign-in sends its code there", expected="https://HOST/PATH")
        ]
    return _urls("redirect_url", urls, limits)


def _post_logout_urls(
    request: RegistrationRequest, model: Registration | None, limits: Limits
) -> tuple[tuple[str, ...], list[FieldProblem]]:
    """Where a browser may be sent after a logout; none need be given (fact N1.22)."""
    given = as_list(request.post_logout_url) or (model.post_logout_urls if model else ())
    return _urls("post_logout_url", given, limits)


def _urls(field: str, urls: tuple[str, ...], limits: Limits) -> tuple[tuple[str, ...], list[FieldProblem]]:
    if len(urls) > limits.redirect_urls:
        return (), [wrong(field, "too many URLs", expected=f"at most {limits.redirect_urls}", actual=str(len(urls)))]
    found: list[FieldProblem] = []
    for index, url in enumerate(urls):
        found += check_url(field, url, limits, index=index)
        if url in urls[:index]:
            found.append(
                wrong(field, "the URL is given twice", expected="each URL once", actual=without_user_info(url), index=index)
            )
    return urls, found


def _networks(texts: tuple[str, ...], field: str, limits: Limits, check: Parser) -> tuple[tuple[str, ...], list[FieldProblem]]:
    if len(texts) > limits.addresses:
        return (), [wrong(field, "too many addresses", expected=f"at most {limits.addresses}", actual=str(len(texts)))]
    networks: list[str] = []
    found: list[FieldProblem] = []
    for index, text in enumerate(texts):
        network, reasons = check(text, index)
        found += reasons
        networks += [] if network is None else [str(network)]
    return tuple(dict.fromkeys(networks)), found


def _addresses(texts: tuple[str, ...], limits: Limits, *, local: bool) -> tuple[tuple[str, ...], list[FieldProblem]]:
    if not texts:
        reason = "the addresses that you will send from are needed: ACR puts them on its list"
        return (), [wrong("ip", reason, expected="an IP address or CIDR")]
    return _networks(texts, "ip", limits, lambda text, index: check_declared(text, limits, local=local, index=index))


def _sources(
    request: RegistrationRequest, model: Registration | None, limits: Limits, default: tuple[str, ...]
) -> tuple[tuple[str, ...], list[FieldProblem]]:
    texts = as_list(request.local_source) or (model.local_sources if model else ()) or default or limits.local_sources
    return _networks(texts, "local_source", limits, lambda text, index: check_local(text, limits, index=index))
