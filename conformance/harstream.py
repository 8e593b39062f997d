"""A recording read back from acrmock's own HAR export, entry by entry.

HAR has no words for DICOM, so the associations and operations of a recording are not in its export, only their number; all
else comes back as it was. A HAR that somebody else made lacks what acrmock saw beside the text, and is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from acrmock.errors import SetupError
from acrmock.record import RECORD_SCHEMA, AnyEntry, EventEntry, Footer, Header, HttpEntry, Struct, TlsEntry
from acrmock.typed import convert
from conformance.jsonreader import VALUE_LIMIT, JsonReader
from conformance.recording import Problem, Recording

OWN = "_acrmock"
"""The member of a HAR in which acrmock keeps what HAR has no words for (HAR 1.2, custom fields)."""
MOST_PROBLEMS = 1000
"""So many gaps are told; one is enough for a void verdict."""
CUT = "_truncated"
"""The member of a body that was cut when it was recorded."""
_FIX = "give the traffic.har or journal.ndjson of a run of `acrmock certify` or `acrmock demo`"


class LeftOut(Struct, frozen=True, kw_only=True):
    """How many entries a HAR cannot hold."""

    associations: int = 0
    operations: int = 0


class Carried(Struct, frozen=True, kw_only=True):
    """What a HAR holds of a recording: the number of its entries, and the digest of them (`digest_of`)."""

    entries: int
    sha256: str


class Own(Struct, frozen=True, kw_only=True):
    """`log._acrmock`: the recording's header and footer, its entries that are not HTTP, and what is needed to see it whole.

    `problems` are the gaps of the recording that was exported.
    """

    header: Header
    carried: Carried
    other: tuple[EventEntry | TlsEntry, ...] = ()
    left_out: LeftOut = LeftOut()
    footer: Footer | None = None
    problems: tuple[Problem, ...] = ()


class Digest:
    """The SHA-256 of entries as plain JSON values, whatever the order of their members and the spaces between them."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self.count = 0

    def take(self, value: Any) -> None:
        """Add the next entry."""
        self.count += 1
        try:
            data = msgspec.json.encode(value, order="sorted")
        except (ValueError, OverflowError, RecursionError):
            data = b"?"  # what acrmock never writes: half a surrogate pair, a number of many digits, a very deep object
        self._sha256.update(data + b"\n")

    @property
    def sha256(self) -> str:
        """The digest of what was taken so far, in hexadecimal."""
        return self._sha256.hexdigest()


