"""Large data sets: on their way to the disk while they come in, and nothing is left of what was not kept."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from acrmock.record import AssociationEnd
from mockserver.dirlink.model import PLANTED, Planted
from mockserver.dirlink.objects import LARGE

from .conftest import ABORT, ASSOCIATE_AC, RELEASE_RP, Raw, Receive, command, data_set, element, p_data, pdv

SCOPE = ("default", "test")
PART = 60_000


def large(uid: str = "2.25.1", *, size: int = 5 * LARGE, name: str = "Synthetic^A", first: bytes = b"") -> bytes:
    """A data set that is larger than what is kept in memory; `first` stands before everything else."""
    octets = data_set(uid, name=name, more=element(0x00990010, b"LO", b"ACRMOCK") + element(0x00991000, b"OB", b"\1" * size))
    return first + octets


def send(raw: Raw, uid: str, octets: bytes, *, whole: bool = True) -> None:
    """A C-STORE in many PDUs; not `whole`: without its end."""
    raw.send(p_data(pdv(command(uid=uid.encode()), 3)))
    for at in range(0, len(octets), PART):
        last = at + PART >= len(octets)
        if not last or whole:
            raw.send(p_data(pdv(octets[at : at + PART], 2 if last else 0)))


def bytes_in(folder: Path) -> bytes:
    """What stands in the file of received bytes, without the zeros in front and behind."""
    place = folder / "objects.bytes"
    return place.read_bytes().strip(b"\0") if place.exists() else b""


def test_large_data_sets_are_kept(receive: Receive, tmp_path: Path) -> None:
    """A large report that comes again and again is kept once, as it came, beside others; it goes with its scope."""
    receiver = receive(data=tmp_path / "data")
    octets = large()
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        for _ in range(2):
            send(raw, "2.25.1", octets)
            assert raw.status() == 0
        assert raw.store("2.25.2") == 0
        assert raw.release() == RELEASE_RP
    kept = receiver.report("2.25.1")
    assert kept is not None
    assert (kept.size, kept.sha256) == (len(octets), hashlib.sha256(octets).hexdigest())
    assert receiver.core.objects.get(SCOPE, "2.25.1", kept.sha256) == octets
    assert bytes_in(tmp_path / "data").count(octets[:300]) == 1
    assert [(entry.facts.bytes, entry.facts.same) for entry in receiver.operations()[:2]] == [
        (len(octets), None),
        (len(octets), True),
    ]
    assert receiver.core.jobs.idle(20)
    read = receiver.report("2.25.1")
    assert read is not None
    assert read.state != receiver.core.facts.text("dirlink.state.received")
    with receiver.core.store.write() as unit:
        unit.delete_scope(SCOPE)
    assert bytes_in(tmp_path / "data") == b""


def test_nothing_is_left_of_what_was_refused_or_broke_off(receive: Receive, tmp_path: Path) -> None:
    """A real person's report is refused and one that breaks off is dropped; nothing is left of either."""
    receiver = receive(data=tmp_path / "data")
    with receiver.raw() as raw:
        raw.associate()
        send(raw, "2.25.1", large(name="DOE^JANE"))
        assert raw.status() == 0xC001
        send(raw, "2.25.2", large("2.25.2"), whole=False)
    assert receiver.associations(1)[0].facts.end is AssociationEnd.LOST
    receiver.engine.stop()
    assert bytes_in(tmp_path / "data") == b""


@pytest.mark.parametrize("size", [100, 5 * LARGE])
@pytest.mark.parametrize("synced", [True, False])
def test_planted_reports_of_real_people(receive: Receive, tmp_path: Path, *, synced: bool, size: int) -> None:
    """Bytes that nobody knows to be wanted until the unit has looked are kept as any others, and go as they do."""
    receiver = receive(data=tmp_path / "data", synced=synced)
    octets = large(name="Doe^Jane", size=size)
    with receiver.core.store.write() as unit:
        unit.put(PLANTED, SCOPE, "2.25.1", Planted(sop_instance="2.25.1"))
    with receiver.raw() as raw:
        raw.associate()
        for _ in range(2):
            send(raw, "2.25.1", octets)
            assert raw.status() == 0
    assert receiver.core.objects.get(SCOPE, "2.25.1", hashlib.sha256(octets).hexdigest()) == octets
    receiver.core.jobs.idle(20)
    with receiver.core.store.write() as unit:
        unit.delete_scope(SCOPE)
    assert bytes_in(tmp_path / "data") == b""


