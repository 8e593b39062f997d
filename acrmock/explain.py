"""Why a request was refused, and what a correct client would have sent: a pure reading of one recorded exchange.

The record holds references where secrets stood; what is shown here names their kind instead, so that a line can be copied and
filled in. Nothing is looked up: the same entry gives the same explanation, live or from a file.
"""

from __future__ import annotations

import difflib
import re
import shlex
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from acrmock._gaterefusals import NOT_READ, problems
from acrmock.pointer import PointerError, parse_pointer
from acrmock.record import FieldProblem, HttpEntry, RecordProblem, Struct

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
AUTHORITY = "<ca.pem>"
"""What stands in a `curl` line for the file of the authority, which the server does not know the reader to have."""
_REFERENCE = re.compile(r"d:([a-z_0-9]{1,20}):[A-Za-z0-9_-]{22}")
_UNTOLD = frozenset({"host", "content-length", "connection", "user-agent", "accept-encoding", "transfer-encoding"})
_SCOPE = re.compile(r'scope="([^"]{1,200})"')
_LIVE = "<a live access token>"
_SAID = re.compile(r"(?:must be|must have|expected) (.{1,300})\Z|value list \((.{1,300})\)\Z", re.DOTALL)
_ABSENT, _ONCE = ("none", "left out"), "at most once"
"""How a refusal says that something does not belong there, or not twice."""
_MOST_RECORDS = 100
_WORD = re.compile(r"\S{1,300}")


