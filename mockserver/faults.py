"""Faults on purpose: rules that make an application's requests fail by name, and what they did.

A rule has a place (environment, operation, registry, a value in the request), a fault (an error of the catalogue, or an effect
on the connection or the answer) and a trigger (when it strikes). Rules and their counts are state like any other: they survive
a restart and are reset with their application. Every answer that a rule touched says so in the record, so that no vendor is
blamed for it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from acrmock.clock import Clock
from acrmock.record import FaultFacts, Operation
from acrmock.typed import convert
from mockserver._sought import Sought
from mockserver.store import GLOBAL, Scope, Store, Unit

if TYPE_CHECKING:
    from acrmock.facts import Facts

RULE = "fault"
"""The kind under which rules are stored, in the scope of the environment they are for, keyed by name."""

COUNT = "fault-count"
"""The kind under which is stored how often a rule was met and struck."""

CONTROL = "control"
"""The operation that stands for the control API; its rules belong to the whole server."""

MAGIC = "magic:"
_SUBJECTS = 10_000
_MOST_WAITING = 16

Seconds = Annotated[float, msgspec.Meta(ge=0, le=60)]
Number = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class _Tagged(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """The base of effects and triggers; `kind` tells them apart in JSON."""


class Delay(_Tagged, frozen=True, kw_only=True, tag="delay"):
    """The request waits `seconds` before it is looked at; its answer is the service's own."""

    seconds: Seconds


