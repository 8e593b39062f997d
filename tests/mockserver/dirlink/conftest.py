"""What the tests of the receiver share: an engine that receives, in both ways, and a sender of raw bytes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import requests

from acrmock.record import AnyEntry, AssociationEntry, DimseEntry, decode_line
from mockserver import Engine
from mockserver.dirlink.model import REPORT, StoredReport

REPORT_CLASS = "1.2.840.10008.5.1.4.1.1.88.67"
ENHANCED_CLASS = "1.2.840.10008.5.1.4.1.1.88.22"
CAPTURE_CLASS = "1.2.840.10008.5.1.4.1.1.7"
ECHO_CLASS = "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT, BIG, DEFLATED = ("1.2.840.10008.1.2" + end for end in ("", ".1", ".2", ".1.99"))
PDU = struct.Struct(">BBL")
ASSOCIATE_AC, ASSOCIATE_RJ, P_DATA, RELEASE_RP, ABORT = 2, 3, 4, 6, 7


def element(tag: int, vr: bytes, value: bytes, *, big: bool = False) -> bytes:
    """One element with an explicit value representation."""
    value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
    order = ">" if big else "<"
    if vr in {b"OB", b"UN", b"UT"}:
        return struct.pack(f"{order}HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value
    return struct.pack(f"{order}HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def data_set(
    uid: str = "2.25.1",
    *,
    sop_class: str = REPORT_CLASS,
    name: str = "Synthetic^A",
    patient: str = "SYN00000001",
    more: bytes = b"",
    big: bool = False,
) -> bytes:
    """The bytes of a small data set that is recognisably synthetic unless told otherwise."""
    values = [
        (0x00080016, b"UI", sop_class),
        (0x00080018, b"UI", uid),
        (0x00081010, b"SH", "CT1"),
        (0x00100010, b"PN", name),
        (0x00100020, b"LO", patient),
        (0x00100030, b"DA", "19700101"),
        (0x0020000D, b"UI", "2.25.2"),
    ]
    return b"".join(element(tag, vr, value.encode(), big=big) for tag, vr, value in values) + more


def item(kind: int, body: bytes) -> bytes:
    """An item of an A-ASSOCIATE-RQ (PS3.8 section 9.3.2)."""
    return struct.pack(">BBH", kind, 0, len(body)) + body


Proposal = tuple[int, str, tuple[str, ...]]
PROPOSALS: tuple[Proposal, ...] = ((1, REPORT_CLASS, (EXPLICIT,)), (3, ECHO_CLASS, (IMPLICIT,)))


def associate_rq(
    called: bytes = b"DIRLINK",
    calling: bytes = b"TESTER",
    proposals: tuple[Proposal, ...] = PROPOSALS,
    *,
    version: int = 1,
    application_context: bytes = b"1.2.840.10008.3.1.1.1",
    maximum: int = 65536,
) -> bytes:
    """An A-ASSOCIATE-RQ; AE titles stand as given, padded or cut to 16 bytes."""
    body = struct.pack(">HH", version, 0) + called.ljust(16)[:16] + calling.ljust(16)[:16] + bytes(32)
    body += item(0x10, application_context)
    for number, abstract, transfers in proposals:
        inner = bytes((number, 0, 0, 0)) + item(0x30, abstract.encode()) + b"".join(item(0x40, one.encode()) for one in transfers)
        body += item(0x20, inner)
    body += item(0x50, item(0x51, struct.pack(">L", maximum)) + item(0x52, b"2.25.99"))
    return PDU.pack(1, 0, len(body)) + body


def command(
    number: int = 1, *, field_: int = 1, uid: bytes = b"2.25.1", sop_class: bytes = REPORT_CLASS.encode(), data: bool = True
) -> bytes:
    """A command set (PS3.7 table 9.3-1); `uid` empty leaves the Affected SOP Instance UID out."""

    def one(tag: int, value: bytes) -> bytes:
        value += b"\0" * (len(value) % 2)
        return struct.pack("<HHL", 0, tag, len(value)) + value

    body = one(0x0002, sop_class) + one(0x0100, struct.pack("<H", field_)) + one(0x0110, struct.pack("<H", number))
    body += one(0x0700, struct.pack("<H", 0)) + one(0x0800, struct.pack("<H", 0 if data else 0x0101))
    body += one(0x1000, uid) if uid else b""
    return one(0, struct.pack("<L", len(body))) + body


def pdv(octets: bytes, control: int, context: int = 1) -> bytes:
    """A presentation data value item (PS3.8 section 9.3.5.1)."""
    return struct.pack(">LBB", len(octets) + 2, context, control) + octets


def p_data(*values: bytes) -> bytes:
    """A P-DATA-TF PDU."""
    body = b"".join(values)
    return PDU.pack(P_DATA, 0, len(body)) + body


class Raw:
    """A connection on which anything can be sent."""

    def __init__(self, port: int) -> None:
        self.wire = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.wire.close()

    def send(self, octets: bytes) -> None:
        """Send all of it."""
        self.wire.sendall(octets)

    def receive(self) -> tuple[int, bytes]:
        """The type and the body of the next PDU; (0, nothing) when the connection was closed or reset."""
        try:
            head = self._exactly(6)
            return head[0], self._exactly(PDU.unpack(head)[2])
        except (ConnectionError, EOFError):
            return 0, b""

    def _exactly(self, count: int) -> bytes:
        parts = b""
        while len(parts) < count:
            part = self.wire.recv(count - len(parts))
            if not part:
                raise EOFError
            parts += part
        return parts

    def associate(self, **options: Any) -> int:
        """Associate; gives the type of the answer."""
        self.send(associate_rq(**options))
        return self.receive()[0]

    def status(self) -> int | None:
        """The status in the next answer, or None when there is none."""
        kind, body = self.receive()
        place = body.find(b"\x00\x00\x00\x09\x02\x00\x00\x00")
        return struct.unpack_from("<H", body, place + 8)[0] if kind == P_DATA and place >= 0 else None

    def store(self, uid: str = "2.25.1", data: bytes | None = None, number: int = 1) -> int | None:
        """Send a C-STORE in one PDU; gives the status."""
        self.send(p_data(pdv(command(number, uid=uid.encode()), 3), pdv(data_set(uid) if data is None else data, 2)))
        return self.status()

    def release(self) -> int:
        """Ask for release; gives the type of the answer."""
        self.send(PDU.pack(5, 0, 4) + bytes(4))
        return self.receive()[0]


@dataclass
class Receiver:
    """An engine in memory that receives, with an application registered as `default`."""

    engine: Engine
    registration: dict[str, Any] = field(default_factory=dict)
    since: int = 0

    @property
    def port(self) -> int:
        """The port in clear."""
        assert self.engine.ready is not None
        assert self.engine.ready.dicom_port is not None
        return self.engine.ready.dicom_port

    @property
    def core(self) -> Any:
        """The engine's core."""
        return self.engine.core

    def register(self, name: str = "Acme", **changes: Any) -> dict[str, Any]:
        """Register an application, or its other environment."""
        ready = self.engine.ready
        assert ready is not None
        body = {"name": name, "redirect_url": ["https://localhost:8765/callback"], "ip": ["203.0.113.7"], "registry": ["lcsr"]}
        headers = {"Authorization": f"Bearer {ready.control_token}"}
        answer = requests.post(
            f"{ready.url}/_acrmock/applications", json={**body, **changes}, headers=headers, verify=str(ready.ca_file), timeout=20
        )
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def raw(self) -> Raw:
        """A connection for raw bytes."""
        return Raw(self.port)

    def entries(self) -> list[AnyEntry]:
        """What the journal holds."""
        lines = list(self.core.journal.export(after=self.since))[1:-1]
        return [entry for line in lines if isinstance(entry := decode_line(line), AnyEntry)]

    def operations(self) -> list[DimseEntry]:
        """The DIMSE operations in the journal."""
        return [entry for entry in self.entries() if isinstance(entry, DimseEntry)]

    def associations(self, count: int) -> list[AssociationEntry]:
        """The associations in the journal, once there are `count`."""
        self.core.journal.await_entries(labels=("association",), after=self.since, count=count, timeout=20)
        found = [entry for entry in self.entries() if isinstance(entry, AssociationEntry)]
        assert len(found) >= count
        return found

    def report(self, uid: str, scope: tuple[str, str] = ("default", "test")) -> StoredReport | None:
        """What is kept under a UID."""
        with self.core.store.read() as snapshot:
            found: StoredReport | None = snapshot.get(REPORT, scope, uid, StoredReport)
            return found


