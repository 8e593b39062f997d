"""`python -m benchmarks.soak [--exchanges N]`: a long run whose memory must stay flat, with the journal's bound at work.

Eight connections sign in once, then post transactions and ask for their status in turn. Memory is sampled twenty times;
what is reported is the slope over the second half, when caches are full. Exit code 1 where it grows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import linear_regression
from urllib.parse import urlsplit

import msgspec

from benchmarks.load import drive, request
from benchmarks.measure import CLOCK
from benchmarks.ours import Ours
from benchmarks.submission import JSON, bodies
from synthetic.transactions import Sender

CONNECTIONS = 8
SAMPLES = 20
FLAT = 8.0
"""MiB that memory may seem to grow over 100,000 exchanges: what the allocator moves."""
OVERLAY = """\
schema: acrmock/layer/1
kind: settings
settings:
  journal.limit.entries:
    value: {entries}
    provenance: mock-choice
    sources: [MOCK]
"""


class Sample(msgspec.Struct, frozen=True):
    """After so many exchanges: resident memory in MiB, and exchanges per second since the last sample."""

    exchanges: int
    memory: float
    rate: float


def run(exchanges: int, entries: int) -> list[Sample]:
    """Make so many exchanges with a journal of at most so many entries; raises RuntimeError at an answer that is none of ours."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder)
        overlay = here / "soak.yaml"
        overlay.write_text(OVERLAY.format(entries=entries))
        with Ours(here, "--overlay", str(overlay)) as ours:
            keeper = _Requests(ours)
            samples: list[Sample] = []
            each = max(CONNECTIONS * 2, exchanges // SAMPLES)
            while sum(sample.exchanges for sample in samples[-1:]) < exchanges:
                begun = CLOCK.monotonic()
                done = 0
                while done < each:
                    done += keeper.round()
                rate = done / (CLOCK.monotonic() - begun)
                total = done + (samples[-1].exchanges if samples else 0)
                samples.append(Sample(total, resident(ours.process.pid), rate))
                sys.stderr.write(f"{total:>9,} exchanges  {samples[-1].memory:6.1f} MiB  {rate:5.0f}/s\n")
    return samples


class _Requests:
    """Rounds of posts, then of their status."""

    PER_ROUND = 50

    def __init__(self, ours: Ours) -> None:
        document = ours.document
        self._ours = ours
        self._make, slug, mapping = bodies(document["registries"])
        self._sender = Sender(partner_id=document["partner_id"], app_id=document["app_id"], facility_id=document["facility_id"])
        base = urlsplit(document["nrdr"]).path
        self._post = f"{base}/{slug}/v{mapping}/transactions"
        self._status = f"{base}/{slug}/transactions"
        self._renewed = -1e9
        self._token = ""

    def round(self) -> int:
        """One round; how many exchanges it was."""
        if CLOCK.monotonic() - self._renewed > 600:
            self._token, self._renewed = str(self._ours.sign_in()["access_token"]), CLOCK.monotonic()
        headers = {"Authorization": f"Bearer {self._token}"}
        posted = [[self._make(self._sender, 1) for _ in range(self.PER_ROUND)] for _ in range(CONNECTIONS)]
        names = [[_name(body) for body in mine] for mine in posted]
        sent = [[request("POST", self._post, {**JSON, **headers}, body) for body in mine] for mine in posted]
        drive(self._ours, self._ours.connect, sent, 202)
        asked = [[request("GET", f"{self._status}/{name}", headers) for name in mine] for mine in names]
        drive(self._ours, self._ours.connect, asked, 200)
        return 2 * CONNECTIONS * self.PER_ROUND


def _name(body: bytes) -> str:
    header, _ = msgspec.json.decode(body).values()
    return str(header["Transaction_ID"])


def resident(pid: int) -> float:
    """The resident memory of a process, in MiB (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def slope(samples: list[Sample]) -> float:
    """MiB that memory grows over 100,000 exchanges, in the second half of the run."""
    half = samples[len(samples) // 2 :]
    if len(half) < 2:
        return 0.0
    return linear_regression([sample.exchanges for sample in half], [sample.memory for sample in half]).slope * 100_000


def main() -> int:
    """Run and report."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--exchanges", type=int, default=1_000_000, help="how many exchanges to make (default 1,000,000)")
    parser.add_argument("--entries", type=int, default=20_000, help="the journal's bound in entries (default 20,000)")
    asked = parser.parse_args()
    samples = run(asked.exchanges, asked.entries)
    grown = slope(samples)
    rates = [sample.rate for sample in samples]
    sys.stdout.write(
        f"{samples[-1].exchanges:,} exchanges, {samples[-1].memory:.0f} MiB resident at the end, {grown:+.2f} MiB per 100,000 "
        f"exchanges in the second half; {rates[0]:.0f}/s at first, {rates[-1]:.0f}/s at last\n"
    )
    return int(grown > FLAT)


if __name__ == "__main__":
    raise SystemExit(main())
