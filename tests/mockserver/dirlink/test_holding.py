"""Reports of unconfigured stations: fourteen days of business time to the second, then gone without a trace of the patient."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SITE = Callable[..., Any]
CAME, LAST_SECOND, END = "2026-03-02T12:00:00.000000Z", "2026-03-16T11:59:59.999999Z", "2026-03-16T12:00:00.000000Z"


def held(site: Any, dose: Any, sop: str = "1.2.100.1", **more: Any) -> str:
    """A report that is held since `CAME`."""
    site.freeze(CAME)
    came: str = site.receive(dose.report(sop, **more))
    assert site.state(came) == "HELD"
    return came


def bytes_of(site: Any, dose: Any, sop: str) -> bytes | None:
    """The report's bytes as kept."""
    found: bytes | None = site.core.objects.get(dose.SCOPE, sop, site.stored(sop).sha256)
    return found


def test_held_to_the_second_and_then_deleted(site: SITE, dose: Any) -> None:
    """A microsecond before the end it is there, at the end it is not, and the log line names no patient."""
    run = site()
    sop = held(run, dose)
    run.freeze(LAST_SECOND)
    assert run.state(sop) == "HELD"
    assert bytes_of(run, dose, sop) is not None
    run.freeze(END)
    assert run.state(sop) == "EXPIRED"
    assert bytes_of(run, dose, sop) is None
    (event,) = run.events("dir-expired")
    assert event.at == END
    assert set(event.data) == {"sop_instance", "received", "reason"}
    assert not dose.identifying(json.dumps(event.data).encode())
    assert run.stored(sop).study_uid == ""


def test_advancing_by_fourteen_days_is_enough(site: SITE, dose: Any) -> None:
    """On a clock that runs, fourteen days after the receipt are over when it is moved by that."""
    run = site()
    sop = run.receive(dose.report("1.2.100.1"))
    assert run.state(sop) == "HELD"
    run.call("POST", "/clock", {"application": "default", "advance": 14 * 86_400 - 3_600})
    assert run.state(sop) == "HELD"
    run.call("POST", "/clock", {"application": "default", "advance": 3_600})
    assert run.state(sop) == "EXPIRED"


def test_configured_before_the_end_the_whole_backlog_goes(site: SITE, dose: Any) -> None:
    """Every report of the station goes on, those of another stay held, and the clock changes nothing any more."""
    run = site()
    run.freeze(CAME)
    mine = [run.receive(dose.report(f"1.2.100.{n}", study=f"1.2.3.{n}")) for n in range(1, 131)]
    other = run.receive(dose.report("1.2.100.999", station="CT2", study="1.2.4"))
    assert run.state(other) == "HELD"
    run.freeze(LAST_SECOND)
    run.configure("CT1")
    run.freeze(END)
    assert {run.state(sop) for sop in mine} == {"ACKNOWLEDGED"}
    assert run.state(other) == "EXPIRED"
    assert len(run.call("GET", "/central")["reports"]) == 130


def test_configured_at_the_very_end_is_too_late(site: SITE, dose: Any) -> None:
    """At the second of deletion configuring brings nothing back, whichever job comes first."""
    run = site()
    sop = held(run, dose)
    run.core.jobs.stop()  # so that the deletion has not been done when the station is configured
    run.freeze(END)
    run.configure("CT1")
    run.core.jobs.start()
    assert run.state(sop) == "EXPIRED"


def test_the_end_of_the_time_comes_while_the_server_is_down(site: SITE, dose: Any, tmp_path: Path) -> None:
    """After a restart what expired meanwhile is deleted, and what was configured in time goes on."""
    run = site(tmp_path)
    late, kept = held(run, dose), held(run, dose, "1.2.100.2", station="CT2", study="1.2.5")
    run.core.jobs.stop()
    run.freeze(LAST_SECOND)
    run.configure("CT2")
    run.freeze(END)
    run.restart()
    assert run.state(late) == "EXPIRED"
    assert run.state(kept) == "ACKNOWLEDGED"


def test_a_report_without_a_station_is_held_under_none(site: SITE, dose: Any) -> None:
    """No Station Name, or one of spaces: no configuration can match it."""
    run = site()
    absent, blank = run.receive(dose.report("1.2.100.1", station=None)), run.receive(dose.report("1.2.100.2", station="  "))
    run.call("POST", "/applications/default/stations", {"station": "(none)"}, status=201)
    assert (run.state(absent), run.state(blank)) == ("HELD", "HELD")
    shown = run.call("GET", "/applications/default/reports", station="(none)")["reports"]
    assert {one["sop_instance"] for one in shown} == {absent, blank}
    assert "no Station Name" in shown[0]["reasons"][0]


@pytest.mark.parametrize(
    ("came", "configured"),
    [("ct1", "CT1"), (" CT1", "CT1"), ("CT-1", "CT1"), ("CT_ROOM_2", "CT ROOM 2"), ("SCANNER12", "SCANNER2")],
)
def test_a_near_miss_is_shown_as_it_is(site: SITE, dose: Any, came: str, configured: str) -> None:
    """Another case, a leading space, a sign too many: held, and what was got and what is configured stand side by side."""
    run = site()
    run.configure(configured)
    sop = run.receive(dose.report("1.2.100.1", station=came))
    assert run.state(sop) == "HELD"
    shown = run.call("GET", f"/applications/default/reports/{sop}")
    assert shown["near"] == configured
    assert any(f"got `{came}" in reason and f"configured `{configured}`" in reason for reason in shown["reasons"])
    (event,) = run.events("dir-report")
    assert (event.data.get("station_configured", False), event.data["station_near"]) == (False, configured)


