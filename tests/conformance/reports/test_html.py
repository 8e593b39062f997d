"""The page for a person: whole, linked, closed to the network, and harmless whatever went over the wires."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import devtools
import pytest

from acrmock.record import HttpEntry
from conformance.reports import html
from conformance.reports.evidence import RecordingLike
from conformance.reports.exchanges import LISTED, SHOWN_WHOLE
from conformance.result import Evidence, Finding, Outcome, Result, Verdict

_VOID = {"meta", "rect", "br", "img", "link", "input", "hr"}
_LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "xlink:href", "ping", "style"}


@dataclass
class _Facts:
    requirements: dict[str, object] = field(default_factory=dict)
    sources: dict[str, object] = field(default_factory=dict)


@dataclass
class _Source:
    title: str
    url: str
    seen: str = ""


@dataclass
class _Requirement:
    fails_when: str


class _Reader(HTMLParser):
    """Reads a page: its ids, its links, its tags, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href":
                self.links.append(value or "")
            elif name in _LOADING or name.startswith("on"):
                self.loads.append(f"{tag} {name}={value}")
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _check(page: str) -> _Reader:
    """The page as read, after what must hold of every page."""
    page.encode("utf-8")
    reader = _Reader(page)
    assert reader.wrong == []
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)
    assert {link for link in reader.links if not link.startswith("#")} == set()
    assert {link[1:] for link in reader.links} <= set(reader.ids)
    assert reader.loads == []
    assert reader.tags & {"img", "iframe", "object", "embed", "link", "form", "base", "video", "audio", "image", "use"} == set()
    assert page.count("<script>") == page.count("</script>") == 1
    return reader


def test_the_page_is_whole_and_closed(result: Result, recording: RecordingLike) -> None:
    """Tags are closed in order, ids are unique, every link leads somewhere in the page, and nothing can be loaded."""
    page = html.render(result, recording)
    _check(page)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert "unsafe" not in policy[1]
    for tag in ("style", "script"):
        own = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert own is not None
        digest = base64.b64encode(hashlib.sha256(own[1].encode()).digest()).decode()
        assert f"{tag}-src &#39;sha256-{digest}&#39;".replace("+", "&#43;") in policy[1].replace("+", "&#43;")


def test_the_header_says_what_this_is(result: Result, recording: RecordingLike) -> None:
    """Verdict, application, profile, revision and the statement stand before everything else."""
    head = html.render(result, recording).partition("</header>")[0]
    for part in ("not ready", "(self-test)", "ScreenSend", "<strong>lcsr</strong>, revision 1", "not an ACR certification"):
        assert part in head
    against = re.sub(r"<[^>]*>", "", head.partition('<div class="against">')[2])
    assert "failed: auth-redirect-exact, tx-schema [lcsr]" in against
    assert "auth-nonce" not in against


def test_evidence_opens_the_marked_place(result: Result, recording: RecordingLike) -> None:
    """The link of a piece of evidence leads to a mark around exactly the characters that its pointer names."""
    page = html.render(result, recording)
    links = dict(re.findall(r'<a href="#(e\d+-m\d+)">[^<]*</a> <code class="pointer">([^<]*)</code>', page))
    marked = {
        pointer: re.sub("<[^>]*>", "", re.search(rf'<mark id="{anchor}" tabindex="-1">(.*?)</mark>', page, re.DOTALL)[1])  # type: ignore[index]
        for anchor, pointer in links.items()
    }
    assert marked["/request/queryString/2/value"] == "https%3A%2F%2Flocalhost%3A8765%2Fcallback%2F"
    assert marked["/request/postData/params/2"] == "redirect_uri=https%3A%2F%2Flocalhost%3A8765%2Fcallback"
    assert marked["/facts/grant/verifier"] == "facts.grant.verifier: mismatch"
    assert marked["/request/postData/text/Exams/1/Smoking_Status"] == "&#34;Smoking_Status&#34;: &#34;9&#34;"
    assert marked["/response/status"] == "400"


@pytest.mark.parametrize(
    "pointer",
    ["/facts/transaction/records/0", "/facts/transaction/records/0/problems/0", "/facts/transaction/records/0/problems/0/code"],
)
def test_a_fact_leads_on_to_the_place_it_tells_of(
    make_result: Callable[..., Result], finding: Callable[..., Finding], recording: RecordingLike, pointer: str
) -> None:
    """Evidence that is a record's problem also links to the element of the body that the problem is about."""
    one = finding("tx-schema", outcome=Outcome.FAILED, evidence=(Evidence(entry=19, pointer=pointer),))
    page = html.render(make_result((one,)), recording)
    _check(page)
    assert 'at <a href="#e19-m1-1">/Exams/1/Smoking_Status</a>: &#34;Smoking_Status&#34;: &#34;9&#34;' in page
    assert '<mark id="e19-m1-1" tabindex="-1">&#34;Smoking_Status&#34;: &#34;9&#34;</mark>' in page


def test_facts_tell_when_a_vendor_fails(result: Result, recording: RecordingLike) -> None:
    """With facts, a card says when a vendor fails its check."""
    facts = _Facts({"auth-nonce": _Requirement("an authorization request has no nonce.")})
    assert "an authorization request has no nonce." in html.render(result, recording, facts)


