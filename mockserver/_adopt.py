"""Bytes for which an older version made a file each are copied into the file of received bytes.

The old files stay beside the backup of the database that names them, so that the two can be restored together.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from acrmock.errors import SetupError
from mockserver._places import place_text
from mockserver._received import ReceivedFile
from mockserver._space import Space
from mockserver.store import StoreError

_OLDER = "SELECT application, environment, sop_instance, sha256, place FROM received WHERE place NOT LIKE '%+%'"
_MOVED = "UPDATE received SET place = ? WHERE application = ? AND environment = ? AND sop_instance = ? AND sha256 = ?"


def adopt(connection: sqlite3.Connection, space: Space, folder: Path) -> None:
    """Copy what has a file in `folder` into `space`, and give the folder the name of a backup; all or nothing.

    Raises `SetupError` where something cannot be read or written.
    """
    older = connection.execute(_OLDER).fetchall()
    if older:
        connection.execute("BEGIN IMMEDIATE")
        try:
            begun = [_move(connection, space, folder, row) for row in older]
            space.wait(min(first for first, _ in begun), max(last for _, last in begun))
            connection.execute("COMMIT")
        except (OSError, StoreError, sqlite3.Error) as error:
            connection.execute("ROLLBACK")
            fix = "free some space or restore a backup, and start again"
            raise SetupError(
                "received bytes cannot be moved into one file", where=str(folder), actual=str(error), fix=fix
            ) from error
    if folder.is_dir():
        with contextlib.suppress(OSError):
            folder.rename(folder.with_name(f"{folder.name}.format-4.backup"))


def _move(connection: sqlite3.Connection, space: Space, folder: Path, row: tuple[str, ...]) -> tuple[int, int]:
    *key, name = row
    octets = (folder / name).read_bytes()
    file = ReceivedFile(space, len(octets))
    file.write(octets)
    file.finish()
    connection.execute(_MOVED, (place_text(file.place), *key))
    return file.begun
