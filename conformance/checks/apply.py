"""Applying for the test environment: judged on the last attempt to register in each environment, as declared.

A refusal of the field by the mock fails its check too, so that nothing which the mock refuses is green. What the harness
gave as a default is not the vendor's doing and is not applicable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from acrmock.addresses import parse_network, special_range
from acrmock.declared import name_faults, url_faults, without_user_info
from acrmock.facts.registry import VersionState
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, inapplicable, passed, unseen
from conformance.flows.events import Registration
from conformance.profile import business_day
from conformance.result import Evidence

APPLY = Collection("apply")
NEVER = "no attempt to register was seen"
DEFAULT = "given by the harness"
Judge = Callable[[Case, Registration], Iterator[Fault]]


def _judge(case: Case, names: tuple[str, ...], expected: str, faults: Judge) -> Ruling:
    """The ruling over the last attempts of a field that is known under `names`."""
    attempts = case.flows.last_registrations()
    if not attempts:
        return unseen(expected, NEVER)
    given = [attempt for attempt in attempts if attempt.gave(*names)]
    found = [fault for attempt in given for fault in (*faults(case, attempt), *_refused(attempt, names))]
    note = _earlier(case, names)
    if found:
        return failed(expected, found, note=note)
    if not given:
        return inapplicable(expected, DEFAULT)
    return passed(expected, [at(attempt.seq, "/data/declared") for attempt in given], note=note)


def _refused(attempt: Registration, names: tuple[str, ...]) -> Iterator[Fault]:
    """The mock's own reasons for refusing the field."""
    for index, item in enumerate(attempt.refused):
        if item.pointer.lstrip("/").split("/")[0] in names or item.element in names:
            words = item.reason or f"{item.actual} was refused"
            yield Fault(entry=attempt.seq, pointer=f"/data/refused/{index}", actual=words, correct=item.expected)


def _earlier(case: Case, names: tuple[str, ...]) -> str:
    """Words about earlier attempts that were refused for the same field."""
    last = {attempt.seq for attempt in case.flows.last_registrations()}
    before = [str(a.seq) for a in case.flows.registrations if a.seq not in last and any(_refused(a, names))]
    return f"refused in earlier attempts too (entries {', '.join(before)}); the last one decides" if before else ""


@APPLY.check("apply-addresses")
def apply_addresses(case: Case) -> Ruling:
    """Addresses for ACR's allowlist (S2): each a valid IP or CIDR that a firewall would take.

    Fails for: none at all; no address or CIDR; host bits set; unspecified, multicast, broadcast, loopback, link-local or
    reserved; private unless the profile is local; wider than the limit, above all 0.0.0.0/0 and ::/0; an IPv4 address
    mapped into IPv6 hides none of these.
    """
    expected = "each declared address a public IP or CIDR, none wider than the limit"
    return _judge(case, ("ip", "addresses"), expected, _addresses)


def _addresses(case: Case, attempt: Registration) -> Iterator[Fault]:
    if not attempt.addresses and not attempt.refused:
        yield Fault(entry=attempt.seq, pointer="/data/declared/addresses", actual="no address was declared")
    for index, text in enumerate(attempt.addresses):
        wrong = _address(case, text, local=attempt.local or case.rules.local)
        if wrong:
            yield Fault(entry=attempt.seq, pointer=f"/data/declared/addresses/{index}", actual=f"{text[:100]} {wrong}")


def _address(case: Case, text: str, *, local: bool) -> str:
    """What is wrong with one address, or empty."""
    network = parse_network(text)
    if isinstance(network, str):
        return f"cannot be listed: {network}"
    limit = case.rules.limits.prefix_ipv4 if network.version == 4 else case.rules.limits.prefix_ipv6
    if network.prefixlen < limit:
        return f"is wider than /{limit}"
    found = special_range(network, local=local, documentation=True)
    return f"is not public: {found[0]} ({found[1]})" if found else ""


@APPLY.check("apply-name")
def apply_name(case: Case) -> Ruling:
    """The application's name (S2), which people read on the sign-in page.

    Fails for: absent or blank; control, format or unassigned characters (bidirectional overrides can disguise a name);
    longer than the limit; white space around it; no letter and no digit.
    """
    return _judge(case, ("name",), "an application name that people can read", _name)


def _name(case: Case, attempt: Registration) -> Iterator[Fault]:
    for reason, expected in name_faults(attempt.name, case.rules.limits.name_length)[:1]:
        yield Fault(entry=attempt.seq, pointer="/data/declared/name", actual=reason, correct=expected)


