"""A dose report made anonymous: nothing that identifies is left in its bytes, no number is changed."""

from __future__ import annotations

import io
import string
import struct
import subprocess
import warnings
import zlib
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hostile_reports import KEY, TRANSFER, anonymous, code, content, number, part10, report, reread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from leaks import leaks, numbers
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from witness import tool

from acrmock.dose.elements import Unreadable
from acrmock.facts import FactsError, load_facts, shipped
from acrmock.facts.yamlfile import read_text
from mockserver.dirlink.age import settled
from mockserver.dirlink.anonymise import BirthDates, CannotAnonymise, Descriptors, Policy, What, anonymise, policy_of, uid_map
from mockserver.dirlink.dataset import MAX_ELEMENTS, read, write
from mockserver.dirlink.deidentification import Action, rules_of, shipped_rules

REAL_FILES = [path for above in Path(__file__).parents for path in sorted(above.glob("shared/data/rdsr/*.dcm"))]
NAMES = [path.name for path in REAL_FILES] or ["absent"]


def real(name: str) -> bytes:
    """A real file; skips where the folder is absent."""
    for path in REAL_FILES:
        if path.name == name:
            return path.read_bytes()
    pytest.skip("the folder of real dose reports is absent")


def parsed(data: bytes) -> Dataset:
    """A file as pydicom reads it, without its remarks on what senders wrote."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data), force=True)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_report_leaks_nothing_and_keeps_its_numbers(name: str) -> None:
    """Of each real file, no name, identifier, UID, place or free text is left, and every number is as before."""
    original = real(name)
    made = anonymous(original)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert leaks(original, made.data) == set()
        before, after = numbers(parsed(original)), numbers(reread(made))
    assert after == before
    assert name == "ESR_non-dose.dcm" or before


@pytest.mark.parametrize("name", NAMES)
def test_dsrdump_reads_what_it_read_before(name: str, tmp_path: Path) -> None:
    """DCMTK's dsrdump, tolerant as it must be of some files, reads the anonymous report wherever it read the original."""
    original = real(name)
    dsrdump = tool("dsrdump")
    files = tmp_path / "before.dcm", tmp_path / "after.dcm"
    files[0].write_bytes(original)
    made = reread(anonymous(original))
    made.file_meta.TransferSyntaxUID = TRANSFER
    made.save_as(files[1], enforce_file_format=True)
    codes = [
        subprocess.run([dsrdump, "-Er", "-Ec", "-Ee", str(path)], capture_output=True, check=False).returncode for path in files
    ]
    assert codes[1] <= codes[0]


HIDDEN: dict[str, Dataset] = {
    "a name in a protocol": report(content("TEXT", "125203", "Acquisition Protocol", TextValue="CAP_QUILLFEATHER_1")),
    "a physician in a protocol": report(content("TEXT", "125203", "Acquisition Protocol", TextValue="Routine Zauberlehrling")),
    "an identifier in a description": report(StudyDescription="CHEST for MRN99Q77 / ACC55443X"),
    "a place in a description": report(StudyDescription="CHEST wolkenstein"),
    "a patient's name turned round": report(ProtocolName="AMBROSIUS QUILLFEATHER CHEST"),
    "accents and case": report(
        content("TEXT", "125203", "Acquisition Protocol", TextValue="abdomen MULLERIN"),
        SpecificCharacterSet="ISO_IR 100",
        PatientName="M\u00fcllerin^Agathe",
    ),
    "a comment": report(content("TEXT", "121106", "Comment", TextValue="asked by her uncle Ambrosius")),
    "an observer": report(content("PNAME", "121008", "Person Observer Name", PersonName="Observerova^Jana")),
    "an illegal value type": report(content("PERSON NAME", "113870", "Person Name", PersonName="Observerova^Jana")),
    "the device's location": report(content("TEXT", "121017", "Location", TextValue="Grauburg Klinik")),
    "a private name": report(content("TEXT", "027", "Performing Physicians Name", "99PHI-IXR-XPER", TextValue="Steinbeisser")),
    "the subject": report(
        content("TEXT", "121030", "Subject ID", TextValue="SUBJ8812"), content("DATE", "121031", "Birth", Date="19500301")
    ),
    "a verifying observer": report(
        VerificationFlag="VERIFIED",
        VerifyingObserverSequence=Sequence([code("x", "99X", "y")]),
        PhysiciansOfRecord="Recordman^Rex",
    ),
    "a code's meaning": report(
        content("CODE", "123014", "Region", ConceptCodeSequence=Sequence([code("X1", "99L", "Leg Quillfeather")]))
    ),
    "a code's value": report(content("CODE", "123014", "Region", ConceptCodeSequence=Sequence([code("MRN99Q77", "99L", "Leg")]))),
    "an e-mail": report(ProtocolName="head ambro@example.org"),
    "a telephone": report(ProtocolName="head 212-555-0123"),
    "a social security number": report(ProtocolName="head 666-12-3456"),
    "a date of birth": report(ProtocolName="head 01.03.1950"),
    "a date of birth in words": report(ProtocolName="head 01-MAR-1950"),
    "a long number": report(StudyDescription="head 88112233"),
    "an address": report(
        PatientAddress="Trollgatan 7", ReferringPhysicianAddress="Hexenweg 9", InstitutionAddress="Nebelgasse 3"
    ),
    "an unknown element": report(),
    "a number that is the patient's": report(InstanceNumber="445566", PatientID="445566"),
}
HIDDEN["an unknown element"].add_new(0x00089999, "LO", "Unlisted Person")


