"""What holds of every report: it renders whatever the verdict, the outcome and the text, and it does so the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from acrmock.record import HttpEntry
from conformance.reports import har, html, jsonout, junit, markdown, terminal
from conformance.reports.evidence import RecordingLike
from conformance.result import Evidence, Finding, Outcome, Points, Resolution, Result, Verdict, Weight

_RENDERERS: dict[str, Callable[..., str | bytes]] = {
    "terminal": terminal.render,
    "json": lambda result, _: jsonout.render(result),
    "junit": junit.render,
    "markdown": markdown.render,
    "html": html.render,
}


def _text(rendered: str | bytes) -> str:
    return rendered.decode() if isinstance(rendered, bytes) else rendered


@pytest.fixture(params=sorted(_RENDERERS))
def render(request: pytest.FixtureRequest) -> Callable[[Result, RecordingLike | None], str]:
    """Each report in turn, as text."""
    return lambda result, recording: _text(_RENDERERS[request.param](result, recording))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_renders(
    render: Callable[..., str], make_result: Callable[..., Result], recording: RecordingLike, verdict: Verdict
) -> None:
    """Each verdict is named, beside the statement that this is a self-test and no certification."""
    shown = render(make_result(verdict=verdict), recording)
    assert verdict.value in shown or verdict.value.replace("-", " ") in shown
    assert "not an ACR certification" in shown


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("weight", list(Weight))
def test_every_outcome_and_weight_renders(
    render: Callable[..., str],
    make_result: Callable[..., Result],
    finding: Callable[..., Finding],
    outcome: Outcome,
    weight: Weight,
) -> None:
    """Each outcome at each weight renders without a recording and without evidence."""
    one = finding("auth-csrf", outcome=outcome, weight=weight, evidence=())
    shown = render(make_result((one,)), None)
    counted = outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE) and weight is not Weight.NOT_SCORED
    assert "auth-csrf" in shown or not counted


def test_nothing_judged_renders(render: Callable[..., str], make_result: Callable[..., Result]) -> None:
    """A result without findings is no pass and no error."""
    points = Points(earned=0, possible=0, by_group={}, by_provenance={})
    shown = render(make_result((), verdict=Verdict.INCOMPLETE, points=points, notes=(), resolutions=()), None)
    assert "incomplete" in shown
    assert "✓" not in shown


def _hostile_result(text: str, finding: Callable[..., Finding], make_result: Callable[..., Result]) -> Result:
    fields: dict[str, Any] = dict.fromkeys(
        (
            "check",
            "registry",
            "requirement",
            "group",
            "subject",
            "expected",
            "actual",
            "source",
            "provenance",
            "hint",
            "blocked_by",
        ),
        text,
    )
    findings = tuple(
        finding(
            **{**fields, "check": f"{text}{number}"},
            outcome=outcome,
            note=text,
            correct=text,
            evidence=(Evidence(entry=1, pointer=text),),
        )
        for number, outcome in enumerate(Outcome)
    )
    points = Points(earned=1, possible=2, by_group={text: (1, 2)}, by_provenance={text: (1, 2)})
    resolution = Resolution(check=text, registry=text, outcome=Outcome.PASSED, who=text, why=text, when=text)
    told = dict.fromkeys(("profile", "revision", "statement", "application", "application_name", "run", "judged_at"), text)
    lists = dict.fromkeys(("claims", "only", "notes"), (text,))
    return make_result(findings, points=points, resolutions=(resolution,), **told, **lists)


@pytest.fixture
def hostile_recording(http: Callable[..., HttpEntry], record: Callable[..., RecordingLike], hostile: str) -> RecordingLike:
    """A recording of one exchange that is hostile in every part."""
    return record(http(1, hostile, "/" + hostile, 400, headers=((hostile, hostile),), body=hostile, answer=hostile))


@pytest.fixture
def hostile_result(make_result: Callable[..., Result], finding: Callable[..., Finding], hostile: str) -> Result:
    """A result that is hostile in every field."""
    return _hostile_result(hostile, finding, make_result)


def test_hostile_text_does_no_harm(render: Callable[..., str], hostile_result: Result, hostile_recording: RecordingLike) -> None:
    """Markup, escapes, bidi controls, NUL and lone surrogates in every field come out as text that can be written."""
    shown = render(hostile_result, hostile_recording)
    shown.encode("utf-8")
    assert "\x1b" not in shown
    assert "\x00" not in shown


def test_the_same_input_gives_the_same_report(render: Callable[..., str], result: Result, recording: RecordingLike) -> None:
    """No report reads a clock, a file or an environment."""
    assert render(result, recording) == render(result, recording)


def test_hostile_traffic_is_still_a_har(
    http: Callable[..., HttpEntry], record: Callable[..., RecordingLike], hostile: str
) -> None:
    """A HAR of hostile entries can be written and read."""
    assert json.loads(har.render(record(http(1, hostile, "/" + hostile, 400, body=hostile, answer=hostile))))
