"""Received bytes in any order of units, failures, ends and crashes, beside a model that is a dict."""

from __future__ import annotations

import errno
import hashlib
import itertools
import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from acrmock.clock import SystemClock
from mockserver import _space
from mockserver._places import BLOCK, Place, blocks, place_of
from mockserver._sqlite_unit import SqliteUnit
from mockserver.sqlite import SqliteStore
from mockserver.store import ObjectFile, Scope, StoreError, StoreFull

Key = tuple[Scope, str, str]
SCOPES = [("a", "test"), ("b", "test")]
SIZES = [10, 4096, 9000, 65_536, 90_000, 1_100_000]
STEP = st.tuples(
    st.sampled_from(["put", "put", "put", "again", "delete", "delete one", "delete scope"]),
    st.sampled_from(SCOPES),
    st.sampled_from(["1", "2"]),
    st.sampled_from(SIZES),
    st.sampled_from(["bytes", "of known length", "as they come"]),
)
FATE = st.sampled_from(["", "", "", "", "left by an error", "no commit", "no room", "no sync"])
MARK = re.compile(rb"<\d{8}>")
write_at, sync_data = _space._write_at, _space._sync_data


class Stores(RuleBasedStateMachine):
    """One store, opened again and again."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.folder = Path(tempfile.mkdtemp(prefix="states"))
        self.kept: dict[Key, bytes] = {}
        self.gone: set[bytes] = set()
        self.numbers = itertools.count(1)
        self.files: list[ObjectFile] = []
        self.fate = ""
        self.patch.setattr(_space, "_write_at", self.write_at)
        self.patch.setattr(_space, "_sync_data", self.sync)

    # what fails

    def write_at(self, file: int, part: memoryview, offset: int) -> int:
        """A disk that is full, except for zeros where something was."""
        if self.fate == "no room" and any(part[:16]):
            raise OSError(errno.ENOSPC, "no space left on device")
        return write_at(file, part[:300_000], offset)

    def sync(self, _file: int) -> None:
        """A disk with a bad sector."""
        if self.fate == "no sync":
            raise OSError(errno.EIO, "a bad sector")

    def before_commit(self) -> None:
        """A database that refuses."""
        if self.fate == "no commit":
            raise StoreFull("there is no room left on the disk")

    # what is done

    @initialize(synced=st.booleans())
    def open(self, synced: bool) -> None:  # noqa: FBT001 - hypothesis gives it by name
        """Open the store."""
        path = self.folder / "store.sqlite3"
        self.store = SqliteStore(path, SystemClock(), synced=synced, before_commit=self.before_commit)

    @rule(steps=st.lists(STEP, min_size=1, max_size=4), fate=FATE)
    def unit(self, steps: list[tuple[str, Scope, str, int, str]], fate: str) -> None:
        """One unit, which may fail; what it does is there afterwards, or nothing of it."""
        self.fate, after, done = fate, dict(self.kept), False
        marks = {MARK.match(octets).group() for octets in after.values()}  # type: ignore[union-attr]
        first = next(self.numbers)
        try:
            with self.store.write() as unit:
                for step in steps:
                    self.step(unit, after, step)
                if fate == "left by an error":
                    raise KeyError
            done = True
        except (KeyError, StoreError):
            assert fate
        finally:
            self.fate = ""
            for file in self.files:
                file.discard()
            self.files.clear()
        if done:
            self.kept = after
        marks |= {b"<%08d>" % number for number in range(first, next(self.numbers))}
        self.gone |= marks - {octets[:10] for octets in self.kept.values()}

    def step(self, unit: SqliteUnit, after: dict[Key, bytes], step: tuple[str, Scope, str, int, str]) -> None:
        """One thing that a unit does."""
        what, scope, uid, size, how = step
        some = [key for key in after if key[0] == scope and (key[1] == uid or not what.startswith("delete"))]
        if what == "put":
            octets = (b"<%08d>" % next(self.numbers) * (size // 10 + 1))[:size]
            self.put(unit, (scope, uid, hashlib.sha256(octets).hexdigest()), octets, how)
            after[scope, uid, hashlib.sha256(octets).hexdigest()] = octets
        elif what == "again" and some:
            self.put(unit, some[0], after[some[0]], how)
        elif what == "delete one" and some:
            unit.delete_object(*some.pop(0))
        elif what == "delete":
            unit.delete_object(scope, uid)
        elif what == "delete scope":
            unit.delete_scope(scope)
        for key in [*after]:
            if unit.get_object(*key) is None:
                assert what.startswith("delete")
                assert key[0] == scope
                del after[key]
            else:
                assert unit.get_object(*key) == after[key]

    def put(self, unit: SqliteUnit, key: Key, octets: bytes, how: str) -> None:
        """Put bytes in one of the ways."""
        file = None if how == "bytes" else self.store.object_file(len(octets) if how == "of known length" else 0)
        if file is not None:
            self.files.append(file)
            for at in range(0, len(octets), 70_000):
                file.write(octets[at : at + 70_000])
            file.finish()
            assert file.sha256 == key[2]
        unit.put_object(*key, octets if file is None else file)

    @rule(crash=st.booleans(), synced=st.booleans(), on_its_way=st.booleans())
    def again(self, crash: bool, synced: bool, on_its_way: bool) -> None:  # noqa: FBT001 - as above
        """Close, or take the files as a crash leaves them, and open again."""
        if on_its_way and (file := self.store.object_file(100_000)) is not None:
            mark = b"<%08d>" % next(self.numbers)
            file.write(mark * 10_000)
            self.gone.add(mark)
            self.unit([("put", SCOPES[0], "1", 90_000, "bytes")], "")  # behind it
        if crash:
            copy = Path(tempfile.mkdtemp(prefix="states"))
            for name in ("store.sqlite3", "store.sqlite3-wal", "objects.bytes"):
                if (self.folder / name).exists():
                    shutil.copy(self.folder / name, copy / name)
        self.store.close()
        if crash:
            shutil.rmtree(self.folder)
            self.folder = copy
        self.open(synced)

    # what holds

    @invariant()
    def holds(self) -> None:
        """What was kept is there, in places of its own, and nothing else is in any file."""
        if not hasattr(self, "store"):
            return
        with self.store.read() as snapshot:
            assert all(snapshot.get_object(*key) == octets for key, octets in self.kept.items())
        rows = self.store.connection.execute("SELECT place FROM received").fetchall()
        assert len(rows) == len(self.kept)
        space = self.store.received.space
        assert space is not None
        used = blocks_of(place_of(text) for (text,) in rows if text is not None)
        with space._lock:
            free = [block for first, count in space._free.pieces() for block in range(first, first + count)]
            assert space._free.end - len(used) - len(free) in {0, 256}, "room was lost, but for what is being zeroed"
        assert len({*used, *free}) == len(used) + len(free)
        assert space.clean
        for path in self.folder.glob("*[!mk]"):
            assert not self.gone & set(MARK.findall(path.read_bytes())), path.name

    def teardown(self) -> None:
        """Let go of everything."""
        self.fate = ""
        if hasattr(self, "store"):
            self.store.close()
        shutil.rmtree(self.folder)
        self.patch.undo()


def blocks_of(places: Iterable[Place]) -> list[int]:
    """The blocks of places."""
    pieces = [piece for place in places for piece in place]
    return [block for at, length in pieces for block in range(at // BLOCK, at // BLOCK + blocks(length))]


Stores.TestCase.settings = settings(
    max_examples=30, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestStores = Stores.TestCase