def test_trailing_spaces_are_padding(site: SITE, dose: Any) -> None:
    """`CT1 ` and `CT1` are the same name."""
    run = site()
    run.configure("CT1  ")
    assert run.state(run.receive(dose.report("1.2.100.1", station="CT1 "))) == "ACKNOWLEDGED"


def test_a_station_taken_back_holds_again(site: SITE, dose: Any) -> None:
    """Reports that come after are held; those that went are gone; another removal is refused."""
    run = site()
    run.configure("CT1")
    assert run.state(run.receive(dose.report("1.2.100.1"))) == "ACKNOWLEDGED"
    run.call("DELETE", "/applications/default/stations", environment="test", station="CT1")
    assert run.state(run.receive(dose.report("1.2.100.2", study="1.2.6"))) == "HELD"
    run.call("DELETE", "/applications/default/stations", status=404, environment="test", station="CT1")
    assert run.call("GET", "/applications/default/stations")["stations"] == []


@pytest.mark.parametrize("name", ["", "   ", "x" * 17, "A\\B", "A\x07"])
def test_no_station_name(site: SITE, name: str) -> None:
    """What can be no SH value is refused, and it is said why (PS3.5 table 6.2-1)."""
    assert "station" in json.dumps(site().call("POST", "/applications/default/stations", {"station": name}, status=422))


def test_a_reset_forgets_the_reports(site: SITE, dose: Any) -> None:
    """After a reset there is no report, no station, no job; and the same report can come again."""
    run = site()
    sop = held(run, dose)
    run.configure("CT9")
    run.call("POST", "/reset", {"application": "default"})
    assert run.call("GET", "/applications/default/reports")["reports"] == []
    assert run.call("GET", "/applications/default/stations")["stations"] == []
    assert run.call("GET", "/jobs", wait=10)["jobs"] == []
    assert run.state(run.receive(dose.report(sop))) == "HELD"


def test_a_reset_keeps_the_registered_stations(site: SITE) -> None:
    """Stations that the registration names are configured after a reset, as after the registration."""
    run = site()
    run.register(name="Stations", station=["CT1"])
    run.call("POST", "/applications/stations/stations", {"station": "CT2"}, status=201)
    before = run.call("GET", "/applications/stations/stations")["stations"]
    assert [station["name"] for station in before] == ["CT1", "CT2"]
    run.call("POST", "/reset", {"application": "stations"})
    after = run.call("GET", "/applications/stations/stations")["stations"]
    assert [station["name"] for station in after] == ["CT1"]


def test_real_bytes_under_a_synthetic_uid_go_too(site: SITE, dose: Any) -> None:
    """Where bytes of a real person come under the UID of a synthetic report, both are deleted when their retention has passed."""
    run = site(accept_real_data=True)
    run.freeze(CAME)
    run.configure("CT1")
    made = run.receive(dose.report("1.2.100.1"))
    real = dose.report("1.2.100.1", name="Doe^Jane")
    assert run.receive(real) == made
    assert run.stored(made).copies
    run.freeze("2026-04-01T12:00:00Z")
    assert run.state(made) == "EXPIRED"
    assert run.core.objects.get(dose.SCOPE, made, hashlib.sha256(real).hexdigest()) is None


def test_what_could_never_come_is_not_planted(site: SITE, dose: Any) -> None:
    """A report without a SOP Instance UID, or with one that is none, cannot be planted: it says why, and nothing is kept."""
    run = site()
    for sop in ("", "../../x", "1" * 65):
        report = {"data": base64.b64encode(dose.report(sop)).decode(), "transfer_syntax": "1.2.840.10008.1.2.1"}
        answer = run.call("POST", "/applications/default/planted", {"reports": [report]}, status=422)
        assert "could never come" in answer["detail"]
    assert run.events("dir-planted") == []


def test_real_data_goes_when_its_retention_has_passed(site: SITE, dose: Any) -> None:
    """A report of a real person is deleted after the layer's days, though it was sent on long ago; a synthetic one stays."""
    run = site(accept_real_data=True)
    run.freeze(CAME)
    run.configure("CT1")
    real, made = run.receive(dose.report("1.2.100.1", name="Doe^Jane")), run.receive(dose.report("1.2.100.2", study="1.2.7"))
    assert (run.state(real), run.state(made)) == ("ACKNOWLEDGED", "ACKNOWLEDGED")
    run.freeze("2026-04-01T12:00:00Z")
    assert (run.state(real), run.state(made)) == ("EXPIRED", "ACKNOWLEDGED")
    assert bytes_of(run, dose, real) is None
    assert run.call("GET", f"/applications/default/reports/{real}/anonymised", status=404)


def test_a_retention_that_grows_is_still_a_retention(site: SITE, dose: Any) -> None:
    """Made longer while a report of a real person is there, it ends later; the report is deleted then all the same."""
    run = site(accept_real_data=True)
    run.freeze(CAME)
    run.configure("CT1")
    real = run.receive(dose.report("1.2.100.1", name="Doe^Jane"))
    run.call("POST", "/applications/default/settings", {"settings": {"dirlink.real_data.retention_days": 60}})
    run.freeze("2026-04-01T12:00:00Z")
    assert run.state(real) == "ACKNOWLEDGED"
    run.freeze("2026-06-01T12:00:00Z")
    assert run.state(real) == "EXPIRED"
