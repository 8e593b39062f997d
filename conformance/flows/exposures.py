"""Where values issued by acrmock were seen, folded by place: what stays small however long the recording is."""

from __future__ import annotations

from acrmock.record import HttpEntry, Operation, SecretKind, Struct
from conformance.flows.wire import path_of, place_of

KEPT = 5
"""How many entries of one kind of exposure are kept as evidence; all are counted."""


class Seen(Struct, frozen=True, kw_only=True):
    """A kind of secret at one place: `place` and `name` as in the record, `where` the URL without query (visits only).

    `first` are the first entries with their pointers, `count` how many there were.
    """

    secret: SecretKind
    place: str
    name: str
    operation: Operation
    where: str
    path: str
    first: tuple[tuple[int, str], ...]
    count: int


class ExposuresReader:
    """Folds the exposures of every entry."""

    def __init__(self) -> None:
        self._seen: dict[tuple[SecretKind, str, str, Operation, str, str], tuple[list[tuple[int, str]], int]] = {}

    def entry(self, entry: HttpEntry) -> None:
        """Take an exchange."""
        if not entry.facts.exposures:
            return
        operation = entry.facts.operation
        where = place_of(entry.request.url) if operation is Operation.BROWSER else ""
        path = path_of(entry.request.url) if operation is Operation.OTHER else ""
        for exposure in entry.facts.exposures:
            key = (exposure.secret, exposure.place, exposure.name.lower(), operation, where, path)
            first, count = self._seen.get(key, ([], 0))
            if len(first) < KEPT:
                first.append((entry.seq, exposure.pointer))
            self._seen[key] = (first, count + 1)

    def seen(self) -> tuple[Seen, ...]:
        """Every kind of exposure, in the order in which it first appeared."""
        return tuple(
            Seen(
                secret=key[0],
                place=key[1],
                name=key[2],
                operation=key[3],
                where=key[4],
                path=key[5],
                first=tuple(first),
                count=count,
            )
            for key, (first, count) in self._seen.items()
        )
