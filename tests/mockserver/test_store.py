"""The store: serialised units, group commit, what happens when it fails, and what it says of a bad file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from acrmock.clock import SystemClock
from acrmock.errors import SetupError
from acrmock.record import EventEntry, decode_line
from mockserver._sqlite_open import FORMAT, MIGRATIONS, counted, open_writer
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL, StoreError, StoreFull

SCOPE = ("app", "test")
Open = Callable[..., SqliteStore]


class Value(msgspec.Struct, frozen=True):
    """A stored value."""

    number: int


class Other(msgspec.Struct, frozen=True):
    """A value of another shape."""

    word: str


def event(name: str = "e", application: str | None = None, run: str | None = None) -> EventEntry:
    """An event without a seq of its own."""
    return EventEntry(seq=0, at="a", t="t", name=name, application=application, run=run)


@pytest.fixture
def open_(tmp_path: Path) -> Iterator[Open]:
    """Opens stores and closes them at the end."""
    stores: list[SqliteStore] = []

    def make(path: Path | str | None = "store.sqlite3", **options: object) -> SqliteStore:
        made = SqliteStore(tmp_path / path if isinstance(path, str) else path, SystemClock(), **options)  # type: ignore[arg-type]
        stores.append(made)
        return made

    yield make
    for store in stores:
        store.close()


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, open_: Open) -> SqliteStore:
    """A store in a file and one in memory."""
    return open_() if request.param == "file" else open_(None)


def test_values(store: SqliteStore) -> None:
    """Values are put, replaced, read back, scanned by prefix in order, deleted; scopes do not mix."""
    with store.write() as unit:
        for number in range(600):
            unit.put("k", SCOPE, f"{number:04d}", Value(number))
        unit.put("k", ("app", "production"), "0001", Value(-1))
        unit.put("k", SCOPE, "0001", Value(1001))
        unit.delete("k", SCOPE, "0002")
        assert unit.get("k", SCOPE, "0001", Value) == Value(1001)
        assert unit.get("k", SCOPE, "0002", Value) is None
    with store.read() as snapshot:
        keys = [key for key, _ in snapshot.scan("k", SCOPE, Value)]
        assert keys == sorted(keys)
        assert len(keys) == 599
        assert [key for key, _ in snapshot.scan("k", SCOPE, Value, prefix="001", limit=3)] == ["0010", "0011", "0012"]
        assert [value for _, value in snapshot.scan("k", SCOPE, Value, prefix="05", limit=300)][-1] == Value(599)
        assert list(snapshot.scan("k", GLOBAL, Value)) == []
    with store.write() as unit:
        unit.delete_scope(SCOPE)
    with store.read() as snapshot:
        assert list(snapshot.scan("k", SCOPE, Value)) == []
        assert snapshot.get("k", ("app", "production"), "0001", Value) == Value(-1)


def test_scan_goes_on_behind_a_key(store: SqliteStore) -> None:
    """A scan begins behind a key, within its prefix, and a prefix may end in any character."""
    keys = ["a/1", "a/2", "a/é", "a/\U0010ffff", "a0", "aé", "aé1", "aê", "b/1"]
    with store.write() as unit:
        for number, key in enumerate(keys):
            unit.put("k", SCOPE, key, Value(number))
    with store.read() as snapshot:
        found = {
            (prefix, after): [key for key, _ in snapshot.scan("k", SCOPE, Value, prefix=prefix, after=after)]
            for prefix, after in (
                ("a/", ""),
                ("a/", "a/"),
                ("a/", "a/1"),
                ("a/", "a/zz"),
                ("a/", "c"),
                ("", "a0"),
                ("aé", ""),
                ("b", "a"),
            )
        }
    assert found["a/", ""] == found["a/", "a/"] == keys[:4]
    assert found["a/", "a/1"] == keys[1:4]
    assert found["a/", "a/zz"] == keys[2:4]
    assert found["a/", "c"] == []
    assert found["", "a0"] == keys[5:]
    assert found["aé", ""] == ["aé", "aé1"]
    assert found["b", "a"] == ["b/1"]


def work_of(connection: sqlite3.Connection, do: Callable[[], object]) -> int:
    """How many instructions of its machine SQLite needs, which no clock and no other process changes."""
    ticks: list[int] = []
    connection.set_progress_handler(lambda: ticks.append(1), 1)
    try:
        do()
    finally:
        connection.set_progress_handler(None, 0)
    return len(ticks)


def test_what_else_is_stored_costs_nothing(open_: Open) -> None:
    """Reading one key, a prefix of a few keys, and the start of a journal cost the same beside many others as beside few."""
    cost: dict[int, list[int]] = {}
    for others in (20, 20_000):
        store = open_(None)
        with store.write() as unit:
            for number in range(others):
                unit.put("k", SCOPE, f"b/{number:05d}", Value(number))
                unit.append(event(application="app"))
            for number in range(3):
                unit.put("k", SCOPE, f"a/{number}", Value(number))
        with store.read() as snapshot:
            cost[others] = [
                work_of(store.connection, do)
                for do in (
                    lambda: list(snapshot.scan("k", SCOPE, Value, prefix="a/")),
                    lambda: list(snapshot.scan("k", SCOPE, Value, prefix="b/", after="b/00010", limit=5)),
                    lambda: snapshot.get("k", SCOPE, "a/1", Value),
                    lambda: counted(store.connection),  # noqa: B023 - the same
                )
            ]
    assert cost[20][:3] == cost[20_000][:3]
    assert min(cost[20]) > 0
    assert cost[20_000][3] < 1_000


def test_forgetting_very_much_bit_by_bit(store: SqliteStore) -> None:
    """A scope that holds much is thinned a part at a time until it holds no more than may go at once; others keep theirs."""
    other = ("other", "test")
    with store.write() as unit:
        for number in range(25):
            unit.put("k", SCOPE, str(number), Value(number))
            unit.put("l", SCOPE, str(number), Value(number))
            unit.put("k", other, str(number), Value(number))
    left = []
    more = True
    while more:
        with store.write() as unit:
            more = unit.thin_scope(SCOPE, most=10, part=12)
            left.append(sum(len(list(unit.scan(kind, SCOPE, Value))) for kind in "kl"))
    assert left == [38, 26, 14, 2, 2]
    with store.write() as unit:
        assert not unit.thin_scope(("none", "test"), most=0, part=1)
        unit.delete_scope(SCOPE)
        assert [len(list(unit.scan("k", scope, Value))) for scope in (SCOPE, other)] == [0, 25]


def test_journal_is_counted_over_starts(open_: Open) -> None:
    """What the journal holds is known anew after each start, whatever was appended, dropped and undone before."""
    for round_ in range(4):
        store = open_()
        with store.write() as unit:
            seqs = [unit.append(event(f"{round_}{number}")) for number in range(700)]
        with pytest.raises(ZeroDivisionError), store.unit() as lost:  # noqa: PT012 - what is undone must stand inside
            lost.append(event())
            lost.journal_drop(seqs[:5])
            raise ZeroDivisionError
        with store.write() as unit:
            unit.journal_drop(seqs[10 * round_ : 20 * round_])
        told = store.held
        entries = store.connection.execute("SELECT count(*), sum(length(line)) FROM journal").fetchone()
        assert told == entries
        store.close()
        again = open_()
        assert again.held == told
        again.close()


def test_value_of_another_type(store: SqliteStore) -> None:
    """A stored value that is not of the asked type is a store error that names it."""
    with store.write() as unit:
        unit.put("k", SCOPE, "x", Value(1))
    with store.read() as snapshot, pytest.raises(StoreError) as caught:
        snapshot.get("k", SCOPE, "x", Other)
    assert "k x" in caught.value.where


def test_exception_undoes_the_unit_only(store: SqliteStore) -> None:
    """A unit left by an exception leaves no trace, neither in the state nor in `seq`; others of the batch stay."""
    with store.unit() as first:
        first.put("k", SCOPE, "kept", Value(1))
        first.append(event())
    with pytest.raises(ZeroDivisionError), store.unit() as second:  # noqa: PT012 - what is undone must stand inside
        second.put("k", SCOPE, "gone", Value(2))
        assert second.append(event()) == 2
        raise ZeroDivisionError
    with store.write() as third:
        assert third.append(event("third")) == 2
    with store.read() as snapshot:
        assert [key for key, _ in snapshot.scan("k", SCOPE, Value)] == ["kept"]
        assert [seq for seq, _ in snapshot.entries()] == [1, 2]


def test_unit_sees_the_batch_before_it_is_committed(open_: Open) -> None:
    """A unit sees what an earlier unit of the same batch wrote; a committed read does not yet."""
    store = open_()
    with store._queue_lock:
        store._queued += 1  # as if another unit waited, so that the batch stays open
    with store.unit() as first:
        first.put("k", SCOPE, "x", Value(1))
    with store._queue_lock:
        store._queued -= 1
    with store.unit() as unit:
        with store.read() as snapshot:
            assert snapshot.get("k", SCOPE, "x", Value) is None
        assert unit.get("k", SCOPE, "x", Value) == Value(1)
    store.flush(first.ticket)
    with store.read() as snapshot:
        assert snapshot.get("k", SCOPE, "x", Value) == Value(1)


def test_units_serialise(store: SqliteStore) -> None:
    """Counters raised by many threads at once lose no step."""

    def count() -> None:
        for _ in range(50):
            with store.write() as unit:
                found = unit.get("k", SCOPE, "n", Value)
                unit.put("k", SCOPE, "n", Value((found.number if found else 0) + 1))
                unit.append(event())

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as snapshot:
        assert snapshot.get("k", SCOPE, "n", Value) == Value(300)
        assert [seq for seq, _ in snapshot.entries()] == list(range(1, 301))


def test_unit_inside_a_unit(store: SqliteStore) -> None:
    """A unit inside a unit is a programming error, not a deadlock."""
    with store.unit(), pytest.raises(RuntimeError, match="inside"), store.unit():
        pass


def test_failing_batch_fails_all_its_waiters_and_recovers(open_: Open) -> None:
    """When a commit fails, every waiter of the batch hears of it, nothing is kept, and the next batch is."""
    store = open_()
    failing = threading.Event()
    failing.set()

    def fail() -> None:
        if failing.is_set():
            raise sqlite3.OperationalError("disk I/O error")

    store._before_commit = fail
    tickets = []
    undone: list[int] = []
    store.on_undo = lambda: undone.append(1)
    with store.unit() as first:
        first.put("k", SCOPE, "a", Value(1))
        with store._queue_lock:
            store._queued += 1  # as if another unit waited, so that the batch stays open
    tickets.append(first.ticket)
    with store._queue_lock:
        store._queued -= 1
    with store.unit() as second:
        second.append(event())
    tickets.append(second.ticket)
    assert tickets[0] is tickets[1]
    for ticket in tickets:
        with pytest.raises(StoreError):
            store.flush(ticket)
    assert undone
    failing.clear()
    with store.write() as third:
        assert third.append(event()) == 1
        assert third.get("k", SCOPE, "a", Value) is None


def test_disk_full_and_room_again(open_: Open) -> None:
    """A full disk is `StoreFull`, reads go on, and with room the store goes on too."""
    store = open_()
    with store.write() as unit:
        unit.put("k", SCOPE, "x", Value(1))
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    def much() -> None:
        with store.write() as unit:
            for number in range(2000):
                unit.put("k", SCOPE, f"much-{number}", Other("x" * 200))

    with pytest.raises(StoreFull):
        much()
    with store.read() as snapshot:
        assert [key for key, _ in snapshot.scan("k", SCOPE, msgspec.Struct)] == ["x"]
    store.connection.execute("PRAGMA max_page_count = 1000000")
    much()
    with store.read() as snapshot:
        assert snapshot.get("k", SCOPE, "much-1999", Other) is not None


def test_journal_filters_and_counts(store: SqliteStore) -> None:
    """Entries are found by application, run, label and position; their `seq` stands in their line."""
    with store.write() as unit:
        for number in range(700):
            unit.append(event(f"e{number % 2}", "a" if number % 3 else "b", "r" if number % 7 == 0 else None))
    with store.read() as snapshot:
        assert snapshot.last_seq() == 700
        assert all(decode_line(line).seq == seq for seq, line in snapshot.entries())
        chosen = [seq for seq, _ in snapshot.entries(application="b", run="r", labels=["e0", "x"], after=100, until=400)]
        assert chosen == [n + 1 for n in range(100, 400) if n % 3 == 0 and n % 7 == 0 and n % 2 == 0]
        assert snapshot.count(application="a", labels=["e1"]) == sum(1 for n in range(700) if n % 3 and n % 2)
        assert snapshot.count(run="nobody") == 0


def test_waiting_for_entries(store: SqliteStore) -> None:
    """Waiting ends when an entry is committed, when time is up, or when waiters are released."""
    assert not store.wait_beyond(0, 0)
    came: list[bool] = []
    waiter = threading.Thread(target=lambda: came.append(store.wait_beyond(0, 30)))
    waiter.start()
    with store.write() as unit:
        unit.append(event())
    waiter.join(30)
    assert came == [True]
    waiter = threading.Thread(target=lambda: came.append(store.wait_beyond(1, 30)))
    waiter.start()
    store.release_waiters()
    waiter.join(30)
    assert came == [True, False]


CHILD = """
import sys, threading
from pathlib import Path
import msgspec
from acrmock.clock import SystemClock
from acrmock.record import EventEntry
from mockserver.sqlite import SqliteStore

