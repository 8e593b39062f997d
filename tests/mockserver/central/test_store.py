"""The central server: takes anonymised reports by its own wire, and nothing else."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.central.multipart import DICOM, JSON, Malformed, Part, build, parse
from mockserver.dirlink.anonymise import anonymise, policy_of, uid_map
from mockserver.dirlink.forward import part10
from mockserver.dirlink.token import token_for

SITE = Callable[..., Any]
ENVELOPE = Part(JSON, b"{}")


def file(run: Any, data: bytes) -> bytes:
    """A data set anonymised, as a file."""
    made = anonymise(data, "1.2.840.10008.1.2.1", policy_of(run.core.facts, b"k" * 32), uid_map(b"u" * 32))
    return part10(made.data, "1.2.840.10008.5.1.4.1.1.88.67", "2.25.1")


def post(run: Any, dose: Any, body: bytes, kind: str, *, token: str | None = None) -> tuple[int, Any, Any]:
    """(status, body, headers) of a request to the central server."""
    request = urllib.request.Request(f"{run.ready.url}/test/dir/studies", body, method="POST")  # noqa: S310 - our own server
    request.add_header("Authorization", f"Bearer {token_for(run.core, dose.SCOPE) if token is None else token}")
    request.add_header("Content-Type", kind)
    context = ssl.create_default_context(cafile=str(run.ready.ca_file))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read()), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), error.headers


def store(run: Any, dose: Any, data: bytes, envelope: bytes = b"{}") -> tuple[int, Any]:
    """(status, body) of storing a file."""
    kind, body = build((Part(DICOM, data), Part(JSON, envelope)))
    return post(run, dose, body, kind)[:2]


def test_an_anonymised_report_is_kept_once(site: SITE, dose: Any) -> None:
    """The answer names the instance in the DICOM JSON model; the same file again is answered the same and kept once."""
    run = site()
    data = file(run, dose.report("1.2.100.1"))
    for _ in range(2):
        status, answer = store(run, dose, data)
        assert status == 200
        assert answer["00081199"]["Value"][0]["00081155"]["Value"][0].startswith("2.25.")
    (kept,) = run.call("GET", "/central")["reports"]
    values = {(index["name"], index.get("event", 0)): index["value"] for index in kept["indices"]}
    assert values["CTDIvol", 1] == pytest.approx(7.5)
    assert values["DLP", 0] == pytest.approx(300)


def test_what_is_not_anonymised_is_refused(site: SITE, dose: Any) -> None:
    """A report as it came, and one that only says it is anonymised but has a birth date: 409 with the reason."""
    run = site()
    came = part10(dose.report("1.2.100.1"), dose.CT_CLASS, "1.2.100.1")
    status, answer = store(run, dose, came)
    assert (status, "0012,0062" in answer["reason"]) == (409, True)
    assert answer["00081198"]["Value"][0]["00081197"]["Value"] == [0xA900]
    said = b"\x12\0\x62\0CS\x04\0YES "
    lying = dose.report("1.2.100.1")
    cut = lying.index(b"\x20\0\x0d\0")
    status, answer = store(run, dose, part10(lying[:cut] + said + lying[cut:], dose.CT_CLASS, "1.2.100.1"))
    assert (status, "Birth Date" in answer["reason"]) == (409, True)
    assert run.call("GET", "/central")["reports"] == []


def test_what_is_no_dose_report_is_refused(site: SITE, dose: Any) -> None:
    """Another structured report, bytes that are no DICOM, a file cut short: 409."""
    run = site()
    good = file(run, dose.report("1.2.100.1"))
    for data in (file(run, dose.report("1.2.100.1", dose=False)), b"", b"hello" * 100, good[:200], good[:-5]):
        assert store(run, dose, data)[0] == 409
    assert run.call("GET", "/central")["reports"] == []


def test_only_dir_link_may(site: SITE, dose: Any) -> None:
    """Another token, none, the control token, that of another environment: 401 with a challenge."""
    run = site()
    kind, body = build((Part(DICOM, b"x"), ENVELOPE))
    for token in ("", "another", run.ready.control_token, token_for(run.core, ("default", "production"))):
        status, _, headers = post(run, dose, body, kind, token=token)
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/related", b"--x--"),
        ("multipart/related; boundary=x", b""),
        ("multipart/related; boundary=x", b"--x\r\n\r\nno end"),
        ("multipart/related; boundary=x", b"--x\r\nContent-Type: application/dicom\r\n\r\nx\r\n--x--"),
        ("multipart/related; boundary=x", b"--x\r\nContent-Type: application/dicom\r\nx\r\n--x--"),
        ("multipart/related; boundary=x", b"--x" * 40 + b"--"),
        ("multipart/related; boundary=" + "y" * 500, b"--x--"),
    ],
)
def test_a_body_that_is_not_understood(site: SITE, dose: Any, kind: str, body: bytes) -> None:
    """No multipart, no boundary, no end, no envelope: 400 and the reason."""
    status, answer, _ = post(site(), dose, body, kind)
    assert (status, bool(answer["reason"])) == (400, True)


def test_an_envelope_that_is_not_understood(site: SITE, dose: Any) -> None:
    """Not JSON, or with members that nobody knows: 400."""
    run = site()
    for envelope in (b"", b"[]", b'{"facility": 1}', b'{"patient": "x"}'):
        assert store(run, dose, b"x", envelope)[0] == 400


def test_an_exam_that_came_twice_is_counted_once(site: SITE, dose: Any) -> None:
    """The same exam under another study and other UIDs: 202, set apart, and the first one's name gets the registry's prefix."""
    run = site()
    assert store(run, dose, file(run, dose.report("1.2.100.1", study="1.2.3.4")))[0] == 200
    status, answer = store(run, dose, file(run, dose.report("1.2.100.2", study="1.2.3.5", events=["1.2.9.8"])))
    assert (status, answer["warnings"]) == (202, ["the exam is in the registry already"])
    first, second = sorted(run.call("GET", "/central")["reports"], key=lambda one: one.get("duplicate_of", ""))
    assert first["exam_name"].startswith("CmbX:")
    assert second["duplicate_of"] == first["sop_instance"]


def test_another_time_is_another_exam(site: SITE, dose: Any) -> None:
    """A second later, or at another station: two exams."""
    run = site()
    for number, more in enumerate(({}, {"time": "101113"}, {"station": "CT2"})):
        data = file(run, dose.report(f"1.2.100.{number}", study=f"1.2.3.{number}", **more))
        assert store(run, dose, data)[0] == 200


PARTS = st.lists(st.builds(Part, st.sampled_from([DICOM, JSON]), st.binary(max_size=200)), min_size=1, max_size=4)


@given(PARTS)
def test_what_is_built_is_read(parts: list[Part]) -> None:
    """Any bytes survive a multipart body."""
    kind, body = build(parts)
    assert parse(kind, body) == parts


@given(st.text(max_size=80), st.binary(max_size=300))
def test_any_body_is_read_or_refused(kind: str, body: bytes) -> None:
    """Whatever comes is a list of parts or `Malformed`, never another error."""
    for content_type in (kind, "multipart/related; boundary=x"):
        found: object = None
        try:
            found = parse(content_type, b"--x" + body + b"\r\n--x--")
        except Malformed as refused:
            found = [str(refused)]
        assert found
