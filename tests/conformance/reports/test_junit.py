"""JUnit XML."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.reports import junit
from conformance.reports.evidence import RecordingLike
from conformance.result import Finding, Outcome, Result, Verdict, Weight


def _parse(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314 - our own output


def _is_red(root: ET.Element) -> bool:
    return any(one.tag in {"failure", "error"} for one in root.iter())


def test_a_testcase_for_each_finding_and_one_for_the_verdict(result: Result, recording: RecordingLike) -> None:
    """Every finding is a testcase of its group's suite, and the counts are those of the tree."""
    root = _parse(junit.render(result, recording))
    assert len(list(root.iter("testcase"))) == len(result.findings) + 1
    for kind, name in (("testcase", "tests"), ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert int(root.get(name, "-1")) == len(list(root.iter(kind)))
        for suite in root.iter("testsuite"):
            assert int(suite.get(name, "-1")) == len(list(suite.iter(kind)))
    properties = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert (properties["profile"], properties["verdict"]) == ("lcsr", "not-ready")
    assert properties["points"] == f"{result.points.earned}/{result.points.possible}"


def test_a_failure_tells_its_story(result: Result, recording: RecordingLike) -> None:
    """Expected, actual, place with method and path, and hint stand in the failure."""
    case = _parse(junit.render(result, recording)).find(".//testcase[@name='auth-redirect-exact']/failure")
    assert case is not None
    assert "a slash more" in case.get("message", "")
    for part in (
        "expected:",
        "actual:",
        "entry 6: GET /test/oauth2/default/v1/authorize",
        "/request/queryString/2/value",
        "hint:",
    ):
        assert part in (case.text or "")


@pytest.mark.parametrize("weight", list(Weight))
@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_turns_a_build_red(
    make_result: Callable[..., Result], finding: Callable[..., Finding], outcome: Outcome, weight: Weight
) -> None:
    """A must that is not passed is a failure or an error; nothing else is, so a ready verdict is a green build."""
    one = finding("auth-csrf", outcome=outcome, weight=weight)
    case = _parse(junit.render(make_result((one,), verdict=Verdict.READY))).find(".//testcase[@name='auth-csrf']")
    assert case is not None
    kinds = [child.tag for child in case if child.tag != "system-out"]
    if outcome is Outcome.PASSED:
        assert kinds == []
    elif weight is not Weight.MUST or outcome is Outcome.NOT_APPLICABLE:
        assert kinds == ["skipped"]
    else:
        assert kinds == ["failure" if outcome is Outcome.FAILED else "error"]


@pytest.mark.parametrize("verdict", list(Verdict))
def test_a_build_is_green_only_when_ready(make_result: Callable[..., Result], verdict: Verdict) -> None:
    """Also without any finding, the verdict alone decides."""
    assert _is_red(_parse(junit.render(make_result((), verdict=verdict)))) is (verdict is not Verdict.READY)


@given(text=st.text(st.characters(), max_size=60))
def test_any_text_gives_well_formed_xml(text: str) -> None:
    """Control characters, surrogates and markup in a finding leave the document well-formed."""
    one = Finding(
        check=text,
        registry=text,
        requirement=text,
        group=text,
        subject=text,
        weight=Weight.MUST,
        outcome=Outcome.FAILED,
        expected=text,
        actual=text,
        evidence=(),
        source=text,
        provenance=text,
        hint=text,
    )
    root = ET.Element("x")
    root.append(junit._case(one, junit.one_line(text), junit.Places(None, ())))
    _parse(ET.tostring(root, encoding="utf-8"))
