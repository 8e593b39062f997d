"""The system requirements of ACR Connect and DIR Link, as a checklist of hosts made up for it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from acrmock.facts import Provenance, load_facts
from conformance.reports.site import Host, Line, Status, checklist

FACTS = load_facts()
GOOD = Host(
    system="Windows",
    release="2019Server",
    build=17763,
    server=True,
    processor="Intel(R) Xeon(R) Gold 6230",
    cores=8,
    memory=32 * 2**30,
    drive="C:\\",
    drive_exists=True,
    disk=500 * 10**9,
    disk_free=100 * 10**9,
)


def lines(**changed: object) -> dict[str, Line]:
    """The checklist of the good host with something changed, by requirement."""
    return {line.requirement: line for line in checklist(msgspec.structs.replace(GOOD, **changed), FACTS).lines}


def test_a_host_as_recommended() -> None:
    """Everything that can be measured is as recommended; the certificate is for a person to look at."""
    report = checklist(GOOD, FACTS)
    assert report.met
    assert {line.requirement: line.status for line in report.lines if line.status is not Status.RECOMMENDED} == {
        "certificate": Status.CANNOT_TELL,
    }
    assert len(report.lines) == 7
    assert all(line.provenance is Provenance.ACR and line.sources for line in report.lines)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"build": 14393}, Status.MINIMUM),
        ({"build": 20348}, Status.BELOW_MINIMUM),
        ({"build": 9600}, Status.BELOW_MINIMUM),
        ({"build": 26100}, Status.CANNOT_TELL),
        ({"build": 99999}, Status.CANNOT_TELL),
        ({"build": 17763, "server": False}, Status.BELOW_MINIMUM),
        ({"system": "Linux", "build": None, "server": None}, Status.BELOW_MINIMUM),
        ({"system": "Darwin", "build": None, "server": None}, Status.BELOW_MINIMUM),
    ],
)
def test_operating_systems(changed: dict[str, object], status: Status) -> None:
    """2016 is the least, 2019 recommended, 2022 not supported, a later one unknown; a desktop and other systems are none."""
    assert lines(**changed)["operating system"].status is status


def test_server_2022_is_said_to_be_unsupported() -> None:
    """The advice names the release and what to install instead."""
    line = lines(build=20348)["operating system"]
    assert line.actual == "Windows Server 2022"
    assert line.advice == "Windows Server 2022 is not supported: install it on Windows Server 2019"


@pytest.mark.parametrize(
    ("requirement", "field", "below", "least", "better"),
    [
        ("cores", "cores", 3, 4, 8),
        ("memory", "memory", 15_900_000_000, 16 * 2**30, 32_000_000_000),
        ("local storage", "disk", 149 * 10**9, 150 * 10**9, 500 * 10**9),
    ],
)
def test_amounts(requirement: str, field: str, below: int, least: int, better: int) -> None:
    """Below, at least, as recommended, and not known are told apart, and what is below is not met."""
    seen = [lines(**{field: value})[requirement].status for value in (below, least, better, None)]
    assert seen == [Status.BELOW_MINIMUM, Status.MINIMUM, Status.RECOMMENDED, Status.CANNOT_TELL]
    assert not checklist(msgspec.structs.replace(GOOD, **{field: below}), FACTS).met


def test_another_processor_is_for_a_person_to_judge() -> None:
    """ACR takes an equal of a Xeon; which is one cannot be told here."""
    line = lines(processor="AMD EPYC 7402")["processor"]
    assert (line.status, line.actual) == (Status.CANNOT_TELL, "AMD EPYC 7402")
    assert lines(processor="")["processor"].actual == "not known"


def test_the_drive() -> None:
    """A Windows without a drive C: is below the minimum; what was not looked at cannot be told."""
    assert lines(drive_exists=False)["drive"].status is Status.BELOW_MINIMUM
    assert lines(drive_exists=None)["drive"].status is Status.CANNOT_TELL


def test_an_overlay_changes_the_requirements(tmp_path: Path) -> None:
    """Whoever knows newer requirements puts them on top, without code."""
    layer = tmp_path / "site.yaml"
    layer.write_text(
        "schema: acrmock/layer/1\nkind: settings\nsettings:\n  site.cores.recommended:\n    value: 16\n"
        "    provenance: acr\n    sources: [S1]\n  site.os.unsupported:\n    value: []\n    provenance: acr\n    sources: [S1]\n",
    )
    report = checklist(msgspec.structs.replace(GOOD, build=20348), load_facts([layer]))
    found = {line.requirement: line.status for line in report.lines}
    assert (found["cores"], found["operating system"]) == (Status.MINIMUM, Status.CANNOT_TELL)
