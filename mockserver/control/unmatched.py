"""The unmatched inbox: requests whose path named no application, each with the one that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from urllib.parse import unquote, urlsplit

import flask

from acrmock.record import HttpEntry, Operation, Struct, decode_line
from mockserver.context import current_core
from mockserver.control import body
from mockserver.onboarding.model import APPLICATION, Application
from mockserver.store import GLOBAL

MOST = 100
"""How many of the newest are given."""
READ = 65_536
"""How many characters of a body are looked at."""


class Nearest(Struct, frozen=True, kw_only=True):
    """The application that a request probably meant: what it was known `by`, and how the `actual` path differs.

    `differs` is the key that did not agree: `application`, `environment`, or `prefix` where the path has neither.
    """

    application: str
    environment: str
    by: str
    differs: str
    expected: str
    actual: str


class Stray(Struct, frozen=True, kw_only=True):
    """One request that belongs to nobody; `seq` is its entry in the journal."""

    seq: int
    t: str
    peer: str | None
    method: str
    path: str
    status: int
    nearest: Nearest | None


class Inbox(Struct, frozen=True, kw_only=True):
    """The newest strays, newest first; `more` says that there are older ones in the journal."""

    unmatched: tuple[Stray, ...]
    more: bool


def inbox() -> flask.Response:
    """GET unmatched: the newest requests that belong to no application."""
    body.only()
    core = current_core()
    with core.store.read() as snapshot:
        lines = snapshot.unmatched(Operation.OTHER, MOST + 1)
        applications = [application for _, application in snapshot.scan(APPLICATION, GLOBAL, Application)]
    entries = [entry for entry in map(decode_line, lines[:MOST]) if isinstance(entry, HttpEntry)]
    strays = tuple(_stray(entry, applications) for entry in entries)
    return body.answer(Inbox(unmatched=strays, more=len(lines) > MOST))


def _stray(entry: HttpEntry, applications: Iterable[Application]) -> Stray:
    path = urlsplit(entry.request.url).path
    return Stray(
        seq=entry.seq,
        t=entry.t,
        peer=entry.peer,
        method=entry.request.method,
        path=path,
        status=entry.response.status,
        nearest=nearest(entry, list(applications)),
    )


def nearest(entry: HttpEntry, applications: list[Application]) -> Nearest | None:
    """Whom a request probably meant: by an identifier of theirs that it carries, else by a path that is nearly theirs.

    That only ranks: what merely claims an identity never decides whose traffic it is.
    """
    segments = [unquote(one) for one in urlsplit(entry.request.url).path.split("/")[1:4]]
    post = entry.request.postData
    text = entry.request.url + (post.text[:READ] if post is not None else "")
    found = next(_by_identifier(text, applications), None) or _by_path(segments, applications)
    if found is None:
        return None
    application, environment, known_by = found
    expected = f"/{environment}" if application.id == "default" else f"/a/{application.id}/{environment}"
    actual = "/" + "/".join(segments if segments[:1] == ["a"] else segments[:1])
    return Nearest(
        application=application.id,
        environment=environment,
        by=known_by,
        differs=_differs(segments, application, environment),
        expected=expected,
        actual=actual,
    )


def _by_identifier(text: str, applications: Iterable[Application]) -> Iterator[tuple[Application, str, str]]:
    owners = [(a, name, registration) for a in applications for name, registration in a.environments.items()]
    for key in ("client_id", "partner_id", "app_id"):
        for application, name, registration in owners:
            identifier = getattr(registration, key)
            if identifier and identifier in text:
                yield application, name, key


def _by_path(segments: list[str], applications: list[Application]) -> tuple[Application, str, str] | None:
    if segments[:1] != ["a"] or len(segments) < 2:
        return None
    close = get_close_matches(segments[1][:200], [application.id for application in applications], n=1)
    application = next((one for one in applications if one.id in close), None)
    if application is None:
        return None
    wanted = segments[2] if len(segments) > 2 else ""
    environment = wanted if wanted in application.environments else next(iter(application.environments), "")
    return application, environment, "path"


def _differs(segments: list[str], application: Application, environment: str) -> str:
    if segments[:1] != ["a"]:
        return "environment" if application.id == "default" else "prefix"
    if len(segments) < 2 or segments[1] != application.id:
        return "application"
    return "environment" if segments[2:3] != [environment] else "prefix"