@pytest.fixture(params=[True, False], ids=["lean", "plain"])
def lean(request: pytest.FixtureRequest) -> bool:
    """Both ways of receiving."""
    return bool(request.param)


Receive = Callable[..., Receiver]


def limited(receive: Receive, folder: Path, options: dict[str, Any] | None = None, **limits: int) -> Receiver:
    """A receiver with limits of its own: a setting's name after `dirlink.`, its point written as two underscores."""
    lines = ["schema: acrmock/layer/1", "kind: settings", "settings:"]
    for key, value in limits.items():
        name = key.replace("__", ".")
        lines += [f"  dirlink.{name}:", f"    value: {value}", "    provenance: mock-choice", "    sources: [MOCK]"]
    overlay = folder / "limited.yaml"
    overlay.write_text("\n".join(lines) + "\n")
    return receive(overlays=(overlay,), **(options or {}))


def served(receiver: Receiver) -> None:
    """Somebody else is served."""
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        assert raw.store("2.25.999") == 0
        assert raw.release() == RELEASE_RP


@pytest.fixture
def receive(lean: bool) -> Iterator[Receive]:  # noqa: FBT001 - a fixture
    """Starts engines that receive, with an application."""
    engines: list[Engine] = []

    def start(**options: Any) -> Receiver:
        engine = Engine(**{"dicom_port": 0, "lean_dicom": lean, **options})
        engines.append(engine)
        engine.start()
        made = Receiver(engine)
        made.registration = made.register()
        return made

    yield start
    for engine in engines:
        engine.stop()


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[bool, Receiver]]:
    """Engines that the tests of a module share, one for each way of receiving; started when first needed."""
    made: dict[bool, Receiver] = {}
    yield made
    for receiver in made.values():
        receiver.engine.stop()


@pytest.fixture
def receiver(lean: bool, engines: dict[bool, Receiver]) -> Iterator[Receiver]:  # noqa: FBT001 - a fixture
    """An engine that receives, in which nothing is kept and no association is open."""
    if lean not in engines:
        engine = Engine(dicom_port=0, lean_dicom=lean)
        engine.start()
        engines[lean] = Receiver(engine)
        engines[lean].registration = engines[lean].register()
    found = engines[lean]
    with found.core.store.read() as snapshot:
        found.since = snapshot.last_seq()
    yield found
    for thread in threading.enumerate():
        if thread.name.startswith("AcceptorThread@"):
            thread.join(20)
    with found.core.store.write() as unit:
        unit.delete_scope(("default", "test"))
