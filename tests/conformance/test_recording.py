"""Reading recordings back: what is whole, what is a gap, what is no recording."""

from __future__ import annotations

import io

import pytest
from builder import Story, good_run
from hypothesis import given
from hypothesis import strategies as st

from acrmock.errors import SetupError
from acrmock.record import Footer, encode_line
from conformance.recording import Recording, bounded_lines, read

WHOLE = good_run().lines()


def reasons(recording: Recording) -> str:
    """The problems in words."""
    return "; ".join(problem.reason for problem in recording.problems)


def test_a_whole_recording_has_no_problem() -> None:
    """Header, entries and footer come back as they were written."""
    recording = read(WHOLE)
    assert recording.problems == ()
    assert [encode_line(entry) + b"\n" for entry in recording.entries] == WHOLE[1:-1]
    assert recording.footer is not None
    assert recording.footer.sha256 == recording.sha256


def test_a_cut_recording_is_a_gap() -> None:
    """Without its footer, or with half a last line, a recording was cut off."""
    assert "footer is missing" in reasons(read(WHOLE[:-1]))
    half = read([*WHOLE[:-2], WHOLE[-2][:40]])
    assert "cannot be read" in reasons(half)
    assert half.problems[0].line == len(WHOLE) - 1


def test_a_line_left_out_or_changed_is_a_gap() -> None:
    """The footer's count and digest show what was taken away or altered."""
    assert "the footer counts" in reasons(read([*WHOLE[:3], *WHOLE[4:]]))
    assert "was changed" in reasons(read([line.replace(b"127.0.0.1", b"127.0.0.2") for line in WHOLE]))


def test_entries_out_of_order_are_a_gap() -> None:
    """`seq` grows from entry to entry."""
    swapped = [WHOLE[0], WHOLE[2], WHOLE[1], *WHOLE[3:]]
    assert "out of order" in reasons(read(swapped))


def test_lines_after_the_footer_are_a_gap() -> None:
    """Nothing follows the footer but blank lines."""
    assert read([*WHOLE, b"\n"]).problems == ()
    assert "after the footer" in reasons(read([*WHOLE, WHOLE[1]]))


def test_a_second_header_is_a_gap() -> None:
    """Two recordings in one file are none."""
    assert "second header" in reasons(read([WHOLE[0], *WHOLE]))


def test_a_line_that_is_too_long_is_a_gap() -> None:
    """A line beyond the limit is skipped and told, the rest is read."""
    limit = max(map(len, WHOLE))
    stream = io.BytesIO(b"".join([*WHOLE[:2], b"x" * (limit * 3) + b"\n", *WHOLE[2:]]))
    recording = read(bounded_lines(stream, limit=limit), limit=limit)
    assert "longer than" in reasons(recording)
    assert len(recording.entries) == len(WHOLE) - 2


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[" * 100_000,
        b"\xff\xfe\n",
        b"not json\n",
        WHOLE[1],
        WHOLE[-1],
        b'{"kind":"header","schema":"acrmock/record/2","created":"","acrmock":""}\n',
        b'{"kind":"header","schema":"something/else/1","created":"","acrmock":""}\n',
    ],
)
def test_what_is_no_recording_is_refused(first: bytes) -> None:
    """A file without the right header is the user's to mend, and the error says how."""
    with pytest.raises(SetupError) as caught:
        read([first] if first else [])
    assert caught.value.fix


def test_a_newer_recording_is_named_so() -> None:
    """A recording of a later format asks for a later version."""
    with pytest.raises(SetupError, match="newer version"):
        read([b'{"kind":"header","schema":"acrmock/record/2","created":"","acrmock":""}\n'])


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(WHOLE)), max_size=12))
def test_reading_never_raises_on_any_lines(body: list[bytes]) -> None:
    """Whatever follows the header, reading ends with entries and problems."""
    recording = read([WHOLE[0], *body])
    assert recording.problems or isinstance(recording.footer, Footer)


def test_an_empty_story_is_whole() -> None:
    """A recording without entries is whole."""
    assert read(Story().lines()).problems == ()
