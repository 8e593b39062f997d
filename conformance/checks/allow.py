"""The address allowlist: where back-channel requests came from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from acrmock.addresses import parse_network, parse_peer
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, inapplicable, passed, rule, unseen
from conformance.flows import Source
from conformance.flows.events import Registration

ALLOW = Collection("allow")


@ALLOW.check("allow-registered")
def allow_registered(case: Case) -> Ruling:
    """Every back-channel exchange and every association comes from an allowed address of its environment (S2).

    Fails for one single refused request, also when later ones came from the right address, and when the address is
    allowed in the other environment only. What the front channel does is a person's browser and does not count.
    """
    known = [source for source in case.flows.sources if source.allowed is not None]
    faults = [
        Fault(
            entry=source.first,
            pointer="/peer",
            actual=f"{source.count} requests or associations from {source.peer}, which is not allowed",
        )
        for source in known
        if not source.allowed
    ]
    seen = [at(source.first, "/peer") for source in known if source.allowed]
    return rule(
        "back-channel requests and associations only from addresses on the allowlist",
        faults,
        seen,
        "no back-channel request and no association was seen",
        correct="a request from a registered address",
    )


@ALLOW.check("allow-all-used")
def allow_all_used(case: Case) -> Ruling:
    """Each local source that the vendor gave was seen: an allowlist entry that nothing uses is an open door (our choice).

    Where no local source was given, the declared addresses are meant, unless all requests came over loopback: then the
    declared addresses cannot have been seen. Defaults are not applicable. A range counts as seen with any address in it.
    """
    expected = "each address given was used"
    attempts = [attempt for attempt in case.flows.last_registrations() if attempt.accepted]
    if not attempts:
        return unseen(expected, "no registration was seen")
    sources = [source for source in case.flows.sources if source.allowed is not False]
    if not sources:
        return unseen(expected, "no back-channel request was seen")
    judged = [(a, *_given(a, [s for s in sources if s.environment in {"", a.environment}])) for a in attempts]
    faults = [fault for attempt, name, texts, peers in judged for fault in _unused(attempt, name, texts, peers)]
    seen = [at(attempt.seq, f"/data/declared/{name}") for attempt, name, texts, _ in judged if texts]
    if faults:
        return failed(expected, faults)
    return passed(expected, seen) if seen else inapplicable(expected, "no address was given that could be seen here")


def _given(attempt: Registration, sources: Sequence[Source]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The field and the addresses that must be seen (none when they are defaults or cannot be), and those that were."""
    peers = tuple(source.peer for source in sources)
    if not peers:
        return "local_sources", (), peers
    if attempt.given is not None and attempt.gave("local_source", "local_sources"):
        return "local_sources", attempt.local_sources, peers
    if attempt.given is not None and attempt.gave("ip", "addresses") and not all(map(_loopback, peers)):
        return "addresses", attempt.addresses, peers
    return "addresses", (), peers


def _unused(attempt: Registration, name: str, texts: Iterable[str], peers: Sequence[str]) -> Iterable[Fault]:
    for index, text in enumerate(texts):
        if not any(_within(peer, text) for peer in peers):
            pointer = f"/data/declared/{name}/{index}"
            yield Fault(entry=attempt.seq, pointer=pointer, actual=f"no request came from {text[:100]}")


def _within(peer: str, text: str) -> bool:
    address, network = parse_peer(peer), parse_network(text)
    return address is not None and not isinstance(network, str) and address in network


def _loopback(peer: str) -> bool:
    address = parse_peer(peer)
    return address is not None and address.is_loopback
