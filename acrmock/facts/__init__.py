"""What is known of ACR, as layered data with provenance: settings, registries, requirements, errors, profiles."""

from acrmock.facts.errors import FactsError
from acrmock.facts.facts import Facts, load_facts
from acrmock.facts.model import ErrorSpec, Fact, Origin, Profile, Requirement, Source, Step, Surface, Weight
from acrmock.facts.provenance import Provenance, weakest
from acrmock.facts.registry import (
    EXAM,
    Band,
    Bounds,
    ChildList,
    Code,
    Condition,
    Element,
    ElementType,
    Level,
    MappingVersion,
    Registry,
    Rule,
    RuleKind,
    VersionState,
)
from acrmock.facts.show import LayerProblem, Row, check, show

__all__ = [
    "EXAM",
    "Band",
    "Bounds",
    "ChildList",
    "Code",
    "Condition",
    "Element",
    "ElementType",
    "ErrorSpec",
    "Fact",
    "Facts",
    "FactsError",
    "LayerProblem",
    "Level",
    "MappingVersion",
    "Origin",
    "Profile",
    "Provenance",
    "Registry",
    "Requirement",
    "Row",
    "Rule",
    "RuleKind",
    "Source",
    "Step",
    "Surface",
    "VersionState",
    "Weight",
    "check",
    "load_facts",
    "show",
    "weakest",
]
