"""The senders prove the judge of dose reports: the reference passes everything, each broken one fails its own check alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from acrmock.facts import load_facts
from conformance.detection import REFERENCE
from conformance.result import Outcome
from conformance.runs.selftest import selftest
from conformance.vendors.faults import check_of
from conformance.vendors.kinds import broken_of, inapplicable_to

PROFILES = ("dir-direct", "dir-rdim", "dir-pacs")
LINUX_ONLY = {"allow-registered"}
"""Only Linux has the whole of 127.0.0.0/8 without further ado."""


@pytest.mark.parametrize("name", PROFILES)
def test_every_scored_check_has_a_broken_sender(name: str) -> None:
    """No scored check is without a sender that fails it, but those that its role cannot fail; each says its fault."""
    profile = load_facts().profile(name)
    broken = broken_of(profile)
    scored = {check for check, weight in profile.weights.items() if weight != "not-scored"}
    assert scored - {check_of(one) for one in broken} <= inapplicable_to(profile)
    assert [one for one, what in broken.items() if not what.endswith(".")] == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PROFILES)
def test_each_sender_is_seen_just_as_it_is(name: str, tmp_path: Path) -> None:
    """Every broken sender is caught by its own check and nothing else fails; the reference passes all it can be judged by."""
    found = selftest(name, tmp_path)
    judged = [row for row in found.rows if row.check not in LINUX_ONLY or sys.platform == "linux"]
    assert {row.vendor: row.faults for row in judged if row.faults} == {}
    assert {row.vendor for row in found.rows} == {REFERENCE, *broken_of(load_facts().profile(name))}
    reference = next(row for row in found.rows if row.vendor == REFERENCE)
    assert {reference.cells[check].outcome for check in found.checks} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    assert found.missing == ()
