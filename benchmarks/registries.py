"""Every registry under load: posts of one exam, their cost as what is stored grows, and status polls meanwhile.

`python -m benchmarks.registries --stored 1000000` fills the store that far; the part of the table goes to a few thousand.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from acrmock.facts import load_facts
from benchmarks.load import Used, drive, request
from benchmarks.measure import Row, table
from benchmarks.ours import Ours
from benchmarks.submission import CONNECTIONS, JSON, bodies
from synthetic.transactions import Sender

POSTS = 400
WARM_UP = 80
FEW = 1_000
MANY = 5_000
"""Stored transactions by default; `--stored` goes on from there."""
_BATCH = 2_000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One registry of a signed-in application: what makes the next post, and the path of a transaction's status."""

    slug: str
    word: str
    post: str
    status: str
    headers: Mapping[str, str]
    sender: Sender
    mapping: str

    def posts(self, count: int) -> list[list[bytes]]:
        """So many posts of one exam each, over all connections."""
        make, _, _ = bodies({self.slug: self.mapping})
        each = count // CONNECTIONS
        return [[request("POST", self.post, self.headers, make(self.sender, 1)) for _ in range(each)] for _ in range(CONNECTIONS)]


def lines(ours: Ours, slugs: Sequence[str]) -> list[Line]:
    """An application that is registered for all of them and has signed in."""
    return lines_of(ours, ours.register("Registries", slugs))


def lines_of(ours: Ours, document: Mapping[str, Any]) -> list[Line]:
    """An application's registries, signed in."""
    headers = {**JSON, "Authorization": f"Bearer {ours.sign_in(document)['access_token']}"}
    sender = Sender(partner_id=document["partner_id"], app_id=document["app_id"], facility_id=document["facility_id"])
    base = urlsplit(document["nrdr"]).path
    words = {registry.slug: registry.header_word for registry in load_facts().registries}
    return [
        Line(
            slug=slug,
            word=words[slug],
            post=f"{base}/{slug}/v{mapping}/transactions",
            status=f"{base}/{slug}/transactions/",
            headers=headers,
            sender=sender,
            mapping=mapping,
        )
        for slug, mapping in document["registries"].items()
    ]


def polls(line: Line, posted: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    """A poll of the status of each transaction that was posted."""
    header = load_facts().text("nrdr.envelope.header")
    name = load_facts().text("nrdr.header.transaction_id")

    def path(message: bytes) -> str:
        sent = msgspec.json.decode(message.partition(b"\r\n\r\n")[2])
        return line.status + str(sent[header][name])

    return [[request("GET", path(message), line.headers) for message in mine] for mine in posted]


def rows(stored: int = MANY) -> list[Row]:
    """Posts per second of each registry; then posts with few and with many transactions stored; then polls beside posts."""
    slugs = [registry.slug for registry in load_facts().registries]
    with tempfile.TemporaryDirectory() as folder, Ours(Path(folder)) as ours:
        known = lines(ours, slugs)
        found = [_each(ours, line) for line in known]
        first = known[0]
        held = len(known) * (POSTS + WARM_UP)
        held += _fill(ours, first, FEW - held)
        few = _post(ours, first)
        held += POSTS + _fill(ours, first, stored - held - POSTS)
        many = _post(ours, first)
        found.append(
            Row(
                what=f"{first.word}: posts with {held:,} transactions stored",
                unit="posts/s",
                ours=many.rate,
                peer=f"ours with {max(FEW, len(known) * (POSTS + WARM_UP)):,}",
                theirs=few.rate,
                cpu=(many.cpu, few.cpu),
                memory=(many.memory, few.memory),
                goal="1 x",
            )
        )
        found += _polled(ours, first)
    return found


def _post(ours: Ours, line: Line, count: int = POSTS) -> Used:
    return drive(ours, ours.connect, line.posts(count), 202)


def _fill(ours: Ours, line: Line, wanted: int) -> int:
    """Post until so many more are stored; the number posted."""
    done = 0
    while done < wanted:
        count = min(_BATCH, -(-(wanted - done) // CONNECTIONS) * CONNECTIONS)
        _post(ours, line, count)
        done += count
        if wanted > 10 * _BATCH:
            sys.stderr.write(f"\r{done:,} of {wanted:,} posted")
    return done


def _each(ours: Ours, line: Line) -> Row:
    _post(ours, line, WARM_UP)
    used = _post(ours, line)
    return Row(
        what=f"{line.word} {line.mapping}: posts of 1 exam, durable, {CONNECTIONS} connections",
        unit="posts/s",
        ours=used.rate,
        cpu=(used.cpu, None),
        memory=(used.memory, None),
    )


def _polled(ours: Ours, line: Line) -> list[Row]:
    """Status polls alone, then mixed with as many posts."""
    posted = line.posts(POSTS)
    drive(ours, ours.connect, posted, 202)
    asked = polls(line, posted)
    alone = drive(ours, ours.connect, asked, 200)
    half = len(asked) // 2
    more = line.posts(POSTS)
    mixed = drive(ours, ours.connect, [*asked[:half], *more[half:]], None)
    what = f"{line.word}: status polls, {CONNECTIONS} connections"
    beside = f"{line.word}: status polls and posts on {half} connections each"
    return [
        Row(what=what, unit="answers/s", ours=alone.rate, cpu=(alone.cpu, None), memory=(alone.memory, None)),
        Row(what=beside, unit="answers/s", ours=mixed.rate, cpu=(mixed.cpu, None), memory=(mixed.memory, None)),
    ]


def main() -> None:
    """Measure with as many stored as asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=MANY, help="transactions stored at the end, up to 1,000,000")
    print(table(rows(min(1_000_000, parser.parse_args().stored))))  # noqa: T201 - the table is what is asked for


if __name__ == "__main__":
    main()
