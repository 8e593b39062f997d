"""Every status of the layers is reached through the wire: of files by plan and name, of transactions by plan and ID."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from acrmock.facts import load_facts
from mockserver.plans import StatusKey
from mockserver.portal.model import FileStatus
from mockserver.portal.words import CHANNELS, words
from synthetic.exams import exams

FACTS = load_facts()


def _file(channel: str) -> tuple[str, str, dict[str, str]]:
    """Registry, beginning of a name, and query of a channel's files."""
    return {
        "portal": ("lcsr", "lcsr_exam_", {}),
        "mips": ("lcsr", "lcsr_exam_", {"channel": "mips"}),
        "app": ("grid", "grid_exam_", {"channel": "app"}),
    }[channel]


def _complete(registry: str, version: str) -> Any:
    """A complete record of a version, from the synthetic exams."""
    return next(iter(exams(FACTS, registry, version, seed=3, count=1, as_of=date(2026, 3, 1))))


EVERY = [(channel, key) for channel in CHANNELS for key in words(FACTS, channel)]


@pytest.mark.parametrize(("channel", "key"), EVERY, ids=str)
def test_every_file_word_by_plan(files: Any, channel: str, key: FileStatus) -> None:
    """Each word of each channel is the status of a file under the plan of its name."""
    registry, begin, query = _file(channel)
    version = "2.2" if registry == "grid" else "1.8"
    data = files.pipe(_complete(registry, version), registry=registry, version=version)
    if key is FileStatus.VALIDATION_FAILED:
        data += b"a|b\r\n"
        query = query | {"plan": "now"}
    else:
        query = query | {"plan": key.value}
    told = files.upload(data, f"{begin}every.txt", registry, mapping=version, **query)
    assert told["status"] == words(FACTS, channel)[key], told
    assert told["key"] == key
    assert files.show(told)["status"] == told["status"]


@pytest.mark.parametrize("key", words(FACTS, "portal"))
def test_every_word_of_the_portal_by_name(files: Any, an_exam: Any, key: FileStatus) -> None:
    """A file's name asks for a plan by itself."""
    told = files.upload(files.pipe(an_exam()), f"lcsr_exam_acrmock-status.{key}.1.txt")
    assert told["status"] == words(FACTS, "portal")[key]


def test_successful_with_warning_comes_by_itself(files: Any, an_exam: Any) -> None:
    """Where the channel has the word, a loaded record with a warning gives it; complete ones do not."""
    warned = files.upload(files.pipe(an_exam()), "lcsr_exam_w.txt", channel="mips", plan="now")
    assert (warned["status"], warned["counts"]["warnings"]) == ("Successful With Warning", 1)
    good = files.upload(files.pipe(_complete("lcsr", "1.8")), "lcsr_exam_g.txt", channel="mips", plan="now")
    assert good["status"] == "Successful", files.log(good)


def test_the_app_refuses_any_error_or_warning(files: Any) -> None:
    """In the app a warning too rejects the whole file, and nobody is asked (APPUPL)."""
    exam = _complete("grid", "2.2")
    good = files.upload(files.pipe(exam, registry="grid", version="2.2"), "grid_exam_g.txt", "grid", channel="app", plan="now")
    assert (good["status"], good["mapping"]) == ("Successful", "2.2"), files.log(good)
    bad = files.upload(
        files.pipe(exam, registry="grid", version="2.2") + b"x\r\n", "grid_exam_b.txt", "grid", channel="app", plan="now"
    )
    assert (bad["status"], bad["decision_needed"], bad["counts"]["uploaded"]) == ("Validation Failed", False, 0)
    assert bad["log"] is True


def test_steps_by_the_virtual_clock(files: Any, an_exam: Any) -> None:
    """MIPS files are pending, then processing, then at their end; other portals only pending in between."""
    mips = files.upload(files.pipe(an_exam(1)), "lcsr_exam_m.txt", channel="mips", plan="overnight")
    portal = files.upload(files.pipe(an_exam(2)), "lcsr_exam_p.txt", plan="overnight")
    seen = []
    for _ in range(4):
        seen.append((files.show(mips)["status"], files.show(portal)["status"]))
        files.advance(6 * 3600)
    # 12:00 UTC is 7:00 US Eastern: 19 hours until 2:00
    assert [pair[1] for pair in seen] == ["Pending"] * 4
    assert [pair[0] for pair in seen] == ["Pending", "Pending", "Processing", "Processing"]
    assert files.show(portal)["status"] == "Successful"
    assert files.show(mips)["status"] == "Successful With Warning"


