"""What the HTML page shows, as typed values: the template only lays them out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from conformance.reports import text as words
from conformance.reports.evidence import RecordingLike
from conformance.reports.exchanges import Exhibits, Link
from conformance.result import Evidence, Finding, Outcome, Result, Weight

LINKS = 25
_SECTIONS = (
    ("mend", "To mend"),
    ("open", "Not exercised"),
    ("passed", "Passed"),
    ("aside", "Not applicable, and not scored in this revision"),
)


class FactsLike(Protocol):
    """The facts as far as the page reads them."""

    @property
    def requirements(self) -> Mapping[str, Any]:
        """The requirement of each check, with `fails_when`."""

    @property
    def sources(self) -> Mapping[str, Any]:
        """The sources by their keys, with `title`, `url` and `seen`."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source as a finding names it, and, where the facts know it, its title, address and the day it was seen."""

    text: str
    title: str = ""
    url: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A finding with its anchor, the links of its evidence and the sentence that says when a vendor fails it."""

    anchor: str
    finding: Finding
    name: str
    links: tuple[tuple[Evidence, Link], ...]
    more: int
    fails_when: str
    citations: tuple[Citation, ...]
    blocked_anchor: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Section:
    """Cards that stand together."""

    anchor: str
    title: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """Points earned of points possible; `share` in percent, of a bar that is 100 wide."""

    key: str
    title: str
    earned: int
    possible: int

    @property
    def share(self) -> float:
        """Percent earned; 0 of 0 is 0, never a pass."""
        return round(100 * max(0, self.earned) / self.possible, 2) if self.possible > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the checklist with its findings."""

    key: str
    title: str
    cards: tuple[Card, ...]
    bar: Bar