@APPLY.check("apply-redirect-https")
def apply_redirect_https(case: Case) -> Ruling:
    """The redirect URLs (S2; RFC 6749 section 3.1.2): absolute, https, no fragment, no wildcard, no user info.

    Fails for: none; `http`, also on localhost; an own scheme; a relative URL; `#`, even an empty one; `*` anywhere in
    host or path; `user@host`; no host; a port that is none; space or control characters; too long.
    """
    expected = "absolute https redirect URLs without fragment, wildcard or user info"
    return _judge(case, ("redirect_url", "redirect_urls"), expected, _redirects)


def _redirects(case: Case, attempt: Registration) -> Iterator[Fault]:
    if not attempt.redirect_urls and not attempt.refused:
        yield Fault(entry=attempt.seq, pointer="/data/declared/redirect_urls", actual="no redirect URL was given")
    for index, url in enumerate(attempt.redirect_urls):
        for reason, _ in url_faults(url, case.rules.limits.url_length)[:1]:
            pointer, actual = f"/data/declared/redirect_urls/{index}", f"{without_user_info(url)[:200]}: {reason}"
            yield Fault(entry=attempt.seq, pointer=pointer, actual=actual, correct="https://host/callback")


@APPLY.check("apply-registries")
def apply_registries(case: Case) -> Ruling:
    """The registries and mapping versions claimed (N3) exist and are in force on the (business) date of the attempt.

    Fails for: none; an unknown registry; an unknown version; one that is obsolete or not yet in force.
    """
    if not case.rules.claimed and not any(attempt.registries for attempt in case.flows.last_registrations()):
        return inapplicable("registries and mapping versions that are in force", "the profile claims no registry with mappings")
    return _judge(case, ("registry", "registries"), "registries and mapping versions that are in force", _registries)


def _registries(case: Case, attempt: Registration) -> Iterator[Fault]:
    if case.rules.claimed and not attempt.registries and not attempt.refused:
        yield Fault(entry=attempt.seq, pointer="/data/declared/registries", actual="no registry was claimed")
    for index, (slug, version) in enumerate(attempt.registries):
        wrong = _registry(case, attempt, slug, version)
        if wrong:
            pointer = f"/data/declared/registries/{index}"
            yield Fault(entry=attempt.seq, pointer=pointer, actual=f"{slug[:50]} {version[:20]} {wrong}".replace("  ", " "))


def _registry(case: Case, attempt: Registration, slug: str, version: str) -> str:
    registry = case.rules.registry(slug)
    if slug == case.rules.documents:
        return "has no mapping versions" if version else ""
    if registry is None:
        return "is no registry that is known"
    if not version:
        return ""
    mapping = registry.version(version)
    if mapping is None:
        return "is no known mapping version"
    day = business_day(attempt.at)
    if day is not None and mapping.state(day) is not VersionState.IN_FORCE:
        return f"is {mapping.state(day).value} on {day.isoformat()}"
    return ""


@APPLY.check("apply-logo")
def apply_logo(case: Case) -> Ruling:
    """The logo for the list of partners (S2), where one is given: a real PNG of the size asked for, with a web link.

    Fails for: another format, whatever the file's name says; another size; no link, or one that is no web address; only
    a link without a logo is no logo.
    """
    expected = "a logo of the format and size asked for, with a web link"
    attempts = [a for a in case.flows.last_registrations() if a.logo is not None or any(_refused(a, ("logo", "link")))]
    if not case.flows.registrations:
        return unseen(expected, NEVER)
    if not attempts:
        claimed = "logo" in case.rules.claims
        return (
            unseen(expected, "a logo is claimed and none was given") if claimed else inapplicable(expected, "no logo was given")
        )
    found = [fault for attempt in attempts for fault in (*_logo(case, attempt), *_refused(attempt, ("logo", "link")))]
    if found:
        return failed(expected, found)
    seen: list[Evidence] = [at(attempt.seq, "/data/declared/logo") for attempt in attempts]
    return passed(expected, seen)


def _logo(case: Case, attempt: Registration) -> Iterator[Fault]:
    logo, limits = attempt.logo, case.rules.limits
    if logo is None:
        return
    base = "/data/declared/logo"
    if logo.format.lower() != limits.logo_format.lower():
        yield Fault(entry=attempt.seq, pointer=f"{base}/format", actual=f"the format is {logo.format[:20] or 'unknown'}")
    elif (logo.width, logo.height) != (limits.logo_width, limits.logo_height):
        size = f"{logo.width} × {logo.height} pixels"  # noqa: RUF001 - the sign of multiplication is meant
        yield Fault(entry=attempt.seq, pointer=base, actual=size, correct=f"{limits.logo_width} by {limits.logo_height} pixels")
    if not _web(logo.link):
        yield Fault(entry=attempt.seq, pointer=f"{base}/link", actual="there is no web link with the logo")


def _web(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)
