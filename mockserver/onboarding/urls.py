"""Redirect URLs and links in a registration: the rules are those of `acrmock.declared`."""

from __future__ import annotations

from acrmock.declared import url_faults, without_user_info
from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import wrong

__all__ = ["check_url", "without_user_info"]


def check_url(field: str, url: str, limits: Limits, *, index: int | None = None) -> list[FieldProblem]:
    """Every reason why `url` cannot be registered in `field`; empty when it can."""
    actual = without_user_info(url) if len(url) <= limits.url_length else f"{len(url)} characters"
    found = url_faults(url, limits.url_length)
    return [wrong(field, reason, expected=expected, actual=actual, index=index) for reason, expected in found]