class Wrong(Struct, frozen=True, kw_only=True):
    """One thing that was wrong: where, what was there, what belongs there, and why."""

    pointer: str
    element: str = ""
    expected: str = ""
    actual: str = ""
    reason: str = ""


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a request was refused.

    `diff` is a unified diff from the request as sent to the one that a correct client would have sent, `curl` that one as a
    command; both hold `<kind>` where a secret stands and `<words>` where only the sense of a value is known. `injected` names
    the fault rule that answered in place of the service: then nothing was wrong with the request. `records` tells of the records
    that were rejected although their transaction was accepted, a hundred problems at most; `diff` and `curl` put them right too.
    `answer` is what DICOM answered, in words, where `status` is that of HTTP.
    """

    seq: int
    code: str = ""
    message: str = ""
    hint: str = ""
    status: int = 0
    request: str = ""
    fields: tuple[Wrong, ...] = ()
    diff: str = ""
    curl: str = ""
    injected: str = ""
    records: tuple[Wrong, ...] = ()
    answer: str = ""

    @property
    def refused(self) -> bool:
        """Whether there was a refusal at all."""
        return bool(self.code)


def has_wrong(entry: HttpEntry) -> bool:
    """Whether there is something to explain: a refusal, or a rejected record."""
    return entry.refusal is not None or bool(_record_problems(entry))


@dataclass(slots=True)
class _Draft:
    """A request that can be changed and written down."""

    method: str
    url: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    form: list[tuple[str, str]] | None = None
    document: Any = None
    text: str = ""
    notes: list[str] = field(default_factory=list)

    def header(self, name: str, value: str | None) -> None:
        """Set a header, or take it away."""
        place = next((at for at, pair in enumerate(self.headers) if pair[0].lower() == name.lower()), len(self.headers))
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        self.headers = kept if value is None else [*kept[:place], (name, value), *kept[place:]]

    def body(self) -> list[str]:
        """The body as lines."""
        if self.form is not None:
            return [f"{name}={value}" for name, value in self.form]
        if self.document is not None:
            return msgspec.json.format(msgspec.json.encode(self.document), indent=2).decode().splitlines()
        return self.text.splitlines()

    def lines(self) -> list[str]:
        """The request as lines that a person can compare."""
        head = [f"{self.method} {self.url}"] + [f"  ?{name}={value}" for name, value in self.query]
        told = [f"{name}: {value}" for name, value in self.headers if name.lower() not in _UNTOLD]
        return [_shown(line) for line in (*head, *told, "", *self.body(), *(f"# {note}" for note in self.notes))]


def explain(entry: HttpEntry) -> Explanation:
    """The explanation of an exchange; without a refusal only what was asked and answered."""
    request = f"{entry.request.method} {_shown(entry.request.url)}"
    fault = entry.facts.fault
    refusal = entry.refusal
    if refusal is None:
        return _of_records(entry, request, fault.name if fault is not None else "")
    injected = fault.name if fault is not None and fault.instead else ""
    before, after = _draft(entry), _draft(entry)
    wrong = () if injected else problems(entry)
    if not injected:
        for problem in wrong:
            _mend(after, problem)
        _mend_by_answer(after, entry)
    return Explanation(
        seq=entry.seq,
        code=refusal.code,
        message=refusal.message,
        hint=refusal.hint,
        status=entry.response.status,
        request=request,
        fields=tuple(
            Wrong(
                pointer=one.pointer,
                element=one.element,
                expected=_shown(one.expected),
                actual=_shown(one.actual),
                reason=one.reason,
            )
            for one in wrong
        ),
        diff=_diff(before, after),
        curl=_curl(after),
        injected=injected,
    )


def _of_records(entry: HttpEntry, request: str, injected: str) -> Explanation:
    """What was wrong with records of a transaction that was accepted; nothing but the request where nothing was."""
    problems = _record_problems(entry)
    told = Explanation(seq=entry.seq, status=entry.response.status, request=request, injected=injected)
    if not problems:
        return told
    before, after = _draft(entry), _draft(entry)
    wrong = tuple(_wrong_record(before.document, problem) for problem in problems[:_MOST_RECORDS])
    for one in wrong:
        _mend(after, FieldProblem(pointer=one.pointer, element=one.element, expected=one.expected, reason=one.reason))
    return msgspec.structs.replace(
        told,
        records=wrong,
        hint="Correct the records that were rejected and send just these again, in a new transaction.",
        diff=_diff(before, after),
        curl=_curl(after),
    )


def _record_problems(entry: HttpEntry) -> tuple[RecordProblem, ...]:
    """The errors (no warnings) of the records of an accepted transaction."""
    transaction = entry.facts.transaction
    if transaction is None or not transaction.accepted:
        return ()
    return tuple(problem for record in transaction.records for problem in record.problems if problem.severity == "error")


def _wrong_record(document: Any, problem: RecordProblem) -> Wrong:
    """One problem of a record, with what stood there and what a correct record would have."""
    said = _SAID.search(problem.message)
    expected = (said[1] or said[2]) if said else f"a value of {problem.element}" if "is missing" in problem.message else ""
    return Wrong(
        pointer=problem.pointer,
        element=problem.element,
        expected=expected,
        actual=_shown(_at(document, problem.pointer)),
        reason=f"{problem.code}: {problem.message}",
    )


def _at(document: Any, pointer: str) -> str:
    """What stands at `pointer` of a document, in a few characters; empty for nothing."""
    try:
        for token in parse_pointer(pointer):
            document = document[token] if isinstance(document, dict) else document[int(token)]
    except (PointerError, LookupError, ValueError, TypeError):
        return ""
    return msgspec.json.encode(document).decode()[:200]


def _draft(entry: HttpEntry) -> _Draft:
    asked, posted = entry.request, entry.request.postData
    draft = _Draft(
        method=asked.method,
        url=asked.url.partition("?")[0],
        query=[(pair.name, pair.value) for pair in asked.queryString],
        headers=[(pair.name, pair.value) for pair in asked.headers],
    )
    if posted is None:
        return draft
    draft.text = posted.text
    if posted.params or posted.mimeType.partition(";")[0].strip().lower() == FORM:
        draft.form = [(pair.name, pair.value) for pair in posted.params] or _pairs(posted.text)
        return draft
    try:
        draft.document = msgspec.json.decode(posted.text) if posted.text and not posted.truncated else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        draft.document = None
    return draft


def _pairs(text: str) -> list[tuple[str, str]]:
    parts = (piece.partition("=") for piece in text.split("&") if piece)
    return [(unquote(name), unquote(value)) for name, _, value in parts][:200]


def _mend(draft: _Draft, problem: FieldProblem) -> None:
    """Put right what one field says, as far as it can be put right from what is recorded."""
    pointer, name = problem.pointer, problem.element or problem.pointer.rpartition("/")[2]
    if pointer.startswith("/request/headers/"):
        _mend_header(draft, pointer.rpartition("/")[2], problem)
    elif pointer == "/request/url":
        _mend_url(draft, problem)
    elif pointer.startswith("/request/queryString"):
        _mend_pair(draft.query, name, problem)
    elif pointer.startswith("/request/parameters/"):
        _mend_pair(draft.form if draft.form is not None else draft.query, name, problem)
    elif pointer.startswith("/request/postData/text"):
        draft.document, draft.text = None, f"<{problem.expected}>"
    elif pointer.startswith("/request/postData") and name not in {"", "postData"}:
        draft.form = [] if draft.form is None else draft.form
        _mend_pair(draft.form, name, problem)
    elif pointer == "/request/method":
        return  # the answer's own header says which (`_mend_by_answer`)
    elif pointer.startswith("/request") or pointer == "/peer":
        draft.notes.append(f"{problem.reason} (expected: {problem.expected})" if problem.expected else problem.reason)
    else:
        _mend_document(draft, problem)


def _mend_header(draft: _Draft, name: str, problem: FieldProblem) -> None:
    if problem.expected.startswith(_ABSENT):
        draft.header(name, None)
    elif name.lower() == "authorization":
        basic = any(name == "Authorization" and value.startswith("Basic") for name, value in draft.headers)
        draft.header(name, "Basic <client_id:client_secret>" if basic else f"Bearer {_LIVE}")
    else:
        draft.header(name, _value(problem))


def _mend_url(draft: _Draft, problem: FieldProblem) -> None:
    wrong, right = problem.actual, _declared(draft, problem.expected.split(" or "))
    parts = draft.url.split("/")
    at = next((at for at, part in enumerate(parts) if wrong and part in {wrong, f"v{wrong}"}), -1)
    if at >= 0 and _WORD.fullmatch(right):
        parts[at] = parts[at].removesuffix(wrong) + right
        draft.url = "/".join(parts)
        _say(draft, wrong, right)
    elif "/" in wrong and wrong in draft.url and _WORD.fullmatch(right):
        draft.url = draft.url.replace(wrong, right)
    elif at >= 0:
        parts[at] = f"<{problem.expected}>"
        draft.url = "/".join(parts)
    else:
        draft.notes.append(f"the URL: {'; '.join(said for said in (problem.expected, problem.reason) if said)}")


def _declared(draft: _Draft, usable: list[str]) -> str:
    """Which of the usable words the body declares; the last, which is the newest, where it declares none."""
    said = {value for _, part in _parts(draft) for value in part.values() if isinstance(value, str)}
    return next((word for word in usable if word in said), usable[-1])


def _say(draft: _Draft, wrong: str, right: str) -> None:
    """Let the body say what the URL says now, where it said what the URL said before."""
    for _, part in _parts(draft):
        part.update({name: right for name, value in part.items() if value == wrong})


def _parts(draft: _Draft) -> list[tuple[str, dict[str, Any]]]:
    """The objects right inside the body, such as a transaction's header."""
    inside = draft.document.items() if isinstance(draft.document, dict) else ()
    return [(name, part) for name, part in inside if isinstance(part, dict)]


