"""The checklist for a terminal: verdict, checklist by group, points, and what is not passed in full."""

from __future__ import annotations

import codecs
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from conformance.reports import text as words
from conformance.reports.evidence import Places, RecordingLike
from conformance.reports.text import cut, one_line
from conformance.result import Finding, Outcome, Result, Verdict, Weight

if TYPE_CHECKING:
    from rich.console import Console

_OUTCOME_STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "bold red",
    Outcome.NOT_EXERCISED: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.NEEDS_REVIEW: "magenta",
    Outcome.HARNESS_ERROR: "bold yellow",
}
_VERDICT_STYLES = {
    Verdict.READY: "bold green",
    Verdict.NOT_READY: "bold red",
    Verdict.INCOMPLETE: "bold yellow",
    Verdict.VOID: "bold yellow",
}
_LONGEST = 600
_PLACES = 6


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether to colour: only on a terminal that is not dumb, and never where NO_COLOR is set to anything."""
    return not environ.get("NO_COLOR") and environ.get("TERM") != "dumb" and stream.isatty()


def render(
    result: Result,
    recording: RecordingLike | None = None,
    console_width: int = 80,
    colour: bool = False,  # noqa: FBT001, FBT002 - the seam has it by position
    *,
    encoding: str = "utf-8",
) -> str:
    """The whole report as text of at most `console_width` columns; with escape codes only when `colour`.

    Signs that `encoding` (the terminal's) lacks are replaced by plain ones. No character of the traffic can steer the
    terminal: controls are shown by their number.
    """
    from rich.console import Console  # noqa: PLC0415 - heavy: --help must not pay for it

    out = io.StringIO()
    console = Console(
        file=out,
        width=max(40, console_width),
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
        soft_wrap=False,
        _environ={},
    )
    encoding = _known(encoding)
    plain = not _can_encode(encoding)
    _banner(console, result, plain=plain)
    _checklist(console, result, plain=plain)
    _points(console, result)
    _details(console, result, recording, plain=plain)
    _notes(console, result)
    shown = "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n") + "\n"
    return shown.encode(encoding, "replace").decode(encoding) if plain else shown


def _known(encoding: str) -> str:
    """The encoding, or ASCII where nobody knows it."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        return "ascii"


def _can_encode(encoding: str) -> bool:
    try:
        "".join((*words.OUTCOME_SIGNS.values(), "→…")).encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _say(console: Console, text: str, style: str = "", *, indent: int = 0, hang: int = 0) -> None:
    from rich.padding import Padding  # noqa: PLC0415 - heavy
    from rich.text import Text  # noqa: PLC0415 - heavy

    if hang:
        label, _, rest = text.partition("\t")
        width = max(20, console.width - indent - hang)
        lines = Text(rest).wrap(console, width) or [Text("")]
        for number, line in enumerate(lines):
            head = Text(label.ljust(hang) if number == 0 else " " * hang, style="dim")
            console.print(Padding(head + line, (0, 0, 0, indent)))
        return
    console.print(Padding(Text(text, style=style), (0, 0, 0, indent)))


def _banner(console: Console, result: Result, *, plain: bool) -> None:
    signs = words.PLAIN_VERDICT_SIGNS if plain else words.VERDICT_SIGNS
    verdict = f"{signs[result.verdict]} {words.VERDICT_WORDS[result.verdict]} (self-test)"
    _say(console, verdict, _VERDICT_STYLES[result.verdict])
    name = result.application_name or result.application or "unnamed application"
    _say(console, one_line(f"{name} · profile {result.profile}, revision {result.revision}".replace("·", "-" if plain else "·")))
    _say(console, one_line(result.statement), "dim")
    if words.NOT_A_CERTIFICATION.rpartition(", ")[2] not in result.statement:
        _say(console, f"This is {words.NOT_A_CERTIFICATION}.", "dim")
    if result.only:
        _say(console, one_line("Judged only: " + ", ".join(result.only)), "yellow")


def _checklist(console: Console, result: Result, *, plain: bool) -> None:
    from rich.table import Table  # noqa: PLC0415 - heavy
    from rich.text import Text  # noqa: PLC0415 - heavy

    signs = words.PLAIN_SIGNS if plain else words.OUTCOME_SIGNS
    for group in words.in_order({finding.group for finding in result.findings}, words.GROUP_ORDER):
        _say(console, "")
        _say(console, one_line(f"{words.group_title(group)} ({group})"), "bold")
        table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, width=16)
        table.add_column(overflow="fold", ratio=1)
        table.add_column(no_wrap=True, width=10)
        table.add_column(no_wrap=True, width=11)
        for finding in (found for found in result.findings if found.group == group):
            style = _OUTCOME_STYLES[finding.outcome]
            table.add_row(
                Text(f"{signs[finding.outcome]} {words.OUTCOME_WORDS[finding.outcome]}", style=style),
                Text(one_line(words.name_of(finding))),
                Text(words.WEIGHT_WORDS[finding.weight], style="dim"),
                Text(one_line(finding.provenance), style="dim"),
            )
        console.print(table)
    if not result.findings:
        _say(console, "")
        _say(console, "Nothing was judged: there is no finding.", "yellow")


