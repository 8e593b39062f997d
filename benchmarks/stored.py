"""What a post, a poll, a list, a start and a reset cost as what is stored grows: `python -m benchmarks.stored --stored 1000000`.

A million posts one by one would take the better part of an hour. So some exams are posted to the served program, and what it
wrote for each of them (transaction, verdicts, exam, journal entry) is copied under new identifiers, through the program's own
store, into the data directory while nothing serves it. All that is measured is measured over HTTPS, on `acrmock serve` of that
directory; the journal's bound applies, so that beyond it each post also drops what is oldest.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple, TypeVar

import msgspec

from acrmock.record import HttpEntry
from acrmock.typed import decoder
from benchmarks.load import Used, drive, exchange, free_port, request
from benchmarks.measure import CLOCK
from benchmarks.ours import Ours
from benchmarks.registries import Line, lines_of, polls
from mockserver.nrdr.loading import Loadable, load
from mockserver.nrdr.model import EXAM, RECORDS, TRANSACTION, Exam, Transaction, Verdicts, transaction_key
from mockserver.sqlite import SqliteStore
from mockserver.store import Scope, Unit

STEPS = (1_000, 10_000, 100_000, 1_000_000)
POSTS = 400
SINGLE = 100
_PATTERNS = 200
_UNIT = 10_000
_FILL_CACHE_KIBIBYTES = 512 * 1024
_AGAIN = 10
_APPLICATION = "Registries"
T = TypeVar("T")


class Pattern(NamedTuple):
    """What one real post of one exam left in the store."""

    transaction: Transaction
    records: Verdicts
    exam: Exam
    entry: bytes


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured with so many transactions stored; times in milliseconds unless they say otherwise."""

    stored: int
    start: float
    """Seconds of the command until it answers."""
    start_cpu: float
    """Seconds of a core until then."""
    resident: float
    """MiB once it answers."""
    posts: Used
    post: float
    """Median of single posts, one after the other over one connection."""
    polls: Used
    poll: float
    lists: Mapping[str, float]
    why: float
    """Looking at the newest entry of the journal."""
    reset: float
    """Seconds of a reset; only in the last step, because nothing is left of the transactions then."""
    waited: float
    """The longest post of another application meanwhile."""
    database: float
    """MiB of the database with its log."""


def steps(most: int, here: Path) -> Iterator[Step]:
    """Fill and measure, tenfold each time up to `most`, on one data directory."""
    port = ("--port", str(free_port()))
    with Ours(here, *port) as ours:
        document = ours.register(_APPLICATION)
        line = lines_of(ours, document)[0]
        drive(ours, ours.connect, line.posts(_PATTERNS), 202)
        held = _PATTERNS
    scope: Scope = (document["application"], "test")
    path = here / "data" / "store.sqlite3"
    known = patterns(path, scope, line.slug)
    for wanted in [step for step in STEPS if step < most] + [most]:
        held += fill(path, scope, line.slug, known, wanted - held)
        step = _measured(here, port, document, held, last=wanted == most)
        held += POSTS + SINGLE
        yield step


# filling


def patterns(path: Path, scope: Scope, slug: str) -> list[Pattern]:
    """What the posts that are stored left behind, of those whose exam nobody sent again."""
    found = []
    with closing(SqliteStore(path, CLOCK)) as store, store.read() as snapshot:
        entries = {_identifier(line): line for _, line in snapshot.entries(application=scope[0], labels=("nrdr.post",))}
        for key, transaction in snapshot.scan(TRANSACTION, scope, Transaction, prefix=f"{slug}/"):
            records = snapshot.get(RECORDS, scope, key, Verdicts) or Verdicts(records=())
            for record in records.records:
                exam = snapshot.get(EXAM, scope, f"{slug}/{record.key}", Exam)
                if exam is not None and exam.transaction == transaction.id:
                    found.append(Pattern(transaction, records, exam, entries[transaction.id]))
    return found


