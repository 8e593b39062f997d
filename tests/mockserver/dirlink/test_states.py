"""What becomes of what was received: put aside, dropped as duplicate, sent on, tried again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.dirlink.duplicates import InStudy, judge

SITE = Callable[..., Any]


def ready(site: SITE, **options: Any) -> Any:
    """An engine whose station CT1 is configured."""
    run = site(**options)
    run.configure("CT1")
    return run


def words(run: Any, sop: str) -> list[str]:
    """The states that a report came to, in order."""
    run.idle()
    return [step.state for step in run.stored(sop).history]


def test_the_way_of_a_good_report(site: SITE, dose: Any) -> None:
    """Received, queued, anonymised, submitted, acknowledged; nothing of the patient is in the registry or journal."""
    run = ready(site)
    sop = run.receive(dose.report("1.2.100.1"))
    assert words(run, sop) == ["RECEIVED", "QUEUED", "ANONYMIZED", "SUBMITTED", "ACKNOWLEDGED"]
    central = run.call("GET", "/central")["reports"]
    assert [one["sop_instance"] for one in central] == [run.stored(sop).central]
    with run.core.store.read() as snapshot:
        journal = b"\n".join(line for _, line in snapshot.entries())
    assert not dose.identifying(json.dumps(central).encode())
    assert not dose.identifying(journal)


def test_reports_are_listed_page_by_page(site: SITE, dose: Any) -> None:
    """Each page says where the next one begins, also of what a filter leaves; the last one says that it is the last."""
    run = ready(site)
    came = sorted(run.receive(dose.report(f"1.2.100.{number}", dose=number != 2)) for number in range(6))
    run.idle()
    again = [sop for sop in came if run.stored(sop).state == "DUPLICATE"]
    assert len(again) > 2
    for query, expected in (({}, came), ({"state": "DUPLICATE"}, again), ({"state": "HELD"}, [])):
        found, after = [], ""
        while True:
            page = run.call("GET", "/applications/default/reports", count=2, after=after, **query)
            found += [report["sop_instance"] for report in page["reports"]]
            after = page["next"]
            if not after:
                break
            assert len(page["reports"]) == 2
        assert found == expected


def test_what_is_no_dose_report_is_put_aside(site: SITE, dose: Any) -> None:
    """Another structured report is taken, so that no PACS is held up, and goes nowhere; so is what cannot be read to its end."""
    run = ready(site)
    other = run.receive(dose.report("1.2.100.1", dose=False))
    cut = run.receive(dose.report("1.2.100.2")[:-7])
    assert words(run, other) == ["RECEIVED", "QUARANTINED"]
    assert words(run, cut) == ["RECEIVED", "QUARANTINED"]
    assert "not a dose report" in run.stored(other).reasons
    assert "cannot be read" in run.stored(cut).reasons[0]
    assert [event.data.get("dose", False) for event in run.events("dir-report")] == [False, False]
    assert [event.data.get("readable", True) for event in run.events("dir-report")] == [True, False]
    assert run.call("GET", "/central")["reports"] == []


def test_a_class_that_is_not_collected_is_put_aside(site: SITE, dose: Any) -> None:
    """A radiopharmaceutical report is recognised, and not sent on."""
    run = ready(site)
    data = dose.report("1.2.100.1").replace(b"113701", b"113500")
    sop = run.receive(data)
    assert words(run, sop) == ["RECEIVED", "QUARANTINED"]
    assert "not collected" in run.stored(sop).reasons[0]


def test_the_same_bytes_again_change_nothing(site: SITE, dose: Any) -> None:
    """The same report a second time leaves one report, one event and one place in the registry."""
    run = ready(site)
    sop = run.receive(dose.report("1.2.100.1"))
    run.idle()
    run.receive(dose.report("1.2.100.1"))
    run.idle()
    assert len(run.events("dir-report")) == 1
    assert len(run.call("GET", "/central")["reports"]) == 1
    assert run.stored(sop).copies == ()


def test_other_bytes_under_a_uid_are_kept_and_said(site: SITE, dose: Any) -> None:
    """A copy that differs is read too, so that it can be compared, but the first one stands."""
    run = ready(site)
    sop = run.receive(dose.report("1.2.100.1"), planted=True)
    run.receive(dose.report("1.2.100.1", time="101113"), planted=True)
    run.idle()
    first, second = run.events("dir-report")
    assert first.data["digest"] != second.data["digest"]
    changed = {path for path in first.data["tags"] if first.data["tags"][path] != second.data["tags"].get(path)}
    assert changed == {"00080030"}
    assert len(run.stored(sop).copies) == 1
    assert any("other bytes" in reason for reason in run.stored(sop).reasons)
    assert len(run.call("GET", "/central")["reports"]) == 1


def test_a_cumulative_study(site: SITE, dose: Any) -> None:
    """Each report has the events of those before and more: the last one stands, here and in the registry."""
    run = ready(site)
    sops = [
        run.receive(dose.report(f"1.2.100.{n}", events=[f"1.2.9.{k}" for k in range(n)])) for n in (1, 2, 3) if not run.idle()
    ]
    assert [run.state(sop) for sop in sops] == ["DUPLICATE", "DUPLICATE", "ACKNOWLEDGED"]
    assert "replaced by 1.2.100.3" in run.stored(sops[1]).history[-1].why
    reports = {one["sop_instance"]: one for one in run.call("GET", "/central")["reports"]}
    standing = [sop for sop, one in reports.items() if not one.get("replaced_by")]
    assert standing == [run.stored(sops[2]).central]


def test_a_continued_study_and_a_repeated_one(site: SITE, dose: Any) -> None:
    """No event in common: both stay. All in common: the later is dropped. Some: both stay and it is said."""
    run = ready(site)
    one = run.receive(dose.report("1.2.100.1", events=["1.2.9.1", "1.2.9.2"]))
    run.idle()
    two = run.receive(dose.report("1.2.100.2", events=["1.2.9.3"], time="111111"))
    subset = run.receive(dose.report("1.2.100.3", events=["1.2.9.2"]))
    partly = run.receive(dose.report("1.2.100.4", events=["1.2.9.2", "1.2.9.7"], time="121212"))
    elsewhere = run.receive(dose.report("1.2.100.5", events=["1.2.9.1"], study="1.2.3.5", time="131313"))
    assert [run.state(sop) for sop in (one, two, subset, partly, elsewhere)] == [
        "ACKNOWLEDGED",
        "ACKNOWLEDGED",
        "DUPLICATE",
        "ACKNOWLEDGED",
        "ACKNOWLEDGED",
    ]
    assert any("shares some events" in reason for reason in run.stored(partly).reasons)


SETS = st.frozensets(st.sampled_from("abcd"))


@given(SETS, st.dictionaries(st.sampled_from(["1", "2", "3"]), SETS))
def test_the_rules_of_sets(mine: frozenset[str], others: dict[str, frozenset[str]]) -> None:
    """A report is dropped exactly where another has all its events; it replaces exactly those whose events it has and more."""
    ruling = judge("0", mine, [InStudy(sop_instance=sop, events=tuple(theirs)) for sop, theirs in others.items()])
    within = [sop for sop, theirs in others.items() if mine and mine <= theirs]
    assert bool(ruling.duplicate_of) == bool(within)
    if not within:
        assert set(ruling.replaces) == {sop for sop, theirs in others.items() if theirs and theirs < mine}
        assert set(ruling.overlaps) == {sop for sop, theirs in others.items() if theirs & mine and not theirs <= mine}


def test_nothing_is_lost_while_the_central_server_is_down(site: SITE, dose: Any) -> None:
    """Reports fail, wait longer each time, and all arrive once when it is up again; none arrives twice."""
    run = ready(site)
    run.call("POST", "/central", {"down": True})
    sops = [run.receive(dose.report(f"1.2.100.{n}", study=f"1.2.3.{n}", time=f"1011{n:02}")) for n in range(1, 8)]
    assert {run.state(sop) for sop in sops} == {"FAILED"}
    assert "answered 503" in run.stored(sops[0]).reasons[-1]
    assert run.stored(sops[0]).next_try
    assert run.call("GET", "/central")["reports"] == []
    run.call("POST", "/central", {"down": False})
    assert {run.state(sop) for sop in sops} == {"ACKNOWLEDGED"}
    assert len(run.call("GET", "/central")["reports"]) == 7


def test_a_server_that_fails_twice_is_asked_a_third_time(site: SITE, dose: Any, tmp_path: Path) -> None:
    """The first answers are 503, then the report goes by itself; the pauses double; a restart in between forgets nothing."""
    quick = "{value: 0.05, provenance: mock-choice, sources: [MOCK]}"
    layer = f"schema: acrmock/layer/1\nkind: settings\nsettings:\n  dirlink.retry.first_seconds: {quick}\n"
    (tmp_path / "quick.yaml").write_text(layer)
    run = ready(site, data=tmp_path / "data", overlays=[tmp_path / "quick.yaml"])
    run.call("POST", "/central", {"answer": 503, "first": 2})
    sop = run.receive(dose.report("1.2.100.1"))
    run.restart()
    found = run.call("GET", "/journal/await", name="dir-state", count=3, timeout=20)
    assert found["matched"] == 3
    assert words(run, sop)[-1] == "ACKNOWLEDGED"
    assert run.stored(sop).attempts == 2


@pytest.mark.parametrize(("answer", "state"), [(202, "ACKNOWLEDGED"), (401, "FAILED"), (409, "REJECTED"), (500, "FAILED")])
def test_each_answer_has_its_state(site: SITE, dose: Any, answer: int, state: str) -> None:
    """Taken with warnings, no token, refused, broken: the state says which, and why."""
    run = ready(site)
    run.call("POST", "/central", {"answer": answer, "first": 1})
    sop = run.receive(dose.report("1.2.100.1"))
    assert run.state(sop) == state
    assert answer == 202 or str(answer) in run.stored(sop).history[-1].why


FEED = """
import sys
sys.path[:0] = [{here!r}]
import dose_support as dose
from pathlib import Path
site = dose.Site(Path({data!r}))
if not site.core.applications.all():
    site.register(); site.configure("CT1")