def _mend_pair(pairs: list[tuple[str, str]], name: str, problem: FieldProblem) -> None:
    place = next((at for at, pair in enumerate(pairs) if pair[0] == name), len(pairs))
    first = [pair for pair in pairs if pair[0] == name][:1]
    pairs[:] = [pair for pair in pairs if pair[0] != name]
    if problem.expected == _ONCE:
        pairs[place:place] = first
    elif not problem.expected.startswith(_ABSENT):
        pairs.insert(place, (name, _value(problem)))


def _mend_document(draft: _Draft, problem: FieldProblem) -> None:
    try:
        *path, last = parse_pointer(problem.pointer)
    except (PointerError, ValueError):
        draft.document, draft.text = None, f"<{problem.expected or problem.reason}>"
        return
    target: Any = draft.document
    for step in path:
        target = _step(target, step)
    if isinstance(target, dict):
        if last in target and (not problem.expected or problem.expected.startswith(_ABSENT)):
            del target[last]
        else:
            target[last] = _like(target.get(last), _value(problem))
    else:
        draft.notes.append(f"{problem.pointer}: {problem.reason or problem.expected}")


def _step(target: Any, step: str) -> Any:
    if isinstance(target, dict):
        return target.setdefault(step, {})
    if isinstance(target, list) and step.isdigit() and int(step) < len(target):
        return target[int(step)]
    return None


