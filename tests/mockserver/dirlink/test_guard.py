"""Real names inside a report whose header is synthetic: seen when it is read, put aside, deleted, and written down nowhere."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from mockserver.dirlink.persons import real_persons
from synthetic.dose import Kind, generate
from synthetic.dose.quirks import QUIRKS
from synthetic.dose.shapes import SHAPES

EXPLICIT, IMPLICIT, BIG, DEFLATED = ("1.2.840.10008.1.2" + end for end in (".1", "", ".2", ".1.99"))
AS_OF = date(2026, 3, 1)
CANARY = "Zwetschgenbaum"
"""A name that stands nowhere else."""

SITE = Callable[..., Any]


def made(kind: Kind = Kind.CT, **options: Any) -> Any:
    """A generated report."""
    return generate(kind, 5, 0, as_of=AS_OF, **options)


def changed(change: Callable[[Dataset], None], syntax: str = EXPLICIT, kind: Kind = Kind.CT) -> bytes:
    """The data set of a generated report after `change`, in `syntax`."""
    found = pydicom.dcmread(io.BytesIO(made(kind).file_bytes))
    change(found)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = syntax != BIG, syntax == IMPLICIT
    write_dataset(buffer, found)
    octets = bytes(buffer.getvalue())
    if syntax == DEFLATED:
        import zlib  # noqa: PLC0415 - only here

        engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        octets = engine.compress(octets) + engine.flush()
    return octets


def in_header(keyword: str, value: str) -> Callable[[Dataset], None]:
    """Sets an attribute of the header."""
    return lambda data: setattr(data, keyword, value)


def other_id(data: Dataset) -> None:
    """An ID of another system in Other Patient IDs Sequence."""
    inner = Dataset()
    inner.PatientID, inner.TypeOfPatientID = CANARY, "TEXT"
    data.OtherPatientIDsSequence = [inner]


def private_name(data: Dataset) -> None:
    """A private element of VR PN."""
    data.private_block(0x0009, "CANARY 1.0", create=True).add_new(1, "PN", f"{CANARY}^A")


def content(kind: str, value: str, scheme: str = "DCM", **values: str) -> Callable[[Dataset], None]:
    """Adds a content item deep in the last container."""

    def change(data: Dataset) -> None:
        name, item = Dataset(), Dataset()
        name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = value, scheme, "Somebody"
        item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = "CONTAINS", kind, [name]
        for keyword, text in values.items():
            setattr(item, keyword, text)
        last = [one for one in data.ContentSequence if one.ValueType == "CONTAINER"][-1]
        last.ContentSequence.append(item)

    return change


REAL = {
    "referring physician": (in_header("ReferringPhysicianName", f"{CANARY}^A"), "(0008,0090)"),
    "operators, the second of them": (in_header("OperatorsName", f"Synthetic^A\\{CANARY}^B"), "(0008,1070)"),
    "mother's birth name": (in_header("PatientMotherBirthName", CANARY), "(0010,1060)"),
    "a name that only begins so": (in_header("PerformingPhysicianName", f"Synthetica{CANARY}"), "(0008,1050)"),
    "other patient IDs in a sequence": (other_id, "(0010,0020)"),
    "person in the content": (content("PNAME", "121008", PersonName=f"{CANARY}^A"), "(0040,A123)"),
    "person as text": (content("TEXT", "027", "99PHI-IXR-XPER", TextValue=f"{CANARY}^A"), "(0040,A160)"),
    "subject's ID": (content("TEXT", "121030", TextValue=CANARY), "(0040,A160)"),
}


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG, DEFLATED], ids=["explicit", "implicit", "big", "deflated"])
@pytest.mark.parametrize("name", REAL)
def test_where_a_real_person_stands(name: str, syntax: str) -> None:
    """A name or an ID of somebody is found at any depth and in every transfer syntax, and only its place is told."""
    change, where = REAL[name]
    told = real_persons(changed(change, syntax), syntax, load_facts())
    assert told == where
    assert CANARY not in told


def test_a_private_name_where_the_vr_says_so() -> None:
    """A private element of VR PN is a person's name too; where no VR is written nobody can know, and nothing is said."""
    assert real_persons(changed(private_name), EXPLICIT, load_facts()) == "(0009,1001)"
    assert real_persons(changed(private_name, IMPLICIT), IMPLICIT, load_facts()) == ""


