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
    "apply-name": _with(name="\u200b\t"),
    "apply-redirect-https": _plain_http,
    "apply-registries": lambda flags: {**flags, "registry": tuple(f"{slug.partition(':')[0]}:0.9" for slug in flags["registry"])},
    "apply-logo": _with(logo_size=(100, 40)),
    "allow-registered": _with(local_source=("127.0.0.1/32",)),
    "allow-all-used": _with(local_source=("127.0.0.1/32", "127.0.0.9/32")),
}
"""By check: what changes in the demonstration's registration flags (`logo_size` in pixels)."""


def broken_checks() -> list[str]:
    """All checks that have a broken vendor, sorted."""
    from conformance.vendors.broken import checks

    return sorted({*REGISTRATIONS, *checks()})
