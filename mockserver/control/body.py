"""Bodies and answers of the control API: strict JSON in, typed; JSON out."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import flask
import msgspec
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from acrmock import strictjson
from acrmock.record import FieldProblem
from mockserver.control.errors import Code, invalid, refuse

T = TypeVar("T", bound=msgspec.Struct)

MOST_BYTES = 8 * 1024 * 1024
MOST_DEPTH = 64
_PATH = re.compile(r" - at `(?:key in )?\$(.*)`$")


def read(kind: type[T]) -> T:
    """The request's body as `kind`; raises 413, 415, 400 or 422, which say where."""
    if flask.request.mimetype != "application/json":
        raise refuse(
            Code.MEDIA_TYPE, f"Content-Type: {flask.request.mimetype[:80]!r}", hint="send Content-Type: application/json"
        )
    return parse(_bytes(), kind)


def _bytes() -> bytes:
    flask.request.max_content_length = MOST_BYTES
    try:
        return flask.request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise refuse(Code.BODY_TOO_LARGE, f"at most {MOST_BYTES} bytes") from None
    except ClientDisconnected:
        raise refuse(Code.NOT_JSON, "the body was cut off") from None


def parse(data: bytes, kind: type[T]) -> T:
    """`data` as `kind`; raises 400 where it is not strict JSON (RFC 8259, no duplicate names), 422 where it does not fit."""
    document = _strict(data)
    try:
        return msgspec.convert(document, kind)
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


def number(name: str, default: float, low: float, high: float) -> float:
    """A query parameter as a number between `low` and `high`; raises 422."""
    text = argument(name)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise invalid(name, "not such a number", expected=f"{low:g} to {high:g}", actual=text)
    return value
