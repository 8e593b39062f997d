"""An exchange in WSGI's words: what the server leaves in the environment, the body, the answer, and what of both is recorded."""

from __future__ import annotations

import io
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple

import flask

from acrmock.record import HttpFacts, Refusal
from mockserver.app import PROBLEM_KEY
from mockserver.context import EngineCore, Notes
from mockserver.problem import Problem

Environ = dict[str, Any]

HEADERS_KEY = "acrmock.headers"
"""Where the server leaves the raw headers, in the order of the wire."""

TLS_KEY = "acrmock.tls"
"""Where the server leaves the connection's `TlsFacts`."""

VIA_KEY = "acrmock.via"
"""Where the server leaves the address of the listed proxy whose PROXY header named the peer."""

ROUTE_KEY = "acrmock.route"
"""Where the server leaves the `Route` that it was given for the request, if any."""

BODY_KEY = "acrmock.body"
"""Where the body stands once it was read."""

_CHUNK = 64 * 1024
_DRAIN = 256 * 1024 * 1024


class Reply(NamedTuple):
    """An answer that is not yet sent: status line, headers, body, and how long it took to make, in milliseconds."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    milliseconds: float = 0.0


def read_body(environ: Environ, limit: int) -> None:
    """Put the body into memory, at most `limit` bytes of it; raises `Problem` where it is longer, or none that can be read."""
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isascii() or not length.isdigit():
        raise Problem("request-malformed", "Content-Length is not a number")
    chunked = bool(environ.get("wsgi.input_terminated"))
    if length == "0" and not chunked:
        environ[BODY_KEY] = b""
        return
    if not chunked and int(length) > limit:
        _drain(environ["wsgi.input"], int(length))
        raise Problem("body-too-large", f"more than {limit} bytes")
    body = _read(environ["wsgi.input"], limit + 1 if chunked else int(length))
    if len(body) > limit:
        _drain(environ["wsgi.input"], _DRAIN)
        raise Problem("body-too-large", f"more than {limit} bytes")
    if not chunked and len(body) != int(length):
        raise Problem("request-malformed", "the body is shorter than Content-Length says")
    environ[BODY_KEY] = body
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def raw_headers(environ: Environ) -> tuple[tuple[str, str], ...]:
    """The request's headers in the order of the wire, or as WSGI has them where the server did not keep it."""
    fields = environ.get(HEADERS_KEY)
    if fields is not None:
        return tuple(fields)
    named = [(key[5:].replace("_", "-").title(), str(value)) for key, value in environ.items() if key.startswith("HTTP_")]
    plain = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}
    return tuple(named + [(name, str(environ[key])) for key, name in plain.items() if environ.get(key)])


def raw(reply: Reply) -> bytes:
    """An answer as it stands on the wire, after which the connection is closed."""
    lines = [f"HTTP/1.1 {reply.status}", *(f"{name}: {value}" for name, value in reply.headers), "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + reply.body


def target_of(environ: Environ) -> str:
    raw = environ.get("REQUEST_URI")
    if raw:
        return str(raw)
    query = environ.get("QUERY_STRING", "")
    return str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", "")) + (f"?{query}" if query else "")


def facts_of(notes: Notes) -> HttpFacts:
    return HttpFacts(
        operation=notes.operation,
        channel=notes.channel,
        allowed=notes.allowed,
        moved=notes.moved,
        client=notes.client,
        authorize=notes.authorize,
        grant=notes.grant,
        bearer=notes.bearer,
        transaction=notes.transaction,
        document=notes.document,
        status=notes.status,
        fault=notes.fault,
        forwarded=notes.forwarded,
    )


def refusal_of(core: EngineCore, environ: Environ) -> Refusal | None:
    problem = environ.get(PROBLEM_KEY)
    if not isinstance(problem, Problem):
        return None
    spec = core.facts.errors.get(problem.code)
    message = problem.detail or (spec.title if spec is not None else problem.code)
    hint = problem.hint or str(getattr(spec, "hint", ""))
    return Refusal(code=f"acrmock:{problem.code}", message=message, fields=problem.fields, hint=hint)


@lru_cache
def status_line(status: int) -> str:
    """The status as Flask writes it."""
    return flask.Response(status=status).status


def reason_of(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _read(stream: Any, size: int) -> bytes:
    """Up to `size` bytes; raises `Problem` when the client goes away or sends what is no body."""
    parts, left = [], size
    try:
        while left > 0:
            part = stream.read(min(_CHUNK, left))
            if not part:
                break
            parts.append(part)
            left -= len(part)
    except (OSError, ValueError) as error:
        raise Problem("request-malformed", "the body could not be read") from error
    return b"".join(parts)


def _drain(stream: Any, size: int) -> None:
    """Read and drop what the client goes on sending, within bounds, so that it can read the answer."""
    left = min(size, _DRAIN)
    try:
        while left > 0:
            part = stream.read(min(_CHUNK, left))
            if not part:
                break
            left -= len(part)
    except (OSError, ValueError):
        return
