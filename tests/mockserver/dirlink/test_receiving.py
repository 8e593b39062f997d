"""The receiver and honest senders: what it takes, what it keeps, what it answers and what it writes down."""

from __future__ import annotations

import hashlib
import ssl
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID
from pynetdicom import AE
from witness import tool

from acrmock.record import AssociationEnd
from conformance.vendors.senders.checkpoint import Checkpoint
from mockserver import Engine
from mockserver.dirlink import intake
from mockserver.dirlink.model import PLANTED, Planted
from mockserver.store import StoreFull

from .conftest import (
    ASSOCIATE_AC,
    ASSOCIATE_RJ,
    BIG,
    CAPTURE_CLASS,
    DEFLATED,
    ECHO_CLASS,
    ENHANCED_CLASS,
    EXPLICIT,
    IMPLICIT,
    RELEASE_RP,
    REPORT_CLASS,
    Raw,
    Receiver,
    associate_rq,
    command,
    data_set,
    element,
    p_data,
    pdv,
)

SCOPE = ("default", "test")


def report(uid: str, **changes: str) -> Dataset:
    """A report as pydicom's data set."""
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID, made.StudyInstanceUID = REPORT_CLASS, uid, "2.25.2"
    made.PatientName, made.PatientID, made.PatientBirthDate, made.StationName = "SYNTHETIC^A", "SYN00000001", "19700101", "CT1 "
    for name, value in changes.items():
        setattr(made, name, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = UID(REPORT_CLASS), UID(uid)
    return made


def linked(sender: AE, port: int, **options: Any) -> Any:
    """An association of pynetdicom's, the answers to which nobody takes from its own sending methods."""
    link = sender.associate("127.0.0.1", port, ae_title="DIRLINK", **options)
    assert link.is_established
    link._reactor_checkpoint = Checkpoint(link)  # type: ignore[assignment]
    return link


def test_pynetdicom_echoes_stores_and_releases(receiver: Receiver) -> None:
    """C-ECHO and C-STORE from pynetdicom succeed, the bytes are kept as sent, and the journal tells it all in order."""
    sender = AE("SCANNER")
    for abstract in (ECHO_CLASS, REPORT_CLASS, CAPTURE_CLASS):
        sender.add_requested_context(abstract, [EXPLICIT, IMPLICIT])
    link = linked(sender, receiver.port)
    assert link.send_c_echo().Status == 0
    assert link.send_c_store(report("2.25.7")).Status == 0
    link.release()
    association = receiver.associations(1)[0]
    echo, store = receiver.operations()
    kept = receiver.report("2.25.7")
    assert kept is not None
    assert kept.station == "CT1 "
    octets = receiver.core.objects.get(SCOPE, "2.25.7", kept.sha256)
    assert hashlib.sha256(octets).hexdigest() == kept.sha256 == store.facts.sha256
    assert (echo.facts.service, store.facts.service, store.facts.status, store.facts.dose) == ("C-ECHO", "C-STORE", 0, True)
    assert echo.seq < store.seq < association.seq
    facts = association.facts
    assert (facts.calling_ae, facts.called_ae, facts.called_state, facts.allowed) == ("SCANNER", "DIRLINK", "own", True)
    assert (facts.end, facts.operations, facts.stored) == (AssociationEnd.RELEASED, 2, 1)
    assert [(context.abstract_syntax, context.result) for context in facts.contexts] == [
        (ECHO_CLASS, 0),
        (REPORT_CLASS, 0),
        (CAPTURE_CLASS, 3),
    ]
    assert association.application == store.application == "default"


def write(path: Path, made: Dataset) -> Path:
    """`made` as a Part 10 file."""
    made.save_as(path, enforce_file_format=True)
    return path


def test_dcmtk_senders(receiver: Receiver, tmp_path: Path) -> None:
    """DCMTK's echoscu, storescu and dcmsend succeed, and what they sent is kept."""
    where = ["-aec", "DIRLINK", "127.0.0.1", str(receiver.port)]
    first, second = (write(tmp_path / f"{uid}.dcm", report(uid)) for uid in ("2.25.11", "2.25.12"))
    for call in ([tool("echoscu"), *where], [tool("storescu"), *where, str(first)], [tool("dcmsend"), *where, str(second)]):
        done = subprocess.run(call, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    assert [receiver.report(uid) is not None for uid in ("2.25.11", "2.25.12")] == [True, True]
    assert [entry.facts.end for entry in receiver.associations(3)] == [AssociationEnd.RELEASED] * 3


def test_proposers_order_decides(receiver: Receiver) -> None:
    """In each context the first transfer syntax of the proposer's that is taken is chosen, also for one class proposed twice."""
    proposals = (
        (1, REPORT_CLASS, (BIG, IMPLICIT, EXPLICIT)),
        (3, REPORT_CLASS, ("1.2.840.10008.1.2.4.70", DEFLATED, EXPLICIT)),
        (5, REPORT_CLASS, ("1.2.840.10008.1.2.4.70",)),
        (7, CAPTURE_CLASS, (EXPLICIT,)),
        (9, ENHANCED_CLASS, (IMPLICIT,)),
    )
    with receiver.raw() as raw:
        assert raw.associate(proposals=proposals) == ASSOCIATE_AC
        assert raw.release() == RELEASE_RP
    facts = receiver.associations(1)[0].facts
    assert [(context.result, context.accepted) for context in facts.contexts] == [
        (0, BIG),
        (0, DEFLATED),
        (4, ""),
        (3, ""),
        (0, IMPLICIT),
    ]


def deflated(octets: bytes) -> bytes:
    """A data set deflated (PS3.5 annex A.5)."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(octets) + packer.flush()


def test_every_transfer_syntax_is_kept_as_it_came(receiver: Receiver) -> None:
    """A report in each transfer syntax is taken, and exactly its bytes are kept."""
    implicit = b"".join(
        struct.pack("<HHL", tag >> 16, tag & 0xFFFF, len(value)) + value
        for tag, value in (
            (0x00080016, b"1.2 "),
            (0x00100010, b"SYNTHETIC^A "),
            (0x00100020, b"SYN00000001 "),
            (0x00100030, b"19700101"),
        )
    )
    made = {IMPLICIT: implicit, EXPLICIT: data_set(), BIG: data_set(big=True), DEFLATED: deflated(data_set())}
    with receiver.raw() as raw:
        proposals = tuple((2 * number + 1, REPORT_CLASS, (syntax,)) for number, syntax in enumerate(made))
        assert raw.associate(proposals=proposals) == ASSOCIATE_AC
        for number, (syntax, octets) in enumerate(made.items()):
            uid = f"2.25.1{number}"
            context = 2 * number + 1
            raw.send(p_data(pdv(command(uid=uid.encode()), 3, context), pdv(octets, 2, context)))
            assert raw.status() == 0, syntax
            kept = receiver.report(uid)
            assert kept is not None
            assert kept.transfer_syntax == syntax
            assert receiver.core.objects.get(SCOPE, uid, kept.sha256) == octets


def test_same_object_again_and_another_one_under_its_uid(receiver: Receiver) -> None:
    """The same bytes again change nothing; other bytes under the same UID are kept beside the first and flagged."""
    with receiver.raw() as raw:
        raw.associate()
        other = data_set(more=element(0x0020000E, b"UI", b"2.25.3"))
        assert [raw.store(), raw.store(), raw.store(data=other), raw.store(data=other)] == [0, 0, 0, 0]
    kept = receiver.report("2.25.1")
    assert kept is not None
    assert [copy.sha256 for copy in kept.copies] == [hashlib.sha256(other).hexdigest()]
    assert receiver.core.objects.get(SCOPE, "2.25.1", kept.copies[0].sha256) == other
    assert receiver.core.objects.get(SCOPE, "2.25.1", kept.sha256) == data_set()
    seen = [(entry.facts.repeat, entry.facts.same) for entry in receiver.operations()]
    assert seen == [(False, None), (True, True), (True, False), (True, True)]


def test_too_many_copies(receiver: Receiver) -> None:
    """Under one UID no more than a stated number of different data sets is kept; the next is refused for want of room."""
    most = receiver.core.facts.integer("dirlink.limit.copies")
    with receiver.raw() as raw:
        raw.associate()
        answers = [raw.store(data=data_set(more=element(0x0020000E, b"UI", b"2.25.%d" % number))) for number in range(most + 2)]
    assert answers == [0] * (most + 1) + [0xA700]


@pytest.mark.parametrize(
    ("name", "patient"), [("DOE^JANE", "SYN00000001"), ("SYNTHETIC^A", "12345"), ("DOE^JANE", "SYN1"), ("", "")]
)
def test_real_data_is_refused(receiver: Receiver, name: str, patient: str) -> None:
    """A report that is neither planted nor recognisably synthetic gets C001H; nothing of it is kept or written down."""
    octets = data_set(name=name, patient=patient)
    with receiver.raw() as raw:
        raw.associate()
        assert raw.store(data=octets) == 0xC001
    assert receiver.report("2.25.1") is None
    assert receiver.core.objects.get(SCOPE, "2.25.1", hashlib.sha256(octets).hexdigest()) is None
    entry = receiver.operations()[0]
    assert entry.refusal is not None
    assert entry.facts.sha256 == ""
    assert b"DOE^JANE" not in b"".join(receiver.core.journal.export())


def test_planted_and_accepted_real_data(receive: Callable[..., Receiver]) -> None:
    """What was planted is taken whoever it is of; with real data accepted everything is."""
    octets = data_set(name="DOE^JANE")
    planted, trusting = receive(), receive(accept_real_data=True)
    with planted.core.store.write() as unit:
        unit.put(PLANTED, SCOPE, "2.25.1", Planted(sop_instance="2.25.1"))
    for receiver in (planted, trusting):
        with receiver.raw() as raw:
            raw.associate()
            assert raw.store(data=octets) == 0
    first, second = planted.report("2.25.1"), trusting.report("2.25.1")
    assert first is not None
    assert second is not None
    assert (first.planted, first.synthetic, second.planted, second.synthetic) == (True, False, False, False)


def test_a_report_and_its_entry_say_the_same_instant(receiver: Receiver) -> None:
    """When a report came is told alike by the report and by the journal, to the microsecond."""
    uids = [f"2.25.{number}" for number in range(1, 8)]
    with receiver.raw() as raw:
        raw.associate()
        assert [raw.store(uid) for uid in uids] == [0] * len(uids)
    told = {entry.facts.sop_instance: entry.at for entry in receiver.operations()}
    kept = [receiver.report(uid) for uid in uids]
    assert [report.at for report in kept if report is not None] == [told[uid] for uid in uids]


def test_class_forced_through(receiver: Receiver) -> None:
    """A secondary capture sent in a context of dose reports gets 0122H, as does an echo in it."""
    with receiver.raw() as raw:
        raw.associate()
        raw.send(p_data(pdv(command(sop_class=CAPTURE_CLASS.encode()), 3), pdv(data_set(), 2)))
        assert raw.status() == 0x0122
        raw.send(p_data(pdv(command(field_=0x30, uid=b"", sop_class=REPORT_CLASS.encode(), data=False), 3)))
        assert raw.status() == 0x0122
        raw.send(p_data(pdv(command(field_=0x30, uid=b"", sop_class=ECHO_CLASS.encode(), data=False), 3, 3)))
        assert raw.status() == 0
    assert receiver.report("2.25.1") is None


def test_service_that_is_not_offered(receiver: Receiver) -> None:
    """A C-FIND gets 0211H and is written down; the association goes on."""
    with receiver.raw() as raw:
        raw.associate()
        raw.send(p_data(pdv(command(field_=0x20, uid=b""), 3), pdv(b"", 2)))
        assert raw.status() == 0x0211
        assert raw.store() == 0
    assert [entry.facts.service for entry in receiver.operations()] == ["C-FIND", "C-STORE"]


def test_each_title_is_an_application_of_its_own(receive: Callable[..., Receiver]) -> None:
    """The called AE title decides whose a report is, production apart from test; the same UID is kept for each."""
    receiver = receive()
    other = receiver.register("Second One")
    production = receiver.register("Second One", application=other["application"], environment="production")
    titles = [made["dicom"]["ae_title"] for made in (receiver.registration, other, production)]
    assert titles == ["DIRLINK", "DL_SECOND-ONE", "DL_SECOND-ONE_P"]
    for title in titles:
        with receiver.raw() as raw:
            assert raw.associate(called=title.encode()) == ASSOCIATE_AC
            assert raw.store() == 0
    for scope in (SCOPE, ("second-one", "test"), ("second-one", "production")):
        assert receiver.report("2.25.1", scope) is not None


def test_full_disk(receiver: Receiver) -> None:
    """Without room a C-STORE gets A700H and nothing is kept; with room the same association goes on."""

    def full() -> None:
        raise StoreFull("there is no room left on the disk")

    with receiver.raw() as raw:
        raw.associate()
        receiver.core.store._before_commit = full
        assert raw.store() == 0xA700
        receiver.core.store._before_commit = None
        assert receiver.report("2.25.1") is None
        assert raw.store() == 0


def test_fault_of_our_own_is_no_success(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the receiver itself fails, nothing is kept, the sender gets an abort and no success, and the next is served."""

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with receiver.raw() as raw, monkeypatch.context() as patch:
        patch.setattr(intake, "received", fails)
        raw.associate()
        assert raw.store() is None
        assert receiver.associations(1)[0].facts.end is AssociationEnd.ABORTED_BY_US
    assert receiver.report("2.25.1") is None
    with receiver.raw() as raw:
        raw.associate()
        assert raw.store() == 0


def test_two_engines_in_one_process(receive: Callable[..., Receiver]) -> None:
    """Two engines receive side by side, each its own."""
    first, second = receive(), receive()
    for receiver, uid in ((first, "2.25.1"), (second, "2.25.2")):
        with receiver.raw() as raw:
            raw.associate()
            assert raw.store(uid) == 0
    assert [receiver.report("2.25.1") is None for receiver in (first, second)] == [False, True]


def test_tls(receive: Callable[..., Receiver]) -> None:
    """Over TLS a report is taken and the journal says which version it was; a handshake that fails is in the journal."""
    receiver = receive(dicom_tls_port=0)
    ready = receiver.engine.ready
    assert ready is not None
    context = ssl.create_default_context(cafile=str(ready.ca_file))
    sender = AE("SCANNER")
    sender.add_requested_context(REPORT_CLASS, EXPLICIT)
    link = linked(sender, ready.dicom_tls_port or 0, tls_args=(context, "localhost"))
    assert link.send_c_store(report("2.25.7")).Status == 0
    link.release()
    entry = receiver.associations(1)[0]
    assert entry.facts.secure
    assert entry.tls is not None
    assert entry.tls.version.startswith("TLS")
    with Raw(ready.dicom_tls_port or 0) as raw:
        raw.send(b"no handshake at all")
    assert receiver.core.journal.await_entries(labels=("tls",), count=1, timeout=20).matched == 1


def test_metrics_and_documents(receive: Callable[..., Receiver]) -> None:
    """The registration says where reports go, and the metrics count what came."""
    receiver = receive()
    assert receiver.registration["dicom"] == {"host": "127.0.0.1", "port": receiver.port, "ae_title": "DIRLINK"}
    with receiver.raw() as raw:
        raw.associate()
        raw.store()
    counted: Any = receiver.core.metrics.operations()
    assert counted == {("C-STORE", 0): 1}


def test_engine_without_dicom_imports_nothing_of_it() -> None:
    """An engine that receives no reports does not load pynetdicom, and its registration names no address."""
    code = "import sys; from mockserver import Engine; e = Engine(); e.start(); e.stop(); sys.exit('pynetdicom' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
    assert Engine().ready is None


def test_real_reports_from_storescu(receive: Callable[..., Receiver]) -> None:
    """Every real file arrives from DCMTK's storescu and is kept as it is in its file, where they are at hand."""
    folder = Path(__file__).parents[4] / "shared" / "data" / "rdsr"
    files = sorted(folder.glob("*.dcm"))
    if not files:
        pytest.skip("the real files are not here")
    receiver = receive(accept_real_data=True)
    call = [tool("storescu"), "-aec", "DIRLINK", "-R", "127.0.0.1", str(receiver.port), *map(str, files)]
    done = subprocess.run(call, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert [entry.facts.status for entry in receiver.operations()] == [0] * len(files)
    assert len({entry.facts.sop_instance for entry in receiver.operations()}) == len(files)


def test_rejected_titles_and_addresses(receive: Callable[..., Receiver]) -> None:
    """An unknown called AE title is rejected for good with reason 7, an address that is not listed with reason 1."""
    receiver = receive(local_sources_default=("203.0.113.0/24",))
    with receiver.raw() as raw:
        raw.send(associate_rq(b"NOBODY"))
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 1, 1, 7)))
    receiver.associations(1)  # entries stand in the order of the associations' ends
    with receiver.raw() as raw:
        raw.send(associate_rq(b"DIRLINK"))
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 1, 1, 1)))
    unknown, outside = receiver.associations(2)
    assert (unknown.facts.called_state, unknown.application, unknown.facts.rejection) == ("unknown", None, (1, 1, 7))
    assert (outside.facts.allowed, outside.application, outside.facts.rejection) == (False, "default", (1, 1, 1))
    assert [entry.facts.end for entry in (unknown, outside)] == [AssociationEnd.REJECTED] * 2
