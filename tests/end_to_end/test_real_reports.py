"""Real dose reports, where they lie beside the project: from DCMTK's senders through DIR Link to the registry, and nobody."""

from __future__ import annotations

import io
import json
import subprocess
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydicom
import pytest
from dose_files import EXPLICIT, real_files
from leaks import leaks, numbers
from witness import tool

from acrmock.dose.header import read_header
from acrmock.dose.part10 import split
from conformance.control import Control
from mockserver import Engine
from mockserver.central import receive

NO_REPORT = "ESR_non-dose.dcm"
NAMELESS = "siemens_axiom_example_procedure.dcm"
"""It has no Station Name, so no configuration can be about it: it is held."""
GONE_ON = {"ACKNOWLEDGED", "DUPLICATE"}


def header(path: Path) -> Any:
    """What stands at the top of a file."""
    parts = split(path.read_bytes())
    return read_header(parts.data_set, parts.transfer_syntax)


@dataclass
class Site:
    """A server that takes real data, in which the stations of the real files are configured."""

    control: Control
    port: int
    idle: Callable[[float], bool]
    at_the_registry: list[bytes] = field(default_factory=list)

    def states(self) -> dict[str, str]:
        """The state of each report by SOP Instance UID, once everything that is due is done."""
        assert self.idle(60)
        return {report["sop_instance"]: report["state"] for report in self.control.reports("default", "test")}

    def recognised(self) -> set[str]:
        """What was read as a dose report."""
        lines = map(json.loads, self.control.journal(application="default"))
        read = [line["data"] for line in lines if line.get("name") == "dir-report"]
        return {data["sop_instance"] for data in read if data.get("dose")}

    def central(self) -> list[dict[str, Any]]:
        """What the registry holds."""
        found: list[dict[str, Any]] = self.control._json("GET", "/_acrmock/central")["reports"]
        return found


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """One site; what reaches the registry's server is kept as it came over its wire."""
    files = real_files()
    taken: list[bytes] = []
    read = receive.read

    def spied(core: Any, scope: Any, instance: bytes, envelope: Any) -> Any:
        file = split(instance)
        taken.append(file.data_set)
        assert file.transfer_syntax == EXPLICIT
        return read(core, scope, instance, envelope)

    monkeypatch.setattr(receive, "read", spied)
    with Engine(dicom_port=0, accept_real_data=True) as engine:
        ready = engine.ready
        assert ready is not None
        assert engine.core is not None
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            control.register({"name": "Dose", "ip": ["198.51.100.7"], "dicom": ["STORESCU"]})
            for name in {(header(path).station_name or "").strip(" \0") for path in files} - {""}:
                control.configure_station("default", "test", name)
            assert ready.dicom_port is not None
            yield Site(control, ready.dicom_port, engine.core.jobs.idle, taken)


def test_all_arrive_and_nobody_is_in_the_registry(site: Site) -> None:
    """All twelve come from storescu, eleven as dose reports; doses stay, and nothing that identifies anybody is left of them."""
    files = real_files()
    call = [tool("storescu"), "-aec", "DIRLINK", "-R", "127.0.0.1", str(site.port), *map(str, files)]
    done = subprocess.run(call, capture_output=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    states, own = site.states(), {header(path).sop_instance: path for path in files}
    assert {own[uid].name: state for uid, state in states.items() if state not in GONE_ON} == {
        NO_REPORT: "QUARANTINED",
        NAMELESS: "HELD",
    }
    assert site.recognised() == {uid for uid, path in own.items() if path.name != NO_REPORT}
    held = site.central()
    acknowledged, replaced = (sum(state == word for state in states.values()) for word in ("ACKNOWLEDGED", "DUPLICATE"))
    assert acknowledged + replaced == 10
    # the first part of a study may have been sent on before the whole of it came and took its place
    assert acknowledged <= len(held) <= acknowledged + replaced
    record = {one["sop_instance"]: json.dumps(one, ensure_ascii=False).encode() for one in held}
    central = {one["sop_instance"]: one["central"] for one in site.control.reports("default", "test")}
    arrived = {doses(data): data for data in site.at_the_registry}
    compared = 0
    for path in files:
        original = path.read_bytes()
        if states[header(path).sop_instance] == "ACKNOWLEDGED":
            assert doses(original) in arrived, f"the doses of {path.name} are not those that arrived"
            assert leaks(original, arrived[doses(original)]) == set(), path.name
            assert leaks(original, record[central[header(path).sop_instance]]) == set(), path.name
            compared += 1
    assert compared >= 9


def doses(file: bytes) -> str:
    """Every number of a report as pydicom reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(io.BytesIO(file), force=True)
        if not data_set.file_meta:
            data_set = pydicom.filereader.read_dataset(io.BytesIO(file), is_implicit_VR=False, is_little_endian=True)
        return json.dumps(numbers(data_set))


def test_dcmsend_sends_what_it_is_willing_to(site: Site) -> None:
    """Files one by one, because dcmsend stops at the first UID that it does not like: it refuses three, and nine arrive."""
    sent = {path for path in real_files() if dcmsend(path, site.port) == 0}
    states = site.states()
    assert set(states) == {header(path).sop_instance for path in sent}
    assert len(sent) == len(real_files()) - 3
    assert {header(path).sop_instance for path in sent if path.name not in {NO_REPORT, NAMELESS}} == {
        uid for uid, state in states.items() if state in GONE_ON
    }


def dcmsend(path: Path, port: int) -> int:
    """Its exit code for one file."""
    call = [tool("dcmsend"), "-aec", "DIRLINK", "127.0.0.1", str(port), str(path)]
    return subprocess.run(call, capture_output=True, timeout=60, check=False).returncode