@pytest.mark.parametrize("kind", Kind)
def test_generated_reports_name_nobody(kind: Kind) -> None:
    """What we generate is recognisably synthetic everywhere, with every quirk that there is, in every character set."""
    facts, seen = load_facts(), 0
    for options in ({}, *({"quirks": (quirk,)} for quirk in QUIRKS if quirk != "Q30"), *({"shape": shape} for shape in SHAPES)):
        with suppress(SetupError):
            report = made(kind, **options)
            assert real_persons(report.data_set, report.transfer_syntax, facts) == "", options
            seen += 1
    assert seen > 20


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(REAL)), st.integers(0, 400), st.binary(max_size=30))
def test_the_quick_search_hides_nothing(name: str, place: int, noise: bytes) -> None:
    """Where bytes before the name look like other elements, in free text, what is found is the same."""
    change, where = REAL[name]

    def noisy(data: Dataset) -> None:
        change(data)
        data.private_block(0x0009, "NOISE 1.0", create=True).add_new(1, "OB", b"PN" * (place % 3) + noise + b"UN" + noise)
        data.ImageComments = "PN" * place

    assert real_persons(changed(noisy), EXPLICIT, load_facts()) == where


def test_a_name_of_unknown_vr_is_a_name() -> None:
    """PS3.6 says that (0008,1070) is a name, also where a sender wrote UN for its VR."""
    octets = made().data_set
    hidden = struct.pack("<HH2sHI", 0x0008, 0x1070, b"UN", 0, 8) + b"Someb^A "
    place = octets.index(struct.pack("<HH", 0x0008, 0x1090))
    assert real_persons(octets[:place] + hidden + octets[place:], EXPLICIT, load_facts()) == "(0008,1070)"


def test_damage_does_not_hide_a_name() -> None:
    """What stands before the place where a data set breaks off is looked at all the same."""
    octets = changed(REAL["referring physician"][0])
    assert real_persons(octets[:-9], EXPLICIT, load_facts()) == "(0008,0090)"
    assert real_persons(b"\xff" * 40, EXPLICIT, load_facts()) == ""


def stored_bytes(folder: Path) -> bytes:
    """All bytes of all files of an engine's data."""
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.parametrize("name", ["person in the content", "other patient IDs in a sequence"])
def test_it_is_put_aside_and_deleted(site: SITE, tmp_path: Path, name: str) -> None:
    """The report comes to QUARANTINED with the place for a reason; its name is in no file, export or answer."""
    run = site(tmp_path / "data")
    station = made().station
    run.call("POST", "/applications/default/stations", {"environment": "test", "station": station}, status=201)
    octets = changed(REAL[name][0])
    sop = run.receive(octets)
    assert run.state(sop) == "QUARANTINED"
    stored = run.stored(sop)
    assert stored.deleted
    assert stored.reasons[-1].startswith("the header is synthetic, but not every name and patient ID inside is: (00")
    assert run.core.objects.get(("default", "test"), sop, stored.sha256) is None
    facts = run.events("dir-report")[0].data
    assert (facts["state"], facts["synthetic"]) == ("QUARANTINED", False)
    assert run.events("dir-state")[0].data["reason"] == stored.reasons[-1]
    assert run.call("GET", "/central")["reports"] == []
    shown = repr(run.call("GET", "/applications/default/reports")) + repr(run.call("GET", f"/applications/default/reports/{sop}"))
    export = b"\n".join(bytes(line) for line in run.core.journal.export())
    assert run.receive(octets) == sop
    assert run.state(sop) == "QUARANTINED"
    run.stop()
    for text in (shown.encode(), export, stored_bytes(tmp_path / "data")):
        assert CANARY.encode() not in text


def test_a_copy_with_a_name_goes_alone(site: SITE, dose: Any) -> None:
    """The first bytes stay; those that came under their UID with somebody's name are deleted, and it is said."""
    run = site()
    sop = run.receive(dose.report("1.2.100.1"))
    assert run.state(sop) == "HELD"
    other = pydicom.dcmread(io.BytesIO(dose.report("1.2.100.1")), force=True)
    other.OperatorsName = CANARY
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, other)
    run.receive(bytes(buffer.getvalue()))
    assert run.state(sop) == "HELD"
    stored = run.stored(sop)
    assert run.core.objects.get(("default", "test"), sop, stored.sha256) is not None
    assert run.core.objects.get(("default", "test"), sop, stored.copies[0].sha256) is None
    assert "(0008,1070)" in stored.reasons[-1]


def test_where_real_data_is_taken_it_is_real_data(site: SITE) -> None:
    """With `accept_real_data` such a report goes its way, and its retention runs."""
    run = site(accept_real_data=True)
    sop = run.receive(changed(REAL["person in the content"][0]))
    assert run.state(sop) == "HELD"
    assert not run.stored(sop).synthetic
    assert any(job["kind"] == "dir-retain" for job in run.call("GET", "/jobs")["jobs"])


def test_a_planted_report_is_no_real_data(site: SITE) -> None:
    """What the harness planted may come with a name that somebody on its way wrote into it: the judge is to see that."""
    run = site()
    sop = run.receive(changed(REAL["referring physician"][0]), planted=True)
    assert run.state(sop) == "HELD"