def fill(path: Path, scope: Scope, slug: str, known: Sequence[Pattern], wanted: int) -> int:
    """Copy what real posts left, until so many more are stored; the number of them."""
    done = 0
    with closing(SqliteStore(path, CLOCK, synced=False)) as store:
        store.connection.execute(f"PRAGMA cache_size = -{_FILL_CACHE_KIBIBYTES}")
        while done < wanted:
            count = min(_UNIT, wanted - done)
            with store.write() as unit:
                _some(unit, scope, slug, known, count)
            done += count
            sys.stderr.write(f"\r{done:>9,} of {wanted:,} copied ")
    sys.stderr.write("\n" if done else "")
    return done


def _some(unit: Unit, scope: Scope, slug: str, known: Sequence[Pattern], count: int) -> None:
    """Copies under random IDs, in their order, which is what a database does most quickly; every tenth exam is sent again."""
    exam = ""
    for number, identifier in enumerate(sorted(str(uuid.uuid4()) for _ in range(count))):
        exam = exam if number % _AGAIN == 1 else identifier.replace("-", "")[:22]
        copy(unit, (scope, slug), known[number % len(known)], identifier, exam)


def copy(unit: Unit, place: tuple[Scope, str], pattern: Pattern, identifier: str, exam: str) -> None:
    """What a post leaves, under a new ID and with an exam of its own."""
    scope, slug = place
    before, reference = pattern.records.records[0].key, "d:exam:" + exam

    def anew(data: bytes, type_: type[T]) -> T:
        for old, new in ((pattern.transaction.id, identifier), (before, reference)):
            data = data.replace(old.encode(), new.encode())
        return decoder(type_).decode(data)

    key = transaction_key(slug, identifier)
    loadable = Loadable(0, reference, pattern.exam.content, pattern.exam.follow_ups)
    updated = load(unit, scope, slug, identifier, [loadable])
    counts = msgspec.structs.replace(pattern.transaction.counts, uploaded=1 - updated, updated=updated)
    unit.put(TRANSACTION, scope, key, msgspec.structs.replace(pattern.transaction, id=identifier, counts=counts))
    unit.put(RECORDS, scope, key, anew(msgspec.json.encode(pattern.records), Verdicts))
    unit.append(anew(pattern.entry, HttpEntry))


def _identifier(line: bytes) -> str:
    """The Transaction_ID of a post in the journal."""
    facts = decoder(HttpEntry).decode(line).facts.transaction
    return facts.transaction_id if facts is not None else ""


# measuring


def _measured(here: Path, port: Sequence[str], document: Mapping[str, Any], held: int, *, last: bool) -> Step:
    begun = CLOCK.monotonic()
    with Ours(here, *port) as ours:
        ours.control.healthy()
        start, start_cpu, resident = CLOCK.monotonic() - begun, ours.cpu() or 0.0, ours.peak() or 0.0
        line = lines_of(ours, document)[0]
        drive(ours, ours.connect, line.posts(80), 202)
        posted = line.posts(POSTS)
        posts = drive(ours, ours.connect, posted, 202)
        used = drive(ours, ours.connect, polls(line, posted), 200)
        single = [message for mine in line.posts(SINGLE) for message in mine]
        lists = {what: _latency(ours, [request("GET", path, line.headers)] * 5) for what, path in _lists(line, document)}
        size = sum(path.stat().st_size for path in (here / "data").glob("store.sqlite3*")) / 2**20
        sock = ours.connect()
        sock.sendall(request("GET", line.status, {}))  # refused, so that there is something to explain
        exchange(sock)
        sock.close()
        token = {"Authorization": f"Bearer {ours.ready['control_token']}"}
        why = _latency(ours, [request("GET", "/_acrmock/why/last", token)] * 5)
        single_post, single_poll = _latency(ours, single), _latency(ours, [one for mine in polls(line, [single]) for one in mine])
        reset, waited = _reset(ours, document["application"]) if last else (0.0, 0.0)
        return Step(
            stored=held,
            start=start,
            start_cpu=start_cpu,
            resident=resident,
            posts=posts,
            post=single_post,
            polls=used,
            poll=single_poll,
            lists=lists,
            why=why,
            reset=reset,
            waited=waited,
            database=size,
        )


