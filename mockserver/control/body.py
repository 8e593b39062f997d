"""Bodies and answers of the control API: strict JSON in, typed; JSON out."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Collection
from typing import IO, Any, TypeVar

import flask
import msgspec

from acrmock import strictjson
from acrmock.record import FieldProblem
from acrmock.typed import convert
from mockserver.context import current_core
from mockserver.control.errors import Code, invalid, refuse
from mockserver.journal import secrets_in

T = TypeVar("T", bound=msgspec.Struct)

MOST_BYTES = 8 * 1024 * 1024
MOST_DEPTH = 64
_EXACT = 2.0**53
_DRAINED = 256 * 1024 * 1024
_CHUNK = 64 * 1024
_IN_MEMORY = 1024 * 1024
_WHOLE = re.compile(r"-?[0-9]{1,20}")
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,3})?")
_PATH = re.compile(r" - at `(?:key in )?\$(.*)`$")


def read(kind: type[T]) -> T:
    """The request's body as `kind`; raises 413, 415, 400 or 422, which say where."""
    if flask.request.mimetype != "application/json":
        raise refuse(
            Code.MEDIA_TYPE, f"Content-Type: {flask.request.mimetype[:80]!r}", hint="send Content-Type: application/json"
        )
    return parse(_bytes(), kind)


def read_kept(kind: type[T]) -> T:
    """The same of what will be kept and shown as it is; raises 422 where it holds a secret that was issued here."""
    request, core = read(kind), current_core()
    with core.store.read() as snapshot:
        known = secrets_in(snapshot)
        for name in request.__struct_fields__:
            text = msgspec.json.encode(getattr(request, name)).decode("utf-8")
            if core.redactor.scanner.holds(text, known) is not None:
                raise invalid(name, "it holds a secret that was issued here", expected="no secret")
    return request


def _bytes() -> bytes:
    """The whole body, by its length or chunked; raises 413 beyond the limit and 400 where it was cut off."""
    environ, length = flask.request.environ, flask.request.content_length
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    if length is not None and length > MOST_BYTES:
        raise refuse(Code.BODY_TOO_LARGE, f"at most {MOST_BYTES} bytes")
    data = _take(environ["wsgi.input"], MOST_BYTES + 1 if length is None else length)
    if len(data) > MOST_BYTES:
        raise refuse(Code.BODY_TOO_LARGE, f"at most {MOST_BYTES} bytes")
    if length is not None and len(data) < length:
        raise refuse(Code.NOT_JSON, "the body was cut off")
    return data


def _take(stream: IO[bytes], most: int) -> bytes:
    """At most so many bytes of a stream; what was read before it broke off, where it did."""
    pieces, left = [], most
    with contextlib.suppress(OSError, ValueError):
        while left > 0 and (piece := stream.read(min(_CHUNK, left))):
            pieces.append(piece)
            left -= len(piece)
    return b"".join(pieces)


def spool(most: int, media_types: Collection[str]) -> IO[bytes]:
    """The request's body, whatever it is, as a file that is read from its beginning; close it.

    Raises 415 for another media type, 413 beyond `most` bytes and 400 where it was cut off.
    """
    if flask.request.mimetype not in media_types:
        told = f"Content-Type: {flask.request.mimetype[:80]!r}"
        raise refuse(Code.MEDIA_TYPE, told, hint=f"send one of {', '.join(media_types)}")
    environ, length = flask.request.environ, flask.request.content_length
    if length is not None and length > most:
        raise refuse(Code.FILE_TOO_LARGE, f"{length} bytes; at most {most}")
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it
    left = most + 1 if length is None else length
    if length is None and not environ.get("wsgi.input_terminated"):
        left = 0
    with contextlib.suppress(OSError, ValueError):
        while left > 0 and (piece := environ["wsgi.input"].read(min(_CHUNK, left))):
            kept.write(piece)
            left -= len(piece)
    size = kept.tell()
    if size > most or (length is not None and size < length):
        kept.close()
        raise (
            refuse(Code.FILE_TOO_LARGE, f"at most {most} bytes") if size > most else refuse(Code.NOT_JSON, "the file was cut off")
        )
    return kept


def drain() -> None:
    """Read what is left of the body and forget it, so that a client still sending sees the answer; within bounds."""
    stream, left = flask.request.environ["wsgi.input"], _DRAINED
    with contextlib.suppress(OSError, ValueError):
        while left > 0 and (piece := stream.read(min(_CHUNK, left))):
            left -= len(piece)


def parse(data: bytes, kind: type[T]) -> T:
    """`data` as `kind`; raises 400 where it is not strict JSON (RFC 8259, no duplicate names), 422 where it does not fit."""
    document = _whole_numbers(_strict(data))
    try:
        return convert(document, kind)
    except msgspec.ValidationError as error:
        message, place = _where(str(error))
        field = FieldProblem(pointer=place, element=place.split("/")[1] if "/" in place else "", reason=message)
        raise refuse(Code.INVALID, f"{place or 'body'}: {message}", fields=(field,)) from None
    except RecursionError:
        raise refuse(Code.NOT_JSON, "the body is nested too deeply") from None


def _strict(data: bytes) -> Any:
    try:
        return strictjson.loads(data, max_depth=MOST_DEPTH)
    except strictjson.JsonProblem as error:
        raise refuse(Code.NOT_JSON, str(error)[:300]) from None


def _whole_numbers(value: Any) -> Any:
    """`value` with 28.0 as the integer 28, which it is (JSON Schema Core 4.2.1)."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    if isinstance(value, dict):
        return {name: _whole_numbers(item) for name, item in value.items()}
    return [_whole_numbers(item) for item in value] if isinstance(value, list) else value


def _where(message: str) -> tuple[str, str]:
    """The message of msgspec without its path, and the path as an RFC 6901 pointer."""
    match = _PATH.search(message)
    if match is None:
        return message, ""
    steps = re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", match[1])
    return message[: match.start()], "".join(f"/{name or number}" for name, number in steps)


def answer(value: Any, status: int = 200) -> flask.Response:
    """`value` as JSON that no cache keeps."""
    response = flask.Response(msgspec.json.encode(value), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def argument(name: str, default: str = "", *, most: int = 200) -> str:
    """A query parameter; raises 422 where it is given twice or too long."""
    values = flask.request.args.getlist(name)
    if len(values) > 1:
        raise invalid(name, "given more than once")
    if values and len(values[0]) > most:
        raise invalid(name, f"longer than {most} characters")
    return values[0] if values else default


def whole(name: str, default: int, low: int, high: int) -> int:
    """A query parameter as an integer between `low` and `high`; raises 422."""
    return int(_number(name, default, low, high, form=_WHOLE, convert=int))


def number(name: str, default: float, low: float, high: float) -> float:
    """A query parameter as a number between `low` and `high`; raises 422."""
    return float(_number(name, default, low, high, form=_NUMBER, convert=float))


def _number(
    name: str, default: float, low: float, high: float, *, form: re.Pattern[str], convert: Callable[[str], float]
) -> float:
    if name not in flask.request.args:
        return default
    text = argument(name)
    if not form.fullmatch(text) or not low <= convert(text) <= high:
        raise invalid(name, "not such a number", expected=f"{low:g} to {high:g}", actual=text)
    return convert(text)


def only(*names: str) -> None:
    """Raise 422 for a query parameter that is none of `names`: a misspelt filter would let everything through."""
    if strangers := [name for name in flask.request.args if name not in names]:
        raise invalid(strangers[0][:64], "no such parameter", expected=", ".join(names))
