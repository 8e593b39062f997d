"""Broken vendors: for each check one that is wrong in just the way that the check finds, and right in everything else.

A fault is committed once, where that is enough, and then the vendor goes on as the reference does, so that nothing but the
one check fails. Faults of the registration itself stand in `conformance.vendors.faults`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acrmock.errors import SetupError
from conformance.vendors import faults
from conformance.vendors.broken_auth import AUTHENTICATIONS
from conformance.vendors.broken_exchange import EXCHANGES, VENDORS
from conformance.vendors.reference import ReferenceVendor


def vendor_for(check: str | None) -> type[ReferenceVendor]:
    """The vendor that fails `check` alone (None: the reference); raises `SetupError` when there is none."""
    if check is None or (check in faults.REGISTRATIONS and check not in (AUTHENTICATIONS | EXCHANGES | VENDORS)):
        return ReferenceVendor
    if check in AUTHENTICATIONS:
        return _variant(check, ReferenceVendor, authentication=AUTHENTICATIONS[check])
    if check in EXCHANGES:
        return _variant(check, ReferenceVendor, exchange=EXCHANGES[check])
    if check in VENDORS:
        return VENDORS[check]
    raise SetupError("there is no vendor broken in that way", expected=", ".join(faults.broken_checks()), actual=check[:80])


def _variant(check: str, base: type[ReferenceVendor], **parts: Any) -> type[ReferenceVendor]:
    return type(f"Broken[{check}]", (base,), dict(parts))


def checks() -> Sequence[str]:
    """The checks for which a vendor's own behavior is broken."""
    return sorted({*AUTHENTICATIONS, *EXCHANGES, *VENDORS})
