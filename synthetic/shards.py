"""Shards: the n-th of m parts of a run of indices, so that many machines can make one set of data."""

from __future__ import annotations

import re

from acrmock.errors import SetupError

WHOLE = "1/1"
_SHARD = re.compile(r"([0-9]{1,9})/([0-9]{1,9})\Z")


def shard_of(indices: range, shard: str) -> range:
    """The indices of a shard, `3/16` being every sixteenth from the third; all shards together have each index once.

    Raises `SetupError` for a shard that is not there.
    """
    found = _SHARD.match(shard)
    number, of = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= number <= of:
        raise SetupError(
            "that shard cannot be made", expected="N/M with 1 <= N <= M, e.g. 3/16", actual=shard[:40], where="--shard"
        )
    return indices[number - 1 :: of]
