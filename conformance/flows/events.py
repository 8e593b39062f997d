"""The stories beside the wires: attempts to register, steps of a run, moved endpoints, gaps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acrmock.record import EventEntry, Struct
from conformance.flows.wire import seconds


class Logo(Struct, frozen=True, kw_only=True):
    """A logo as declared: pixels, format, and the web link given with it."""

    width: int = 0
    height: int = 0
    format: str = ""
    link: str = ""


class Refused(Struct, frozen=True, kw_only=True):
    """One reason for which an attempt to register was refused: the field as a pointer, and the words."""

    pointer: str
    element: str
    expected: str
    actual: str
    reason: str


class Registration(Struct, frozen=True, kw_only=True):
    """One attempt to register; `given` are the fields that the vendor gave (None: not told, so all), the rest are defaults.

    `at` is the business date or time that versions were held against. `registries` are pairs of slug and mapping
    version (empty: none named).
    """

    seq: int
    at: str
    accepted: bool
    environment: str
    given: frozenset[str] | None
    name: str
    redirect_urls: tuple[str, ...]
    addresses: tuple[str, ...]
    local_sources: tuple[str, ...]
    registries: tuple[tuple[str, str], ...]
    logo: Logo | None
    refused: tuple[Refused, ...]
    local: bool

    def gave(self, *names: str) -> bool:
        """Whether the vendor gave any of these fields."""
        return self.given is None or any(name in self.given for name in names)


class Step(Struct, frozen=True, kw_only=True):
    """A step of the run: from the entry where it began to the one where it ended (None: with the recording)."""

    name: str
    began: int
    ended: int | None
    t: float

    def holds(self, seq: int) -> bool:
        """Whether an entry stands within the step."""
        return self.began < seq and (self.ended is None or seq < self.ended)


class Moved(Struct, frozen=True, kw_only=True):
    """The endpoints of an environment moved: away, or back (`away` False); `t` in seconds since 1970."""

    seq: int
    t: float
    environment: str
    away: bool = True


def asked_in(steps: Iterable[Step], name: str) -> tuple[Step, ...]:
    """The steps of that name."""
    return tuple(step for step in steps if step.name == name)


def registration(entry: EventEntry) -> Registration:
    """The attempt to register that an event `registration-attempted` tells of; what cannot be read is left empty."""
    data = entry.data
    declared = _mapping(data.get("declared"))
    issued = _mapping(data.get("issued"))
    given = data.get("given")
    return Registration(
        seq=entry.seq,
        at=_text(data.get("day")) or entry.at,
        accepted=data.get("accepted") is True,
        environment=_text(data.get("environment")) or entry.environment or "",
        given=frozenset(_texts(given)) if isinstance(given, list | tuple) else None,
        name=_text(declared.get("name")),
        redirect_urls=_texts(declared.get("redirect_urls")),
        addresses=_texts(declared.get("addresses")),
        local_sources=_texts(declared.get("local_sources")),
        registries=_registries(declared.get("registries"), _mapping(issued.get("registries"))),
        logo=_logo(declared.get("logo")),
        refused=tuple(_refused(item) for item in _list(data.get("refused"))),
        local=data.get("local") is True,
    )


class StepsReader:
    """Follows the steps of each run; an entry belongs to the step that its run was in."""

    def __init__(self) -> None:
        self._open: dict[str | None, Step] = {}
        self._closed: list[Step] = []

    def event(self, entry: EventEntry) -> None:
        """Take a step's beginning or end, or the run's."""
        if entry.name == "step-began":
            self._end(entry.run, entry.seq)
            name = _text(entry.data.get("step")) or _text(entry.data.get("name"))
            self._open[entry.run] = Step(name=name, began=entry.seq, ended=None, t=seconds(entry.t))
        elif entry.name in {"step-ended", "run-ended"}:
            self._end(entry.run, entry.seq)

    def _end(self, run: str | None, seq: int) -> None:
        step = self._open.pop(run, None)
        if step is not None:
            self._closed.append(Step(name=step.name, began=step.began, ended=seq, t=step.t))

    def current(self, run: str | None) -> str:
        """The name of the step that the run is in, or empty."""
        step = self._open.get(run)
        if step is None and run is None and len(self._open) == 1:
            step = next(iter(self._open.values()))
        return step.name if step else ""

    def steps(self) -> tuple[Step, ...]:
        """All steps in the order in which they began."""
        return tuple(sorted((*self._closed, *self._open.values()), key=lambda step: step.began))


def _refused(item: Any) -> Refused:
    found = _mapping(item)
    return Refused(
        pointer=_text(found.get("pointer")),
        element=_text(found.get("element")),
        expected=_text(found.get("expected")),
        actual=_text(found.get("actual")),
        reason=_text(found.get("reason")),
    )


def _registries(declared: Any, issued: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Registries as declared: `slug`, `slug:version`, a mapping, or objects; the version issued fills one not named."""
    if isinstance(declared, dict):
        pairs = [(str(slug), _text(version)) for slug, version in declared.items()]
    else:
        pairs = [_registry(item) for item in _list(declared)]
    return tuple((slug, version or _text(issued.get(slug))) for slug, version in pairs)


def _registry(item: Any) -> tuple[str, str]:
    if isinstance(item, dict):
        return _text(item.get("registry")) or _text(item.get("slug")), _text(item.get("version")) or _text(item.get("mapping"))
    slug, _, version = _text(item).partition(":")
    return slug, version


def _logo(value: Any) -> Logo | None:
    found = _mapping(value)
    if not found:
        return None
    width, height = found.get("width"), found.get("height")
    return Logo(
        width=width if isinstance(width, int) else 0,
        height=height if isinstance(height, int) else 0,
        format=_text(found.get("format")),
        link=_text(found.get("link")),
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in _list(value) if isinstance(item, str))