def test_release(files: Any, an_exam: Any) -> None:
    """A file that is held stays so until it is released; one that is not cannot be."""
    told = files.upload(files.pipe(an_exam()), "lcsr_exam_h.txt", plan="pending")
    files.advance(10**6)
    assert (files.show(told)["status"], files.show(told)["held"]) == ("Pending", True)
    assert files.decide(told, "release").document["status"] == "Successful"
    assert files.decide(told, "release").status == 409


def test_a_file_that_fails_loads_nothing(files: Any, an_exam: Any) -> None:
    """Whatever fails leaves no exam behind: the next file uploads it as new."""
    for number, plan in enumerate(("rejected", "cancelled")):
        files.upload(files.pipe(an_exam()), f"lcsr_exam_f{number}.txt", plan=plan)
    files.upload(files.pipe(an_exam()), "lcsr_exam_l.txt", plan="load_failure", channel="mips")
    assert files.upload(files.pipe(an_exam()), "lcsr_exam_n.txt", plan="now")["counts"]["uploaded"] == 1


def _facility(files: Any) -> str:
    return str(files.walk.doc["users"][0]["facility_id"])


def test_a_file_and_a_transaction_update_each_other(fresh: Any, an_exam: Any) -> None:
    """An exam is one exam, whichever door it came by: each later one replaces the earlier."""
    walk = fresh.walk
    walk.control("POST", "/plans", {"application": "default", "plan": {"kind": "immediate"}})
    status = f"{walk.doc['nrdr']}/lcsr/transactions/"
    facility = _facility(fresh)
    assert walk.post(walk.body("A", [an_exam(1)])).status == 202
    file = fresh.upload(fresh.pipe(an_exam(1), version="1.7"), "lcsr_exam_u.txt", plan="now", facility=facility, mapping="1.7")
    assert (file["counts"]["uploaded"], file["counts"]["updated"]) == (0, 1)
    replaced = walk.get(status + "A").document
    assert (replaced["Status"], replaced["Replaced_By"]) == ("UpdatedWithNewTransaction", f"file:{file['file']}")
    assert walk.post(walk.body("B", [an_exam(1)])).status == 202
    assert walk.get(status + "B").document["Records"]["Updated"] == 1
    listed = walk.get(f"{walk.doc['nrdr']}/lcsr/transactions").document["transactions"]
    assert [row["Transaction_ID"] for row in listed] == ["A", "B"]
    assert walk.get(status + f"file:{file['file']}").status == 404


def test_a_pending_file_replaces_nothing_yet(fresh: Any, an_exam: Any) -> None:
    """Only what is loaded replaces: a transaction stays Posted until the file that updates it has its end."""
    walk = fresh.walk
    walk.control("POST", "/plans", {"application": "default", "plan": {"kind": "immediate"}})
    assert walk.post(walk.body("A", [an_exam(1)])).status == 202
    status, facility = f"{walk.doc['nrdr']}/lcsr/transactions/A", _facility(fresh)
    file = fresh.upload(
        fresh.pipe(an_exam(1), version="1.7"), "lcsr_exam_u.txt", plan="pending", facility=facility, mapping="1.7"
    )
    assert walk.get(status).document["Status"] == "Posted"
    fresh.decide(file, "release")
    assert walk.get(status).document["Status"] == "UpdatedWithNewTransaction"


