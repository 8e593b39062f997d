"""Broken vendors: for each check one that is wrong in just the way that the check finds, and right in everything else.

A fault is committed once, where that is enough, and then the vendor goes on as the reference does, so that nothing but the
one check fails. Faults of the registration itself stand in `conformance.vendors.faults`.
"""

from __future__ import annotations

from typing import Any

from acrmock.errors import SetupError
from conformance.vendors import faults, subtle_auth, subtle_exchange  # noqa: F401 - they enter their vendors
from conformance.vendors.broken_auth import AUTHENTICATIONS
from conformance.vendors.broken_exchange import EXCHANGES, VENDORS
from conformance.vendors.reference import ReferenceVendor

KINDS = (AUTHENTICATIONS, EXCHANGES, VENDORS)


def vendor_for(name: str | None) -> type[ReferenceVendor]:
    """The vendor of that name: a check that it alone fails, or `CHECK:VARIANT` (None: the reference).

    Raises `SetupError` when there is none.
    """
    if name is None or (name in faults.REGISTRATIONS and name not in names()):
        return ReferenceVendor
    if name in AUTHENTICATIONS:
        return _variant(name, authentication=AUTHENTICATIONS[name])
    if name in EXCHANGES:
        return _variant(name, exchange=EXCHANGES[name])
    if name in VENDORS:
        return VENDORS[name]
    raise SetupError("there is no vendor broken in that way", expected=", ".join(faults.broken_vendors()), actual=name[:80])


def _variant(name: str, **parts: Any) -> type[ReferenceVendor]:
    return type(f"Broken[{name}]", (ReferenceVendor,), dict(parts))


def names() -> set[str]:
    """The names of the vendors whose own behavior is broken."""
    return {name for kind in KINDS for name in kind}


def part_of(name: str) -> type[object]:
    """The class that is wrong in the vendor of that name; raises `KeyError` when its registration alone is."""
    for kind in KINDS:
        if name in kind:
            return kind[name]
    raise KeyError(name)