class Value(msgspec.Struct):
    number: int

store = SqliteStore(Path(sys.argv[1]), SystemClock())
say = threading.Lock()

def write(name):
    number = 0
    while True:
        with store.write() as unit:
            unit.put("k", ("app", "test"), f"{name}-{number}", Value(number))
            unit.append(EventEntry(seq=0, at="a", t="t", name=f"{name}-{number}"))
        with say:
            sys.stdout.write(f"{name}-{number}\\n")
            sys.stdout.flush()
        number += 1

for name in "abcd":
    threading.Thread(target=write, args=(name,)).start()
"""


def test_kill_loses_nothing_acknowledged(tmp_path: Path, open_: Open) -> None:
    """A process killed while four threads write loses nothing that it had acknowledged; state and journal agree."""
    path = tmp_path / "store.sqlite3"
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert child.stdout is not None
    said = [child.stdout.readline().decode() for _ in range(200)]
    child.kill()
    said += [line.decode() for line in child.stdout.read().splitlines(keepends=True)]
    child.wait()
    child.stdout.close()
    acknowledged = {line.strip() for line in said if line.endswith("\n")}
    store = open_()
    with store.read() as snapshot:
        kept = {key for key, _ in snapshot.scan("k", SCOPE, Value)}
        lines = [decode_line(line) for _, line in snapshot.entries()]
    assert acknowledged <= kept
    assert {line.name for line in lines} == kept  # type: ignore[union-attr]
    assert [line.seq for line in lines] == list(range(1, len(lines) + 1))  # type: ignore[union-attr]


def test_missing_directory(tmp_path: Path) -> None:
    """A directory that does not exist is a setup error that names it."""
    with pytest.raises(SetupError, match="does not exist") as caught:
        SqliteStore(tmp_path / "no" / "store.sqlite3", SystemClock())
    assert caught.value.fix


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user who is bound by file modes")
def test_unwritable_directory(tmp_path: Path) -> None:
    """A directory that cannot be written is a setup error."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SetupError, match="cannot be written"):
            SqliteStore(tmp_path / "store.sqlite3", SystemClock())
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000, b"x"])
def test_not_a_database(tmp_path: Path, content: bytes) -> None:
    """A file that is no database is a setup error, and is left as it was."""
    path = tmp_path / "store.sqlite3"
    path.write_bytes(content)
    with pytest.raises(SetupError) as caught:
        SqliteStore(path, SystemClock())
    assert str(path) in caught.value.where
    assert caught.value.fix
    assert path.read_bytes() == content