class HarStream:
    """A HAR read while it is judged: `entries` can be iterated once; `problems` and `sha256` are true when that has ended.

    Raises `SetupError`, at once or while it is read, for what is no HAR of acrmock's own. The file must be open in binary; it
    is read twice where another program put acrmock's own member behind the entries.
    """

    def __init__(self, file: BinaryIO, *, limit: int = VALUE_LIMIT) -> None:
        self._file = file
        self._limit = limit
        self._problems: list[Problem] = []
        self._digest = Digest()
        self._last_seq = 0
        self._walk = self._log()
        self._raw_own = next(self._walk)
        self._own = self._read_own(self._raw_own)
        self.header = self._own.header
        self.footer = self._own.footer

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The gaps found so far; their `line` is the number of the HAR's entry."""
        return tuple(self._problems)

    @property
    def sha256(self) -> str:
        """The digest of the entries read so far."""
        return self._digest.sha256

    @property
    def remarks(self) -> tuple[str, ...]:
        """That DICOM was left out, if there was any."""
        left = self._own.left_out
        if not left.associations and not left.operations:
            return ()
        counted = f"{left.associations} associations and {left.operations} operations"
        return (f"a HAR holds no DICOM: {counted} of the recording are not judged",)

    @property
    def entries(self) -> Iterator[AnyEntry]:
        """The entries in the order of `seq`, those of HTTP and the others; what cannot be read is left out and a problem."""
        others = iter(self._own.other)
        other = next(others, None)
        for raw in self._walk:
            entry = self._http(raw)
            if entry is None:
                continue
            while other is not None and other.seq < entry.seq:
                yield self._ordered(other)
                other = next(others, None)
            yield self._ordered(entry)
        while other is not None:
            yield self._ordered(other)
            other = next(others, None)
        self._close()

    def _log(self) -> Iterator[Any]:
        """First acrmock's own member, then the entries as they stand."""
        reader, own, seen = self._reader(), None, False
        for _ in _only(reader, "log"):
            for name in reader.members():
                if name == OWN and own is None:
                    own = reader.value()
                    yield own
                elif name != "entries":
                    reader.value()
                elif seen:
                    raise reader.refusal("one list of entries", "two")
                else:
                    seen = True
                    if own is None:
                        own = self._look_ahead()
                        yield own
                    yield from reader.items()
        reader.end()
        if own is None or not seen:
            raise _foreign() if own is None else reader.refusal("log.entries", "a log without entries")

    def _look_ahead(self) -> Any:
        """Acrmock's own member, from behind the entries."""
        if not self._file.seekable():
            raise SetupError("this HAR must be read twice", expected="a file", actual="a pipe", fix=_FIX)
        place = self._file.tell()
        self._file.seek(0)
        own, reader = None, self._reader()
        for _ in _only(reader, "log"):
            for name in reader.members():
                if name == "entries":
                    for _ in reader.items():
                        pass
                else:
                    value = reader.value()
                    own = value if name == OWN else own
        if own is None:
            raise _foreign()
        self._file.seek(place)
        return own

    def _reader(self) -> JsonReader:
        return JsonReader(self._file, what="a HAR file", fix=_FIX, limit=self._limit)

    def _read_own(self, raw: Any) -> Own:
        try:
            own = convert(raw, Own)
        except (msgspec.ValidationError, RecursionError) as error:
            raise SetupError(
                "this HAR cannot be read back", expected=f"an export of this version, log.{OWN}", actual=str(error), fix=_FIX
            ) from error
        if own.header.schema != RECORD_SCHEMA:
            raise SetupError(
                "this HAR is of another format",
                expected=RECORD_SCHEMA,
                actual=own.header.schema[:200],
                where=f"log.{OWN}",
                fix=_FIX,
            )
        return own

    def _http(self, raw: Any) -> HttpEntry | None:
        number = self._digest.count + 1
        try:
            self._digest.take(raw)
            return convert(_plain(raw), HttpEntry)
        except (msgspec.MsgspecError, RecursionError, TypeError, KeyError, AttributeError) as error:
            self._problem(f"the entry cannot be read: {error}"[:300], number)
            return None

    def _ordered(self, entry: AnyEntry) -> AnyEntry:
        if entry.seq <= self._last_seq:
            self._problem(f"seq {entry.seq} follows {self._last_seq}: the entries are out of order")
        self._last_seq = entry.seq
        return entry

    def _problem(self, reason: str, number: int = 0) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(Problem(line=number, reason=reason))

    def _close(self) -> None:
        """Say what is missing, once all was read."""
        own, found = self._own, self._digest
        for raw in self._raw_own.get("other", ()):
            found.take(raw)
        if found.count != own.carried.entries:
            self._problem(f"the HAR was made with {own.carried.entries} entries, there are {found.count}")
        elif found.sha256 != own.carried.sha256:
            self._problem("the SHA-256 is not that of the entries: the HAR was changed")
        whole = own.carried.entries + own.left_out.associations + own.left_out.operations
        if own.footer is None and not own.problems:
            self._problem("the footer is missing: the recording was cut off")
        elif own.footer is not None and own.footer.entries != whole:
            self._problem(f"the footer counts {own.footer.entries} entries, the HAR accounts for {whole}")
        self._problems.extend(own.problems)


def read(file: BinaryIO, *, limit: int = VALUE_LIMIT) -> Recording:
    """The whole recording in memory; raises `SetupError` when the file is no HAR of acrmock's own."""
    stream = HarStream(file, limit=limit)
    entries = tuple(stream.entries)
    return Recording(
        header=stream.header,
        entries=entries,
        footer=stream.footer,
        problems=stream.problems,
        sha256=stream.sha256,
        remarks=stream.remarks,
    )


def _only(reader: JsonReader, wanted: str) -> Iterator[None]:
    """Stops at the member `wanted` of the outermost object, which must be there once."""
    found = 0
    for name in reader.members():
        if name == wanted and not found:
            found += 1
            yield
        elif name == wanted:
            raise reader.refusal(f"one {wanted}", "two")
        else:
            reader.value()
    if not found:
        raise reader.refusal(f"a HAR, with {wanted}", "another document")


def _plain(raw: Any) -> dict[str, Any]:
    """A HAR entry as the record has it; raises `TypeError` or `KeyError` for what acrmock did not write."""
    request, response = {**raw["request"]}, {**raw["response"]}
    if request.get("postData") is not None:
        request["postData"] = _body(request["postData"])
    response["content"] = _body(response["content"])
    return {**raw[OWN], "kind": "http", "request": request, "response": response, "time": raw["time"]}


def _body(raw: Any) -> dict[str, Any]:
    return {**raw, "truncated": raw.get(CUT, False)}


def _foreign() -> SetupError:
    return SetupError(
        "this HAR was not made by acrmock, and cannot be judged",
        expected=f"acrmock's own facts of each exchange, in members named {OWN}",
        actual="the text of the traffic alone, which does not show whether a token was ours, or a verifier matched",
        fix="send the client's traffic through a run, `acrmock certify`, or give its traffic.har or journal.ndjson",
    )
