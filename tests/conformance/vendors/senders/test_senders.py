"""The senders themselves: what they make, what they pass on, and how each broken one is wrong in one thing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from dose_files import BIG, EXPLICIT, IMPLICIT, ct_report, encoded

from acrmock.clock import SystemClock
from acrmock.errors import SetupError
from acrmock.facts.model import Role
from conformance.vendors.config import VendorError
from conformance.vendors.senders.address import Peer
from conformance.vendors.senders.broken import broken_senders, recoded, sender_for, with_institution
from conformance.vendors.senders.listening import Inbox
from conformance.vendors.senders.objects import DicomObject, of_bytes
from conformance.vendors.senders.reference import SENDERS, Given, Modality, Pacs, Rdim, Sender
from conformance.vendors.senders.scu import deliver

CLOCK = SystemClock()
NOBODY = Peer(ae_title="NOBODY", host="127.0.0.1", port=1)
HELD = 0xA700


def report(number: int, station: str = "CT1", syntax: str = EXPLICIT) -> DicomObject:
    """A small report."""
    return of_bytes(f"r{number}", encoded(ct_report(SOPInstanceUID=f"2.25.{number}", StationName=station), syntax), syntax)


def sender(kind: type[Sender], given: Given) -> Sender:
    """A sender that says nothing."""
    return kind(given, clock=CLOCK, say=lambda _text: None)


@pytest.fixture
def registry() -> Iterator[Inbox]:
    """One in the place of DIR Link."""
    with Inbox("DIRLINK", 0) as found:
        yield found


def at(inbox: Inbox) -> Peer:
    """How to call it."""
    return Peer(ae_title="DIRLINK", host="127.0.0.1", port=inbox.port)


def came(inbox: Inbox) -> list[DicomObject]:
    """What has come to it, in order."""
    found = []
    while (one := inbox.next(0.05)) is not None:
        found.append(one)
    return found


def in_folder(folder: Path, *reports: DicomObject) -> None:
    """The reports as files."""
    for number, one in enumerate(reports):
        data_set = pydicom.dcmread(BytesIO(one.data), force=True)
        del data_set.file_meta
        data_set.file_meta = pydicom.dataset.FileMetaDataset()
        data_set.file_meta.MediaStorageSOPClassUID, data_set.file_meta.MediaStorageSOPInstanceUID = (
            one.sop_class,
            one.sop_instance,
        )
        data_set.file_meta.TransferSyntaxUID = one.transfer_syntax
        file = BytesIO()
        pydicom.filewriter.write_file_meta_info(file, data_set.file_meta)
        (folder / f"{number}.dcm").write_bytes(bytes(128) + b"DICM" + file.getvalue() + one.data)


def test_a_forwarder_passes_a_folder_on_byte_for_byte(registry: Inbox, tmp_path: Path) -> None:
    """An RDIM sends every file of its folder once, as it is; a PACS those of the stations it was told to."""
    reports = [report(1), report(2, "MR9", IMPLICIT), report(3, syntax=BIG)]
    in_folder(tmp_path, *reports)
    given = Given(dicom=at(registry), stations=("CT1",), folder=tmp_path, finished=lambda: True)
    sender(Rdim, given).run("forward")
    assert [(one.data, one.transfer_syntax) for one in came(registry)] == [(one.data, one.transfer_syntax) for one in reports]
    sender(Pacs, given).run("forward")
    assert [one.sop_instance for one in came(registry)] == ["2.25.1", "2.25.3"]


def test_a_forwarder_passes_on_what_comes_over_the_wire(registry: Inbox) -> None:
    """What is sent to its own AE title goes on as it came."""
    with Inbox("PROBE", 0) as probe:
        port = probe.port
    done = threading.Event()
    given = Given(dicom=at(registry), stations=(), listen=("RDIM", port), finished=done.is_set)
    thread = threading.Thread(target=sender(Rdim, given).run, args=("forward",))
    thread.start()
    answer = deliver(Peer(ae_title="RDIM", host="127.0.0.1", port=port), "CT", [report(1)])
    while not answer[0].stored:
        CLOCK.wait(0.05)
        answer = deliver(Peer(ae_title="RDIM", host="127.0.0.1", port=port), "CT", [report(1)])
    forwarded = registry.next(20)
    done.set()
    thread.join(20)
    assert forwarded is not None
    assert forwarded.data == report(1).data


def test_a_forwarder_that_has_no_reports_to_forward_says_so() -> None:
    """Neither a port nor a folder, an unknown step, and a peer that is not there are errors in words."""
    given = Given(dicom=NOBODY, stations=())
    with pytest.raises(SetupError, match="needs reports"):
        sender(Rdim, given).run("forward")
    with pytest.raises(SetupError, match="does not know this step"):
        sender(Rdim, given).run("dance")
    with pytest.raises(VendorError, match="could not be verified"):
        sender(Modality, given).run("configure")


def test_a_modality_makes_reports_that_are_recognisably_synthetic(registry: Inbox) -> None:
    """Four reports of the configured stations, one of an exam just over, each in an association of its own."""
    made = sender(Modality, Given(dicom=at(registry), stations=("CT7",)))
    made.run()
    found = came(registry)
    assert len({one.sop_instance for one in found}) == len(found) == 4
    assert {one.station for one in found} == {"CT7"}
    assert all(b"SYN" in one.data for one in found)


@pytest.mark.parametrize("role", list(SENDERS))
def test_each_broken_sender_says_what_it_does_wrong(role: Role) -> None:
    """Every name gives a sender of that role with a sentence; an unknown one is a `KeyError`."""
    for name in broken_senders(role):
        kind = sender_for(role, name)
        assert issubclass(kind, SENDERS[role])
        assert (kind.__doc__ or "").strip().endswith(".")
    assert sender_for(role, None) is SENDERS[role]
    with pytest.raises(KeyError):
        sender_for(role, "nothing")
    assert broken_senders(Role.NONE) == {}


def test_a_changed_value_is_the_only_change() -> None:
    """The Institution Name is put in or replaced, nothing else; implicit VR is left alone."""
    for more in ({}, {"InstitutionName": "Old Clinic"}):
        original = of_bytes("r", encoded(ct_report(ReferringPhysicianName="", **more)), EXPLICIT)
        changed = with_institution(original)
        assert changed is not None
        before, after = (pydicom.dcmread(BytesIO(one.data), force=True) for one in (original, changed))
        assert after.InstitutionName == "Changed Clinic"
        after.InstitutionName = before.get("InstitutionName", "")
        if "InstitutionName" not in before:
            del after.InstitutionName
        assert after == before
    assert with_institution(report(1, syntax=IMPLICIT)) is None


def test_recoded_is_the_same_in_other_bytes() -> None:
    """Written anew in implicit VR, each value stays."""
    original = report(1)
    other = recoded(original)
    assert (other.transfer_syntax, other.data == original.data) == (IMPLICIT, False)
    assert pydicom.dcmread(BytesIO(other.data), force=True) == pydicom.dcmread(BytesIO(original.data), force=True)
