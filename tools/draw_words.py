"""Draws the frozen word lists of `synthetic/words/` with Faker, once: `python tools/draw_words.py`.

The lists are committed and never drawn again in passing: another list gives other synthetic people for the same seed.
Run it only on purpose, with a note in the changelog. Faker is a development tool; nothing that ships imports it.
"""

# ruff: noqa: INP001 - a script, run by path
from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from faker import Faker

LOCALES = {"en_US": 10, "es_MX": 3, "fr_FR": 1, "de_DE": 1, "pl_PL": 1, "vi_VN": 1}
WORDS = Path(__file__).resolve().parent.parent / "synthetic" / "words"


def draw(method: str, count: int) -> list[str]:
    """`count` different single words from Faker's `method`, mixed over the locales by their share, sorted."""
    words: set[str] = set()
    for locale, share in LOCALES.items():
        faker = Faker(locale)
        faker.seed_instance(20260101)
        make: Callable[[], str] = getattr(faker, method)
        wanted = len(words) + count * share // sum(LOCALES.values())
        for _ in range(count * 50):
            if len(words) >= wanted:
                break
            word = make()
            if word.replace("'", "").replace("-", "").isalpha() and 2 <= len(word) <= 20:
                words.add(word)
    return sorted(words)


def main() -> int:
    """Write every list; the exit code is 0."""
    WORDS.mkdir(parents=True, exist_ok=True)
    for name, method, count in (
        ("given-female", "first_name_female", 340),
        ("given-male", "first_name_male", 340),
        ("family", "last_name", 680),
    ):
        words = draw(method, count)
        (WORDS / f"{name}.txt").write_text("\n".join(words) + "\n", encoding="utf-8", newline="\n")
        sys.stdout.write(f"{name}: {len(words)}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