@pytest.mark.parametrize("key", StatusKey)
def test_every_transaction_word_by_id(files: Any, an_exam: Any, key: StatusKey) -> None:
    """A transaction's ID asks for its plan by itself; each word of the layer is reached so."""
    walk = files.walk
    name = f"acrmock-status.{key}.1"
    assert walk.post(walk.body(name, [an_exam(f"{key}1"), an_exam(f"{key}2")])).status == 202
    told = walk.get(f"{walk.doc['nrdr']}/lcsr/transactions/{name}").document
    assert told["Status"] == FACTS.text(f"nrdr.status.word.{key}")
    if key is StatusKey.PARTIALLY_SUCCESSFUL:
        assert told["Records"] == {"Received": 2, "Uploaded": 1, "Updated": 0, "Rejected": 1, "Warnings": 2}
        assert told["Exams"][1]["Errors"][-1]["code"] == "acrmock:PLAN-PARTIAL"


def test_magic_ids_have_their_bounds(fresh: Any, an_exam: Any) -> None:
    """An unknown word asks for nothing, a layer can turn them off, and a plan in force is not counted by them."""
    walk = fresh.walk
    walk.control("POST", "/plans", {"application": "default", "plan": {"kind": "immediate"}})
    status = f"{walk.doc['nrdr']}/lcsr/transactions/"
    walk.post(walk.body("acrmock-status.nonsense.1", [an_exam(1)]))
    assert walk.get(status + "acrmock-status.nonsense.1").document["Status"] == "Posted"
    walk.settings(nrdr__magic__enabled=False)
    walk.post(walk.body("acrmock-status.failed.1", [an_exam(1)]))
    assert walk.get(status + "acrmock-status.failed.1").document["Status"] == "Posted"


def test_list_by_submission_and_upload_date(fresh: Any, an_exam: Any) -> None:
    """A transaction is listed by the day on which it was accepted, and by the day on which it was loaded."""
    walk = fresh.walk
    walk.set_clock("2026-03-02T23:00:00Z")
    walk.control("POST", "/plans", {"application": "default", "plan": {"kind": "after", "seconds": 7200}})
    assert walk.post(walk.body("late", [an_exam(1)])).status == 202
    url = f"{walk.doc['nrdr']}/lcsr/transactions?"

    def listed(query: str) -> list[str]:
        return [row["Transaction_ID"] for row in walk.get(url + query).document["transactions"]]

    assert listed("date=2026-03-02") == ["late"]
    assert listed("upload_date=2026-03-03") == []
    walk.set_clock("2026-03-03T02:00:00Z")
    assert listed("upload_date=2026-03-03") == ["late"]
    assert listed("upload_date=2026-03-02") == []
    assert listed("date=2026-03-02&upload_date=2026-03-03") == ["late"]
    row = walk.get(url).document["transactions"][0]
    assert row["Upload_Date"].startswith("2026-03-03T01:00")
    assert row["Records"]["Uploaded"] == 1
    assert walk.get(url + "upload_date=soon").status == 400
    walk.control("POST", "/plans", {"application": "default", "plan": {"kind": "polls", "count": 1}})
    walk.post(walk.body("polled", [an_exam(2)]))
    walk.set_clock("2026-03-05T02:00:00Z")
    assert listed("upload_date=2026-03-05") == []
    walk.get(f"{walk.doc['nrdr']}/lcsr/transactions/polled")
    walk.set_clock("2026-03-09T02:00:00Z")
    assert listed("upload_date=2026-03-05") == ["polled"]


def test_a_list_looks_through_a_bounded_number(fresh: Any, an_exam: Any) -> None:
    """A page of the list costs no more than the transactions that may be looked through: it says where to go on, to the end."""
    walk = fresh.walk
    for number in range(7):
        assert walk.post(walk.body(f"t{number}", [an_exam(number)])).status == 202
    url = f"{walk.doc['nrdr']}/lcsr/transactions?"
    assert "next" not in walk.get(url).document
    changed = {"environment": "test", "settings": {"nrdr.list.examined": 3}}
    assert walk.control("POST", "/applications/default/settings", changed).status == 200
    pages = [walk.get(url + "facility=none").document]
    while "next" in pages[-1]:
        pages.append(walk.get(f"{url}facility=none&after={pages[-1]['next']}").document)
    assert [page.get("next") for page in pages] == ["t2", "t5", None]
    assert all(page["transactions"] == [] for page in pages)
    listed = [row["Transaction_ID"] for row in walk.get(url + "after=t2").document["transactions"]]
    assert listed == ["t3", "t4", "t5"]
