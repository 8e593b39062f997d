"""Strict JSON: what two readers could read differently is refused, with reason and position; good input is untouched."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock import strictjson
from acrmock.strictjson import MAX_INTEGER_DIGITS, JsonProblem, JsonReason, deeper_than, loads

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**MAX_INTEGER_DIGITS) + 1, 10**MAX_INTEGER_DIGITS - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(
    ("data", "reason", "position"),
    [
        (b"", JsonReason.EMPTY, None),
        (b" \n\t ", JsonReason.EMPTY, None),
        (b"\xef\xbb\xbf{}", JsonReason.BYTE_ORDER_MARK, 0),
        ("{}".encode("utf-16"), JsonReason.BYTE_ORDER_MARK, 0),
        (b'{"a": "\xff"}', JsonReason.NOT_UTF8, 7),
        (b'{"a": "\xed\xa0\x80"}', JsonReason.NOT_UTF8, 7),
        (b'{"a": 1', JsonReason.SYNTAX, 7),
        (b"{'a': 1}", JsonReason.SYNTAX, 1),
        (b"[1,]", JsonReason.SYNTAX, 3),
        (b'["\x01"]', JsonReason.SYNTAX, 2),
        (b"\0", JsonReason.SYNTAX, 0),
        (b"{} {}", JsonReason.TRAILING, 3),
        (b'"a" x', JsonReason.TRAILING, 4),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', JsonReason.DUPLICATE_KEY, None),
        (b'{"a": 1, "\\u0061": 2}', JsonReason.DUPLICATE_KEY, None),
        (b"[NaN]", JsonReason.NOT_A_NUMBER, None),
        (b"[-Infinity]", JsonReason.NOT_A_NUMBER, None),
        (b"[Infinity]", JsonReason.NOT_A_NUMBER, None),
        (b"1" * 19, JsonReason.HUGE_NUMBER, None),
        (b"1" * 100_000, JsonReason.HUGE_NUMBER, None),
        (b"[1e999]", JsonReason.HUGE_NUMBER, None),
        (b"[-1e999]", JsonReason.HUGE_NUMBER, None),
        (b"[" * 65 + b"]" * 65, JsonReason.TOO_DEEP, None),
        (b"[" * 10_000 + b"]" * 10_000, JsonReason.TOO_DEEP, None),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, JsonReason.TOO_DEEP, None),
        (b"[" * 1_000_000, JsonReason.TOO_DEEP, None),
        (b'["\\ud800"]', JsonReason.LONE_SURROGATE, None),
        (b'{"\\uDFFF": 1}', JsonReason.LONE_SURROGATE, None),
    ],
    ids=lambda value: repr(value[:12]) if isinstance(value, bytes) else None,
)
def test_refused(data: bytes, reason: JsonReason, position: int | None) -> None:
    """Each way of being wrong has its reason, and its position where it is known."""
    with pytest.raises(JsonProblem) as caught:
        loads(data, max_depth=64)
    assert (caught.value.reason, caught.value.position) == (reason, position)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"0", 0),
        (b" [1, -2.5e3, null, true] ", [1, -2500.0, None, True]),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b"[" * 64 + b"]" * 64, None),
        (b'["' + b"[{" * 1000 + b'"]', ["[{" * 1000]),
        (b'["\\"[[' + b"[" * 100 + b'"]', ['"[[' + "[" * 100]),
        (b"-" + b"9" * 18, -(10**18) + 1),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_accepted(data: bytes, value: Any) -> None:
    """What is good is read, brackets inside strings and depth at the limit included."""
    read = loads(data, max_depth=64)
    assert value is None or read == value


@given(VALUES, st.booleans())
def test_agrees_with_the_standard_library(value: Any, ascii_only: bool) -> None:  # noqa: FBT001 - a parameter
    """Whatever the standard library writes is read back equal."""
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode(), max_depth=100) == value


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    """Any bytes give a value or a `JsonProblem`, never another error."""
    with contextlib.suppress(JsonProblem):
        loads(data, max_depth=8)


@given(VALUES)
def test_depth_is_exact(value: Any) -> None:
    """The depth scan agrees with the depth of the value."""

    def depth(inner: Any) -> int:
        if isinstance(inner, dict):
            return 1 + max(map(depth, inner.values()), default=0)
        return 1 + max(map(depth, inner), default=0) if isinstance(inner, list) else 0

    data = json.dumps(value).encode()
    assert not deeper_than(data, depth(value))
    assert depth(value) == 0 or deeper_than(data, depth(value) - 1)


def test_a_hundred_megabytes() -> None:
    """A hundred megabytes of brackets, or in one string, are dealt with in linear time."""
    with pytest.raises(JsonProblem):
        loads(b"[" * 100_000_000, max_depth=64)
    assert len(loads(b'"' + b"x" * 100_000_000 + b'"', max_depth=64)) == 100_000_000


def test_values_are_counted_before_they_are_built() -> None:
    """Too many values are refused by a count of commas outside strings; commas in a string do not count."""
    with pytest.raises(JsonProblem) as caught:
        loads(b"[" + b"0," * 10 + b"0]", max_depth=4, max_values=10)
    assert caught.value.reason is JsonReason.TOO_MANY
    assert loads(b'["' + b"," * 50 + b'"]', max_depth=4, max_values=10) == ["," * 50]


_TOKENS = st.sampled_from(
    [
        *(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"a"',
            '"b"',
            '":c"',
            '"a":',
            '"b" :',
            '"\\u0061":1',
            '{"a":1}',
            '{"a":1,"a":2}',
            "\\",
            '"',
        ),
        *(
            "1",
            "-0",
            "1.5",
            "1e3",
            "1e999",
            "9" * 15,
            "9" * 17,
            "9" * 19,
            " ",
            "\n",
            "null",
            "true",
            '"\xe9"',
            "NaN",
            "\0",
            "\ufeff",
        ),
    ]
)


def _outcome(data: bytes) -> str:
    """What came of reading: the value as Python writes it, types and the order of names included, or the problem."""
    try:
        return repr(loads(data, max_depth=6, max_values=20))
    except JsonProblem as problem:
        return f"{problem.reason} {problem.position} {problem.detail}"


@settings(deadline=None, max_examples=1000)
@given(st.lists(_TOKENS, max_size=14).map("".join) | VALUES.map(json.dumps))
def test_the_quick_reader_agrees_with_the_strict_one(text: str) -> None:
    """Where the quick reader gives a value it is the strict reader's, and nothing is accepted that the strict one refuses."""
    quickly = _outcome(text.encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(strictjson, "_quick", lambda _: strictjson._UNTOLD)
        assert _outcome(text.encode()) == quickly


def test_plain_bodies_are_read_quickly() -> None:
    """What most clients send is told by the quick reader; what two readers could read differently is not."""
    told = [b'{"a":{"b":[1,{"c":"x"}]}}', b'{"a": 1, "b": "\xc3\xa9"}', b"[]", b'{\n "a": [1.5]\n}']
    untold = [b'{"a":1,"a":2}', b'{"a" :1,"a":2}', b'{"a":":"}', b'{"\\u0061":1}', b"[1234567890123456]", b"[1,]", b'{"a\\"":1}']
    assert all(strictjson._quick(data) is not strictjson._UNTOLD for data in told)
    assert all(strictjson._quick(data) is strictjson._UNTOLD for data in untold)
