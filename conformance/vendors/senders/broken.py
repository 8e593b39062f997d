"""Broken senders: each wrong in just the way that a check finds, once where that is enough, and right in everything else."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from itertools import islice

import msgspec

from acrmock.dose.elements import EXPLICIT_LITTLE
from acrmock.facts.model import Role
from conformance.vendors.senders.objects import DicomObject
from conformance.vendors.senders.reference import RECENT, REPORTS, SENDERS, Forwarder, Modality, Sender
from conformance.vendors.senders.scu import Scu, deliver

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_INSTITUTION = b"\x08\x00\x80\x00LO"


class _Once(Sender):
    """Does something wrong before the first report, once."""

    _done = False

    def send(self, *objects: DicomObject) -> None:
        if not self._done:
            self._done = True
            self.wrong(objects)
        super().send(*objects)

    def wrong(self, objects: tuple[DicomObject, ...]) -> None:
        """What is wrong."""


class WrongTitle(_Once):
    """Calls an AE title that is no application's."""

    def wrong(self, objects: tuple[DicomObject, ...]) -> None:
        peer = msgspec.structs.replace(self.given.dicom, ae_title="NOBODY")
        deliver(peer, self.given.calling_ae, objects)


class Aborts(Sender):
    """Breaks its last association off instead of releasing it."""

    def run(self, step: str = "") -> None:
        super().run(step)
        with Scu(self.given.dicom, self.given.calling_ae, ()) as scu:
            scu.abort()


class NoEcho(Sender):
    """Never verifies the connection."""

    def configure(self) -> None:
        self.say("nothing to configure")


class ScreenCapture(_Once):
    """Sends a secondary capture beside its reports."""

    def wrong(self, objects: tuple[DicomObject, ...]) -> None:
        capture = msgspec.structs.replace(objects[0], sop_class=SECONDARY_CAPTURE, sop_instance=objects[0].sop_instance + ".7")
        deliver(self.given.dicom, self.given.calling_ae, (capture,))


class OtherAddress(_Once):
    """Once sends from an address that it did not register."""

    def wrong(self, objects: tuple[DicomObject, ...]) -> None:
        deliver(self.given.dicom, self.given.calling_ae, objects, source="127.0.0.9")


class Twice(_Once):
    """Sends its first report a second time although it was told of its success."""

    def wrong(self, objects: tuple[DicomObject, ...]) -> None:
        deliver(self.given.dicom, self.given.calling_ae, objects[:1])


class Drops(Sender):
    """Loses one report."""

    _count = 0

    def send(self, *objects: DicomObject) -> None:
        self._count += 1
        if self._count != 2:
            super().send(*objects)


# the modality


class NoStation(Modality):
    """Makes a report without a Station Name, which the registry needs."""

    def report(self, index: int, *, quirks: tuple[str, ...] = (), station: str | None = None) -> DicomObject:
        return super().report(index, quirks=("Q15",) if index == 1 else quirks, station=station)


class NoIntent(Modality):
    """Makes a report without items that the template makes mandatory."""

    def report(self, index: int, *, quirks: tuple[str, ...] = (), station: str | None = None) -> DicomObject:
        return super().report(index, quirks=("Q4",) if index == 1 else quirks, station=station)


class OtherStation(Modality):
    """Sends a report of a station that is not configured."""

    def report(self, index: int, *, quirks: tuple[str, ...] = (), station: str | None = None) -> DicomObject:
        return super().report(index, quirks=quirks, station="NOBODYS1" if index == 1 else station)


class Batch(Modality):
    """Keeps reports of several days and sends them by hand, in one association."""

    def exams(self) -> None:
        self.send(*islice(self.reports_within(*RECENT), REPORTS))


# the forwarders


class ChangesValue(Forwarder):
    """Writes another Institution Name into a report."""

    _done = False

    def pass_on(self, report: DicomObject) -> None:
        if not self._done and (changed := with_institution(report)) is not None:
            self._done = True
            report = changed
        super().pass_on(report)


class Recodes(Forwarder):
    """Decodes a report and writes it anew in implicit VR: the same values, other bytes."""

    _done = False

    def pass_on(self, report: DicomObject) -> None:
        if not self._done and report.transfer_syntax == EXPLICIT_LITTLE:
            self._done = True
            report = recoded(report)
        super().pass_on(report)


class RoutesAll(Forwarder):
    """Sends the reports of every station."""

    def wanted(self, report: DicomObject) -> bool:
        del report
        return True


def with_institution(report: DicomObject) -> DicomObject | None:
    """The report with an Institution Name of its own (explicit little endian only), or None where it cannot be put in."""
    if report.transfer_syntax != EXPLICIT_LITTLE:
        return None
    value = b"Changed Clinic"
    element = _INSTITUTION + struct.pack("<H", len(value)) + value
    at = report.data.find(_INSTITUTION)
    if at >= 0:
        (length,) = struct.unpack_from("<H", report.data, at + 6)
        data = report.data[:at] + element + report.data[at + 8 + length :]
        return msgspec.structs.replace(report, data=data)
    at = report.data.find(b"\x08\x00\x90\x00PN")
    return None if at < 0 else msgspec.structs.replace(report, data=report.data[:at] + element + report.data[at:])


def recoded(report: DicomObject) -> DicomObject:
    """The report as another library writes it in implicit VR little endian."""
    from io import BytesIO

    from pydicom import dcmread
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset
    from pydicom.uid import ImplicitVRLittleEndian

    preamble = bytes(128) + b"DICM"
    syntax = EXPLICIT_LITTLE.encode().ljust(20, b"\0")
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax
    found = dcmread(BytesIO(preamble + meta + report.data), force=True)
    out = DicomBytesIO()
    out.is_little_endian, out.is_implicit_VR = True, True
    write_dataset(out, found)
    return msgspec.structs.replace(report, data=out.getvalue(), transfer_syntax=str(ImplicitVRLittleEndian))


ANY: Mapping[str, type[Sender]] = {
    "allow-registered": OtherAddress,
    "dir-association": WrongTitle,
    "dir-association:abort": Aborts,
    "dir-echo": NoEcho,
    "dir-rdsr-only": ScreenCapture,
    "dir-each-exam": Drops,
    "dir-each-exam:twice": Twice,
}
OWN: Mapping[Role, Mapping[str, type[Sender]]] = {
    Role.MODALITY: {"dir-valid": NoStation, "dir-template": NoIntent, "dir-station": OtherStation, "dir-soon": Batch},
    Role.RDIM: {"dir-pass-through": ChangesValue, "dir-pass-through-bytes": Recodes},
    Role.PACS: {"dir-selective": RoutesAll, "dir-pass-through": ChangesValue},
}


def broken_senders(role: Role) -> dict[str, type[Sender]]:
    """The broken senders of a role by name: a check, or `CHECK:VARIANT`."""
    return {**ANY, **OWN.get(role, {})} if role in SENDERS else {}


def sender_for(role: Role, name: str | None) -> type[Sender]:
    """The sender of a role that is wrong in that way (None: the reference); raises `KeyError` where there is none."""
    if name is None:
        return SENDERS[role]
    wrong = broken_senders(role)[name]
    return wrong if issubclass(wrong, SENDERS[role]) else type(wrong.__name__, (wrong, SENDERS[role]), {"__doc__": wrong.__doc__})
