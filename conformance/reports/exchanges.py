"""The evidence of a page: entries as blocks with marks, each with an anchor, and the timeline of the run by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup

from acrmock.record import AnyEntry, AssociationEnd, AssociationEntry, DimseEntry, EventEntry, HttpEntry
from conformance.reports.blocks import Block
from conformance.reports.dicomwords import rejection_words, status_words
from conformance.reports.evidence import (
    RecordingLike,
    entry_document,
    event_step,
    on_purpose,
    path_of,
    title_of,
    told_places,
)
from conformance.reports.marks import Mark, render
from conformance.reports.text import cut, one_line
from conformance.reports.wire import blocks_of, nearest
from conformance.result import Evidence

SHOWN_WHOLE = 200
LISTED = 2000
BLOCK_LIMIT = 12_000
BLOCK_LIMIT_LARGE = 3_000
NOTED_LIMIT = 4_000
_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Link:
    """Where evidence leads in the page: the anchor, empty where there is none, and a few characters of what is there.

    `exact` is false when only an ancestor of the place could be shown. Where the evidence is a fact that itself points
    somewhere, say at an element of the body, `also` has those places: pointer, anchor and what is there.
    """

    anchor: str
    label: str
    excerpt: str = ""
    exact: bool = True
    also: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """One block of an exchange, ready for the page."""

    label: str
    note: str
    body: Markup
    noted: bool


@dataclass(frozen=True, slots=True)
class Exchange:
    """One entry of the appendix."""

    anchor: str
    seq: int
    title: str
    offset: str
    tone: str
    blocks: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline; `anchor` is empty where the exchange is not in the appendix. A `count` stands for many."""

    seq: int
    offset: str
    kind: str
    title: str
    detail: str
    status: str
    tone: str
    anchor: str = ""
    count: int = 0


@dataclass(slots=True)
class Stage:
    """A stretch of the timeline: what came before the first step, then each step."""

    title: str
    rows: list[Row] = field(default_factory=list)


class Exhibits:
    """The entries of a recording as a page shows them.

    Up to `SHOWN_WHOLE` entries are all shown whole; above that only those that a finding points at, while up to `LISTED`
    others get a line of the timeline and the rest are counted.
    """

    def __init__(self, recording: RecordingLike | None, wanted: Iterable[Evidence]) -> None:
        entries: Sequence[AnyEntry] = recording.entries if recording is not None else ()
        self.total = len(entries)
        self.large = self.total > SHOWN_WHOLE
        self._pointers: dict[int, dict[str, None]] = {}
        for evidence in wanted:
            self._pointers.setdefault(evidence.entry, {})[evidence.pointer] = None
        self._links: dict[tuple[int, str], Link] = {}
        self._start = _moment(entries[0].t) if entries else None
        self.exchanges = tuple(self._exchange(entry) for entry in entries if self._is_shown(entry))
        self.stages = tuple(self._stages(entries))

    def link(self, evidence: Evidence) -> Link:
        """Where evidence leads; a label without an anchor where the entry is not in the recording."""
        absent = Link("", f"entry {evidence.entry}: not in this recording")
        return self._links.get((evidence.entry, evidence.pointer), absent)

    def _is_shown(self, entry: AnyEntry) -> bool:
        return entry.seq in self._pointers or (not self.large and not isinstance(entry, EventEntry))

    def _exchange(self, entry: AnyEntry) -> Exchange:
        blocks = blocks_of(entry)
        marks: dict[int, list[Mark]] = {id(block): [] for block in blocks}
        for number, pointer in enumerate(self._pointers.get(entry.seq, {}), 1):
            self._place(entry, blocks, pointer, f"e{entry.seq}-m{number}", marks)
        shown = tuple(self._shown(block, marks[id(block)]) for block in blocks if block.length)
        return Exchange(f"e{entry.seq}", entry.seq, title_of(entry), self._offset(entry), _tone(entry), shown)

    def _place(self, entry: AnyEntry, blocks: list[Block], pointer: str, anchor: str, marks: dict[int, list[Mark]]) -> None:
        label = f"entry {entry.seq}: {title_of(entry)}"
        found = nearest(blocks, pointer)
        if found is None:
            self._links[entry.seq, pointer] = Link(f"e{entry.seq}", label, exact=not pointer)
            return
        block, span, at = found
        marks[id(block)].append(Mark(*span, anchor))
        also = []
        for number, told in enumerate(told_places(entry_document(entry), pointer), 1):
            place = _exactly(blocks, told)
            if place is not None:
                marks[id(place[0])].append(Mark(*place[1], f"{anchor}-{number}"))
                also.append((told, f"{anchor}-{number}", _excerpt(*place)))
        self._links[entry.seq, pointer] = Link(anchor, label, _excerpt(block, span), exact=at == pointer, also=tuple(also))

    def _shown(self, block: Block, marks: list[Mark]) -> Shown:
        limit = BLOCK_LIMIT_LARGE if self.large else BLOCK_LIMIT
        if block.noted:
            limit = min(limit, NOTED_LIMIT)
        names = [Mark(start, end) for start, end in block.names]
        note = block.note
        if block.length > limit:
            note = "; ".join(part for part in (note, f"cut: {block.length:,} characters in all") if part)
        return Shown(block.label, note, render(block.text, [*marks, *names], limit), block.noted)

    def _offset(self, entry: AnyEntry) -> str:
        moment = _moment(entry.t)
        if moment is None or self._start is None:
            return one_line(cut(entry.t, 40))
        return f"{(moment - self._start).total_seconds():+.3f} s"

    def _stages(self, entries: Sequence[AnyEntry]) -> Iterable[Stage]:
        stage = Stage("Before the first step")
        uncounted = Counter[str]()
        for number, entry in enumerate(entries):
            name = event_step(entry)
            if name is not None:
                yield from _closed(stage, uncounted)
                stage, uncounted = Stage(f"Step {one_line(cut(name, 80))}"), Counter()
            if number >= LISTED and entry.seq not in self._pointers:
                uncounted[title_of(entry)] += 1
            else:
                stage.rows.append(self._row(entry))
        yield from _closed(stage, uncounted)

    def _row(self, entry: AnyEntry) -> Row:
        anchor = f"e{entry.seq}" if self._is_shown(entry) else ""
        offset, tone = self._offset(entry), _tone(entry)
        if isinstance(entry, HttpEntry):
            path = path_of(entry.request.url).partition("?")[0]
            title = one_line(cut(f"{entry.request.method} {path}", 120))
            return Row(entry.seq, offset, "exchange", title, _told(entry), str(entry.response.status), tone, anchor)
        if isinstance(entry, EventEntry):
            title, detail = one_line(cut(entry.name, 80)), _summary(entry.data)
            return Row(entry.seq, offset, "event", title, detail, "", tone, anchor)
        if isinstance(entry, AssociationEntry):
            status = entry.facts.end.value
            return Row(entry.seq, offset, "association", title_of(entry), _told_of_association(entry), status, tone, anchor)
        if isinstance(entry, DimseEntry):
            status = "none" if entry.facts.status is None else f"{entry.facts.status:04X}H"
            return Row(entry.seq, offset, "operation", title_of(entry), _told_of_operation(entry), status, tone, anchor)
        return Row(entry.seq, offset, "handshake", title_of(entry), "", "failed", tone, anchor)