@pytest.mark.parametrize("hidden", HIDDEN)
def test_identifiers_are_found_where_they_hide(hidden: str) -> None:
    """Each hiding place is emptied: the words are in the file and not in what leaves, nor are any other of its identifiers."""
    original = part10(HIDDEN[hidden])
    made = anonymous(original)
    assert leaks(original, made.data) == set()
    planted = ("QUILLFEATHER", "AMBROSIUS", "MRN99Q77", "ACC55443X", "WOLKENSTEIN", "ZAUBERLEHRLING", "MULLERIN", "OBSERVEROVA")
    planted += ("GRAUBURG", "STEINBEISSER", "SUBJ8812", "RECORDMAN", "AMBRO@", "555-0123", "666-12-3456", "01.03.1950", "01-MAR")
    planted += ("88112233", "TROLLGATAN", "HEXENWEG", "NEBELGASSE", "UNLISTED", "445566", "19500301")
    assert not [word for word in planted if word.encode() in made.data.upper()]
    assert numbers(reread(made)) == numbers(HIDDEN[hidden])


def test_private_elements_preamble_padding_and_file_meta_are_gone() -> None:
    """Nothing of the preamble, the file meta, private elements at any depth, trailing padding or unlisted bytes is left."""
    inner = Dataset()
    inner.add_new(0x00110010, "LO", "SECRETVENDOR")
    inner.add_new(0x00111001, "UN", b"CANARY-NESTED")
    inner.ReferencedSOPInstanceUID = "1.9.9.9.9.9.1"
    data_set = report(ReferencedStudySequence=Sequence([inner]))
    data_set.add_new(0x00090010, "LO", "SECRETVENDOR")
    data_set.add_new(0x00091001, "LO", "CANARY-PRIVATE")
    data_set.add_new(0xFFFCFFFC, "OB", b"CANARY-PADDING")
    original = part10(data_set, preamble=b"CANARY-PREAMBLE".ljust(128, b"x"))
    made = anonymous(original)
    assert b"CANARY-PREAMBLE" in original
    assert b"CANARY-PADDING" in original
    assert b"CANARY" not in made.data
    assert b"SECRETVENDOR" not in made.data
    assert made.data[128:132] != b"DICM"
    assert made.data[:2] == b"\x08\x00"


def test_iso_2022_names_are_found_in_another_character_set() -> None:
    """A Japanese name is found in a protocol that an item writes in UTF-8 while the patient's name is in ISO 2022 IR 87."""
    item = content("TEXT", "125203", "Acquisition Protocol")
    item.SpecificCharacterSet = "ISO_IR 192"
    item.TextValue = "\u80f8\u90e8 \u5c71\u7530 CT"
    data_set = report(item)
    data_set.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    data_set.PatientName = "Yamada^Tarou=\u5c71\u7530^\u592a\u90ce=\u3084\u307e\u3060^\u305f\u308d\u3046"
    made = anonymous(part10(data_set))
    assert "\u5c71\u7530".encode() not in made.data
    assert "\u5c71\u7530".encode("iso2022_jp")[3:-3] not in made.data
    protocol = reread(made).ContentSequence[1].TextValue
    assert protocol == "\u80f8\u90e8 *** CT"


