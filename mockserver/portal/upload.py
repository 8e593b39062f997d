"""Taking a file in: its name, size and rows, judged one at a time; nothing of it is kept where it is refused at the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING

import msgspec

from acrmock.datafile import FileFault, Layout, Limits, Row, layout_of, read_pipe, read_workbook
from acrmock.redaction import Redactor
from acrmock.schema import RecordValidator
from mockserver.context import EngineCore, Settings
from mockserver.journal import Known, secrets_in
from mockserver.nrdr.model import EXAM, Counts, Exam
from mockserver.portal.judging import Judge
from mockserver.portal.model import ROWS, Decision, LogRow, LogRows, PortalFile, Reason, rows_key
from mockserver.store import Reader, Scope, Unit

if TYPE_CHECKING:
    from acrmock.facts import MappingVersion

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What is needed to take a file in: whose it is, under which mapping, and its bytes."""

    core: EngineCore
    scope: Scope
    settings: Settings
    version: MappingVersion
    facilities: tuple[str, ...]
    now: datetime
    stream: IO[bytes]


def take(taking: Taking, file: PortalFile) -> PortalFile:
    """The file with its rows judged and kept; where the whole of it is rejected, none of them and the reason."""
    layout = layout_of(taking.core.facts, taking.version)
    try:
        counts = _keep(taking, file, _rows(taking, file, layout), layout)
    except FileFault as fault:
        with taking.core.store.write() as unit:
            forget_rows(unit, taking.scope, file.id)
        details = "; ".join(text for text in (fault.what, f"expected {fault.expected}" if fault.expected else "") if text)
        return msgspec.structs.replace(file, reason=Reason(code=fault.kind.code, message=details, row=fault.row))
    decided = file.decision if counts.rejected else Decision.CONTINUE
    return msgspec.structs.replace(
        file, counts=counts, decision=decided, decided_at=None if decided is Decision.ASK else file.uploaded_at
    )


def forget_rows(unit: Unit, scope: Scope, file: str) -> None:
    """Forget the rows of a file."""
    for key in [key for key, _ in unit.scan(ROWS, scope, LogRows, prefix=f"{file}/")]:
        unit.delete(ROWS, scope, key)


def _rows(taking: Taking, file: PortalFile, layout: Layout) -> Iterator[Row]:
    settings = taking.settings
    limits = Limits(
        row_bytes=settings.integer("portal.limit.row_bytes"),
        rows=settings.integer("portal.limit.rows"),
        unpacked_bytes=settings.integer("portal.limit.unpacked_bytes"),
        unpacked_ratio=settings.integer("portal.limit.unpacked_ratio"),
    )
    if file.format == "xlsx":
        rows = read_workbook(taking.stream, limits, layout.columns, layout.separator)
    else:
        rows = read_pipe(taking.stream, limits, layout.separator)
    if settings.text("portal.header_row") == "skip":
        return (row for row in rows if not layout.is_header(row.cells))
    return rows


def _keep(taking: Taking, file: PortalFile, rows: Iterator[Row], layout: Layout) -> Counts:
    """Judge and store the rows, some at a time; a unit never holds the store longer than those take."""
    core = taking.core
    received = rejected = warned = 0
    judge = Judge(
        layout=layout,
        validator=RecordValidator(core.facts, taking.version),
        digester=core.digester,
        today=taking.now.date(),
        selected=file.facility,
        facilities=taking.facilities,
        loaded=lambda key: _loaded(taking, f"{file.registry}/{key}"),
    )
    judged = (judge.judge(row) for row in rows)
    chunk = 0
    while some := _clean(core, tuple(islice(judged, _CHUNK))):
        with core.store.write() as unit:
            unit.put(ROWS, taking.scope, rows_key(file.id, chunk), LogRows(first=received, rows=some))
        chunk += 1
        received += len(some)
        rejected += sum(1 for row in some if row.errors)
        warned += sum(1 for row in some if row.warnings and not row.errors)
    return Counts(received=received, rejected=rejected, warnings=warned)


def _clean(core: EngineCore, rows: tuple[LogRow, ...]) -> tuple[LogRow, ...]:
    """The rows as they are kept: as they came, but for secrets that were issued here."""
    with core.store.read() as reader:
        known = secrets_in(reader)
        return tuple([_without_secrets(core.redactor, row, known) for row in rows])


def _without_secrets(redactor: Redactor, row: LogRow, known: Known) -> LogRow:
    whole = "\n".join(row.cells)
    if redactor.scanner.holds(whole, known) is None:
        return row
    pieces = redactor.pieces(whole, known)
    told = [tuple([redactor.text(text, known, pieces=pieces) for text in texts]) for texts in (row.errors, row.warnings)]
    cells = tuple([redactor.secrets(cell, known) for cell in row.cells])
    return msgspec.structs.replace(row, cells=cells, errors=told[0], warnings=told[1])


def _loaded(taking: Taking, key: str) -> bool:
    with taking.core.store.read() as reader:
        return reader.get(EXAM, taking.scope, key, Exam) is not None


def rows_of(unit: Reader, scope: Scope, file: str) -> Iterator[tuple[int, LogRow]]:
    """The rows of a file with their index, in order; read in pages."""
    for _, some in unit.scan(ROWS, scope, LogRows, prefix=f"{file}/"):
        yield from enumerate(some.rows, some.first)
