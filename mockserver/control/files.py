"""Data files through the control API: upload, list, look, continue or cancel, log; and the page from which a person does it."""

from __future__ import annotations

import secrets
import tempfile
from datetime import date, datetime
from typing import TYPE_CHECKING

import flask

from acrmock.datafile import layout_of
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, invalid, refuse, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import DecideFile
from mockserver.journal import secrets_in
from mockserver.onboarding.model import Application, Registration
from mockserver.portal import pages, settle, words
from mockserver.portal.log import FORMATS, write_log
from mockserver.portal.model import FILE, NAME, Decision, FileName, FileStatus, PortalFile
from mockserver.portal.standing import held, waits
from mockserver.portal.upload import Taking, forget_rows, take
from mockserver.portal.views import FileList, FileView, view
from mockserver.store import Reader

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion, Registry

MEDIA_TYPES = ("application/octet-stream", *(media.partition(";")[0] for media, _ in FORMATS.values()))
UPLOAD = ("name", "registry", "environment", "facility", "mapping", "errors", "plan", "channel")
LIST = ("environment", "registry", "facility", "date", "after")
_LONGEST_NAME = 200


def page() -> flask.Response:
    """GET upload: the page from which a person uploads; it holds nothing, and asks for the control token."""
    return pages.shell()


def upload(application: str) -> flask.Response:
    """POST applications/ID/files: 201 with the file's view; the body is the file."""
    body.only(*UPLOAD)
    core = current_core()
    with core.store.read() as snapshot:
        found = find(snapshot, application)
    registration = environment_of(found, body.argument("environment", "test"))
    settings = core.settings_for(registration)
    with body.spool(settings.integer("portal.limit.bytes"), MEDIA_TYPES) as stream:
        size = stream.tell()
        stream.seek(0)
        now = found.business.now(core.clock.now())
        version = _version(core, registration, now)
        file = _asked(core, registration, version, size=size, now=now)
        scope = (found.id, registration.environment)
        _check_unused(core, scope, file)
        facilities = registration.facilities
        taking = Taking(core=core, scope=scope, settings=settings, version=version, facilities=facilities, now=now, stream=stream)
        file = _keep(core, found, registration, take(taking, file))
    made = body.answer(_view(core, found, registration, file, now), 201)
    made.headers["Location"] = f"{core.public_url}/_acrmock/applications/{found.id}/files/{file.id}"
    return made


def listing(application: str) -> flask.Response:
    """GET applications/ID/files: the files of an environment, oldest first, by registry, facility and day of upload."""
    body.only(*LIST)
    core = current_core()
    registry, facility, after = body.argument("registry"), body.argument("facility"), body.argument("after")
    slug = _registry(core, registry).slug if registry else ""
    day = _day()
    with core.store.read() as snapshot:
        found = find(snapshot, application)
        registration = environment_of(found, body.argument("environment", "test"))
        most, now = core.settings_for(registration).integer("portal.list.page"), found.business.now(core.clock.now())
        chosen: list[PortalFile] = []
        for key, file in snapshot.scan(FILE, (found.id, registration.environment), PortalFile):
            fits = slug in {"", file.registry} and facility in {"", file.facility} and day in {None, file.uploaded_at.date()}
            if key > after and fits:
                chosen.append(file)
            if len(chosen) > most:
                break
    views = tuple(_view(core, found, registration, file, now) for file in chosen[:most])
    listed = FileList(files=views, next=chosen[most - 1].id if len(chosen) > most else "")
    return pages.of_list(listed) if wants_page() else body.answer(listed)


def show(application: str, file: str) -> flask.Response:
    """GET applications/ID/files/FILE: a file as it stands, as JSON or as a page."""
    body.only("environment")
    core = current_core()
    with core.store.read() as snapshot:
        found, registration, known = _find(snapshot, application, file, body.argument("environment", "test"))
        told = _view(core, found, registration, known, found.business.now(core.clock.now()))
        if not wants_page():
            return body.answer(told)
        most = core.settings_for(registration).integer("portal.limit.shown_rows")
        return pages.of_file(told, snapshot, (found.id, registration.environment), most)


