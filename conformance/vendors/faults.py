"""Faults of a registration: what a broken vendor tells ACR that it should not; and the list of all broken vendors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Fault = Callable[[dict[str, Any]], dict[str, Any]]


def _with(**changes: Any) -> Fault:
    return lambda flags: {**flags, **changes}


def _plain_http(flags: dict[str, Any]) -> dict[str, Any]:
    return {**flags, "redirect_url": tuple(url.replace("https://", "http://", 1) for url in flags["redirect_url"])}


REGISTRATIONS: Mapping[str, Fault] = {
    "apply-addresses": _with(ip=("0.0.0.0/0",)),
    "apply-addresses:private": _with(ip=("10.20.30.40",)),
    "apply-name": _with(name="\u200b\t"),
    "apply-redirect-https": _plain_http,
    "apply-registries": lambda flags: {**flags, "registry": tuple(f"{slug.partition(':')[0]}:0.9" for slug in flags["registry"])},
    "apply-logo": _with(logo_size=(100, 40)),
    "allow-registered": _with(local_source=("127.0.0.1/32",)),
    "allow-registered:one-poll": _with(local_source=("127.0.0.1/32",)),
    "allow-all-used": _with(local_source=("127.0.0.1/32", "127.0.0.9/32")),
}
"""By check: what changes in the demonstration's registration flags (`logo_size` in pixels)."""


CONDITIONS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "status-pace:first": {"submit": {"nrdr.status.terminal_after": 4, "nrdr.status.retry_after": 4}},
    "status-pace:half-a-second": {"submit": {"nrdr.status.terminal_after": 6}},
    "status-terminal:early": {"submit": {"nrdr.status.terminal_after": 6}},
}
"""By vendor: layer values of a step under which its fault can be seen, also where the machine is slow."""

WRONG: Mapping[str, str] = {
    "apply-addresses": "Declares every address there is.",
    "apply-addresses:private": "Declares a private address, which nobody outside can see.",
    "apply-name": "Gives a name that nobody can read.",
    "apply-redirect-https": "Registers a redirect URL without TLS.",
    "apply-registries": "Claims a mapping version that the registry never had.",
    "apply-logo": "Sends a logo of another size.",
    "allow-registered": "Once sends a request from an address that it did not register.",
    "allow-all-used": "Gives an address that none of its requests comes from.",
}
"""In a sentence, what is wrong with a vendor whose fault stands (also) in its registration."""


def broken_vendors() -> list[str]:
    """The names of all broken vendors, sorted: a check, or `CHECK:VARIANT` for another way to fail it."""
    from conformance.vendors.broken import names

    return sorted({*REGISTRATIONS, *names()})


def broken_checks() -> list[str]:
    """All checks that have a broken vendor, sorted."""
    return sorted({check_of(name) for name in broken_vendors()})


def check_of(vendor: str) -> str:
    """The check that the vendor of that name fails."""
    return vendor.partition(":")[0]


def what_is_wrong(vendor: str | None) -> str:
    """In a sentence, what the vendor does wrong; None is the reference vendor."""
    from conformance.vendors.broken import part_of

    if vendor is None:
        return "Does everything right."
    return WRONG.get(vendor) or (part_of(vendor).__doc__ or "").partition("\n")[0]