@dataclass(frozen=True, slots=True)
class Voice:
    """What rests on one provenance: its points, its checks, and the sources named."""

    key: str
    title: str
    bar: Bar
    checks: int
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template lays out."""

    result: Result
    name: str
    counts: tuple[tuple[Outcome, int], ...]
    total: Bar
    against: tuple[tuple[Outcome, tuple[Card, ...]], ...]
    groups: tuple[Group, ...]
    voices: tuple[Voice, ...]
    sections: tuple[Section, ...]
    exhibits: Exhibits
    pointing: dict[int, tuple[Card, ...]]


def build(result: Result, recording: RecordingLike | None, facts: FactsLike | None) -> Page:
    """The page of a result."""
    wanted = (evidence for finding in result.findings for evidence in finding.evidence[:LINKS])
    exhibits = Exhibits(recording, wanted)
    anchors = _anchors(result.findings)
    cards = [_card(finding, anchors, exhibits, facts) for finding in result.findings]
    tally = Counter(finding.outcome for finding in result.findings)
    return Page(
        result=result,
        name=result.application_name or result.application or "Unnamed application",
        counts=tuple((outcome, tally[outcome]) for outcome in Outcome if tally[outcome]),
        total=Bar("all", "all", result.points.earned, result.points.possible),
        against=_against(cards),
        groups=_groups(result, cards),
        voices=_voices(result, facts),
        sections=_sections(cards),
        exhibits=exhibits,
        pointing=_pointing(cards),
    )


def _key(finding: Finding) -> tuple[str, str | None, str]:
    return finding.check, finding.registry, finding.subject


def _anchors(findings: tuple[Finding, ...]) -> dict[tuple[str, str | None, str], str]:
    """An anchor for each finding that is safe in HTML whatever its check is called: its place in the result."""
    return {_key(finding): f"f{number}" for number, finding in enumerate(findings, 1)}


def _card(finding: Finding, anchors: dict[tuple[str, str | None, str], str], exhibits: Exhibits, facts: FactsLike | None) -> Card:
    requirement = facts.requirements.get(finding.check) if facts is not None else None
    blockers = [anchor for (check, _, _), anchor in anchors.items() if check == finding.blocked_by]
    return Card(
        anchor=anchors[_key(finding)],
        finding=finding,
        name=words.name_of(finding),
        links=tuple((evidence, exhibits.link(evidence)) for evidence in finding.evidence[:LINKS]),
        more=max(0, len(finding.evidence) - LINKS),
        fails_when=str(getattr(requirement, "fails_when", "") or ""),
        citations=tuple(_cited(part, facts) for part in _parts(finding.source)),
        blocked_anchor=blockers[0] if blockers else "",
        is_open=_section_of(finding) == "mend",
    )


def _pointing(cards: list[Card]) -> dict[int, tuple[Card, ...]]:
    """The findings that point at each entry."""
    pointing: dict[int, dict[str, Card]] = {}
    for card in cards:
        for evidence, _ in card.links:
            pointing.setdefault(evidence.entry, {})[card.anchor] = card
    return {seq: tuple(found.values()) for seq, found in pointing.items()}


def _against(cards: list[Card]) -> tuple[tuple[Outcome, tuple[Card, ...]], ...]:
    """The musts that are not passed, by outcome."""
    musts = [card for card in cards if card.finding.weight is Weight.MUST]
    shown = [one for one in Outcome if one not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)]
    by_outcome = [(one, tuple(card for card in musts if card.finding.outcome is one)) for one in shown]
    return tuple((one, inside) for one, inside in by_outcome if inside)


def _parts(source: str) -> list[str]:
    """The sources that a finding names, one by one: `S2; RFC6749 4.1.3` names two."""
    return [part.strip() for part in source.split(";") if part.strip()]


def _cited(part: str, facts: FactsLike | None) -> Citation:
    known = facts.sources.get(part.partition(" ")[0]) if facts is not None else None
    if known is None:
        return Citation(part)
    url = str(known.url)
    return Citation(part, str(known.title), url if url.startswith(("https://", "http://")) else "", str(known.seen))


def _section_of(finding: Finding) -> str:
    if finding.outcome is Outcome.PASSED:
        return "passed"
    if finding.outcome in (Outcome.FAILED, Outcome.NEEDS_REVIEW, Outcome.HARNESS_ERROR):
        return "mend"
    return "aside" if finding.weight is Weight.NOT_SCORED or finding.outcome is Outcome.NOT_APPLICABLE else "open"


def _sections(cards: list[Card]) -> tuple[Section, ...]:
    weights = list(Weight)
    sections = []
    for key, title in _SECTIONS:
        inside = [card for card in cards if _section_of(card.finding) == key]
        if key != "passed":
            inside.sort(key=lambda card: (weights.index(card.finding.weight), card.finding.outcome is not Outcome.FAILED))
        if inside:
            sections.append(Section(f"s-{key}", title, tuple(inside)))
    return tuple(sections)


def _groups(result: Result, cards: list[Card]) -> tuple[Group, ...]:
    keys = words.in_order({card.finding.group for card in cards} | set(result.points.by_group), words.GROUP_ORDER)
    groups = []
    for key in keys:
        earned, possible = result.points.by_group.get(key, (0, 0))
        title = words.group_title(key)
        inside = tuple(card for card in cards if card.finding.group == key)
        groups.append(Group(key, title, inside, Bar(key, title, earned, possible)))
    return tuple(groups)


def _voices(result: Result, facts: FactsLike | None) -> tuple[Voice, ...]:
    by_key = result.points.by_provenance
    keys = words.in_order({finding.provenance for finding in result.findings} | set(by_key), words.PROVENANCE_ORDER)
    voices = []
    for key in keys:
        findings = [finding for finding in result.findings if finding.provenance == key]
        parts = dict.fromkeys(part for finding in findings for part in _parts(finding.source))
        earned, possible = by_key.get(key, (0, 0))
        title = words.provenance_title(key)
        voices.append(
            Voice(key, title, Bar(key, title, earned, possible), len(findings), tuple(_cited(part, facts) for part in parts))
        )
    return tuple(voices)