def test_facts_tell_what_a_source_is(make_result: Callable[..., Result], finding: Callable[..., Finding]) -> None:
    """With facts, each source has its title and a link, which is followed only by a person and never to a script."""
    facts = _Facts(
        {}, {"S2": _Source("an article", "https://example.org/a", "2026-01-02"), "EVIL": _Source("<b>", "javascript:alert(1)")}
    )
    page = html.render(make_result((finding("auth-csrf", source="S2 part 3; EVIL; other"),)), None, facts)
    assert 'S2 part 3: <a href="https://example.org/a" rel="noopener noreferrer">an article</a>' in page
    assert "EVIL: &lt;b&gt;" in page
    assert "javascript:" not in page


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_has_a_page(make_result: Callable[..., Result], verdict: Verdict) -> None:
    """Each verdict makes a page, also with no finding and no recording."""
    reader = _check(html.render(make_result((), verdict=verdict)))
    assert "Nothing was judged" in "".join(reader.text)


def test_hostile_traffic_is_only_shown(
    make_result: Callable[..., Result],
    finding: Callable[..., Finding],
    http: Callable[..., HttpEntry],
    record: Callable[..., RecordingLike],
    hostile: str,
) -> None:
    """Script, markup, template braces and bidi controls in every part of an exchange are text in the page."""
    pointers = (
        "",
        hostile,
        "/request/headers/2/value",
        "/request/postData/text",
        "/response/content/text",
        "/request/queryString/0",
    )
    evidence = tuple(Evidence(entry=1, pointer=pointer) for pointer in pointers)
    one = finding("auth-csrf", outcome=Outcome.FAILED, actual=hostile, expected=hostile, evidence=evidence)
    entry = http(1, hostile, "/x", 400, query=((hostile, hostile),), headers=((hostile, hostile),), body=hostile, answer=hostile)
    page = html.render(make_result((one,), application_name=hostile, notes=(hostile,)), record(entry))
    _check(page)
    for bad in ("alert(1)</script>", "<img", "\u202e", "\u2066", "\x1b", "\x00", ">49<"):
        assert bad not in page
    assert "[U+202E]" in page


def test_a_megabyte_is_cut_with_a_note(
    make_result: Callable[..., Result],
    finding: Callable[..., Finding],
    http: Callable[..., HttpEntry],
    record: Callable[..., RecordingLike],
) -> None:
    """Bodies of a megabyte leave a page of reasonable size that says what it left out and still shows the marked place."""
    body = '{"pad": "' + "x" * 1_000_000 + '", "end": "HERE"}'
    one = finding("tx-schema", evidence=(Evidence(entry=1, pointer="/request/postData/text/end"),))
    page = html.render(make_result((one,)), record(http(1, "POST", "/x", 200, body=body, answer="z" * 1_000_000)))
    _check(page)
    assert len(page) < 150_000
    assert re.search(r'<mark id="e1-m1" tabindex="-1">[^<]*HERE', page)
    assert "characters left out" in page


def test_a_large_run_is_listed_compactly(
    make_result: Callable[..., Result],
    finding: Callable[..., Finding],
    http: Callable[..., HttpEntry],
    record: Callable[..., RecordingLike],
) -> None:
    """Above the stated number only what a finding points at is shown whole; above a second one the rest is counted."""
    total = LISTED + 500
    recording = record(*(http(number, "GET", f"/x/{number % 3}", 200) for number in range(1, total + 1)))
    one = finding("status-each", evidence=(Evidence(entry=total), Evidence(entry=7, pointer="/response/status")))
    page = html.render(make_result((one,)), recording)
    _check(page)
    assert re.findall(r'<details class="exchange" id="(e\d+)"', page) == ["e7", f"e{total}"]
    assert f"Above {SHOWN_WHOLE}, only those" in page
    assert re.search(r"16[67] \u00d7", page)


def test_a_thousand_places_are_counted(make_result: Callable[..., Result], finding: Callable[..., Finding]) -> None:
    """A finding with very much evidence shows the first places and counts the others."""
    one = finding("status-each", evidence=tuple(Evidence(entry=number) for number in range(1000)))
    assert "and 975 more places" in html.render(make_result((one,)))


@pytest.fixture(scope="session")
def browser() -> str:
    """A Chromium."""
    return devtools.browser()


def _dump(browser: str, page: Path, fragment: str, profile: Path) -> str:
    command = [browser, *devtools.QUIET, f"--user-data-dir={profile}", "--dump-dom", page.as_uri() + fragment]
    return subprocess.run(command, check=True, capture_output=True, timeout=90).stdout.decode("utf-8")


def test_a_browser_opens_the_page_at_the_marked_place(
    result: Result, recording: RecordingLike, browser: str, tmp_path: Path
) -> None:
    """Chromium shows the page from a file, runs its script under the policy, and opens the exchange that is linked to."""
    page = tmp_path / "report.html"
    page.write_text(html.render(result, recording), encoding="utf-8")
    before, after = _Reader(page.read_text(encoding="utf-8")), _dump(browser, page, "#e6-m1", tmp_path / "profile")
    read = _Reader(after)
    assert read.ids == before.ids
    assert re.search(r'<details class="exchange( printed)?" id="e6" open', after)
    assert not re.search(r'<details class="exchange( printed)?" id="e7" open', after)


def test_a_browser_runs_nothing_foreign(
    make_result: Callable[..., Result],
    http: Callable[..., HttpEntry],
    record: Callable[..., RecordingLike],
    browser: str,
    tmp_path: Path,
) -> None:
    """Even a page into which a script and an image were smuggled runs and loads nothing: the policy forbids it."""
    body = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    text = html.render(make_result((), application_name=body), record(http(1, "POST", "/x", 200, body=body, answer=body)))
    smuggled = (
        f'<script>document.title="pwned"</script><img src="x" onerror="document.title=\'pwned\'">{text.partition("<body>")[2]}'
    )
    for name, content in (("plain.html", text), ("smuggled.html", text.partition("<body>")[0] + "<body>" + smuggled)):
        page = tmp_path / name
        page.write_text(content, encoding="utf-8")
        assert "<title>pwned" not in _dump(browser, page, "", tmp_path / "profile")
