"""Making dose reports as finished files, beside building and writing the same content as a tree of pydicom data sets."""

from __future__ import annotations

from datetime import date

from benchmarks.measure import Row, side_by_side
from synthetic.dose import Kind, Maker, Options, tree
from synthetic.dose.shapes import SHAPES

AS_OF = date(2026, 6, 1)
REPORTS, TREES = 100, 2


def rows() -> list[Row]:
    """Reports per second of every kind and shape; both sides draw the exam and end with a file's bytes."""
    return [_row(kind, shape) for kind in Kind for shape in SHAPES]


def _row(kind: Kind, shape: str) -> Row:
    maker = Maker(Options(kind=kind, seed=1, as_of=AS_OF, shape=shape))
    sizes = [len(maker.report(index).file_bytes) for index in range(40)]  # every layout is compiled now, as in long work

    def ours() -> None:
        for index in range(REPORTS):
            maker.report(1000 + index)

    def theirs() -> None:
        for index in range(TREES):
            tree.write(maker.content(1000 + index)[1])

    mine, peer = side_by_side(ours, theirs)
    return Row(
        what=f"{kind} reports, {shape}, about {sum(sizes) // len(sizes) // 1000} kB",
        unit="reports/s",
        ours=REPORTS / mine,
        peer="pydicom tree",
        theirs=TREES / peer,
        goal=">= 100 x",
    )
