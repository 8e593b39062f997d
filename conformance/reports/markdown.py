"""A compact table for pull requests: the verdict, the points, and what is not passed."""

from __future__ import annotations

import re

from conformance.reports import text as words
from conformance.reports.evidence import Places, RecordingLike
from conformance.reports.text import cut, one_line
from conformance.result import Finding, Outcome, Result, Weight

_LONGEST = 240
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&])")


def escape(text: str) -> str:
    """Text for a table cell: no markup, no HTML, no mention of a user, one line (CommonMark 0.31 section 2.4)."""
    return _MARKS.sub(r"\\\1", one_line(cut(text, _LONGEST))).replace("@", "@<!-- -->")


def code(text: str) -> str:
    """Text as a code span for a table cell, whatever backticks and pipes it holds; nothing for nothing."""
    flat = one_line(cut(text, _LONGEST)).replace("|", "\\|")
    if not flat:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", flat)), default=0))
    pad = " " if flat[0] == "`" or flat[-1] == "`" else ""
    return f"{fence}{pad}{flat}{pad}{fence}"


def render(result: Result, recording: RecordingLike | None = None) -> str:
    """The result as GitHub-flavoured Markdown; with a recording, places name the exchange's method and path."""
    points = result.points
    name = result.application_name or result.application or "unnamed application"
    score = f"**{points.earned} of {points.possible} points**"
    lines = [
        f"### {words.VERDICT_SIGNS[result.verdict]} {words.VERDICT_WORDS[result.verdict]} (self-test): {escape(name)}",
        "",
        f"Profile {escape(result.profile)}, revision {escape(result.revision)} · {score} · {words.NOT_A_CERTIFICATION}.",
        "",
        *([f"**Only {escape(', '.join(result.only))} was judged.**", ""] if result.only else []),
        *_scores(result),
        *_open(result, recording),
        *_summary(result),
        *(f"> {escape(note)}" for note in result.notes),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _scores(result: Result) -> list[str]:
    rows = []
    for group in words.in_order({*result.points.by_group, *(found.group for found in result.findings)}, words.GROUP_ORDER):
        findings = [found for found in result.findings if found.group == group]
        earned, possible = result.points.by_group.get(group, (0, 0))
        counts = [_count(findings, outcome) for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_EXERCISED)]
        others = len(findings) - sum(counts)
        rows.append(f"| {escape(words.group_title(group))} | {earned}/{possible} | {' | '.join(map(str, counts))} | {others} |")
    if not rows:
        return ["Nothing was judged: there is no finding.", ""]
    return ["| group | points | passed | failed | not exercised | other |", "| --- | --: | --: | --: | --: | --: |", *rows, ""]


def _count(findings: list[Finding], outcome: Outcome) -> int:
    return sum(finding.outcome is outcome for finding in findings)


def _open(result: Result, recording: RecordingLike | None) -> list[str]:
    shown = [found for found in result.findings if _counts(found)]
    if not shown:
        return []
    places = Places(recording, (evidence for found in shown for evidence in found.evidence[:1]))
    lines = ["| | check | expected | actual | where | hint |", "| --- | --- | --- | --- | --- | --- |"]
    for found in shown:
        where = str(places.describe(found.evidence[0])) if found.evidence else ""
        actual = code(found.actual) or (f"blocked by {code(found.blocked_by)}" if found.blocked_by else "")
        name = words.name_of(found)
        outcome = (
            f"{words.OUTCOME_SIGNS[found.outcome]} {words.OUTCOME_WORDS[found.outcome]} ({words.WEIGHT_WORDS[found.weight]})"
        )
        lines.append(f"| {outcome} | {code(name)} | {code(found.expected)} | {actual} | {code(where)} | {escape(found.hint)} |")
    return [*lines, ""]


def _counts(finding: Finding) -> bool:
    return finding.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE) and finding.weight is not Weight.NOT_SCORED


def _summary(result: Result) -> list[str]:
    provenances = words.in_order(result.points.by_provenance, words.PROVENANCE_ORDER)
    scores = [f"{escape(key)} {got}/{of}" for key in provenances for got, of in [result.points.by_provenance[key]]]
    unscored = sum(finding.weight is Weight.NOT_SCORED for finding in result.findings)
    lines = [f"On whose word: {', '.join(scores)}."] if scores else []
    lines += [f"{unscored} further checks are not scored in this revision."] if unscored else []
    return [*lines, ""] if lines else []
