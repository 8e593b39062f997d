"""The HAR export in the importer of Chromium's own network panel."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients.command import acrmock
from devtools import DevTools

from conformance.reports import har
from conformance.reports.evidence import RecordingLike

_PAGE = "devtools://devtools/bundled/devtools_app.html"
_IMPORT = """
(async () => {
  const {HARFormat, Importer} = await import('devtools://devtools/bundled/models/har/har.js');
  const log = new HARFormat.HARRoot(%s).log;
  const pairs = (headers) => headers.map(({name, value}) => ({name, value}));
  const read = async (one) => ({
    method: one.requestMethod, url: one.url(), status: one.statusCode, reason: one.statusText, mime: one.mimeType,
    sent: pairs(one.requestHeaders()), got: pairs(one.responseHeaders),
    form: await one.requestFormData(), body: (await one.requestContentData()).text, size: one.resourceSize,
    cookies: one.includedRequestCookies().length, set: one.responseCookies.length, finished: one.finished,
    began: Math.round(one.issueTime() * 1000), took: (one.endTime - one.startTime) * 1000, wait: one.timing.receiveHeadersEnd,
  });
  return Promise.all(Importer.Importer.requestsFromHARLog(log).map(read));
})()
"""


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevTools]:
    """A Chromium that shows its own developer tools as a page."""
    browser = DevTools(tmp_path_factory.mktemp("chromium"), _PAGE)
    yield browser
    browser.close()


def _imported(panel: DevTools, document: dict[str, Any]) -> list[dict[str, Any]]:
    """What the network panel would show of each request of a HAR."""
    return list(panel.evaluate(_IMPORT % json.dumps(document)))


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    """What the panel should show of an entry of a HAR."""
    request, response = entry["request"], entry["response"]
    return {
        "method": request["method"],
        "url": request["url"].partition("#")[0],
        "status": response["status"],
        "reason": response["statusText"],
        "sent": request["headers"],
        "got": response["headers"],
        "form": request.get("postData", {}).get("text"),
        "size": response["content"]["size"],
        "cookies": len(request["cookies"]),
        "set": len(response["cookies"]),
        "finished": True,
    }


def _compare(entries: list[dict[str, Any]], requests: list[dict[str, Any]]) -> None:
    """Every entry is there once, in order, with its URL, status, headers, cookies, bodies and times."""
    assert len(requests) == len(entries) > 0
    for entry, request in zip(sorted(entries, key=lambda one: str(one["startedDateTime"])), requests, strict=True):
        shown = _shown(entry)
        assert {key: request[key] for key in shown} == shown
        assert request["body"] == entry["response"]["content"]["text"]
        assert request["wait"] == pytest.approx(entry["timings"]["wait"])
        assert request["took"] == pytest.approx(entry["time"], abs=0.01)


def test_chromium_imports_a_whole_run(panel: DevTools, tmp_path: Path) -> None:
    """The file that `demo` writes shows each exchange in the network panel as it was recorded."""
    acrmock("demo", "--out", str(tmp_path), timeout=100)
    document = json.loads((tmp_path / "traffic.har").read_bytes())
    _compare(document["log"]["entries"], _imported(panel, document))


def test_chromium_imports_hostile_traffic(panel: DevTools, recording: RecordingLike) -> None:
    """Scripts, control characters and damaged text in an exchange neither stop the importer nor run in it."""
    document = json.loads(har.render(recording))
    _compare(document["log"]["entries"], _imported(panel, document))
    assert panel.evaluate("document.title") == "DevTools"
