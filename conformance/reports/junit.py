"""JUnit XML for build servers, so that the build is red exactly when the verdict is not *ready*.

A testcase for each finding, a suite for each group, and one testcase `verdict` for the whole:

| finding | testcase |
| --- | --- |
| passed | passes |
| failed, a must | `failure` |
| not exercised, needs review or harness error, a must | `error`: nothing is shown to be wrong, yet the run proves too little |
| any other that is not passed (a should, a may, not scored, not applicable) | `skipped`, its story in `system-out` |

A failed should costs its point but does not stand against the verdict, so it must not turn a build red that exit code 0
calls green. The testcase `verdict` fails (`failure` for *not ready*, `error` for *incomplete* and *void*) also where no
finding does: for a gap in the recording, or when there was nothing to judge.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from conformance.reports import text as words
from conformance.reports.evidence import Places, RecordingLike
from conformance.reports.text import cut, one_line, visible
from conformance.result import Finding, Outcome, Result, Verdict, Weight

_LONGEST = 4000


def render(result: Result, recording: RecordingLike | None = None) -> bytes:
    """The result as JUnit XML in UTF-8; with a recording, places name the exchange's method and path."""
    profile = one_line(result.profile)
    root = ET.Element("testsuites", name=f"acrmock {profile} revision {one_line(result.revision)}")
    places = Places(recording, (evidence for finding in result.findings for evidence in finding.evidence))
    suites = [_verdict_suite(result, profile)]
    for group in words.in_order({finding.group for finding in result.findings}, words.GROUP_ORDER):
        cases = [_case(finding, profile, places) for finding in result.findings if finding.group == group]
        suites.append(_suite(result, one_line(group), cases))
    root.extend(suites)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites)))
    root.set("time", "0")
    ET.indent(root)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data + b"\n"


def _suite(result: Result, name: str, cases: list[ET.Element]) -> ET.Element:
    counts = {kind: sum(case.find(kind) is not None for case in cases) for kind in ("failure", "error", "skipped")}
    suite = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time="0",
    )
    if result.judged_at:
        suite.set("timestamp", one_line(result.judged_at))
    properties = ET.SubElement(suite, "properties")
    for key, value in _properties(result):
        ET.SubElement(properties, "property", name=key, value=one_line(value))
    suite.extend(cases)
    return suite


def _properties(result: Result) -> list[tuple[str, str]]:
    points = result.points
    scores = [(f"points.group.{key}", f"{got}/{of}") for key, (got, of) in sorted(points.by_group.items())]
    scores += [(f"points.provenance.{key}", f"{got}/{of}") for key, (got, of) in sorted(points.by_provenance.items())]
    return [
        ("profile", result.profile),
        ("revision", result.revision),
        ("verdict", result.verdict.value),
        ("statement", result.statement),
        ("application", result.application_name or result.application or ""),
        ("run", result.run or ""),
        ("points", f"{points.earned}/{points.possible}"),
        *((one_line(key), value) for key, value in scores),
        *((f"note.{number}", note) for number, note in enumerate(result.notes, 1)),
    ]


def _verdict_suite(result: Result, profile: str) -> ET.Element:
    case = ET.Element("testcase", classname=f"acrmock.{profile}", name="verdict", time="0")
    if result.verdict is not Verdict.READY:
        kind = "failure" if result.verdict is Verdict.NOT_READY else "error"
        message = f"{words.VERDICT_WORDS[result.verdict]} (self-test)"
        ET.SubElement(case, kind, type=result.verdict.value, message=message).text = visible(result.statement)
    return _suite(result, "verdict", [case])


def _case(finding: Finding, profile: str, places: Places) -> ET.Element:
    name, group = one_line(words.name_of(finding)), one_line(finding.group)
    case = ET.Element("testcase", classname=f"acrmock.{profile}.{group}", name=name, time="0")
    if finding.outcome is Outcome.PASSED:
        return case
    kind, story = _kind(finding), _story(finding, places)
    message = _message(finding)
    if kind == "skipped":
        ET.SubElement(case, kind, message=message)
        ET.SubElement(case, "system-out").text = story
    else:
        ET.SubElement(case, kind, type=finding.outcome.value, message=message).text = story
    return case


def _kind(finding: Finding) -> str:
    if finding.weight is not Weight.MUST or finding.outcome is Outcome.NOT_APPLICABLE:
        return "skipped"
    return "failure" if finding.outcome is Outcome.FAILED else "error"


def _message(finding: Finding) -> str:
    head = f"{words.OUTCOME_WORDS[finding.outcome]} ({words.WEIGHT_WORDS[finding.weight]})"
    reason = f"blocked by {finding.blocked_by}" if finding.blocked_by else finding.actual or finding.note or finding.expected
    return one_line(cut(f"{head}: {reason}" if reason else head, 300))


def _story(finding: Finding, places: Places) -> str:
    rows = [
        ("requirement", finding.requirement),
        ("expected", finding.expected),
        ("actual", finding.actual),
        ("a correct client would have sent", finding.correct),
        *(("where", str(places.describe(evidence))) for evidence in finding.evidence[:20]),
        ("hint", finding.hint),
        ("blocked by", finding.blocked_by or ""),
        ("source", f"{finding.source} ({finding.provenance})"),
        ("note", finding.note),
    ]
    return "\n" + "\n".join(f"{label}: {visible(cut(value, _LONGEST))}" for label, value in rows if value) + "\n"
