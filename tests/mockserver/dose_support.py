"""Small dose reports built with pydicom, and an engine that is fed with them as the receiver would."""

from __future__ import annotations

import hashlib
import io
import json
import os
import ssl
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items

from acrmock.dose.header import read_header
from acrmock.record import EventEntry, decode_line
from mockserver.dirlink import intake
from mockserver.dirlink.model import REPORT, Received, StoredReport
from mockserver.engine import Engine

LITTLE = "1.2.840.10008.1.2.1"
CT_CLASS = "1.2.840.10008.5.1.4.1.1.88.67"
SCOPE = ("default", "test")


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """A code sequence item."""
    found = Dataset()
    found.CodeValue, found.CodingSchemeDesignator, found.CodeMeaning = value, scheme, meaning
    return found


def item(kind: str, concept: Dataset, relation: str = "CONTAINS", **more: Any) -> Dataset:
    """A content item."""
    found = Dataset()
    found.RelationshipType, found.ValueType = relation, kind
    found.ConceptNameCodeSequence = Items([concept])
    for name, value in more.items():
        setattr(found, name, value)
    return found


def number(concept: Dataset, value: float, unit: str) -> Dataset:
    """A NUM content item."""
    measured = Dataset()
    measured.MeasurementUnitsCodeSequence = Items([code(unit, "UCUM", unit)])
    measured.NumericValue = f"{value:g}"
    return item("NUM", concept, MeasuredValueSequence=Items([measured]))


def acquisition(uid: str, ctdivol: float, dlp: float) -> Dataset:
    """A CT acquisition."""
    dose = item("CONTAINER", code("113829", "DCM", "CT Dose"), ContinuityOfContent="SEPARATE")
    dose.ContentSequence = Items(
        [
            number(code("113830", "DCM", "Mean CTDIvol"), ctdivol, "mGy"),
            item(
                "CODE",
                code("113835", "DCM", "CTDIw Phantom Type"),
                ConceptCodeSequence=Items([code("113691", "DCM", "IEC Body Dosimetry Phantom")]),
            ),
            number(code("113838", "DCM", "DLP"), dlp, "mGy.cm"),
        ]
    )
    found = item("CONTAINER", code("113819", "DCM", "CT Acquisition"), ContinuityOfContent="SEPARATE")
    found.ContentSequence = Items(
        [
            item("TEXT", code("125203", "DCM", "Acquisition Protocol"), TextValue="Chest"),
            item(
                "CODE",
                code("113820", "DCM", "CT Acquisition Type"),
                ConceptCodeSequence=Items([code("P5-08001", "SRT", "Spiral Acquisition")]),
            ),
            item("UIDREF", code("113769", "DCM", "Irradiation Event UID"), UID=uid),
            dose,
        ]
    )
    return found


def report(
    sop: str,
    *,
    study: str = "1.2.3.4",
    station: str | None = "CT1",
    events: Sequence[str] = ("1.2.9.1",),
    name: str = "Synthetic^Ann",
    dose: bool = True,
    time: str = "101112",
) -> bytes:
    """The data set of a CT dose report in explicit little endian; `dose` False: of another structured report."""
    found = Dataset()
    found.SOPClassUID, found.SOPInstanceUID = CT_CLASS, sop
    found.StudyDate, found.StudyTime, found.Modality, found.Manufacturer = "20260301", time, "SR", "ACME"
    found.StudyDescription = "CT CHEST WO"
    if station is not None:
        found.StationName = station
    found.PatientName, found.PatientID = name, "SYN00000001"
    found.PatientBirthDate, found.PatientSex, found.PatientAge = "19600102", "F", "066Y"
    found.StudyInstanceUID, found.SeriesInstanceUID = study, f"{study}.9"
    found.ValueType, found.ContinuityOfContent = "CONTAINER", "SEPARATE"
    root = code("113701", "DCM", "X-Ray Radiation Dose Report") if dose else code("18748-4", "LN", "Diagnostic Imaging Report")
    found.ConceptNameCodeSequence = Items([root])
    total = item("CONTAINER", code("113811", "DCM", "CT Accumulated Dose Data"), ContinuityOfContent="SEPARATE")
    total.ContentSequence = Items(
        [
            number(code("113812", "DCM", "Total Number of Irradiation Events"), len(events), "{events}"),
            number(code("113813", "DCM", "CT Dose Length Product Total"), 300.0 * len(events), "mGy.cm"),
        ]
    )
    ct = code("77477000", "SCT", "Computed Tomography X-Ray")
    procedure = item("CODE", code("121058", "DCM", "Procedure reported"), "HAS CONCEPT MOD", ConceptCodeSequence=Items([ct]))
    found.ContentSequence = Items([procedure, total, *(acquisition(uid, 7.5, 300.0) for uid in events)])
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, found)
    return bytes(buffer.getvalue())