def decide(application: str, file: str) -> flask.Response:
    """POST applications/ID/files/FILE/decision: continue, cancel, or release a file that is held."""
    core, request = current_core(), body.read(DecideFile)
    with core.store.write() as unit:
        found, registration, known = _find(unit, application, file, request.environment)
        scope, now = (found.id, registration.environment), found.business.now(core.clock.now())
        if request.decision == "release":
            if not held(known):
                raise refuse(Code.FILE_DECIDED, "the file is not held", hint="only a plan that holds can be released")
            known = settle.release(unit, scope, known, now)
        else:
            if not waits(known):
                hint = "only a file with rejected and valid rows asks, and only once"
                raise refuse(Code.FILE_DECIDED, "nothing is to be decided", hint=hint)
            known = settle.settle(core, unit, scope, settle.decided(known, Decision(request.decision), now))
        told = _view(core, found, registration, known, now)
        data = {"file": known.id, "registry": known.registry, "decision": request.decision, "status": told.status}
        write_event(core, unit, "file-decided", data, found, environment=registration.environment)
    return body.answer(told)


def log(application: str, file: str) -> flask.Response:
    """GET applications/ID/files/FILE/log: the table as it came with an Error column, as text or workbook."""
    body.only("environment", "format")
    core, kind = current_core(), body.argument("format", "text")
    if kind not in FORMATS:
        raise invalid("format", "there is no such format", expected=", ".join(FORMATS), actual=kind)
    media_type, suffix = FORMATS[kind]
    with core.store.read() as snapshot, tempfile.SpooledTemporaryFile(max_size=8 * 1024 * 1024) as kept:
        found, registration, known = _find(snapshot, application, file, body.argument("environment", "test"))
        version = _stored_version(core, known)
        if known.reason is not None or version is None:
            raise refuse(Code.FILE_LOG_MISSING, known.reason.message if known.reason else "its mapping version is gone")
        scope, column = (found.id, registration.environment), core.facts.text("portal.log.column")
        write_log(snapshot, scope, known, layout_of(core.facts, version), kept, kind=kind, column=column)
        kept.seek(0)
        answer = flask.Response(kept.read(), content_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{known.id}-log{suffix}"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _asked(core: EngineCore, registration: Registration, version: MappingVersion, *, size: int, now: datetime) -> PortalFile:
    """The file that the request is about, as far as its query says; raises 422."""
    name = body.argument("name", most=_LONGEST_NAME)
    kind = words.format_of(core.facts, version, name)
    if not kind:
        suffixes = " or ".join(core.facts.mapping("portal.format.suffixes").values())
        expected = f"{words.shown_name(core.facts, version)} and {suffixes}"
        raise invalid("name", "not a name for such a file", expected=expected, actual=name, code=Code.FILE_NAME_INVALID)
    with core.store.read() as snapshot:
        if core.redactor.scanner.holds(name, secrets_in(snapshot)) is not None:
            raise invalid("name", "it holds a secret that was issued here", expected="no secret", code=Code.FILE_NAME_INVALID)
    channel = body.argument("channel") or words.channel_of(core.facts, version.registry)
    if channel not in words.CHANNELS:
        raise invalid("channel", "there is no such channel", expected=", ".join(words.CHANNELS), actual=channel)
    plan = _plan(core, registration, name, channel, now)
    facility = body.argument("facility") or registration.facilities[0]
    if facility not in registration.facilities:
        raise invalid("facility", "not a facility of yours", expected=" or ".join(registration.facilities)[:200], actual=facility)
    errors = body.argument("errors", Decision.ASK.value)
    if errors not in tuple(Decision):
        raise invalid("errors", "no such decision", expected=", ".join(Decision), actual=errors)
    return PortalFile(
        id=f"{now:%Y%m%d%H%M%S}-{secrets.token_hex(4)}",
        name=name,
        registry=version.registry,
        mapping=version.version,
        facility=facility,
        channel=channel,
        format=kind,
        size=size,
        uploaded_at=now,
        plan_word=plan.word,
        plan=plan.plan,
        forced=plan.forced,
        decision=Decision(errors),
    )


def _plan(core: EngineCore, registration: Registration, name: str, channel: str, now: datetime) -> words.Planned:
    """The plan asked for by the query, else by the name, else the layer's."""
    settings = core.settings_for(registration)
    asked = body.argument("plan")
    word = asked or words.asked_by_name(settings, name) or settings.text("portal.plan")
    found = words.planned(core.facts, settings, word, now)
    known = words.words(core.facts, channel)
    if found is None or (asked and found.forced and FileStatus(found.forced) not in known):
        expected = ", ".join(settings.mapping(words.PLANS))
        raise invalid("plan", f"no such plan for the {channel}", expected=expected[:300], actual=word, code=Code.PLAN_INVALID)
    return found


def _version(core: EngineCore, registration: Registration, now: datetime) -> MappingVersion:
    """The mapping version that the file is under: named, else the one registered; raises 422."""
    registry = _registry(core, body.argument("registry"))
    if registry.slug not in registration.registries:
        expected = ", ".join(registration.registries)
        raise invalid("registry", "the application is not registered for it", expected=expected, actual=registry.slug)
    app = body.argument("channel") == words.APP
    taken = core.facts.mapping("portal.app.versions") if app else {}
    named = body.argument("mapping") or taken.get(registry.slug) or registration.registries[registry.slug]
    version = registry.version(named)
    usable = [item.version for item in registry.in_force(now.date())]
    if app:
        usable = [item for item in usable if item == taken.get(registry.slug)]
    if version is None or version.version not in usable:
        expected = ", ".join(usable) or f"another registry: {', '.join(taken)}"
        raise invalid("mapping", "not taken", expected=expected, actual=named, code=Code.FILE_MAPPING_INVALID)
    return version


def _registry(core: EngineCore, text: str) -> Registry:
    registry = core.facts.registry(text.lower())
    if registry is None:
        expected = ", ".join(item.slug for item in core.facts.registries)
        raise invalid("registry", "there is no such registry", expected=expected, actual=text)
    return registry


def _stored_version(core: EngineCore, file: PortalFile) -> MappingVersion | None:
    registry = core.facts.registry(file.registry)
    return registry.version(file.mapping) if registry is not None else None


def _check_unused(core: EngineCore, scope: tuple[str, str], file: PortalFile) -> None:
    with core.store.read() as snapshot:
        _refuse_used(core, snapshot, scope, file)


def _refuse_used(core: EngineCore, reader: Reader, scope: tuple[str, str], file: PortalFile) -> None:
    known = reader.get(NAME, scope, _name_key(file), FileName)
    if known is not None and core.facts.flag("portal.name.unique"):
        told = f"{file.name[:80]!r} was uploaded as {known.file}"
        raise refuse(Code.FILE_NAME_USED, told, hint="give the file a new name, even if it was corrected")


def _name_key(file: PortalFile) -> str:
    return f"{file.registry}/{file.name.casefold()}"


def _keep(core: EngineCore, application: Application, registration: Registration, file: PortalFile) -> PortalFile:
    """The file stored, with its event, its valid rows loaded where nobody is asked."""
    scope = (application.id, registration.environment)
    try:
        with core.store.write() as unit:
            _refuse_used(core, unit, scope, file)
            unit.put(NAME, scope, _name_key(file), FileName(file=file.id))
            file = settle.settle(core, unit, scope, file)
            told = _view(core, application, registration, file, file.uploaded_at)
            data = {
                "file": file.id,
                "registry": file.registry,
                "mapping": file.mapping,
                "bytes": file.size,
                "status": told.status,
                "received": file.counts.received,
                "rejected": file.counts.rejected,
                "reason": file.reason.code if file.reason is not None else None,
            }
            write_event(core, unit, "file-uploaded", data, application, environment=registration.environment)
    except Exception:
        with core.store.write() as unit:
            forget_rows(unit, scope, file.id)
        raise
    return file


def _find(reader: Reader, application: str, file: str, environment: str) -> tuple[Application, Registration, PortalFile]:
    found = find(reader, application)
    registration = environment_of(found, environment)
    known = reader.get(FILE, (found.id, environment), file, PortalFile) if file else None
    if known is None:
        raise unknown(Code.FILE_UNKNOWN, file, hint="`acrmock upload list` or GET …/files of the application lists them")
    return found, registration, known


def _view(core: EngineCore, application: Application, registration: Registration, file: PortalFile, now: datetime) -> FileView:
    return view(core.facts, core.settings_for(registration), file, now, (application.id, registration.environment))


def _day() -> date | None:
    if "date" not in flask.request.args:
        return None
    text = body.argument("date")
    try:
        if len(text) != len("2026-04-30") or not text.isascii():
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise invalid("date", "not a date", expected="YYYY-MM-DD", actual=text) from None


def wants_page() -> bool:
    """Whether a browser asks, and no program."""
    known = ("application/json", "text/html")
    return flask.request.accept_mimetypes.best_match(known, "application/json") == "text/html"
