"""A recording goes into a HAR and comes back; what is no HAR of acrmock's own is refused, what is damaged is a gap."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builder import good_run
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import AssociationEntry, AssociationFacts, DimseEntry, DimseFacts, Footer
from conformance import recording as ndjson
from conformance.harstream import HarStream, read
from conformance.judge import judge
from conformance.recording import Recording
from conformance.reports import har
from conformance.result import Verdict
from conformance.runs.judging import Question, judge_recording, read_recording

WHOLE = ndjson.read(good_run().lines())
EXPORT = har.render(WHOLE)
FACTS = load_facts()


def reasons(recording: Recording) -> str:
    """The problems in words."""
    return "; ".join(problem.reason for problem in recording.problems)


def changed(change: Callable[[dict[str, Any]], object]) -> Recording:
    """The export after somebody changed its log, read back."""
    document = json.loads(EXPORT)
    change(document["log"])
    return read(io.BytesIO(json.dumps(document).encode()))


def test_a_recording_comes_back_from_its_har() -> None:
    """Header, footer and every entry are equal to those of the NDJSON, nothing is missing, and the findings are the same."""
    back = read(io.BytesIO(EXPORT))
    assert back.problems == ()
    assert (back.header, back.entries, back.footer) == (WHOLE.header, WHOLE.entries, WHOLE.footer)
    profile = FACTS.profile("lcsr")
    assert judge(back, FACTS, profile).findings == judge(WHOLE, FACTS, profile).findings


def test_a_har_that_another_program_wrote_anew_is_the_same() -> None:
    """Order of members, spaces and a byte order mark do not count: acrmock's own member may come last."""

    def last(log: dict[str, Any]) -> None:
        log["_acrmock"] = log.pop("_acrmock")

    assert changed(last).entries == WHOLE.entries
    assert changed(last).problems == ()
    again = json.dumps(json.loads(EXPORT), sort_keys=True, indent=7).encode("utf-8-sig")
    assert read(io.BytesIO(again)).problems == ()


def test_dicom_is_left_out_and_counted() -> None:
    """Associations and operations do not come back, and their absence is no gap, for the footer still adds up."""
    seq, common = WHOLE.entries[-1].seq, {"at": WHOLE.entries[-1].at, "t": WHOLE.entries[-1].t}
    dicom = (
        DimseEntry(seq=seq + 1, **common, facts=DimseFacts(association="a", service="C-ECHO")),
        AssociationEntry(seq=seq + 2, **common, facts=AssociationFacts(association="a")),
    )
    footer = Footer(entries=len(WHOLE.entries) + 2, sha256="")
    mixed = Recording(header=WHOLE.header, entries=(*WHOLE.entries, *dicom), footer=footer)
    back = read(io.BytesIO(har.render(mixed)))
    assert back.entries == WHOLE.entries
    assert back.problems == ()
    assert "1 associations and 1 operations" in back.remarks[0]
    assert judge_recording(back, FACTS, Question(profile="lcsr")).notes[0] == back.remarks[0]


def test_what_was_taken_out_or_altered_is_a_gap() -> None:
    """The count and the digest show it, and the verdict is void."""
    assert "were" not in reasons(WHOLE)
    assert "there are" in reasons(changed(lambda log: log["entries"].pop(3)))
    assert "there are" in reasons(changed(lambda log: log["_acrmock"]["other"].pop(0)))
    assert "was changed" in reasons(changed(lambda log: log["entries"][3]["response"].update(status=299)))
    assert "out of order" in reasons(changed(lambda log: log["entries"].reverse()))
    assert "cannot be read" in reasons(changed(lambda log: log["entries"][2].pop("_acrmock")))
    assert "cannot be read" in reasons(changed(lambda log: log["entries"].append([])))
    assert "footer" in reasons(changed(lambda log: log["_acrmock"].pop("footer")))
    void = judge(changed(lambda log: log["entries"].pop(3)), FACTS, FACTS.profile("lcsr"))
    assert void.verdict is Verdict.VOID


def test_the_gaps_of_a_recording_go_along() -> None:
    """A recording that was cut off is as void from its HAR as it was."""
    cut = ndjson.read(good_run().lines()[:-1])
    back = read(io.BytesIO(har.render(cut)))
    assert {problem.reason for problem in cut.problems} <= {problem.reason for problem in back.problems}