class ResetConnection(_Tagged, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset (TCP RST) before the request is looked at: nothing changes."""


class Drop(_Tagged, frozen=True, kw_only=True, tag="drop"):
    """The request is done and its state kept, then the connection closes without an answer."""


class Truncate(_Tagged, frozen=True, kw_only=True, tag="truncate"):
    """The answer breaks off after `keep` bytes of its body; Content-Length still promises all of them."""

    keep: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0


class Slow(_Tagged, frozen=True, kw_only=True, tag="slow"):
    """The body comes in small pieces over `seconds`."""

    seconds: Seconds


class ContentType(_Tagged, frozen=True, kw_only=True, tag="content-type"):
    """The answer is labelled as something else."""

    value: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=80)] = "text/html"


class Busy(_Tagged, frozen=True, kw_only=True, tag="busy"):
    """The service answers 429 or 503 and asks to come back after `retry_after` seconds (None: does not say)."""

    status: Literal[429, 503] = 503
    retry_after: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = 1


Effect = Delay | ResetConnection | Drop | Truncate | Slow | ContentType | Busy


class Always(_Tagged, frozen=True, kw_only=True, tag="always"):
    """Each time."""


class Once(_Tagged, frozen=True, kw_only=True, tag="once"):
    """The first time only."""


class First(_Tagged, frozen=True, kw_only=True, tag="first"):
    """The first `count` times."""

    count: Number


class Every(_Tagged, frozen=True, kw_only=True, tag="every"):
    """Each `count`-th time."""

    count: Number


class Percent(_Tagged, frozen=True, kw_only=True, tag="percent"):
    """`percent` of the times, which ones being decided by `seed` alone."""

    percent: Annotated[float, msgspec.Meta(ge=0, le=100)]
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**53)] = 0


class Heal(_Tagged, frozen=True, kw_only=True, tag="heal"):
    """The first `after` times of each request by itself (method, URL and body), so that its retries heal."""

    after: Number


Trigger = Always | Once | First | Every | Percent | Heal


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that the request must hold: a parameter, form field, JSON member or header `name` that begins with `prefix`."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule as stored; exactly one of `error` and `effect` is given. `order` is the order in which rules are asked."""

    name: str
    operation: str = ""
    registry: str = ""
    error: str = ""
    effect: Effect | None = None
    trigger: Trigger = Always()
    value: Value | None = None
    operations: tuple[str, ...] = ()
    order: int = 0
    set_at: datetime | None = None


class Count(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often a rule was met, and how often it struck."""

    met: int = 0
    struck: int = 0


class Struck(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that strikes a request: the rule's name, and the error or the effect."""

    name: str
    error: str = ""
    effect: Effect | None = None

    @property
    def facts(self) -> FaultFacts:
        """What the record says of it."""
        replaces = bool(self.error) or isinstance(self.effect, ResetConnection | Busy)
        lost = isinstance(self.effect, ResetConnection | Drop | Truncate | ContentType)
        return FaultFacts(name=self.name, instead=replaces, lost=lost)


def strikes(trigger: Trigger, ordinal: int) -> bool:
    """Whether `trigger` strikes the `ordinal`-th time (from 1 on)."""
    match trigger:
        case Once():
            return ordinal == 1
        case First(count=count) | Heal(after=count):
            return ordinal <= count
        case Every(count=count):
            return ordinal % count == 0
        case Percent(percent=percent, seed=seed):
            drawn = hashlib.sha256(f"{seed}/{ordinal}".encode()).digest()[:8]
            return int.from_bytes(drawn, "big") < percent / 100 * 2**64
        case _:
            return True


@dataclass(slots=True)
class _Shelf:
    """The rules of one scope and their counts, as last read."""

    rules: tuple[Rule, ...] = ()
    counts: dict[str, Count] = field(default_factory=dict)


class Faults:
    """The rules of one engine: read once per scope, asked on every request, counted in the request's own unit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._shelves: dict[Scope, _Shelf] = {}
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def wait(self, clock: Clock, seconds: float) -> None:
        """Wait for a fault's sake; not at all while many others do so, so that the rest of the server is served."""
        if self._waiting.acquire(blocking=False):
            try:
                clock.wait(seconds)
            finally:
                self._waiting.release()

    def rules(self, scope: Scope) -> tuple[tuple[Rule, Count], ...]:
        """The rules of a scope in the order in which they are asked, with their counts."""
        shelf = self._shelf(scope)
        return tuple((rule, shelf.counts.get(rule.name, Count())) for rule in shelf.rules)

    def forget(self, scope: Scope | None = None) -> None:
        """Read a scope (None: every one) anew."""
        with self._lock:
            if scope is None:
                self._shelves.clear()
            else:
                self._shelves.pop(scope, None)

    def choose(
        self, scope: Scope, operation: str, registry: str, sought: Sought, magic: Magic | None = None
    ) -> tuple[Struck | None, dict[str, Count]]:
        """The fault that strikes a request, if any, and the counts that changed (for `keep`)."""
        shelf = self._shelf(scope)
        changed: dict[str, Count] = {}
        for rule in shelf.rules:
            if self._fits(rule, operation, registry, sought) and self._met(shelf, rule.name, rule.trigger, sought, changed):
                return Struck(name=rule.name, error=rule.error, effect=rule.effect), changed
        asked = magic.asked(operation, sought) if magic is not None else None
        if asked is not None and self._met(shelf, asked.struck.name, asked.trigger, sought, changed, subject=asked.subject):
            return asked.struck, changed
        return None, changed

    def keep(self, unit: Unit, scope: Scope, changed: Mapping[str, Count]) -> None:
        """Store counts within the request's unit."""
        for key in changed:
            unit.put(COUNT, scope, key, self._shelf(scope).counts.get(key, changed[key]))

    def _shelf(self, scope: Scope) -> _Shelf:
        found = self._shelves.get(scope)
        if found is None:
            with self._store.read() as reader:
                rules = sorted((rule for _, rule in reader.scan(RULE, scope, Rule)), key=lambda rule: rule.order)
                counts = dict(reader.scan(COUNT, scope, Count))
            with self._lock:
                found = self._shelves.setdefault(scope, _Shelf(tuple(rules), counts))
        return found

    @staticmethod
    def _fits(rule: Rule, operation: str, registry: str, sought: Sought) -> bool:
        places = (rule.operation,) if rule.operation else rule.operations
        if places and operation not in places:
            return False
        if operation in DICOM and not rule.operation:
            return False
        if rule.registry and rule.registry != registry:
            return False
        return rule.value is None or sought.has(rule.value.name, rule.value.prefix)

    def _met(
        self, shelf: _Shelf, name: str, trigger: Trigger, sought: Sought, changed: dict[str, Count], *, subject: str = ""
    ) -> bool:
        if isinstance(trigger, Always) and name.startswith(MAGIC):
            return True  # nothing to count: a stranger's values must not fill the store
        counted_by = subject or (sought.digest() if isinstance(trigger, Heal) else "")
        with self._lock:
            key = f"{name}/{counted_by}" if counted_by else name
            own = shelf.counts.get(key, Count())
            if counted_by and key not in shelf.counts and len(shelf.counts) >= _SUBJECTS:
                return False
            struck = strikes(trigger, own.met + 1)
            for counted in dict.fromkeys((key, name)):
                before = shelf.counts.get(counted, Count())
                changed[counted] = shelf.counts[counted] = Count(met=before.met + 1, struck=before.struck + struck)
        return struck


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that a value in the request asked for; `subject` is the value's digest, for counting."""

    struck: Struck
    trigger: Trigger
    subject: str


class Magic:
    """The values that ask for a fault by themselves, as the layer names them (`faults.magic.*`)."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._prefix = facts.text("faults.magic.prefix")
        self._names = facts.texts("faults.magic.names")
        self._words = dict(words(facts))

    def asked(self, operation: str, sought: Sought) -> Asked | None:
        """The fault that a value of the request asks for; a code that the operation cannot answer with asks for nothing."""
        if not sought.mentions(self._prefix):
            return None
        for value in sought.values(self._names):
            if value.startswith(self._prefix):
                word = value[len(self._prefix) :].partition(".")[0]
                subject = hashlib.sha256(value.encode()).hexdigest()[:16]
                if word in self._words:
                    effect, trigger = self._words[word]
                    return Asked(struck=Struck(name=MAGIC + word, effect=effect), trigger=trigger, subject=subject)
                if operation in places_of(self._facts, word):
                    return Asked(struck=Struck(name=MAGIC + word, error=word), trigger=Always(), subject=subject)
        return None


def magic_of(facts: Facts) -> Magic | None:
    """The magic values of these facts, or None where the layer turns them off or has none."""
    try:
        return Magic(facts) if facts.flag("faults.magic.enabled") else None
    except (KeyError, AttributeError):
        return None


def words(facts: Facts) -> Iterator[tuple[str, tuple[Effect, Trigger]]]:
    """The layer's words with the effect and the trigger that each stands for; raises `ValueError` for one not understood."""
    for word, text in facts.mapping("faults.magic.words").items():
        yield word, understood(text)


_NUMBERS = {"delay": ("seconds",), "slow": ("seconds",), "truncate": ("keep",), "busy": ("status", "retry_after")}


def understood(text: str) -> tuple[Effect, Trigger]:
    """The effect and trigger of words such as `busy 503 1 first 2`; raises `ValueError` for words that are not understood."""
    told, _, times = text.partition(" first ")
    kind, *numbers = told.split() or [""]
    values = [float(number) if "." in number else int(number) for number in numbers]
    found = {"kind": kind, **dict(zip(_NUMBERS.get(kind, ()), values, strict=bool(numbers)))}
    effect: Effect = convert(found, Effect)  # type: ignore[arg-type]  # mypy knows no type of a union
    return effect, First(count=int(times)) if times else Always()


OPERATIONS = (*(str(item) for item in Operation if item is not Operation.BROWSER), CONTROL)
"""The operations that a rule can be about over HTTP."""

DICOM: Mapping[str, tuple[type[_Tagged], ...]] = {
    "dicom.association": (Delay, Busy),
    "dicom.store": (Delay, Busy, ResetConnection),
}
"""What a rule can be about over DICOM, and the effects that it may have there; only a rule that names one strikes it."""

SURFACES = {
    "auth": ("auth.",),
    "nrdr": ("nrdr.",),
    "cdsr": ("cdsr.",),
    "control": (CONTROL,),
}


def places_of(facts: Facts, code: str) -> tuple[str, ...]:
    """The operations that can answer with an error of the catalogue; empty for an unknown code."""
    spec = facts.errors.get(code)
    if spec is None:
        return ()
    if spec.operations:
        return spec.operations
    begins = SURFACES.get(str(spec.surface))
    return tuple(item for item in OPERATIONS if begins is None or item.startswith(begins))


def scope_of(application: str, environment: str, operation: str) -> Scope:
    """Where a rule is stored: with its environment, or for the whole server where it is about the control API."""
    return GLOBAL if operation == CONTROL else (application, environment)
