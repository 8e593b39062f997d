"""The facts as types: settings, sources, requirements, errors and profiles; all frozen, each with its provenance."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from acrmock.facts.forms import Form
from acrmock.facts.provenance import Provenance


class Struct(msgspec.Struct, frozen=True, kw_only=True):
    """The base of what stands in the facts: frozen, by keyword."""


class Origin(Struct, frozen=True, kw_only=True):
    """Where a fact comes from: whose word, the citations (`KEY` or `KEY place`), a note, and the layer's file."""

    provenance: Provenance
    sources: tuple[str, ...] = ()
    note: str = ""
    layer: str = ""


class Source(Struct, frozen=True, kw_only=True):
    """A document that facts cite by its key; `seen` is the day it was read (ISO date, empty if unknown)."""

    key: str
    title: str
    url: str = ""
    version: str = ""
    seen: str = ""
    kind: Provenance = Provenance.MOCK_CHOICE


class Fact(Struct, frozen=True, kw_only=True):
    """One setting: its value, what it is, where it comes from and the bounds that an override must keep."""

    key: str
    value: Any
    title: str
    provenance: Provenance
    sources: tuple[str, ...] = ()
    note: str = ""
    layer: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = ()
    form: Form | None = None


class Weight(StrEnum):
    """What a profile makes of a requirement (the words of a result's weights)."""

    MUST = "must"
    SHOULD = "should"
    MAY = "may"
    NOT_SCORED = "not-scored"


class Requirement(Struct, frozen=True, kw_only=True):
    """One row of the requirement catalogue; its id is also the check's.

    `weight` is the default, which a profile may change; `challenge` marks what only a challenge can exercise;
    `subject` is who is judged (`vendor`, `sender`, `server`); `presupposes` are ids whose failure blocks this one;
    `claim` is the capability without which it does not apply.
    """

    id: str
    group: str
    text: str
    weight: Weight
    provenance: Provenance
    sources: tuple[str, ...]
    hint: str
    fails_when: str
    presupposes: tuple[str, ...] = ()
    challenge: bool = False
    subject: str = "vendor"
    claim: str = ""
    note: str = ""
    layer: str = ""


class Surface(StrEnum):
    """Where an error can be met."""

    GATE = "gate"
    AUTH = "auth"
    NRDR = "nrdr"
    CDSR = "cdsr"
    CONTROL = "control"


class Look(StrEnum):
    """What an error looks like on the wire.

    A problem document (RFC 9457), the JSON of RFC 6749 section 5.2, a redirect that carries it to the client (RFC 6749 section
    4.1.2.1), or a page for a person.
    """

    PROBLEM = "problem"
    OAUTH = "oauth"
    REDIRECT = "redirect"
    PAGE = "page"


class ErrorSpec(Struct, frozen=True, kw_only=True):
    """One error of the catalogue: HTTP status, title, OAuth error word where the protocol has one, headers of the answer.

    `code` is ours (shown as `acrmock:CODE`); `trigger` says how to meet it; `operations` names where (empty: everywhere on its
    surface); `rule_only`: nothing but a fault rule causes it.
    """

    code: str
    surface: Surface
    status: int
    title: str
    trigger: str
    provenance: Provenance
    sources: tuple[str, ...]
    look: Look = Look.PROBLEM
    operations: tuple[str, ...] = ()
    rule_only: bool = False
    after_reading: bool = False
    oauth_error: str = ""
    headers: Mapping[str, str] = {}
    hint: str = ""
    note: str = ""
    layer: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """One step of a profile: what the client is asked to do, and what the harness does before it (`directives`)."""

    name: str
    text: str
    timeout: float = 60.0
    directives: Mapping[str, Any] = {}


class Role(StrEnum):
    """What the sender of dose reports is: their author, or one of the two kinds of forwarders (S1)."""

    NONE = ""
    MODALITY = "modality"
    RDIM = "rdim"
    PACS = "pacs"


class Profile(Struct, frozen=True, kw_only=True):
    """What a run is judged by, frozen per revision: requirements with weights, claims, steps and settings of the run.

    `weights` has every requirement that is judged. `checks` are those that stand for their whole group: where it names any of
    a group, the group's others are left out. `joins`: it is these profiles together and nothing of its own. `role` is what a
    sender of dose reports is; `topology` and `prefers` say, for people, which ways of sending are meant and what ACR prefers.
    `like`: the profile of another registry, which stands for the one that this registry has not.
    """

    name: str
    revision: str
    title: str
    registries: tuple[str, ...]
    groups: tuple[str, ...]
    weights: Mapping[str, Weight]
    claims: tuple[str, ...]
    default_claims: tuple[str, ...]
    steps: tuple[Step, ...]
    settings: Mapping[str, Any]
    provenance: Provenance
    sources: tuple[str, ...]
    coverage_bar: float = 0.0
    local: bool = False
    checks: tuple[str, ...] = ()
    joins: tuple[str, ...] = ()
    role: Role = Role.NONE
    topology: tuple[str, ...] = ()
    prefers: str = ""
    note: str = ""
    layer: str = ""
    like: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What people are told of the profile beside its result: the ways of sending meant, ACR's preference, and whose it is."""
        like = f"No profile is made for this registry: it was judged as {self.like} is." if self.like else ""
        return (*self.topology, *(text for text in (self.prefers, like) if text))

    @property
    def not_scored(self) -> tuple[str, ...]:
        """The requirements that this revision lists but does not score."""
        return tuple(check for check, weight in self.weights.items() if weight is Weight.NOT_SCORED)
