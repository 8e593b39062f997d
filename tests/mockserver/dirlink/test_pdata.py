"""Answers as command sets: what is written can be read, and says what was asked."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from mockserver.dirlink import pdata

UIDS = st.from_regex(r"[0-9][0-9.]{0,63}", fullmatch=True).map(str.encode)
NUMBERS = st.integers(0, 0xFFFF)
ASKED = st.sampled_from([pdata.C_STORE_RQ, pdata.C_ECHO_RQ])


@given(ASKED, UIDS, UIDS | st.just(b""), st.tuples(NUMBERS, NUMBERS), st.text(max_size=80))
def test_an_answer_says_what_was_asked(
    command: int, sop_class: bytes, sop_instance: bytes, numbers: tuple[int, int], comment: str
) -> None:
    """Each element of an answer is told, in ascending order and of even length, with the length of them all before."""
    number, status = numbers
    short = struct.Struct("<H").pack
    elements = {pdata.SOP_CLASS: sop_class, pdata.COMMAND: short(command), pdata.MESSAGE_ID: short(number)}
    asked = pdata.Message(1, elements={**elements, pdata.SOP_INSTANCE: sop_instance})
    octets = pdata.answer(asked, status, comment)
    told = pdata.Message(1, elements=pdata.command_elements(octets))
    assert list(told.elements) == sorted(told.elements)
    assert not any(len(value) % 2 for value in told.elements.values())
    assert told.elements[pdata.GROUP_LENGTH] == struct.pack("<L", len(octets) - 12)
    assert (told.uid(pdata.SOP_CLASS), told.uid(pdata.SOP_INSTANCE)) == (sop_class.decode(), sop_instance.decode())
    assert (told.number(pdata.COMMAND), told.number(pdata.ANSWERED)) == (command | pdata.ANSWER, number)
    assert (told.number(pdata.STATUS), told.has_data) == (status, False)
    assert (pdata.COMMENT in told.elements) == bool(comment)
