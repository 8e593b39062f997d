"""A sender that is refused for now, on purpose: one that tries again passes dir-retry, one that gives up fails it."""

from __future__ import annotations

from pathlib import Path

import pytest

from acrmock.clock import SystemClock
from acrmock.facts import load_facts
from conformance.control import Control
from conformance.result import Finding, Outcome
from conformance.runs.doses import await_associations
from conformance.runs.judging import Question, judge_recording, read_recording
from conformance.vendors.config import VendorError
from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.reference import Given, Modality
from mockserver import Engine

CLOCK = SystemClock()
TRIES = [("dicom.store", 3, Outcome.PASSED), ("dicom.store", 1, Outcome.FAILED), ("dicom.association", 3, Outcome.PASSED)]


@pytest.mark.parametrize(("operation", "tries", "outcome"), TRIES)
def test_a_refusal_for_now(operation: str, tries: int, outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was refused for now arrives later, or never; dir-retry says which, and is not scored."""
    monkeypatch.setattr("conformance.vendors.senders.reference.TRIES", tries)
    with Engine(dicom_port=0) as engine:
        ready = engine.ready
        assert ready is not None
        assert ready.dicom_port is not None
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            run = control.start_run(profile="dir-direct", revision="1", claims=(), launch=False)
            control.register({"name": "Dose", "ip": ["198.51.100.7"], "dicom": ["CT1"], "station": ["CT1"], "run": run})
            trigger = {"kind": "once"}
            control.set_fault(application="default", operation=operation, effect={"kind": "busy"}, trigger=trigger)
            peer = Peer(ae_title="DIRLINK", host="127.0.0.1", port=ready.dicom_port)
            sender = Modality(Given(dicom=peer, stations=("CT1",), calling_ae="CT1"), clock=CLOCK, say=lambda _text: None)
            if outcome is Outcome.PASSED:
                sender.run("exams")
            else:
                with pytest.raises(VendorError, match="1 of 1"):
                    sender.run("exams")
            await_associations(control, run, CLOCK)
            control.finish_run(run)
            journal = tmp_path / "journal.ndjson"
            journal.write_bytes(b"".join(line + b"\n" for line in control.journal(run=run)))
    found = retry(journal)
    assert found.outcome is outcome, found.actual
    assert found.weight == "not-scored"


def retry(journal: Path) -> Finding:
    """What dir-retry finds in a recording."""
    question = Question(profile="dir-direct", claims=None, only=(), baseline=None)
    judged = judge_recording(read_recording(journal), load_facts(), question)
    return next(finding for finding in judged.findings if finding.check == "dir-retry")