def test_database_begun_and_never_filled(tmp_path: Path, open_: Open) -> None:
    """A store whose maker was killed before its first commit is begun anew."""
    connection = sqlite3.connect(tmp_path / "store.sqlite3")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA user_version = 0")
    connection.close()
    assert (tmp_path / "store.sqlite3").stat().st_size
    with open_().write() as unit:
        unit.put("k", SCOPE, "x", Value(1))


def test_foreign_database(tmp_path: Path) -> None:
    """Somebody else's database is refused."""
    path = tmp_path / "store.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.commit()
    connection.close()
    with pytest.raises(SetupError, match="no acrmock store"):
        SqliteStore(path, SystemClock())


def test_corrupt_store(tmp_path: Path, open_: Open) -> None:
    """A store whose pages were overwritten is refused with a way out."""
    store = open_()
    with store.write() as unit:
        for number in range(500):
            unit.put("k", SCOPE, f"{number}", Other("x" * 100))
    store.close()
    path = tmp_path / "store.sqlite3"
    data = bytearray(path.read_bytes())
    data[4096 * 3 : 4096 * 12] = os.urandom(4096 * 9)
    path.write_bytes(data)
    with pytest.raises(SetupError, match="damaged") as caught:
        open_()
    assert "backup" in caught.value.fix


