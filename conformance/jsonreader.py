"""A JSON document too large for memory, read value by value: what is large is walked through, what is small is decoded whole."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from acrmock.errors import SetupError

VALUE_LIMIT = 32 * 1024 * 1024
"""The longest value that is decoded whole, in characters: an HTTP exchange with two bodies of the largest size kept, escaped."""
CHUNK = 256 * 1024
_NEAR = 16
"""So near to the end of what was read, an error may only mean that the rest of a word is still to come."""
_SPACE = " \t\r\n"


class JsonReader:
    """Walks through one JSON text (RFC 8259, UTF-8); every fault of the text is a `SetupError` that names `what` it was to be.

    At most one value of `limit` characters is held, besides a piece of the file.
    """

    def __init__(self, file: BinaryIO, *, what: str, fix: str, limit: int = VALUE_LIMIT) -> None:
        self._file = file
        self._what = what
        self._fix = fix
        self._limit = limit
        self._utf8 = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = json.JSONDecoder(parse_constant=_no_constant)
        self._text = ""
        self._at = 0
        self._ended = False

    def members(self) -> Iterator[str]:
        """The names of the object that begins here; after each, its value must be taken before the next is asked for."""
        self._expect("{")
        if self._accept("}"):
            return
        while True:
            name = self.value()
            if not isinstance(name, str):
                raise self.refusal("a name in quotation marks", f"{name!r:.40}")
            self._expect(":")
            yield name
            if not self._accept(","):
                break
        self._expect("}")

    def items(self) -> Iterator[Any]:
        """The values of the array that begins here, one by one."""
        self._expect("[")
        if self._accept("]"):
            return
        yield self.value()
        while self._accept(","):
            yield self.value()
        self._expect("]")

    def value(self) -> Any:
        """The value that begins here, whole."""
        self._peek()
        while True:
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._unfinished(error) or not self._more():
                    raise self.refusal("JSON", f"{error.msg}") from error
            except RecursionError as error:
                raise self.refusal("JSON", "objects within objects, too deep to be read") from error
            except ValueError as error:
                raise self.refusal("JSON", str(error)[:200]) from error
            else:
                if end < len(self._text) or not self._more():  # a number may go on in the next piece
                    self._at = end
                    return found

    def end(self) -> None:
        """Nothing but space follows."""
        if self._peek():
            raise self.refusal("the end of the file", "more text")

    def refusal(self, expected: str, actual: str) -> SetupError:
        """The error that says what stands in the text instead of what was expected."""
        if self._ended and self._at >= len(self._text):
            actual = "the end of the file: it was cut off, or is empty"
        return SetupError(f"this is not {self._what}", expected=expected, actual=actual, fix=self._fix)

    def _unfinished(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated") or error.pos > len(self._text) - _NEAR

    def _peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _SPACE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _accept(self, sign: str) -> bool:
        if self._peek() != sign:
            return False
        self._at += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self.refusal(sign, repr(self._peek()))

    def _more(self) -> bool:
        """Read on, as much again as waits to be decoded; False at the end of the file."""
        if self._ended:
            return False
        rest = self._text[self._at :]
        if len(rest) > self._limit:
            raise self.refusal(f"values of at most {self._limit} characters", "a longer one")
        data = self._file.read(max(CHUNK, len(rest)))
        self._ended = not data
        try:
            self._text, self._at = rest + self._utf8.decode(data, final=self._ended), 0
        except UnicodeDecodeError as error:
            raise self.refusal("text in UTF-8", "other bytes") from error
        return True


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