def _points(console: Console, result: Result) -> None:
    points = result.points
    _say(console, "")
    _say(console, f"Points: {points.earned} of {points.possible}", "bold")
    groups = words.in_order(points.by_group, words.GROUP_ORDER)
    provenances = words.in_order(points.by_provenance, words.PROVENANCE_ORDER)
    _say(console, "by group\t" + ", ".join(_score(points.by_group, key) for key in groups), indent=2, hang=14)
    _say(console, "by whose word\t" + ", ".join(_score(points.by_provenance, key) for key in provenances), indent=2, hang=14)


def _score(scores: Mapping[str, tuple[int, int]], key: str) -> str:
    earned, possible = scores[key]
    return one_line(f"{key} {earned}/{possible}")


def _wants_detail(finding: Finding) -> bool:
    if finding.outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE):
        return False
    return finding.weight is not Weight.NOT_SCORED or finding.outcome is not Outcome.NOT_EXERCISED


def _details(console: Console, result: Result, recording: RecordingLike | None, *, plain: bool) -> None:
    shown = [finding for finding in result.findings if _wants_detail(finding)]
    places = Places(recording, (evidence for finding in shown for evidence in finding.evidence))
    signs = words.PLAIN_SIGNS if plain else words.OUTCOME_SIGNS
    order = list(words.OUTCOME_SIGNS)
    for finding in sorted(shown, key=lambda found: (order.index(found.outcome), list(Weight).index(found.weight))):
        _say(console, "")
        outcome = words.OUTCOME_WORDS[finding.outcome]
        head = f"{signs[finding.outcome]} {one_line(words.name_of(finding))}: {outcome} ({words.WEIGHT_WORDS[finding.weight]})"
        _say(console, head, _OUTCOME_STYLES[finding.outcome])
        for label, value in _rows(finding, places):
            _say(console, f"{label}\t{one_line(cut(value, _LONGEST))}", indent=2, hang=11)
    left = sum(not _wants_detail(finding) and finding.outcome is Outcome.NOT_EXERCISED for finding in result.findings)
    if left:
        _say(console, "")
        _say(console, f"{left} not scored in this revision and not exercised: see the checklist above.", "dim")


def _rows(finding: Finding, places: Places) -> list[tuple[str, str]]:
    where = [("where", str(places.describe(evidence))) for evidence in finding.evidence[:_PLACES]]
    if len(finding.evidence) > _PLACES:
        where.append(("", f"and {len(finding.evidence) - _PLACES} more places"))
    rows = [
        ("required", finding.requirement),
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("correct", finding.correct),
        *where,
        ("hint", finding.hint),
        ("blocked by", finding.blocked_by or ""),
        ("source", f"{finding.source} ({words.provenance_title(finding.provenance)})" if finding.source else finding.provenance),
        ("note", finding.note),
    ]
    return [(label, value) for label, value in rows if value]


def _notes(console: Console, result: Result) -> None:
    notes = [
        *result.notes,
        *(
            f"{resolution.check}: {words.OUTCOME_WORDS[resolution.outcome]} on the word of {resolution.who}, "
            f"{resolution.when}: {resolution.why}"
            for resolution in result.resolutions
        ),
    ]
    if notes:
        _say(console, "")
        _say(console, "Notes", "bold")
    for note in notes:
        _say(console, "-\t" + one_line(cut(note, _LONGEST)), indent=2, hang=2)
