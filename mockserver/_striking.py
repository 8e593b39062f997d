"""What a fault does: before the handler, to the answer, and to the connection while the answer is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

import flask

from acrmock.facts.model import Look
from mockserver.faults import Busy, ContentType, Delay, Drop, ResetConnection, Slow, Struck, Truncate
from mockserver.problem import Problem

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from mockserver._exchange import Reply

EDGE_KEY = "acrmock.edge"
"""Where the server leaves the `Edge` of the connection."""

_BUSY = {429: "too-many-requests", 503: "unavailable"}
_PIECES = 20
NO_ANSWER = "0"
"""The status under which an exchange without an answer is recorded, as HAR has it."""


class Edge(Protocol):
    """What can be done to the connection itself."""

    def release(self) -> None:
        """Hold nothing back: what is written leaves at once."""
        ...

    def close(self) -> None:
        """Close the connection after what was written."""
        ...

    def quick(self) -> None:
        """Expect the connection's next request to be a short one too."""
        ...

    def abandon(self, *, reset: bool) -> None:
        """Drop what was written and close the connection, by a reset or in good order."""
        ...


def begin(struck: Struck, facts: Facts, wait: Callable[[float], None]) -> flask.Response | None:
    """Do what comes before the handler: wait, or answer in its place. Raises the `Problem` that an error is.

    An error whose look is a redirect or a page is left to the handler, which knows where it must go; so is one that the handler
    gives after it has read the request.
    """
    if struck.error:
        spec = facts.errors.get(struck.error)
        if spec is not None and (spec.after_reading or spec.look in {Look.REDIRECT, Look.PAGE}):
            return None
        raise Problem(struck.error, hint=f"the fault {struck.name} answers so on purpose")
    match struck.effect:
        case Delay(seconds=seconds):
            wait(seconds)
        case Busy(status=status, retry_after=after):
            headers = () if after is None else (("Retry-After", str(after)),)
            code = _BUSY.get(status, "unavailable")
            answer = Problem(code, hint=f"the fault {struck.name} answers so on purpose", headers=headers)
            answer.without = () if after is not None else ("retry-after",)
            raise answer
        case ResetConnection():
            return flask.Response(b"")
        case _:
            pass
    return None


def change(struck: Struck | None, reply: Reply) -> Reply:
    """The answer as the fault has it."""
    match struck.effect if struck is not None else None:
        case ContentType(value=value):
            kept = [(name, text) for name, text in reply.headers if name.lower() != "content-type"]
            return reply._replace(headers=[*kept, ("Content-Type", value)])
        case ResetConnection():
            return reply._replace(status=NO_ANSWER, headers=[], body=b"")
        case _:
            return reply


def send(
    struck: Struck, reply: Reply, environ: dict[str, Any], start_response: Callable[..., Any], wait: Callable[[float], None]
) -> Iterator[bytes] | list[bytes]:
    """The answer on its way, as the fault has it. Without a server's `Edge` a dropped answer is a broken connection."""
    edge: Edge | None = environ.get(EDGE_KEY)
    match struck.effect:
        case ResetConnection() | Drop():
            if edge is None:
                raise ConnectionResetError(f"the fault {struck.name}")
            edge.abandon(reset=isinstance(struck.effect, ResetConnection))
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        case Truncate(keep=keep):
            start_response(reply.status, reply.headers)
            if edge is not None:
                edge.close()
            return [reply.body[:keep]]
        case Slow(seconds=seconds):
            start_response(reply.status, reply.headers)
            return _slowly(reply.body, seconds, edge, wait)
        case _:
            start_response(reply.status, reply.headers)
            return [reply.body]


def _slowly(body: bytes, seconds: float, edge: Edge | None, wait: Callable[[float], None]) -> Iterator[bytes]:
    if edge is not None:
        edge.release()
    size = max(1, -(-len(body) // _PIECES))
    for start in range(0, len(body), size):
        wait(seconds / _PIECES)
        yield body[start : start + size]