def test_nothing_is_left_of_what_a_bad_pdu_completes(receive: Receive, tmp_path: Path) -> None:
    """A report whose last fragment stands in one PDU with what cannot be is not kept, and nothing of it is left."""
    receiver = receive(data=tmp_path / "data")
    octets = large()
    with receiver.raw() as raw:
        raw.associate()
        send(raw, "2.25.1", octets, whole=False)
        raw.send(p_data(pdv(octets[len(octets) // PART * PART :], 2), b"\0\0\0\1\1"))
        assert raw.receive()[0] in {0, ABORT}
    receiver.associations(1)
    assert receiver.report("2.25.1") is None
    receiver.engine.stop()
    assert bytes_in(tmp_path / "data") == b""


def test_header_behind_a_great_element(receive: Receive, tmp_path: Path) -> None:
    """A header is found behind an element that is longer than what is kept in memory of a data set."""
    receiver = receive(data=tmp_path / "data")
    octets = large(first=element(0x00070010, b"LO", b"ACRMOCK") + element(0x00071000, b"OB", bytes(2 * LARGE)))
    with receiver.raw() as raw:
        raw.associate()
        send(raw, "2.25.1", octets)
        assert raw.status() == 0
    assert bytes_in(tmp_path / "data") == octets.strip(b"\0")
    kept = receiver.report("2.25.1")
    assert kept is not None
    assert (kept.study_uid, kept.station) == ("2.25.2", "CT1 ")


def test_too_long_data_set_leaves_nothing(receive: Receive, tmp_path: Path) -> None:
    """A data set beyond the limit is refused, its beginning is not kept, and the association goes on."""
    layer = tmp_path / "limit.yaml"
    layer.write_text(
        "schema: acrmock/layer/1\nkind: settings\nsettings:\n  dirlink.limit.object_bytes:\n"
        f"    value: {2 * LARGE}\n    provenance: mock-choice\n    sources: [MOCK]\n"
    )
    receiver = receive(data=tmp_path / "data", overlays=[layer])
    with receiver.raw() as raw:
        raw.associate()
        send(raw, "2.25.1", large())
        assert raw.status() == 0xA700
        assert raw.store("2.25.2") == 0
    assert bytes_in(tmp_path / "data") == b""


def test_file_that_cannot_be_made_is_no_room(receive: Receive, tmp_path: Path) -> None:
    """While the file cannot be written the answer is out of resources, and the association goes on; later it can be."""
    receiver = receive(data=tmp_path / "data")
    (tmp_path / "data" / "objects.bytes").mkdir()
    with receiver.raw() as raw:
        raw.associate()
        send(raw, "2.25.1", large())
        assert raw.status() == 0xA700
        assert raw.store("2.25.2") == 0
        (tmp_path / "data" / "objects.bytes").rmdir()
        send(raw, "2.25.3", large("2.25.3"))
        assert raw.status() == 0
    assert receiver.report("2.25.1") is None


def test_what_was_read_ahead_is_kept_when_a_longer_pdu_comes(receive: Receive) -> None:
    """Objects that come in one go, in short PDUs and in the longest that may come, are all kept as they came."""
    receiver = receive()
    sent = {f"2.25.{number}": large(f"2.25.{number}", size=size) for number, size in enumerate((100, 40_000, 120_000, 10), 1)}
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        raw.send(b"".join(p_data(pdv(command(uid=uid.encode()), 3), pdv(octets, 2)) for uid, octets in sent.items()))
        assert [raw.status() for _ in sent] == [0, 0, 0, 0]
        assert raw.release() == RELEASE_RP
    for uid, octets in sent.items():
        kept = receiver.report(uid)
        assert kept is not None
        assert kept.sha256 == hashlib.sha256(octets).hexdigest()