print("ready", flush=True)
for n in range(1, 25):
    site.receive(dose.report(f"1.2.100.{{n}}", study=f"1.2.3.{{n}}", time=f"1011{{n:02}}"))
    print(n, flush=True)
print("idle" if site.core.jobs.idle(60) else "busy", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
@pytest.mark.timeout(120)
def test_killed_at_any_moment_each_report_arrives_once(dose: Any, tmp_path: Path) -> None:
    """Killed while it receives, reads and sends on: after the last start every report is in the registry, once."""
    code = FEED.format(here=str(Path(__file__).parent.parent), data=str(tmp_path / "data"))
    for moment in ("3", "11", "24"):
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip() == moment:
                    process.send_signal(signal.SIGKILL)
                    break
            process.stdout.close()
            assert process.wait(30) == -signal.SIGKILL
    run = dose.Site(tmp_path / "data")
    try:
        sops = [f"1.2.100.{n}" for n in range(1, 25)]
        assert {run.state(sop) for sop in sops} == {"ACKNOWLEDGED"}
        assert len(run.call("GET", "/central")["reports"]) == len(sops)
        assert not run.events("harness-fault")
        read = [event.data["sop_instance"] for event in run.events("dir-report")]
        assert sorted(read) == sorted(sops)
    finally:
        run.stop()


def test_a_policy_that_keeps_the_birth_date(site: SITE, dose: Any, tmp_path: Path) -> None:
    """Where the setting lets the date of birth stay, the central server takes the report with it."""
    keep = "{value: keep, provenance: mock-choice, sources: [MOCK]}"
    (tmp_path / "keep.yaml").write_text(
        f"schema: acrmock/layer/1\nkind: settings\nsettings:\n  dirlink.birth_date_policy: {keep}\n"
    )
    run = ready(site, overlays=[tmp_path / "keep.yaml"])
    assert run.state(run.receive(dose.report("1.2.100.1"))) == "ACKNOWLEDGED"


def test_a_policy_of_one_application(site: SITE, dose: Any) -> None:
    """A setting of the application holds for its reports: the date of birth stays, the hold is as long as it says."""
    run = ready(site)
    settings = {"dirlink.birth_date_policy": "keep", "dirlink.hold_days": 2}
    run.call("POST", "/applications/default/settings", {"settings": settings})
    sop = run.receive(dose.report("1.2.100.1"))
    assert run.state(sop) == "ACKNOWLEDGED"
    changes = run.call("GET", f"/applications/default/reports/{sop}/anonymised")["changes"]
    assert "00100030" not in [change["path"] for change in changes]
    stranger = run.receive(dose.report("1.2.100.2", study="1.2.3.5", station="XA9"))
    assert run.state(stranger) == "HELD"
    run.call("POST", "/clock", {"application": "default", "advance": 2 * 86_400})
    assert run.state(stranger) == "EXPIRED"


def test_a_setting_that_no_report_would_obey_is_refused(site: SITE) -> None:
    """What the receiver, the reader and the registry take from the layers alone cannot be set for one application."""
    run = ready(site)
    for key, value in {"dirlink.limit.object_bytes": 1000, "central.phantom.factor": 2.0}.items():
        refusal = run.call("POST", "/applications/default/settings", {"settings": {key: value}}, status=422)
        assert "holds for the whole server" in refusal["fields"][0]["reason"]
