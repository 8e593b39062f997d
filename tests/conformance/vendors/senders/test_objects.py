"""DICOM objects read from files, whatever lies there."""

from __future__ import annotations

from pathlib import Path

import pytest
from dose_files import DEFLATED, DOSE_SR, IMPLICIT, SYNTAXES, ct_report, encoded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acrmock.errors import SetupError
from conformance.vendors.senders import objects
from conformance.vendors.senders.objects import files_of, read_object


def element(tag: bytes, vr: bytes, value: bytes) -> bytes:
    """An element of the File Meta Information."""
    value += b"\0" * (len(value) % 2)
    return tag + vr + len(value).to_bytes(2, "little") + value


def part10(data: bytes, syntax: str, *, sop_class: str = DOSE_SR, instance: str = "2.25.9") -> bytes:
    """A file (PS3.10 section 7.1)."""
    meta = element(b"\x02\0\x02\0", b"UI", sop_class.encode()) + element(b"\x02\0\x03\0", b"UI", instance.encode())
    meta += element(b"\x02\0\x10\0", b"UI", syntax.encode())
    return bytes(128) + b"DICM" + element(b"\x02\0\0\0", b"UL", len(meta).to_bytes(4, "little")) + meta + data


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_file_gives_its_data_set_untouched(tmp_path: Path, syntax: str) -> None:
    """The data set is what follows the meta information, in any transfer syntax; station and UIDs are known."""
    data = encoded(ct_report(), syntax)
    path = tmp_path / "one.dcm"
    path.write_bytes(part10(data, syntax))
    found = read_object(path)
    assert (found.data, found.transfer_syntax) == (data, syntax)
    assert (found.sop_class, found.sop_instance, found.station) == (DOSE_SR, "2.25.9", "CT1")


def test_a_bare_data_set_is_an_object_too(tmp_path: Path) -> None:
    """Without preamble and meta information the data set speaks for itself."""
    data = encoded(ct_report(), IMPLICIT)
    path = tmp_path / "bare"
    path.write_bytes(data)
    assert (read_object(path).data, read_object(path).transfer_syntax) == (data, IMPLICIT)


def test_the_meta_information_decides_about_uids(tmp_path: Path) -> None:
    """The UIDs under which an object is sent are those of the file's meta information."""
    path = tmp_path / "one.dcm"
    path.write_bytes(part10(encoded(ct_report(), IMPLICIT), IMPLICIT, instance="2.25.77"))
    assert read_object(path).sop_instance == "2.25.77"


NO_UIDS = encoded(ct_report(SOPInstanceUID=None, SOPClassUID=None), IMPLICIT)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no SOP Class|no DICOM object"),
        (b"not DICOM at all, but a text that is long enough", "no DICOM object"),
        (bytes(5000), "no DICOM object|no SOP Class"),
        (bytes(128) + b"DICM", "no DICOM object|no SOP Class"),
        (part10(encoded(ct_report()), "")[:-100], "transfer syntax"),
        (part10(encoded(ct_report()), DEFLATED), "no DICOM object"),
        (part10(b"", "1.2.840.10008.1.2.1")[:150], "meta information"),
        (NO_UIDS, "no SOP Class"),
    ],
)
def test_what_is_no_object_is_said(tmp_path: Path, content: bytes, words: str) -> None:
    """Each bad file is a clear error that names it."""
    path = tmp_path / "bad.dcm"
    path.write_bytes(content)
    with pytest.raises(SetupError, match=words) as caught:
        read_object(path)
    assert "bad.dcm" in str(caught.value)


@given(cut=st.integers(0, 3000), noise=st.binary(max_size=40))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_an_error_or_an_object(tmp_path: Path, cut: int, noise: bytes) -> None:
    """A file cut anywhere, with noise after that, is read or refused in words, never anything else."""
    whole = part10(encoded(ct_report()), "1.2.840.10008.1.2.1")
    path = tmp_path / "damaged.dcm"
    path.write_bytes(whole[:cut] + noise)
    try:
        told = read_object(path).sop_instance
    except SetupError as error:
        told = str(error)
    assert told == "2.25.9" or "damaged.dcm" in told


def test_too_large_a_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no C-STORE should carry is refused by its size, before it is read."""
    monkeypatch.setattr(objects, "MAX_BYTES", 1000)
    path = tmp_path / "large.dcm"
    path.write_bytes(bytes(1001))
    with pytest.raises(SetupError, match="too large"):
        read_object(path)


def test_files_and_folders_in_order(tmp_path: Path) -> None:
    """Folders give their files at any depth, sorted, without the manifest; what is not there is an error."""
    (tmp_path / "deep").mkdir()
    for name in ("b.dcm", "a.dcm", "deep/c", "manifest.ndjson"):
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in files_of([tmp_path])] == ["a.dcm", "b.dcm", "c"]
    assert list(files_of([tmp_path / "b.dcm"])) == [tmp_path / "b.dcm"]
    with pytest.raises(SetupError, match="no such file"):
        list(files_of([tmp_path / "nowhere"]))
    with pytest.raises(SetupError, match="cannot be read"):
        read_object(tmp_path / "nowhere")