def test_second_opener(open_: Open) -> None:
    """A store that is open is refused to a second opener; closing lets it go."""
    first = open_()
    with pytest.raises(SetupError, match="in use"):
        open_()
    first.close()
    first.close()
    open_()


def test_newer_store(open_: Open) -> None:
    """A store of a newer format is refused."""
    open_(newest=7).close()
    with pytest.raises(SetupError, match="newer version") as caught:
        open_()
    assert caught.value.actual == "format 7"


def test_migration_after_a_backup(tmp_path: Path, open_: Open) -> None:
    """An older store is migrated step by step after a backup copy; what it held is still there."""
    old = open_()
    with old.write() as unit:
        unit.put("k", SCOPE, "x", Value(1))
    old.close()
    steps: list[int] = []

    def extra(connection: sqlite3.Connection) -> None:
        steps.append(2)
        connection.execute("CREATE TABLE extra (x)")

    new = open_(migrations={FORMAT: lambda _c: steps.append(1), FORMAT + 1: extra}, newest=FORMAT + 2)
    assert steps == [1, 2]
    with new.read() as snapshot:
        assert snapshot.get("k", SCOPE, "x", Value) == Value(1)
    backup = sqlite3.connect(tmp_path / f"store.sqlite3.format-{FORMAT}.backup")
    assert backup.execute("SELECT value FROM meta WHERE key = 'format'").fetchone() == (str(FORMAT),)
    assert backup.execute("SELECT count(*) FROM state").fetchone() == (1,)
    backup.close()