def test_uids_are_mapped_the_same_everywhere_and_well_known_ones_stay() -> None:
    """A UID becomes the same one in header, UIDREF, reference and another report; classes stay; another key gives another UID."""
    event = "1.2.3.4.5.6.7.88"
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", event
    data_set = report(
        content("UIDREF", "113769", "Irradiation Event UID", UID=event),
        content("IMAGE", "113795", "Acquired Image", ReferencedSOPSequence=Sequence([reference])),
        content("TEXT", "121126", "Performed Procedure Step SOP Instance UID", TextValue=event),
    )
    made = reread(anonymous(part10(data_set)))
    mapped = uid_map(KEY)(event)
    items = made.ContentSequence
    assert items[1].UID == items[2].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == items[3].TextValue == mapped
    assert items[2].ReferencedSOPSequence[0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert made.SOPClassUID == data_set.SOPClassUID
    assert made.SOPInstanceUID == uid_map(KEY)("1.2.3.4.5.6.7.1")
    assert mapped.startswith("2.25.")
    assert len(mapped) <= 64
    assert uid_map(b"other")(event) != mapped


def test_what_was_done_is_said_in_the_data_set_and_in_the_changes() -> None:
    """The data set carries (0012,0062), (0012,0063), the codes of CID 7050; changes carry paths, digests or, if asked, text."""
    original = part10(report())
    made = anonymous(original)
    data_set = reread(made)
    assert data_set.PatientIdentityRemoved == "YES"
    assert data_set.DeidentificationMethod
    said = [one.CodeValue for one in data_set.DeidentificationMethodCodeSequence]
    assert said == ["113100", "113104", "113105", "113106", "113108", "113109"]
    name = next(change for change in made.changes if change.path == "00100010")
    assert (name.what, name.after) == (What.EMPTIED, "")
    assert "Quillfeather" not in repr(made.changes)
    shown = anonymous(original, show_before=True)
    assert next(change for change in shown.changes if change.path == "00100010").before == "Quillfeather^Ambrosius"
    assert shown.data == made.data


def test_what_stands_in_no_change_is_as_it_came() -> None:
    """Each attribute of the data set that is another afterwards, is gone or is new stands in the list of changes."""
    original = part10(report())
    made = anonymous(original)
    before, after = pydicom.dcmread(io.BytesIO(original)), reread(made)
    told = {int(change.path[:8], 16) for change in made.changes}
    differs = {int(tag) for tag in {*before.keys(), *after.keys()} if before.get(tag) != after.get(tag)}
    assert {0x00120062, 0x00120063, 0x00120064, 0x00280303, 0x00100010} <= differs
    assert differs <= told


def test_what_the_options_retain_is_retained() -> None:
    """Device identity, dates, sex, age, study description and codes stand as they were."""
    data_set = reread(anonymous(part10(report(DeviceSerialNumber="SN1", PatientAge="045Y", PatientSize="1.71"))))
    kept = (data_set.StationName, data_set.DeviceSerialNumber, data_set.StudyDate, data_set.StudyTime, data_set.PatientSex)
    assert kept == ("CT1", "SN1", "20260110", "101500", "M")
    assert (data_set.PatientAge, str(data_set.PatientSize), data_set.StudyDescription) == ("045Y", "1.71", "CT CHEST")


@pytest.mark.parametrize(
    ("policy", "birth_date", "aside"),
    [(BirthDates.DROP, "", False), (BirthDates.HASH, "", True), (BirthDates.KEEP, "19500301", False)],
)
def test_the_birth_date_goes_by_policy(policy: BirthDates, birth_date: str, *, aside: bool) -> None:
    """Dropped, dropped with a keyed digest sent aside, or kept; the digest is the same in every report of that person."""
    made = anonymous(part10(report()), birth_dates=policy)
    again = anonymous(part10(report(StudyDate="20260401")), birth_dates=policy)
    assert reread(made).PatientBirthDate == birth_date
    assert (made.birth_date_hash is not None) is aside
    assert made.birth_date_hash == again.birth_date_hash


@pytest.mark.parametrize(
    ("written", "born", "on", "age"),
    [
        ("045Y", "19500301", "20260110", "045Y"),
        ("", "19500301", "20260110", "075Y"),
        ("", "19500110", "20260110", "076Y"),
        ("89Y", "0", "20260110", "089Y"),
        ("37Y", "", "20260110", "037Y"),
        ("090Y", "", "", "090Y"),
        ("106Y", "", "", "090Y"),
        ("", "19230930", "20260110", "090Y"),
        ("", "20251201", "20260110", "001M"),
        ("", "20260101", "20260110", "009D"),
        ("", "99990101", "20260110", ""),
        ("", "0", "20260110", ""),
        ("ABC", "", "", ""),
        ("089Y", "", "", "089Y"),
    ],
)
def test_the_age_is_valid_and_never_over_89(written: str, born: str, on: str, age: str) -> None:
    """A valid age stays, another is computed or mended, and over 89 years is written as 90."""
    assert settled(written, born, on, oldest=89, capped="090Y") == age


def test_descriptions_can_be_dropped() -> None:
    """Under `drop` no description and no protocol is left, even one that nobody could know to identify."""
    data_set = report(content("TEXT", "125203", "Acquisition Protocol", TextValue="UNSUSPICIOUS"), StudyDescription="HARMLESS")
    made = anonymous(part10(data_set), descriptors=Descriptors.DROP)
    assert b"UNSUSPICIOUS" not in made.data
    assert b"HARMLESS" not in made.data


def test_a_dose_below_a_person_is_not_lost() -> None:
    """A text or person's name that holds a number below stays without its words, so that the number stays."""
    person = content("PNAME", "113870", "Person Name", PersonName="Observerova^Jana")
    person.ContentSequence = Sequence([number("3.5", "113830", "Mean CTDIvol", "mGy")])
    remark = content("TEXT", "121106", "Comment", TextValue="Quillfeather again")
    remark.ContentSequence = Sequence([number("4.5", "113838", "DLP", "mGy.cm")])
    data_set = report(person, remark)
    made = anonymous(part10(data_set))
    assert numbers(reread(made)) == numbers(data_set)
    assert b"Observerova" not in made.data
    assert b"again" not in made.data


def test_what_is_left_is_well_formed() -> None:
    """A content item that lost its last child has no empty content; a verified report is one no more; type 2 attributes stay."""
    person = content("CODE", "113876", "Role", ConceptCodeSequence=Sequence([code("113850", "DCM", "Irradiation Authorizing")]))
    person.ContentSequence = Sequence([content("PNAME", "113870", "Person Name", PersonName="Observerova^Jana")])
    request, study = Dataset(), Dataset()
    study.ReferencedSOPClassUID, study.ReferencedSOPInstanceUID = "1.2.840.10008.3.1.2.3.1", "1.2.3.4.5.6.7.9"
    request.RequestedProcedureID, request.ReferencedStudySequence = "RP77123", Sequence([study])
    data_set = report(
        person,
        VerificationFlag="VERIFIED",
        ReferencedRequestSequence=Sequence([request]),
        ReferencedStudySequence=Sequence([study]),
        ReferencedPerformedProcedureStepSequence=Sequence([study]),
    )
    made = reread(anonymous(part10(data_set)))
    assert "ContentSequence" not in made.ContentSequence[1]
    assert made.VerificationFlag == "UNVERIFIED"
    assert made.ReferencedRequestSequence[0].RequestedProcedureID == ""
    assert made.ReferencedRequestSequence[0].ReferencedStudySequence == []
    assert "ReferencedStudySequence" not in made
    assert made.ReferencedPerformedProcedureStepSequence == []


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_every_transfer_syntax_gives_the_same_report(syntax: str) -> None:
    """Implicit, big endian and deflated data sets give the bytes that explicit little endian gives."""
    data_set = report(content("TEXT", "125203", "Acquisition Protocol", TextValue="ROUTINE"), PregnancyStatus=4)
    expected = anonymous(part10(data_set)).data
    buffer = io.BytesIO()
    if syntax.endswith(".99"):
        pydicom.filewriter.write_dataset(_buffer(buffer, implicit=False, little=True), data_set)
        engine = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        data = engine.compress(buffer.getvalue()) + engine.flush()
    else:
        little = syntax != "1.2.840.10008.1.2.2"
        copy = pydicom.dcmread(io.BytesIO(part10(data_set)))
        pydicom.filewriter.write_dataset(_buffer(buffer, implicit=little, little=little), copy)
        data = buffer.getvalue()
    assert anonymise(data, syntax, Policy(key=KEY), uid_map(KEY)).data == expected


def _buffer(buffer: io.BytesIO, *, implicit: bool, little: bool) -> Any:
    written = pydicom.filebase.DicomIO(buffer)
    written.is_implicit_VR, written.is_little_endian = implicit, little
    return written


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 64,
        b"not a data set at all, not at all",
        b"\x08\x00\x16\x00UI\xff\xff1.2",
        b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff",
        b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff"
        + b"\xfe\xff\x00\xe0\xff\xff\xff\xff\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff" * 5000,
    ],
    ids=["empty", "zeros", "prose", "cut", "open", "deep"],
)
def test_what_cannot_be_read_to_its_end_is_refused(data: bytes) -> None:
    """Bytes that nobody can read whole raise one clear error with the place; nothing is made of them."""
    with pytest.raises(CannotAnonymise, match=r"\(at byte \d+\)"):
        anonymise(data, TRANSFER, Policy(key=KEY), uid_map(KEY))