def _exactly(blocks: list[Block], pointer: str) -> tuple[Block, tuple[int, int]] | None:
    """Where a pointer leads, be it one into the entry or, as facts have it, one into the body of the request."""
    for candidate in (pointer, f"/request/postData/text{pointer}"):
        found = nearest(blocks, candidate)
        if found is not None and found[2] == candidate:
            return found[0], found[1]
    return None


def _excerpt(block: Block, span: tuple[int, int]) -> str:
    start, end = span
    return one_line(cut(block.text[start : min(end, start + 4 * _EXCERPT)], _EXCERPT))


def _told(entry: HttpEntry) -> str:
    """What came of an exchange in a few words: why it was refused, the status given, the transaction posted."""
    status, transaction = entry.facts.status, entry.facts.transaction
    if entry.refusal:
        told = f"{entry.refusal.code}: {entry.refusal.message}"
    elif status is not None:
        told = status.status
    elif transaction is not None:
        told = f"{transaction.transaction_id or 'no ID'}, {transaction.exams} {'exam' if transaction.exams == 1 else 'exams'}"
    else:
        told = ""
    return (one_line(cut(told, 200)) + on_purpose(entry)).strip()


def _told_of_association(entry: AssociationEntry) -> str:
    """What came of an association in a few words: why it was refused, else how much was done."""
    facts = entry.facts
    if entry.refusal:
        told = f"{entry.refusal.code}: {entry.refusal.message}"
    elif facts.rejection is not None:
        told = rejection_words(facts.rejection)
    else:
        accepted = sum(context.result == 0 for context in facts.contexts)
        told = f"{accepted} of {len(facts.contexts)} contexts accepted, {facts.operations} operations, {facts.stored} stored"
    return one_line(cut(told, 200))


def _told_of_operation(entry: DimseEntry) -> str:
    """What came of an operation in a few words."""
    if entry.refusal:
        return one_line(cut(f"{entry.refusal.code}: {entry.refusal.message}", 200))
    size = f", {entry.facts.bytes:,} bytes" if entry.facts.bytes else ""
    return one_line(cut(status_words(entry.facts.status) + size, 200))


def _closed(stage: Stage, uncounted: Counter[str]) -> Iterable[Stage]:
    for title, count in uncounted.most_common(20):
        stage.rows.append(Row(0, "", "exchange", title, "", "", "", count=count))
    rest = sum(uncounted.values()) - sum(count for _, count in uncounted.most_common(20))
    if rest:
        stage.rows.append(Row(0, "", "exchange", "others", "", "", "", count=rest))
    if stage.rows:
        yield stage


def _summary(data: dict[str, Any]) -> str:
    """An event's plain values on one line; what is nested is left to the recording."""
    said = {True: "yes", False: "no"}
    plain = [
        f"{key}: {said[value] if isinstance(value, bool) else value}"
        for key, value in data.items()
        if isinstance(value, str | int | float) and value != ""
    ]
    return one_line(cut(", ".join(plain), 160))


def _tone(entry: AnyEntry) -> str:
    if isinstance(entry, HttpEntry):
        return "bad" if entry.response.status >= 400 else "moved" if entry.response.status >= 300 else "good"
    if isinstance(entry, AssociationEntry):
        return "good" if entry.facts.end is AssociationEnd.RELEASED else "bad"
    if isinstance(entry, DimseEntry):
        return "good" if entry.facts.status == 0 else "bad"
    return "event" if isinstance(entry, EventEntry) else "bad"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
