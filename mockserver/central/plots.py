"""Small plots as SVG, without a script: every value of an index as a dot, one row for each exam name, the median as a bar."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from statistics import median
from typing import NamedTuple

_LEFT, _WIDTH, _RIGHT = 240.0, 370.0, 60.0
_ROW, _TOP, _AXIS = 26.0, 8.0, 30.0
_LONGEST_LABEL = 26
_MOST_ROWS = 12
_MOST_DOTS = 400


def strips(rows: Mapping[str, Sequence[float]], *, title: str) -> str:
    """The values of each row on one scale, which holds zero; at most a dozen rows, those with most values first."""
    shown = sorted(rows.items(), key=lambda item: (-len(item[1]), item[0]))[:_MOST_ROWS]
    every = [value for _, values in shown for value in values if math.isfinite(value)]
    top = _ceiling(max((abs(value) for value in every), default=0.0))
    scale = _Scale(-top if min(every, default=0.0) < 0 else 0.0, top)
    height = _TOP + _ROW * len(shown) + _AXIS
    width = _LEFT + _WIDTH + _RIGHT
    parts = [
        f'<svg class="plot" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title, quote=True)}">',
        *_grid(scale, _TOP + _ROW * len(shown)),
    ]
    for number, (label, values) in enumerate(shown):
        parts += _row(label, values, scale, _TOP + _ROW * (number + 0.5))
    return "".join([*parts, "</svg>"])


class _Scale(NamedTuple):
    """From which value to which the plot goes."""

    low: float
    high: float

    def x(self, value: float) -> float:
        """Where a value stands; one beyond the scale at its end."""
        part = (value - self.low) / (self.high - self.low) if math.isfinite(value) else float(value > 0)
        return _LEFT + _WIDTH * min(1.0, max(0.0, part))


def _grid(scale: _Scale, bottom: float) -> list[str]:
    parts = []
    for step in range(5):
        x = _LEFT + _WIDTH * step / 4
        parts.append(f'<line class="grid" x1="{x:g}" y1="{_TOP:g}" x2="{x:g}" y2="{bottom:g}"/>')
        tick = scale.low + (scale.high - scale.low) * step / 4
        parts.append(f'<text class="tick" x="{x:g}" y="{bottom + 16:g}" text-anchor="middle">{tick:.4g}</text>')
    return parts


def _row(label: str, values: Sequence[float], scale: _Scale, y: float) -> list[str]:
    short = label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"
    stride = max(1, len(values) // _MOST_DOTS)
    dots = [f'<circle class="dot" cx="{scale.x(value):.1f}" cy="{y:g}" r="4"/>' for value in sorted(values)[::stride]]
    middle = median(values)
    x = scale.x(middle)
    whole, told = f"<title>{escape(label)}</title>", f"<title>median {middle:.4g} of {len(values)}</title>"
    return [
        f'<text class="label" x="{_LEFT - 12:g}" y="{y + 4:g}" text-anchor="end">{escape(short)}{whole}</text>',
        *dots,
        f'<line class="median" x1="{x:.1f}" y1="{y - 9:g}" x2="{x:.1f}" y2="{y + 9:g}">{told}</line>',
        f'<text class="count" x="{_LEFT + _WIDTH + 14:g}" y="{y + 4:g}">n = {len(values)}</text>',
    ]


def _ceiling(value: float) -> float:
    """The next round number from `value` on: 1, 2, 4 or 8 times a power of ten, so that its quarters are round too."""
    if not sys.float_info.min <= value < float("inf"):
        return 1.0
    unit = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 1.0
    while unit > value:
        unit /= 10
    return next(unit * step for step in (1, 2, 4, 8, 10) if unit * step >= value)