def test_a_har_of_others_is_refused() -> None:
    """What a browser saved lacks acrmock's facts: it is not judged, and the sentence says what to do instead."""
    document = json.loads(EXPORT)
    del document["log"]["_acrmock"]
    for entry in document["log"]["entries"]:
        del entry["_acrmock"]
    with pytest.raises(SetupError, match="not made by acrmock") as caught:
        read(io.BytesIO(json.dumps(document).encode()))
    assert "certify" in str(caught.value.fix)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"not json",
        b"[]",
        b"{}",
        b'{"log": 3}',
        b'{"log": {}}',
        b'{"log": {"entries": {}}}',
        b'{"log": {"_acrmock": 7, "entries": []}}',
        b'{"log": {"_acrmock": {"header": {}}, "entries": []}}',
        b'{"log": {"version": NaN}}',
        b'{"log": {"version": ' + b"9" * 5000 + b"}}",
        b'{"log": {3: 4}}',
        b'{"log": {"version": "\xff"}}',
        b'{"log": {"version": ' + b"[" * 100_000,
        EXPORT[: len(EXPORT) // 2],
        EXPORT[:-3],
        EXPORT + b"{}",
        EXPORT.replace(b'"pages": []', b'"entries": []'),
        EXPORT.replace(b'"acrmock/record/1"', b'"acrmock/record/9"'),
        EXPORT.decode().encode("utf-16"),
    ],
)
def test_what_is_no_har_is_refused(data: bytes) -> None:
    """Whatever stands in the file, it is refused with what was expected and how to mend it."""
    with pytest.raises(SetupError) as caught:
        read(io.BytesIO(data))
    assert caught.value.fix
    assert caught.value.actual


class Endless(io.RawIOBase):
    """A file of two gigabytes that is nowhere: a beginning, then one letter again and again."""

    def __init__(self, beginning: bytes, filling: bytes) -> None:
        self._beginning = beginning
        self._filling = filling
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        """The next piece."""
        assert 0 < size < 1 << 24, "a piece so large is not flat memory"
        piece = self._beginning or self._filling * (size // len(self._filling))
        self._beginning = b""
        self.given += len(piece)
        return piece if self.given < 2 << 30 else b""


@pytest.mark.parametrize(
    "beginning", [b'{"log": {"version": "', b'{"log": {"entries": [{"request": "', b'{"log": {"_acrmock": ["']
)
def test_a_value_without_an_end_is_refused_early(beginning: bytes) -> None:
    """Of two gigabytes in one value, no more than the limit is read."""
    file = Endless(beginning, b"x")
    with pytest.raises(SetupError, match="this"):
        read(file, limit=1 << 20)  # type: ignore[arg-type]
    assert file.given < 1 << 23


def test_entries_are_read_one_by_one() -> None:
    """A HAR of two gigabytes is read as its entries are asked for, and no further."""
    one = json.dumps(json.loads(EXPORT)["log"]["entries"][0]).encode()
    head = EXPORT[: EXPORT.index(b'"entries": [') + len(b'"entries": [')]
    file = Endless(head, one + b",")
    stream = HarStream(file)  # type: ignore[arg-type]
    entries = stream.entries
    for _ in range(200):
        next(entries)
    assert file.given < len(head) + (1 << 20)


@given(st.integers(0, len(EXPORT) - 1), st.binary(max_size=3))
def test_a_damaged_har_is_refused_or_a_gap(place: int, piece: bytes) -> None:
    """Bytes that were changed give an error or a problem, unless the same recording is still there."""
    data = EXPORT[:place] + piece + EXPORT[place + len(piece) :]
    try:
        back = read(io.BytesIO(data))
    except SetupError:
        return
    same = (back.header, back.entries, back.footer) == (WHOLE.header, WHOLE.entries, WHOLE.footer)
    own = EXPORT.index(b'"_acrmock"') <= place <= EXPORT.index(b'"entries": [')
    assert same or back.problems or own


def test_a_file_is_known_by_its_name_or_its_beginning(tmp_path: Path) -> None:
    """`score` takes either kind, whatever the name."""
    for name, data in {"a.har": EXPORT, "b.json": EXPORT, "c.txt": b"".join(good_run().lines())}.items():
        (tmp_path / name).write_bytes(data)
        assert read_recording(tmp_path / name).entries == WHOLE.entries
