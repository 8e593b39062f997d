"""What a store remembers is what it holds: units see their own writes, committed reads what is committed, nobody the undone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acrmock.clock import SystemClock
from mockserver._sqlite_memory import keep
from mockserver.sqlite import SqliteStore
from mockserver.store import GLOBAL, Stored, StoreError

SCOPE = ("app", "test")


class Kept(Stored, frozen=True, kw_only=True):
    """A value that is remembered."""

    remembered: ClassVar[bool] = True
    number: int


class Undone(Exception):  # noqa: N818 - not an error
    """Undoes a unit."""


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    """A store in a file and one in memory."""
    made = SqliteStore(tmp_path / "store.sqlite3" if request.param == "file" else None, SystemClock())
    yield made
    made.close()


def number(reader: Any, key: str = "k", scope: tuple[str, str] = SCOPE) -> int | None:
    """The number that is stored."""
    found = reader.get("kind", scope, key, Kept)
    return None if found is None else found.number


def put(unit: Any, value: int, key: str = "k", scope: tuple[str, str] = SCOPE) -> None:
    """Store a number."""
    unit.put("kind", scope, key, Kept(number=value))


def test_a_unit_sees_its_own_writes_and_an_undone_one_leaves_nothing(store: SqliteStore) -> None:
    """Absence, a write, a change and a deletion are each seen at once; what was undone is seen by nobody."""
    with store.write() as unit:
        assert number(unit) is None
        put(unit, 1)
        assert number(unit) == 1
        put(unit, 2)
        assert number(unit) == 2
    with contextlib.suppress(Undone), store.write() as unit:
        assert number(unit) == 2
        put(unit, 3)
        assert number(unit) == 3
        raise Undone
    with store.read() as reader:
        assert number(reader) == 2
    with store.write() as unit:
        assert number(unit) == 2
        unit.delete("kind", SCOPE, "k")
        assert number(unit) is None
    with store.read() as reader:
        assert number(reader) is None


def test_a_committed_read_sees_no_earlier_and_no_later_than_the_commit(tmp_path: Path) -> None:
    """While a unit is open others read what was committed before it, remembered or not; after it what it wrote."""
    store = SqliteStore(tmp_path / "store.sqlite3", SystemClock())
    with store.write() as unit:
        put(unit, 1)
    with store.unit() as unit:
        put(unit, 2)
        for _ in range(2):
            with store.read() as reader:
                assert number(reader) == 1
    store.flush(unit.ticket)
    with store.read() as reader:
        assert number(reader) == 2
        with store.write() as unit:
            unit.delete_scope(SCOPE)
        assert number(reader) is None
    store.close()


def test_a_lost_batch_is_forgotten(tmp_path: Path) -> None:
    """Where the disk fails, the next unit and the next reader see what was there before."""
    failing = False

    def fail() -> None:
        if failing:
            raise OSError("no disk")

    store = SqliteStore(tmp_path / "store.sqlite3", SystemClock(), before_commit=fail)
    with store.write() as unit:
        put(unit, 1)
    failing = True
    with store.unit() as unit:
        put(unit, 2)
        assert number(unit) == 2
    with pytest.raises(StoreError):
        store.flush(unit.ticket)
    failing = False
    with store.read() as reader:
        assert number(reader) == 1
    with store.write() as unit:
        assert number(unit) == 1
    store.close()


def test_a_late_reader_fills_what_nobody_looks_at(tmp_path: Path) -> None:
    """A reader that took the memory before a commit and fills it afterwards with the older value misleads nobody."""
    store = SqliteStore(tmp_path / "store.sqlite3", SystemClock())
    with store.write() as unit:
        put(unit, 1)
    taken = store.memory.committed("kind")
    with store.write() as unit:
        put(unit, 2)
    keep(taken, (SCOPE, "k", Kept), Kept(number=1))
    with store.read() as reader:
        assert number(reader) == 2
    store.close()


def test_known_marks_are_remembered_until_something_of_their_kind_is_written(store: SqliteStore) -> None:
    """A mark that was unknown is known once it is stored, and unknown again once it is deleted."""
    for _ in range(2):
        with store.write() as unit:
            assert unit.known("kind", ["m"]) == {}
            put(unit, 1, "m", GLOBAL)
            assert unit.known("kind", ["m"]) == {"m": b'{"number":1}'}
            assert unit.known("kind", ["m", "n"]) == {"m": b'{"number":1}'}
            unit.delete("kind", GLOBAL, "m")


def test_memory_is_bounded(store: SqliteStore) -> None:
    """However many keys are asked for, few are remembered."""
    with store.write() as unit:
        for key in range(3000):
            assert number(unit, str(key)) is None
        assert len(store.memory.of_units("kind")) <= 1024


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["put", "delete", "scope", "get", "read", "undo", "leave"]), st.sampled_from("ab"), st.integers(0, 9)
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_any_order_of_steps(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int]]) -> None:
    """Whatever is written, deleted, undone and read, a unit sees the model's own state and a reader the committed one."""
    store = SqliteStore(tmp_path_factory.mktemp("steps") / "store.sqlite3", SystemClock(), synced=False)
    committed: dict[str, int] = {}
    current: dict[str, int] = {}
    context = store.write()
    unit = context.__enter__()
    for step, key, value in steps:
        if step == "put":
            put(unit, value, key)
            current[key] = value
        elif step == "delete":
            unit.delete("kind", SCOPE, key)
            current.pop(key, None)
        elif step == "scope":
            unit.delete_scope(SCOPE, kind=None if value % 2 else "kind")
            current.clear()
        elif step == "get":
            assert number(unit, key) == current.get(key)
        elif step == "read":
            with store.read() as reader:
                assert number(reader, key) == committed.get(key)
        elif step == "undo":
            context.__exit__(Undone, Undone(), None)
            current = dict(committed)
        else:
            context.__exit__(None, None, None)
            committed = dict(current)
        if step in {"undo", "leave"}:
            context = store.write()
            unit = context.__enter__()
    context.__exit__(None, None, None)
    store.close()
