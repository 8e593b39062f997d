"""What was wrong with a request that was refused before anybody looked into it: its address, path, method, size or form.

Such refusals name no field, because nothing of the request was parsed; what the record holds of it says enough.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from acrmock.record import FieldProblem, HttpEntry

NOT_READ = "?"
"""What stands for the method of a request whose first line could not be read."""


def problems(entry: HttpEntry) -> tuple[FieldProblem, ...]:
    """The fields of the entry's refusal, or what its code and the record say where it has none."""
    if entry.refusal is None or entry.refusal.fields:
        return entry.refusal.fields if entry.refusal is not None else ()
    known = _KNOWN.get(entry.refusal.code)
    return (known(entry, entry.refusal.message),) if known is not None else ()


def _address(entry: HttpEntry, reason: str) -> FieldProblem:
    where = entry.environment or "the environment"
    return FieldProblem(pointer="/peer", expected=f"one of the local sources of {where}", actual=entry.peer or "", reason=reason)


def _application(entry: HttpEntry, reason: str) -> FieldProblem:
    expected = (
        "a path that begins with /a/{application}/{environment} or with /{environment}, as the registration document has it"
    )
    return FieldProblem(pointer="/request/url", expected=expected, actual=_path(entry), reason=reason)


def _path_unknown(entry: HttpEntry, reason: str) -> FieldProblem:
    expected = "an endpoint of the discovery document, or a path below one of the registration document"
    return FieldProblem(pointer="/request/url", expected=expected, actual=_path(entry), reason=reason)


def _method(entry: HttpEntry, reason: str) -> FieldProblem:
    allowed = next((pair.value for pair in entry.response.headers if pair.name.lower() == "allow"), "another method")
    return FieldProblem(pointer="/request/method", expected=allowed, actual=entry.request.method, reason=reason)


def _body(entry: HttpEntry, reason: str) -> FieldProblem:
    size = entry.request.bodySize
    return FieldProblem(pointer="/request", expected="a smaller body", actual=f"{size} bytes" if size > 0 else "", reason=reason)


def _headers(_entry: HttpEntry, reason: str) -> FieldProblem:
    return FieldProblem(pointer="/request/headers", expected="fewer or shorter headers", reason=reason)


def _url(_entry: HttpEntry, reason: str) -> FieldProblem:
    return FieldProblem(pointer="/request/url", expected="a shorter URL; long values belong into the body", reason=reason)


def _malformed(_entry: HttpEntry, reason: str) -> FieldProblem:
    return FieldProblem(pointer="/request", expected="a message as RFC 9112 has it", reason=reason)


def _path(entry: HttpEntry) -> str:
    return urlsplit(entry.request.url).path


_KNOWN: Mapping[str, Callable[[HttpEntry, str], FieldProblem]] = {
    "acrmock:address-not-allowed": _address,
    "acrmock:application-unknown": _application,
    "acrmock:path-unknown": _path_unknown,
    "acrmock:method-not-allowed": _method,
    "acrmock:body-too-large": _body,
    "acrmock:headers-too-large": _headers,
    "acrmock:uri-too-long": _url,
    "acrmock:request-malformed": _malformed,
}
