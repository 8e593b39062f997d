# ruff: noqa: INP001 - a script, not a module
"""Write docs/errors.md: the error catalogue as it was met over the real wires.

Run it as `python tools/error_catalogue.py` from the root of the tree; it starts an engine, provokes every error by its natural
trigger (or, where there is none, by a fault rule), compares each answer with the catalogue, and writes what came.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "mockserver")]

from errors_natural import NATURAL  # noqa: E402
from errors_walk import Seen, Walk, check, publish  # noqa: E402

from acrmock.facts import load_facts  # noqa: E402
from acrmock.facts.model import ErrorSpec  # noqa: E402
from mockserver.faults import places_of  # noqa: E402

TARGET = ROOT / "docs" / "errors.md"
FACTS = load_facts()
UNRECORDED = {"environment-unknown", "store-full", "unavailable"}
TITLES = {
    "gate": "Before any interface",
    "auth": "Sign-in and tokens",
    "nrdr": "Transactions and statuses",
    "control": "The control API",
}
HEAD = """# Errors

Every error that acrmock answers with, as it came over the wire when this page was made (`python tools/error_catalogue.py`).
A test provokes each of them again, by its trigger and by a fault rule of its name, and compares status, media type, headers and
body.

To meet one on purpose: `POST /_acrmock/faults` with `{"application": "default", "error": "CODE"}`, or, on the wires, put
`acrmock-fault.CODE.anything` where a value of yours stands (such as the Transaction_ID). `GET /_acrmock/errors` has this list as
JSON, `acrmock why last` explains the last refusal. Codes are ours; the last column says on whose word the answer rests.
"""


def provoke(walk: Walk, code: str, spec: ErrorSpec) -> Seen:
    """The error as it came, having been compared with the catalogue."""
    places = places_of(FACTS, code)
    seen = NATURAL[code](walk) if code in NATURAL else walk.by_rule(code, places)
    check(code, spec, seen, control=spec.surface == "control" or code in UNRECORDED)
    return seen


def row(code: str, spec: ErrorSpec, seen: Seen) -> str:
    """One line of the table."""
    shown = publish(spec, seen)
    body = shown["body"] or {}
    wire = (
        f"`{body['error']}`" if "error" in body else f"`{spec.oauth_error}` by redirect" if spec.look == "redirect" else spec.look
    )
    headers = ", ".join(f"`{name}`" for name in shown["headers"] if name != "Content-Type")
    cells = (
        f"`{code}`",
        str(seen.status),
        str(wire) + (f"; {headers}" if headers else ""),
        spec.title,
        spec.trigger,
        f"{spec.provenance}: {', '.join(spec.sources)}",
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def page(walk: Walk) -> str:
    """The whole page."""
    parts = [HEAD]
    for surface, title in TITLES.items():
        parts += [
            f"\n## {title}\n",
            "| code | status | on the wire | title | trigger | source |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        found = sorted((code, spec) for code, spec in FACTS.errors.items() if spec.surface == surface)
        parts += [row(code, spec, provoke(walk, code, spec)) for code, spec in found]
    words = FACTS.mapping("faults.magic.words")
    parts += ["\n## Magic words for effects\n", "| value begins with | effect |", "| --- | --- |"]
    parts += [f"| `{FACTS.text('faults.magic.prefix')}{word}` | {effect} |" for word, effect in sorted(words.items())]
    example = {"application": "default", "operation": "nrdr.post", "effect": {"kind": "drop"}, "trigger": {"kind": "once"}}
    parts += [
        "\nAs a rule, with any trigger (`always`, `once`, `first`, `every`, `percent`, `heal`):\n",
        "```json",
        json.dumps(example),
        "```",
    ]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the page."""
    walk = Walk()
    try:
        TARGET.write_text(page(walk), encoding="utf-8")
    finally:
        walk.close()


if __name__ == "__main__":
    main()
