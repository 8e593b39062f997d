"""HAR 1.2."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import harfile
import jsonschema

from acrmock.record import HttpEntry
from conformance.reports import har
from conformance.reports.evidence import RecordingLike


def _shape(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """A closed object in which only names that begin with an underscore may be added (HAR 1.2, custom fields)."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {}), "comment": {"type": "string"}},
        "patternProperties": {"^_": {}},
        "additionalProperties": False,
    }


_TEXT = {"type": "string"}
_SIZE = {"type": "integer", "minimum": -1}
_TIME = {"type": "number", "minimum": -1}
_PAIRS = {"type": "array", "items": _shape({"name": _TEXT, "value": _TEXT})}
_COOKIES = {
    "type": "array",
    "items": _shape(
        {"name": _TEXT, "value": _TEXT},
        {"path": _TEXT, "domain": _TEXT, "expires": _TEXT, "httpOnly": {"type": "boolean"}, "secure": {"type": "boolean"}},
    ),
}
_COMMON = {"httpVersion": _TEXT, "cookies": _COOKIES, "headers": _PAIRS, "headersSize": _SIZE, "bodySize": _SIZE}
_POST = _shape({"mimeType": _TEXT, "params": _PAIRS, "text": _TEXT})
_REQUEST = _shape(
    {"method": _TEXT, "url": {"type": "string", "format": "uri"}, "queryString": _PAIRS, **_COMMON}, {"postData": _POST}
)
_CONTENT = _shape({"size": _SIZE, "mimeType": _TEXT}, {"text": _TEXT, "encoding": _TEXT, "compression": _SIZE})
_RESPONSE = _shape({"status": {"type": "integer"}, "statusText": _TEXT, "content": _CONTENT, "redirectURL": _TEXT, **_COMMON})
_TIMINGS = _shape(
    {"send": _TIME, "wait": _TIME, "receive": _TIME}, {"blocked": _TIME, "dns": _TIME, "connect": _TIME, "ssl": _TIME}
)
_MOMENT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"}
_ENTRY = _shape(
    {
        "startedDateTime": _MOMENT,
        "time": {"type": "number", "minimum": 0},
        "request": _REQUEST,
        "response": _RESPONSE,
        "cache": _shape({}),
        "timings": _TIMINGS,
    }
)
_NAMED = _shape({"name": _TEXT, "version": _TEXT})
_LOG = _shape(
    {"version": {"const": "1.2"}, "creator": _NAMED, "entries": {"type": "array", "items": _ENTRY}},
    {"pages": {"type": "array", "maxItems": 0}, "browser": _NAMED},
)
_HAR = _shape({"log": _LOG})


def test_a_recording_is_a_valid_har(recording: RecordingLike) -> None:
    """Every HTTP entry is there, in order, in the shape of HAR 1.2 and nothing beyond it but `_acrmock`."""
    document = json.loads(har.render(recording))
    jsonschema.Draft202012Validator(_HAR).validate(document)
    log = document["log"]
    numbers = [entry["_acrmock"]["seq"] for entry in log["entries"]]
    assert numbers == [entry.seq for entry in recording.entries if isinstance(entry, HttpEntry)]
    assert len(numbers) + len(log["_acrmock"]["other"]) == len(recording.entries)
    assert all(entry["time"] == sum(max(0, part) for part in entry["timings"].values()) for entry in log["entries"])


def test_what_acrmock_knows_goes_along(recording: RecordingLike) -> None:
    """Facts and refusals stand beside the exchange, in a custom field."""
    entries = {entry["_acrmock"]["seq"]: entry for entry in json.loads(har.render(recording))["log"]["entries"]}
    own = entries[57]["_acrmock"]
    assert own["facts"]["grant"]["verifier"] == "mismatch"
    assert own["refusal"]["code"] == "pkce-mismatch"


def test_cookies_are_read(http: Callable[..., HttpEntry], record: Callable[..., RecordingLike]) -> None:
    """Cookie and Set-Cookie headers fill the arrays, broken ones harm nothing."""
    entry = http(
        1,
        "GET",
        "/x",
        200,
        headers=(("Cookie", "a=1; b=2=3;; c"),),
        answer_headers=(("Set-Cookie", "s=v; Path=/; HttpOnly; Secure; Max-Age=9"), ("set-cookie", "")),
    )
    document = json.loads(har.render(record(entry)))
    jsonschema.Draft202012Validator(_HAR).validate(document)
    shown = document["log"]["entries"][0]
    assert [(one["name"], one["value"]) for one in shown["request"]["cookies"]] == [("a", "1"), ("b", "2=3"), ("c", "")]
    assert shown["response"]["cookies"][0] == {"name": "s", "value": "v", "path": "/", "httpOnly": True, "secure": True}


def test_an_empty_recording_is_a_har(record: Callable[..., RecordingLike]) -> None:
    """No entries make a valid log of none."""
    document = json.loads(har.render(record()))
    jsonschema.Draft202012Validator(_HAR).validate(document)
    assert document["log"]["entries"] == []


def _entry_by_harfile(entry: dict[str, Any]) -> dict[str, Any]:
    """The keywords with which harfile, whose models know HAR 1.2 and nothing else, writes an entry anew."""
    request, response = _bare(entry["request"]), _bare(entry["response"])
    for side in (request, response):
        side["cookies"] = [harfile.Cookie(**cookie) for cookie in side["cookies"]]
        side["headers"] = [harfile.Record(**header) for header in side["headers"]]
    request["queryString"] = [harfile.Record(**pair) for pair in request["queryString"]]
    if "postData" in request:
        post = request["postData"]
        request["postData"] = harfile.PostData(**{**post, "params": [harfile.PostParameter(**one) for one in post["params"]]})
    response["content"] = harfile.Content(**response["content"])
    return {
        "startedDateTime": entry["startedDateTime"],
        "time": entry["time"],
        "request": harfile.Request(**request),
        "response": harfile.Response(**response),
        "timings": harfile.Timings(**entry["timings"]),
        "cache": harfile.Cache(**entry["cache"]),
    }


def _bare(shown: dict[str, Any]) -> dict[str, Any]:
    """Without custom fields."""
    return {name: value for name, value in shown.items() if not name.startswith("_")}


def test_another_writer_of_har_writes_the_same(recording: RecordingLike) -> None:
    """Each entry, made anew from harfile's closed models and written by it, comes out as it stands in ours."""
    entries = json.loads(har.render(recording))["log"]["entries"]
    assert any("postData" in entry["request"] for entry in entries)
    written = io.StringIO()
    with harfile.HarFile(written) as file:
        for entry in entries:
            file.add_entry(**_entry_by_harfile(entry))
    log = json.loads(written.getvalue())["log"]
    assert log["version"] == "1.2"
    assert log["entries"] == [_bare(entry) for entry in entries]