def test_a_deflate_bomb_and_an_unknown_transfer_syntax_are_refused() -> None:
    """Inflation stops at the limit, and a transfer syntax of images is none of ours."""
    bomb = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = bomb.compress(b"\0" * 5_000_000) + bomb.flush()
    with pytest.raises(CannotAnonymise, match="larger than 1000 bytes"):
        anonymise(data, "1.2.840.10008.1.2.1.99", Policy(key=KEY, inflated_limit=1000), uid_map(KEY))
    with pytest.raises(CannotAnonymise, match="transfer syntax"):
        anonymise(data, "1.2.840.10008.1.2.4.50", Policy(key=KEY), uid_map(KEY))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_random_bytes_and_cuts_never_crash(data: st.DataObject) -> None:
    """A report cut or overwritten anywhere gives a report or the one clear error, never anything else."""
    whole = part10(report())
    at = data.draw(st.integers(132, len(whole) - 1))
    noise = data.draw(st.binary(max_size=24))
    mangled = whole[:at] + noise + (whole[at + len(noise) :] if data.draw(st.booleans()) else b"")
    try:
        made = anonymous(mangled).data
    except CannotAnonymise:
        return
    assert reread_whole(made)


def reread_whole(data: bytes) -> bool:
    """Whether our own reader, given what was written, comes to the same bytes again."""
    return write(read(data, TRANSFER, inflated_limit=0)) == data


