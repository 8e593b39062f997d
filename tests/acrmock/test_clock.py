"""Instants as text, as RFC 3339 has them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st

from acrmock.clock import EARLIEST, LATEST, parse_rfc3339, rfc3339

NAIVE = (EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None))
ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(*NAIVE, timezones=ZONES | st.just(UTC)))
@example(datetime(2026, 4, 30, 23, 59, 59, tzinfo=UTC))
@example(datetime(2026, 4, 30, 23, 59, 59, 1, tzinfo=UTC))
def test_an_instant_is_written_in_utc_with_microseconds(instant: datetime) -> None:
    """The text is what the standard library writes, in one length whatever the instant, so that texts sort as instants do."""
    text = rfc3339(instant)
    assert text == f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    assert len(text) == len("2026-04-30T23:59:59.000000Z")
    assert parse_rfc3339(text) == instant
