"""Planting: the target that the flags name, the reports, and how they reach a vendor, or do not."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE, evt
from witness import tool

from acrmock.clock import SystemClock
from acrmock.dose.part10 import split
from acrmock.errors import SetupError
from conformance.runs import planting
from conformance.runs.planting import UNASKED, Crop, Planting, Target, crops, target_of
from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.listening import Inbox

CLOCK = SystemClock()
STATIONS = ("CT1", "XA1")


class Server:
    """Takes what is announced, as the control API does."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []

    def plant(self, application: str, environment: str, reports: Sequence[dict[str, Any]]) -> None:
        """Note what is announced."""
        assert (application, environment) == ("default", "test")
        self.told += reports


def planted(server: Server, target: Target, made: Sequence[Crop], said: list[str]) -> Planting:
    """Plant, and wait until it is done."""
    found = Planting(
        control=server,  # type: ignore[arg-type] # all that planting asks of a control API
        application="default",
        environment="test",
        target=target,
        crops=made,
        clock=CLOCK,
        tell=said.append,
    )
    assert not found.done
    found.begin()
    assert found.done or target.folder is None, "into a folder, all is planted before the client is started"
    while not found.done:
        CLOCK.wait(0.02)
    found.end()
    return found


def test_the_same_seed_gives_the_same_reports() -> None:
    """As many as asked for of the stations asked for, in turn, and the unwanted ones of another; another seed, others."""
    made = crops(5, 4, 2, STATIONS, CLOCK)
    assert [one.object.station for one in made] == ["CT1", "XA1", "CT1", "XA1", UNASKED, UNASKED]
    assert [one.expected for one in made] == [True] * 4 + [False] * 2
    assert len({one.object.sop_instance for one in made}) == 6
    assert [one.file for one in crops(5, 4, 2, STATIONS, CLOCK)] == [one.file for one in made]
    assert not {one.object.sop_instance for one in crops(6, 4, 2, STATIONS, CLOCK)} & {one.object.sop_instance for one in made}
    assert all(split(one.file).data_set == one.object.data for one in made)


def test_planted_reports_are_in_the_normal_form_of_dcmtk(tmp_path: Path) -> None:
    """A vendor built on DCMTK that reads and writes a planted file changes no byte of its data set."""
    dcmconv = tool("dcmconv")
    for number, one in enumerate(crops(11, 8, 2, STATIONS, CLOCK)):
        source, target = tmp_path / f"{number}.dcm", tmp_path / f"{number}.out.dcm"
        source.write_bytes(one.file)
        subprocess.run([dcmconv, str(source), str(target)], check=True, timeout=60)
        found = split(target.read_bytes())
        assert found.transfer_syntax == one.object.transfer_syntax
        assert found.data_set == one.object.data


def test_over_the_wire(tmp_path: Path) -> None:
    """Each report is announced before it goes, and goes as it is."""
    made, server, said = crops(1, 2, 1, STATIONS, CLOCK), Server(), []
    with Inbox("VENDOR", 0) as inbox:
        done = planted(server, Target(peer=Peer(ae_title="VENDOR", host="127.0.0.1", port=inbox.port)), made, said)
        arrived = [inbox.next(5) for _ in made]
    assert (done.failed, said) == ("", [])
    assert [one.data for one in arrived if one] == [one.object.data for one in made]
    assert [base64.b64decode(one["data"]) for one in server.told] == [one.object.data for one in made]
    assert [one["expected"] for one in server.told] == [True, True, False]
    assert list(tmp_path.iterdir()) == []


def test_into_a_folder(tmp_path: Path) -> None:
    """Each report is a file; nothing half-written is ever seen under its name."""
    made, server, said = crops(1, 3, 0, STATIONS, CLOCK), Server(), []
    planted(server, Target(folder=tmp_path), made, said)
    assert [path.read_bytes() for path in sorted(tmp_path.glob("*.dcm"))] == [one.file for one in made]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"planted-{number:04d}.dcm" for number in range(3)]
    assert len(server.told) == 3


def test_a_folder_that_goes_away_is_told(tmp_path: Path) -> None:
    """Planting ends with a sentence, not with a traceback."""
    said: list[str] = []
    (tmp_path / "gone").write_text("now a file")
    done = planted(Server(), Target(folder=tmp_path / "gone"), crops(1, 1, 0, STATIONS, CLOCK), said)
    assert done.failed
    assert said[0].startswith("reports could not be planted")


def test_a_vendor_that_never_listens_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the wait nothing was announced, so that nobody is blamed for what he never got."""
    monkeypatch.setattr(planting, "WAIT_SECONDS", 0.3)
    said: list[str] = []
    server = Server()
    with Inbox("PROBE", 0) as probe:
        port = probe.port
    planted(server, Target(peer=Peer(ae_title="X", host="127.0.0.1", port=port)), crops(1, 1, 0, STATIONS, CLOCK), said)
    assert said == ["reports could not be planted: nobody answers there"]
    assert server.told == []


def test_a_vendor_that_refuses_is_told() -> None:
    """A status of failure is told with its number; the others are planted all the same."""
    seen: list[str] = []

    def store(event: Any) -> int:
        seen.append(str(event.request.AffectedSOPInstanceUID))
        return 0xA700 if len(seen) == 1 else 0

    ae = AE(ae_title="FULL")
    made = crops(1, 2, 0, STATIONS, CLOCK)
    ae.add_supported_context("1.2.840.10008.1.1")
    for one in made:
        ae.add_supported_context(one.object.sop_class, one.object.transfer_syntax)
    handlers: list[Any] = [(evt.EVT_C_STORE, store)]
    running = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert running is not None
    said: list[str] = []
    planted(Server(), Target(peer=Peer(ae_title="FULL", host="127.0.0.1", port=running.socket.getsockname()[1])), made, said)
    running.shutdown()
    assert len(seen) == 2
    assert said == ["the vendor refused a report: A700H"]


@pytest.mark.parametrize(
    "text", ["x", "AE@host", "@host:1", "AE@host:0", "AE@host:65536", "AE@ho st:1", "A" * 17 + "@h:1", "AE@h:1x", "AE@:1"]
)
def test_what_is_no_address(text: str) -> None:
    """Each wrong address is an error that shows the form."""
    with pytest.raises(SetupError, match=r"AE@HOST:PORT|no AE title"):
        target_of(text, None)


def test_targets(tmp_path: Path) -> None:
    """An address of either family, a folder, nothing; both at once and a folder that is not there are errors."""
    assert target_of("PACS@localhost:104", None) == Target(peer=Peer(ae_title="PACS", host="localhost", port=104))
    assert target_of("MY PACS@[::1]:104", None) == Target(peer=Peer(ae_title="MY PACS", host="::1", port=104))
    assert target_of(None, tmp_path) == Target(folder=tmp_path)
    assert target_of(None, None) is None
    with pytest.raises(SetupError, match="in one place"):
        target_of("A@b:1", tmp_path)
    with pytest.raises(SetupError, match="no such folder"):
        target_of(None, tmp_path / "nowhere")
