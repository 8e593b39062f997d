"""Where secrets were seen: every place that is not the one the protocol gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from acrmock.record import Operation, SecretKind
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, passed, unseen
from conformance.flows.exposures import Seen
from conformance.flows.wire import place_of

SECRETS = Collection("auth")


@SECRETS.check("auth-secret-private")
def auth_secret_private(case: Case) -> Ruling:
    """Secrets stay where the protocol put them (fact N1.3, RFC 6750 section 5.3).

    Looks at each place of each entry, visits of the vendor's own pages included. Fails for: the client secret or a refresh
    token in a URL (query, path, or a Location the vendor sent), a page or a Referer; an access token in a page or a Referer
    (in a URL it is auth-bearer-header's); a code anywhere but in the redirect to the registered URI (its query, or its form
    by form_post) and in the body of a token request, so also in a Referer that a page leaked, in the vendor's page, or in a
    second URL that it redirected to; an ID token in a URL under another name than `id_token_hint`, or in a Referer.
    """
    expected = "client secret, tokens and codes only where the protocol puts them"
    redirects = frozenset(place_of(url) for attempt in case.flows.last_registrations() for url in attempt.redirect_urls)
    asked = frozenset(place_of(story.redirect_uri.value) for story in case.flows.sign_ins if story.redirect_uri)
    places = redirects or asked
    judged = [item for item in case.flows.exposures if item.secret in _LEGITIMATE]
    faults = [fault for item in judged if not _LEGITIMATE[item.secret](item, places) for fault in _faults(item)]
    if faults:
        correct = "the secret in the Authorization header or the body of the request that needs it, and nowhere else"
        return failed(expected, sorted(faults, key=lambda fault: fault.entry), correct=correct)
    seen = [at(seq, pointer) for item in judged for seq, pointer in item.first[:1]]
    return passed(expected, seen) if seen else unseen(expected, "no secret was seen at all")


def _faults(item: Seen) -> Iterable[Fault]:
    where = f"the {item.place}" if item.place == "page" else f"the {item.place} ({item.name})"
    of = "the vendor's page" if item.operation is Operation.BROWSER else item.operation.value
    for seq, pointer in item.first:
        yield Fault(entry=seq, pointer=pointer, actual=f"{item.secret.value} in {where} of {of}")


def _public(item: Seen) -> bool:
    """Whether the place is a URL, a page or a Referer: what browsers, proxies and logs keep."""
    if item.place == "page":
        return item.operation is Operation.BROWSER
    return item.place in {"query", "path"} or item.name in {"referer", "location"}


def _guarded(item: Seen, _places: frozenset[str]) -> bool:
    return not _public(item)


def _access(item: Seen, _places: frozenset[str]) -> bool:
    return not (item.name == "referer" or (item.place == "page" and item.operation is Operation.BROWSER))


def _code(item: Seen, places: frozenset[str]) -> bool:
    if item.operation is Operation.TOKEN:
        return item.place == "body"
    if item.operation is Operation.BROWSER:
        return (not places or item.where in places) and item.place in {"query", "body"} and item.name == "code"
    return item.place == "page" or (item.operation in {Operation.AUTHORIZE, Operation.SIGN_IN} and item.name == "location")


def _id_token(item: Seen, _places: frozenset[str]) -> bool:
    if item.place in {"query", "path"}:
        return item.place == "query" and item.name == "id_token_hint"
    return item.name not in {"referer", "location"}


_LEGITIMATE: dict[SecretKind, Callable[[Seen, frozenset[str]], bool]] = {
    SecretKind.CLIENT_SECRET: _guarded,
    SecretKind.REFRESH_TOKEN: _guarded,
    SecretKind.ACCESS_TOKEN: _access,
    SecretKind.CODE: _code,
    SecretKind.ID_TOKEN: _id_token,
}