def _like(before: Any, value: str) -> Any:
    """`value` as a number where a number stood."""
    number = isinstance(before, int) and not isinstance(before, bool) and value.lstrip("-").isdigit()
    return int(value) if number else value


def _value(problem: FieldProblem) -> str:
    """The value that belongs there, or its sense between angle brackets."""
    first = problem.expected.split(" or ")[0].strip()
    if _WORD.fullmatch(first):
        return first
    return f"<{problem.expected or problem.element or 'another value'}>"


def _mend_by_answer(draft: _Draft, entry: HttpEntry) -> None:
    """What the answer's own headers tell of a correct request."""
    told: dict[str, str] = {pair.name.lower(): pair.value for pair in entry.response.headers}
    if entry.response.status == 405 and told.get("allow"):
        methods = [word.strip() for word in told["allow"].split(",")]
        if draft.method not in methods:
            draft.method = next((word for word in methods if word not in {"HEAD", "OPTIONS"}), methods[0])
    if entry.response.status == 401 and told.get("www-authenticate", "").startswith("Bearer"):
        draft.header("Authorization", f"Bearer {_LIVE}")
    scope = _SCOPE.search(told.get("www-authenticate", ""))
    if entry.response.status == 403 and scope is not None:
        draft.header("Authorization", f"Bearer <an access token with the scope {scope[1]}>")


def _diff(before: _Draft, after: _Draft) -> str:
    lines = difflib.unified_diff(before.lines(), after.lines(), "sent", "correct", lineterm="", n=2)
    return "\n".join(lines)


def _curl(draft: _Draft) -> str:
    query = "&".join(f"{quote(name, safe='')}={_quoted(value)}" for name, value in draft.query)
    url = _shown(draft.url) + (f"?{query}" if query else "")
    if draft.method == NOT_READ:
        return ""
    words = ["curl", "--cacert", AUTHORITY] if urlsplit(draft.url).scheme == "https" else ["curl"]
    words += ["-X", draft.method, url]
    for name, value in draft.headers:
        if name.lower() not in _UNTOLD:
            words += ["-H", f"{name}: {_shown(value)}"]
    if draft.form is not None:
        for name, value in draft.form:
            words += ["--data-urlencode", f"{name}={_shown(value)}"]
    elif draft.document is not None:
        words += ["--data-raw", _shown(msgspec.json.encode(draft.document).decode())]
    elif draft.text:
        words += ["--data-raw", _shown(draft.text)]
    return " ".join(shlex.quote(word) for word in words)


def _quoted(value: str) -> str:
    shown = _shown(value)
    return shown if shown.startswith("<") else quote(shown, safe="")


def _shown(text: str) -> str:
    """`text` with the kind of each secret where its reference stood."""
    return _REFERENCE.sub(lambda match: f"<{match[1]}>", text)


def as_text(found: Explanation) -> str:
    """The explanation for a terminal: ASCII, no colours."""
    lines = [f"entry {found.seq}: {found.request} -> {found.answer or found.status or 'no answer'}"]
    if not found.refused:
        lines.append(f"  touched by the fault {found.injected}" if found.injected else "  not refused")
        return "\n".join([*lines, *map(_line, found.fields), *_records_as_text(found)])
    lines.append(f"  {found.code}: {found.message}")
    if found.injected:
        return "\n".join([*lines, f"  the fault {found.injected} answered so on purpose; nothing was wrong with the request"])
    lines += map(_line, found.fields)
    if found.hint:
        lines.append(f"  fix: {found.hint}")
    if found.diff:
        lines += ["", found.diff]
    return "\n".join([*lines, *(["", found.curl] if found.curl else [])])


def _line(one: Wrong) -> str:
    parts = (one.reason, f"expected {one.expected}" if one.expected else "", f"got {one.actual}" if one.actual else "")
    return f"  {one.pointer}: " + "; ".join(part for part in parts if part)


def _records_as_text(found: Explanation) -> list[str]:
    if not found.records:
        return []
    lines = ["  but records were rejected:", *map(_line, found.records)]
    return [*lines, f"  fix: {found.hint}", *(["", found.diff] if found.diff else []), "", found.curl]


__all__ = ["Explanation", "Wrong", "as_text", "explain", "has_wrong"]
