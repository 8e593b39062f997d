"""The frozen word lists: one word a line in `synthetic/words/`, UTF-8, sorted; read once."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from acrmock.errors import HarnessError


@cache
def words(name: str) -> tuple[str, ...]:
    """The list `name` (e.g. `family`); raises `HarnessError` when it is not shipped or empty."""
    try:
        text = (files("synthetic") / "words" / f"{name}.txt").read_text(encoding="utf-8")
    except OSError as error:
        raise HarnessError(f"the word list {name!r} is missing", fix="install acrmock again") from error
    listed = tuple(line for line in text.splitlines() if line)
    if not listed:
        raise HarnessError(f"the word list {name!r} is empty", fix="install acrmock again")
    return listed
