"""Faults through the control API: set a rule, see the rules with their counts, take them back."""

from __future__ import annotations

from typing import Any

import flask
import msgspec

from acrmock.clock import rfc3339
from acrmock.record import FieldProblem
from mockserver.context import EngineCore, current_core
from mockserver.control import body
from mockserver.control.applications import environment_of, find
from mockserver.control.errors import Code, refuse, unknown
from mockserver.control.events import write_event
from mockserver.control.requests import SetFault
from mockserver.faults import CONTROL, COUNT, DICOM, OPERATIONS, RULE, Count, Rule, places_of, scope_of
from mockserver.journal import secrets_in
from mockserver.onboarding.model import Application
from mockserver.store import GLOBAL, Scope, Unit

MOST_RULES = 100


class RuleView(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as the control API shows it: `met` is how often a request fitted it, `struck` how often it acted."""

    name: str
    application: str | None
    environment: str | None
    operation: str | None
    registry: str | None
    error: str | None
    effect: dict[str, Any] | None
    trigger: dict[str, Any]
    value: dict[str, Any] | None
    set_at: str | None
    met: int = 0
    struck: int = 0


def set_fault() -> flask.Response:
    """POST faults: 201 with the rule; one of the same name is replaced and counts anew."""
    core, request = current_core(), body.read(SetFault)
    slug = _checked(core, request)
    operation = request.operation or ""
    with core.store.write() as unit:
        _without_secrets(core, unit, request)
        found, scope = _whose(unit, request.application, request.environment, operation)
        there = [rule for _, rule in unit.scan(RULE, scope, Rule)]
        name = request.name or _free_name(request, {rule.name for rule in there})
        if len(there) >= MOST_RULES and name not in {rule.name for rule in there}:
            raise _wrong("name", f"there are {MOST_RULES} rules already", "fewer")
        rule = Rule(
            name=name,
            operation=operation,
            registry=slug,
            error=request.error or "",
            effect=request.effect,
            trigger=request.trigger,
            value=request.value,
            operations=places_of(core.facts, request.error) if request.error else (),
            order=1 + max((rule.order for rule in there), default=0),
            set_at=core.clock.now(),
        )
        _forget(unit, scope, name)
        unit.put(RULE, scope, name, rule)
        view = _view(rule, Count(), found, scope)
        _event(core, unit, found, scope, name="fault-set", data=view)
    core.faults.forget(scope)
    return body.answer(view, 201)


def listing() -> flask.Response:
    """GET faults: the rules of an environment, or (without an application) those of the control API."""
    body.only("application", "environment")
    core = current_core()
    with core.store.read() as reader:
        found, scope = _asked(reader)
    rules = [_view(rule, count, found, scope) for rule, count in core.faults.rules(scope)]
    return body.answer({"faults": rules})


def clear() -> flask.Response:
    """DELETE faults: the rule of a name, or every rule of the environment."""
    body.only("application", "environment", "name")
    core, name = current_core(), body.argument("name")
    with core.store.write() as unit:
        found, scope = _asked(unit)
        names = [key for key, _ in unit.scan(RULE, scope, Rule) if name in {"", key}]
        if name and not names:
            raise unknown(Code.FAULT_UNKNOWN, name, hint="GET /_acrmock/faults lists them")
        for key in names:
            _forget(unit, scope, key)
            unit.delete(RULE, scope, key)
        if names:
            data = {"names": names, "environment": scope[1] or None}
            _event(core, unit, found, scope, name="fault-cleared", data=data)
    core.faults.forget(scope)
    return body.answer({"cleared": names})


def _asked(reader: Any) -> tuple[Application | None, Scope]:
    application, environment = body.argument("application"), body.argument("environment", "test")
    return _whose(reader, application, environment, "") if application else (None, GLOBAL)


def _whose(reader: Any, application: str | None, environment: str, operation: str) -> tuple[Application | None, Scope]:
    """The application and the scope of a rule; none and the server's for the control API."""
    if operation == CONTROL:
        return None, GLOBAL
    found = find(reader, application or "")
    environment_of(found, environment)
    return found, scope_of(found.id, environment, operation)


def _checked(core: EngineCore, request: SetFault) -> str:
    """The registry's slug (or empty), when the rule can be followed; raises 422."""
    if (request.error is None) == (request.effect is None):
        raise _wrong("error", "either an error or an effect is needed", "one of them")
    if request.operation == CONTROL and (request.application is not None or request.registry is not None):
        raise _wrong("application", "a rule of the control API is the whole server's", "no application and no registry")
    if request.operation == CONTROL and request.error is None:
        raise _wrong("error", "the control API takes errors only", "an error of the catalogue")
    if request.operation in DICOM:
        _check_dicom(request)
    elif request.operation is not None and request.operation not in OPERATIONS:
        raise _wrong("operation", "there is no such operation", ", ".join((*OPERATIONS, *DICOM)))
    if request.error is not None:
        _check_error(core, request.error, request.operation)
    if request.registry is None:
        return ""
    registry = core.facts.registry(request.registry.lower())
    if registry is None:
        raise _wrong("registry", "there is no such registry", ", ".join(one.slug for one in core.facts.registries))
    return registry.slug


def _check_dicom(request: SetFault) -> None:
    """A rule about DICOM has one of the effects that there are; raises 422."""
    effects = DICOM[request.operation or ""]
    if not isinstance(request.effect, effects):
        kinds = ", ".join(str(kind.__struct_config__.tag) for kind in effects)
        raise _wrong("effect", f"{request.operation} has other effects", kinds)
    if request.registry is not None or request.value is not None:
        raise _wrong("operation", "a rule about DICOM looks for no registry and no value", "neither of them")


def _check_error(core: EngineCore, error: str, operation: str | None) -> None:
    places = places_of(core.facts, error)
    if not places:
        raise _wrong("error", "the catalogue has no such error", "a code of GET /_acrmock/errors")
    if operation is not None and operation not in places:
        raise _wrong("operation", f"{error} is no answer of {operation}", ", ".join(places))
    if operation is None and places == (CONTROL,):
        raise _wrong("operation", f"{error} is an answer of the control API", CONTROL)


def _wrong(field: str, reason: str, expected: str) -> Exception:
    problem = FieldProblem(pointer=f"/{field}", element=field, reason=reason, expected=expected[:500])
    return refuse(Code.FAULT_INVALID, f"{field}: {reason}", fields=(problem,))


def _without_secrets(core: EngineCore, unit: Unit, request: SetFault) -> None:
    """Refuse a rule that holds a secret of ours: it would stand in the store as long as the rule."""
    known = secrets_in(unit)
    told = {"name": request.name or "", "value": f"{request.value.name} {request.value.prefix}" if request.value else ""}
    for field, text in told.items():
        if core.redactor.scanner.holds(text, known) is not None:
            raise _wrong(field, "it holds a secret that was issued here", "no secret: a rule stands in the store")


def _free_name(request: SetFault, taken: set[str]) -> str:
    stem = request.error or msgspec.to_builtins(request.effect)["kind"]
    return next(name for number in range(1, len(taken) + 2) if (name := stem if number == 1 else f"{stem}-{number}") not in taken)


def _forget(unit: Unit, scope: Scope, name: str) -> None:
    """Forget what a rule has counted."""
    for key in [key for key, _ in unit.scan(COUNT, scope, Count, prefix=name) if key == name or key.startswith(f"{name}/")]:
        unit.delete(COUNT, scope, key)


def _view(rule: Rule, count: Count, application: Application | None, scope: Scope) -> RuleView:
    return RuleView(
        name=rule.name,
        application=application.id if application is not None else None,
        environment=scope[1] or None,
        operation=rule.operation or None,
        registry=rule.registry or None,
        error=rule.error or None,
        effect=msgspec.to_builtins(rule.effect),
        trigger=msgspec.to_builtins(rule.trigger),
        value=msgspec.to_builtins(rule.value),
        set_at=rfc3339(rule.set_at) if rule.set_at is not None else None,
        met=count.met,
        struck=count.struck,
    )


def _event(core: EngineCore, unit: Unit, application: Application | None, scope: Scope, *, name: str, data: Any) -> None:
    told = msgspec.to_builtins(data)
    if application is None:
        core.journal.event(unit, name, told)
    else:
        write_event(core, unit, name, told, application, environment=scope[1])
