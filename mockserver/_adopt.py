"""Bytes that an older version kept in the table, or in a file for each data set, are moved into the file of received bytes."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from acrmock.errors import SetupError
from mockserver._received import Hasher, ReceivedFile
from mockserver._space import Space, place_text
from mockserver.store import StoreError

_OLDER = "SELECT application, environment, sop_instance, sha256 FROM received WHERE place IS NULL OR place NOT LIKE '%+%'"
_ONE = "application = ? AND environment = ? AND sop_instance = ? AND sha256 = ?"


def adopt(connection: sqlite3.Connection, space: Space, folder: Path) -> None:
    """Move what is not yet in `space`: it stands in the table, or in a file of `folder`, which is removed; all or nothing.

    Raises `SetupError` where something cannot be read or written.
    """
    older = connection.execute(_OLDER).fetchall()
    if older:
        connection.execute("BEGIN IMMEDIATE")
        hasher = Hasher()
        try:
            begun = [_move(connection, space, hasher, folder, key) for key in older]
            space.wait(begun[0][0], begun[-1][1])
            connection.execute("COMMIT")
        except (OSError, StoreError, sqlite3.Error) as error:
            connection.execute("ROLLBACK")
            fix = "free some space or restore a backup, and start again"
            raise SetupError(
                "received bytes cannot be moved into one file", where=str(folder), actual=str(error), fix=fix
            ) from error
        finally:
            hasher.close()
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)


def _move(connection: sqlite3.Connection, space: Space, hasher: Hasher, folder: Path, key: tuple[str, ...]) -> tuple[int, int]:
    data, name = connection.execute(f"SELECT data, place FROM received WHERE {_ONE}", key).fetchone()  # noqa: S608 - a constant
    octets = data if name is None else (folder / name).read_bytes()
    file = ReceivedFile(space, hasher, len(octets))
    file.write(octets)
    file.finish()
    connection.execute(f"UPDATE received SET data = NULL, place = ? WHERE {_ONE}", (place_text(file.place), *key))  # noqa: S608
    return file.begun