def _lists(line: Line, document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What lists are asked for, and how."""
    path, today = line.status.removesuffix("/"), CLOCK.now().date().isoformat()
    yield "first page", path
    yield "last page", f"{path}?after=fff"
    yield "today", f"{path}?date={today}"
    yield "another day", f"{path}?date=2020-01-01"
    yield "loaded another day", f"{path}?upload_date=2020-01-01"
    yield "its facility", f"{path}?facility={document['facility_id']}"
    yield "another facility", f"{path}?facility=none"


def _reset(ours: Ours, application: str) -> tuple[float, float]:
    """Seconds of a reset, and the longest post of another application meanwhile in milliseconds."""
    line = lines_of(ours, ours.register("Another"))[0]
    messages = iter([message for mine in line.posts(4_000) for message in mine])
    done, waits = threading.Event(), [0.0]

    def post() -> None:
        while not done.is_set() and (message := next(messages, None)) is not None:
            waits.append(_latency(ours, [message]))

    other = threading.Thread(target=post)
    other.start()
    begun = CLOCK.monotonic()
    ours.control.reset(application)
    taken = CLOCK.monotonic() - begun
    done.set()
    other.join()
    return taken, max(waits)


def table(found: Sequence[Step]) -> str:
    """The steps as a Markdown table, a column each."""
    rows: list[tuple[str, Callable[[Step], str]]] = [
        ("posts/s, 8 connections", lambda step: f"{step.posts.rate:.0f}"),
        ("CPU of a post, ms", lambda step: f"{step.posts.cpu or 0:.2f}"),
        ("one post after the other, median ms", lambda step: f"{step.post:.1f}"),
        ("polls/s, 8 connections", lambda step: f"{step.polls.rate:.0f}"),
        ("CPU of a poll, ms", lambda step: f"{step.polls.cpu or 0:.2f}"),
        ("one poll after the other, median ms", lambda step: f"{step.poll:.1f}"),
        *((f"list, {what}: ms", lambda step, what=what: f"{step.lists[what]:.0f}") for what in found[0].lists),
        ("`why last`, ms", lambda step: f"{step.why:.0f}"),
        ("start to first answer, s", lambda step: f"{step.start:.1f}"),
        ("CPU of the start, s", lambda step: f"{step.start_cpu:.2f}"),
        ("memory after the start / peak, MiB", lambda step: f"{step.resident:.0f} / {step.posts.memory or 0:.0f}"),
        ("database, MiB", lambda step: f"{step.database:,.0f}"),
        ("reset of the application, s", lambda step: f"{step.reset:.1f}" if step.reset else "-"),
        ("longest post of another meanwhile, ms", lambda step: f"{step.waited:.0f}" if step.reset else "-"),
    ]
    lines = ["| transactions stored | " + " | ".join(f"{step.stored:,}" for step in found) + " |"]
    lines.append("| --- |" + " ---: |" * len(found))
    lines += [f"| {what} | " + " | ".join(show(step) for step in found) + " |" for what, show in rows]
    return "\n".join(lines)


def _latency(ours: Ours, messages: Sequence[bytes]) -> float:
    """The median milliseconds of an answer, one after the other over one connection."""
    sock, taken = ours.connect(), []
    for message in messages:
        begun = CLOCK.monotonic()
        sock.sendall(message)
        status, answer, closes = exchange(sock)
        taken.append((CLOCK.monotonic() - begun) * 1000)
        if status >= 400:
            raise RuntimeError(f"{status}: {answer[:300]!r}")
        if closes:
            sock.close()
            sock = ours.connect()
    sock.close()
    return median(taken)


def main() -> None:
    """Measure as far as asked, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=10_000, help="transactions stored in the last step, e.g. 1000000")
    parser.add_argument("--keep", type=Path, help="an empty directory to leave the data in")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(table(list(steps(asked.stored, asked.keep or Path(folder)))))  # noqa: T201 - the table is what is asked for


if __name__ == "__main__":
    main()