class Site:
    """An engine with one application, to which reports come as from the receiver, and its control API.

    With `ACRMOCK_READ_APART=1` a process of its own reads the reports of every test.
    """

    def __init__(self, data: Path | None = None, **options: Any) -> None:
        apart = os.environ.get("ACRMOCK_READ_APART") == "1"
        self.options, self.data = {"read_apart": apart, **options}, data
        self.engine = Engine(data, **self.options)
        self.ready = self.engine.start()
        assert self.engine.core is not None
        self.core = self.engine.core

    def register(self, **more: Any) -> dict[str, Any]:
        """Register the application."""
        body = {"name": "Dose", "redirect_url": ["https://localhost:8765/callback"], "ip": ["198.51.100.7"], "registry": ["lcsr"]}
        return self.call("POST", "/applications", {**body, **more}, status=201)

    def restart(self) -> None:
        """Stop the engine and start another one over the same data."""
        self.engine.stop()
        self.engine = Engine(self.data, **self.options)
        self.ready = self.engine.start()
        assert self.engine.core is not None
        self.core = self.engine.core

    def stop(self) -> None:
        """Stop the engine."""
        self.engine.stop()

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        """A control call; its answer as JSON."""
        given = None if body is None else json.dumps(body).encode()
        url = f"{self.ready.url}/_acrmock{path}" + (f"?{urlencode(query)}" if query else "")
        request = urllib.request.Request(url, given, method=method)  # noqa: S310 - our own server
        request.add_header("Authorization", f"Bearer {self.ready.control_token}")
        request.add_header("Content-Type", "application/json")
        context = ssl.create_default_context(cafile=str(self.ready.ca_file))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(request, timeout=30) as answer:
                got, data = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            got, data = error.code, error.read()
        assert got == status, data
        return json.loads(data)

    def receive(self, data: bytes, *, syntax: str = LITTLE, sop: str | None = None, planted: bool = False) -> str:
        """Take a data set as the receiver does; gives its SOP Instance UID."""
        core, header = self.core, read_header(data, syntax)
        application = core.applications.get(SCOPE[0])
        assert application is not None
        digest = hashlib.sha256(data).hexdigest()
        taken = Received(
            application=SCOPE[0],
            environment=SCOPE[1],
            association="a1",
            calling_ae="MODALITY",
            sop_class=header.sop_class,
            sop_instance=sop or header.sop_instance,
            transfer_syntax=syntax,
            sha256=digest,
            size=len(data),
            at=self.now(),
            header=header,
            planted=planted,
            synthetic=header.patient_name.upper().startswith("SYNTHETIC"),
        )
        with core.store.write() as unit:
            core.objects.put(unit, SCOPE, taken.sop_instance, digest, data)
            intake.received(unit, core, taken, unit.get(REPORT, SCOPE, taken.sop_instance, StoredReport))
        return taken.sop_instance

    def now(self) -> str:
        """The application's business time."""
        return str(self.call("GET", "/clock", application="default")["now"])

    def idle(self) -> None:
        """Wait until everything that is due is done."""
        assert self.core.jobs.idle(20)

    def state(self, sop: str) -> str:
        """The state of a report once everything due is done."""
        self.idle()
        return self.stored(sop).state

    def stored(self, sop: str) -> StoredReport:
        """A report as stored."""
        with self.core.store.read() as snapshot:
            found = snapshot.get(REPORT, SCOPE, sop, StoredReport)
        assert found is not None
        return found

    def events(self, name: str) -> list[EventEntry]:
        """The events of that name."""
        with self.core.store.read() as snapshot:
            lines = [decode_line(line) for _, line in snapshot.entries(labels=(name,))]
        return [line for line in lines if isinstance(line, EventEntry)]

    def configure(self, station: str) -> None:
        """Configure a station."""
        self.call("POST", "/applications/default/stations", {"station": station}, status=201)

    def freeze(self, instant: str) -> None:
        """Stop business time at an instant."""
        self.call("POST", "/clock", {"application": "default", "set": instant})
        if not self.call("GET", "/clock", application="default")["frozen"]:
            self.call("POST", "/clock", {"application": "default", "freeze": True})
            self.call("POST", "/clock", {"application": "default", "set": instant})


def identifying(data: bytes) -> list[bytes]:
    """What of the patient of `report` stands in some bytes."""
    return [text for text in (b"Synthetic", b"SYN00000001", b"19600102", b"1.2.3.4") if text in io.BytesIO(data).getvalue()]