CANARY = st.text(string.ascii_uppercase, min_size=7, max_size=10).map(lambda text: "ZQ" + text)
PLACES = ("PatientName", "PatientID", "OtherPatientIDs", "AccessionNumber", "StudyID", "InstitutionName", "OperatorsName")
PLACES += (
    "PatientComments",
    "AdditionalPatientHistory",
    "PerformingPhysicianName",
    "RequestingService",
    "AdmissionID",
    "EthnicGroup",
)
PLACES += ("InstitutionalDepartmentName", "Occupation", "StudyComments", "ReasonForStudy", "MilitaryRank", "BranchOfService")
TEXTS = ("121106", "121008", "121009", "121017", "121030", "125203", "113605", "027", "113724", "999999")
REMEMBERED = frozenset({"PatientName", "PatientID", "AccessionNumber", "StudyID", "InstitutionName", "OperatorsName"})


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    planted=st.dictionaries(st.sampled_from(PLACES), CANARY, min_size=1),
    texts=st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(["DCM", "99X"]), CANARY, st.booleans()), max_size=6),
    carried=st.sampled_from(["StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription"]),
)
def test_no_canary_survives(planted: dict[str, str], texts: list[tuple[str, str, str, bool]], carried: str) -> None:
    """Random words in names, identifiers, free text, nested sequences and content items of any concept: none is left.

    A description may say anything; there the words are those that stand in a name, an identifier or a place too.
    """
    known = [word for place, word in planted.items() if place in REMEMBERED] or ["Quillfeather"]
    nested = Dataset()
    data_set = report(**{carried: f"CT {known[0].lower()}_x", "RequestAttributesSequence": Sequence([nested])})
    for place, word in planted.items():
        setattr(data_set, place, word)
        if place != "EthnicGroup":
            setattr(nested, place, word)
    for concept, scheme, word, person in texts:
        free = scheme != "DCM" or concept not in {"125203", "113605"}
        kind = {"PersonName": word} if person else {"TextValue": word if free else f"A {known[-1]} B"}
        data_set.ContentSequence.append(content("PNAME" if person else "TEXT", concept, "Meaning", scheme, **kind))
    original = part10(data_set)
    made = anonymous(original)
    words = {*planted.values(), *known, *(word for _, _, word, _ in texts)}
    assert not [word for word in words if word.encode() in made.data.upper()]
    assert leaks(original, made.data) == set()
    assert anonymous(part10(data_set)).data == made.data


