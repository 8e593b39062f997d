"""The vendors prove the judge: the reference passes everything, each broken one fails its own check and no other."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from acrmock.facts import load_facts
from conformance.detection import REFERENCE, Detection, Row
from conformance.result import Outcome
from conformance.runs.selftest import selftest
from conformance.vendors.faults import broken_checks, broken_vendors, what_is_wrong

# one run of all vendors serves every test here: whoever runs tests in parallel keeps a file's together (`--dist loadfile`)
pytestmark = pytest.mark.timeout(600)

LINUX_ONLY = {"allow-registered"}
"""Only Linux has the whole of 127.0.0.0/8 without further ado."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the self-test found, and where its files are."""

    found: Detection
    out: Path
    told: list[Row]


@pytest.fixture(scope="session")
def proof(tmp_path_factory: pytest.TempPathFactory) -> Proof:
    """The self-test, run once."""
    out = tmp_path_factory.mktemp("selftest")
    told: list[Row] = []
    return Proof(selftest("lcsr", out, tell=told.append), out, told)


def test_every_scored_check_has_a_broken_vendor() -> None:
    """No scored check of the profile is without a vendor that fails it, and each vendor says what it does wrong."""
    weights = load_facts().profile("lcsr").weights
    assert {check for check, weight in weights.items() if weight != "not-scored"} <= set(broken_checks())
    assert [name for name in broken_vendors() if not what_is_wrong(name).endswith(".")] == []


def test_each_vendor_is_seen_just_as_it_is(proof: Proof) -> None:
    """Every broken vendor is caught by its own check and nothing else fails; whatever else is not passed was blocked."""
    judged = [row for row in proof.found.rows if row.check not in LINUX_ONLY or sys.platform == "linux"]
    assert {row.vendor: row.faults for row in judged if row.faults} == {}
    assert {row.vendor for row in judged} <= {REFERENCE, *broken_vendors()}
    assert len(judged) > len(broken_checks()), "each scored check has a vendor, and the reference is among them"
    assert sorted(row.vendor for row in proof.told) == sorted(row.vendor for row in proof.found.rows)
    if sys.platform == "linux":
        assert proof.found.proved


def test_the_reference_passes_everything_that_is_scored(proof: Proof) -> None:
    """Its row has nothing but passed."""
    reference = next(row for row in proof.found.rows if row.vendor == REFERENCE)
    assert {reference.cells[check].outcome for check in proof.found.checks} == {Outcome.PASSED}


def test_the_matrix_is_written(proof: Proof) -> None:
    """`matrix.json` is what was found, `matrix.md` names each vendor, and each vendor's journal and result are kept."""
    written = json.loads((proof.out / "matrix.json").read_bytes())
    assert [row["vendor"] for row in written["rows"]] == [row.vendor for row in proof.found.rows]
    page = (proof.out / "matrix.md").read_text("utf-8")
    assert all(f"`{row.vendor}`" in page for row in proof.found.rows if row.check)
    for row in proof.found.rows:
        directory = proof.out / row.vendor.replace(":", ".")
        assert {"journal.ndjson", "result.json"} <= {path.name for path in directory.iterdir()}


def test_a_rejected_record_is_corrected_and_sent_again(proof: Proof) -> None:
    """The vendor reads the errors of a rejected record, mends the element that they name and posts it anew."""
    log = (proof.out / "tx-schema" / "logs" / "2-submit.log").read_text("utf-8").splitlines()
    rejected = next(number for number, line in enumerate(log) if line.startswith("rejected: /"))
    assert any(line.startswith("posted 1 exams") for line in log[rejected:])
    assert log[-1].endswith("Posted")