@pytest.mark.parametrize("older", range(1, FORMAT))
def test_stores_of_each_older_format_are_opened(tmp_path: Path, open_: Open, older: int) -> None:
    """What a store of any format held is there afterwards, what its journal holds is counted, and it takes received bytes."""
    old = open_writer(tmp_path / "store.sqlite3", MIGRATIONS, older)
    old.execute("INSERT INTO state VALUES ('k', ?, ?, 'x', ?)", (*SCOPE, msgspec.json.encode(Value(1))))
    for number in (1, 3, 4):
        old.execute("INSERT INTO journal VALUES (?, NULL, NULL, 'e', ?)", (number, b"x" * 10))
    if older > 1:
        columns = "application, environment, sop_instance, sha256, data"
        old.execute(f"INSERT INTO object ({columns}) VALUES (?, ?, '1.2', ?, ?)", (*SCOPE, "ab" * 32, b"older"))  # noqa: S608
    old.close()
    new = open_()
    with new.write() as unit:
        unit.put_object(SCOPE, "1.2.3", "ab" * 32, b"bytes")
    with new.read() as snapshot:
        assert snapshot.get("k", SCOPE, "x", Value) == Value(1)
        assert snapshot.get_object(SCOPE, "1.2", "ab" * 32) == (b"older" if older > 1 else None)
        assert snapshot.get_object(SCOPE, "1.2.3", "ab" * 32) == b"bytes"
    if older < 4:
        assert new.connection.execute("SELECT value FROM meta WHERE key = 'journal'").fetchone() == ("4 3 30",)
    assert new.held == (3, 30)


def test_deleted_bytes_are_in_no_file(tmp_path: Path, open_: Open) -> None:
    """Bytes that were deleted, or whose scope was reset, stand neither in the database nor in its write-ahead log."""
    store = open_()
    secret = b"Jane^Doe^" * 4000
    with store.write() as unit:
        unit.put_object(SCOPE, "1.2.3", "ab" * 32, secret)
        unit.put_object(SCOPE, "1.2.3", "cd" * 32, secret)
        unit.put_object(SCOPE, "1.2.4", "cd" * 32, secret)
        unit.put_object(("other", "test"), "1.2.4", "cd" * 32, b"kept")
    with store.write() as unit:
        unit.delete_object(SCOPE, "1.2.3")
    with store.write() as unit:
        unit.delete_scope(SCOPE)
    assert not [path.name for path in tmp_path.iterdir() if b"Jane^Doe" in path.read_bytes()]
    with store.read() as snapshot:
        assert snapshot.get_object(SCOPE, "1.2.4", "cd" * 32) is None
        assert snapshot.get_object(("other", "test"), "1.2.4", "cd" * 32) == b"kept"


def test_failed_migration_changes_nothing(open_: Open) -> None:
    """A migration that fails is undone, and the store opens as before."""
    open_().close()

    def bad(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE extra (x)")
        connection.execute("nonsense")

    with pytest.raises(SetupError):
        open_(migrations={FORMAT: bad}, newest=FORMAT + 1)
    assert open_().connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'extra'").fetchone() == (0,)


def test_closed_store(store: SqliteStore) -> None:
    """A closed store says so."""
    store.close()
    with pytest.raises(StoreError, match="closed"), store.unit():
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX modes there")
def test_only_the_owner_reads_the_store(tmp_path: Path, open_: Open) -> None:
    """The store's files, the WAL too, are readable for their owner only."""
    store = open_(tmp_path / "store.sqlite3")
    with store.write() as unit:
        unit.put("kind", GLOBAL, "key", Value(1))
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("store.sqlite3*")}
    assert modes["store.sqlite3"] == modes["store.sqlite3-wal"] == 0o600