def test_the_settings_make_the_policy() -> None:
    """The shipped settings hash the birth date and clean the descriptions."""
    policy = policy_of(load_facts(), KEY)
    assert (policy.birth_dates, policy.descriptors) == (BirthDates.HASH, Descriptors.CLEAN)
    assert policy.inflated_limit > 0


def test_the_table_says_what_the_standard_says() -> None:
    """A sample of PS3.15 Table E.1-1 under our options: kept, cleaned, emptied, removed and mapped."""
    table = shipped_rules().table
    expected = {
        0x00081010: Action.KEEP,
        0x00080020: Action.KEEP,
        0x00101010: Action.KEEP,
        0x00081030: Action.CLEAN,
        0x0040A730: Action.CLEAN,
        0x00100010: Action.EMPTY,
        0x00100030: Action.EMPTY,
        0x00080050: Action.EMPTY,
        0x00080081: Action.REMOVE,
        0x00104000: Action.CLEAN,
        0x0020000D: Action.MAP,
        0x00083010: Action.MAP,
    }
    assert {tag: table[tag] for tag in expected} == expected


def rules_text() -> str:
    """The shipped rules as text."""
    return read_text(shipped.root() / "anonymisation" / "rules.yaml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema: acrmock/anonymisation/1", "schema: other", "schema"),
        ("replacement: ", "replaced_by: ", "incomplete"),
        ("    - '(?<!", "    - '(((?<!", "incomplete"),
        ('"00080050": {basic: Z}', '"0008005Z": {basic: Z}', "incomplete"),
    ],
)
def test_rules_that_are_wrong_are_refused(old: str, new: str, said: str) -> None:
    """Rules with another schema, a part missing, a pattern or a tag that is none are refused by name."""
    with pytest.raises(FactsError, match=said):
        rules_of(rules_text().replace(old, new, 1), "rules.yaml")


def test_a_safe_private_element_stays_and_is_said() -> None:
    """What the safe list names stays with its creator, its neighbours go, and the code of the option is given."""
    text = rules_text().replace("elements: []", 'elements: [{creator: SAFEVENDOR, group: "0019", element: "23"}]')
    data_set = report()
    for tag, value in ((0x00190010, "SAFEVENDOR"), (0x00191023, "PITCH"), (0x00191024, "CANARY"), (0x00190011, "CANARYVENDOR")):
        data_set.add_new(tag, "LO", value)
    data_set.add_new(0x00191123, "LO", "CANARY")
    made = anonymise(part10(data_set), TRANSFER, Policy(key=KEY), uid_map(KEY), rules=rules_of(text, "rules.yaml"))
    assert b"SAFEVENDOR" in made.data
    assert b"PITCH" in made.data
    assert b"CANARY" not in made.data
    assert "113111" in [one.CodeValue for one in reread(made).DeidentificationMethodCodeSequence]


def test_too_many_elements_are_refused() -> None:
    """A tree of more elements than memory is good for is refused, however few bytes it came in."""
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    sequence = struct.pack("<HH2sHL", 0x0040, 0xA730, b"SQ", 0, len(item) * (MAX_ELEMENTS + 1)) + item * (MAX_ELEMENTS + 1)
    with pytest.raises(Unreadable, match="elements and items"):
        read(sequence, "1.2.840.10008.1.2.1", inflated_limit=1 << 26)
