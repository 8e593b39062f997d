"""Why a request was refused, through the control API: as JSON, or as a page for a person."""

from __future__ import annotations

from functools import lru_cache

import flask
import jinja2
import msgspec

from acrmock.explain import explain, has_wrong
from acrmock.explaindicom import explain_dicom, has_wrong_dicom
from acrmock.record import AssociationEntry, DimseEntry, HttpEntry, decode_line
from mockserver.context import current_core
from mockserver.control import body
from mockserver.control.applications import find
from mockserver.control.errors import Code, unknown
from mockserver.pagestyle import PLAIN
from mockserver.store import Snapshot

Told = HttpEntry | AssociationEntry | DimseEntry
"""What can be explained."""
LAST = "last"
_BACK = 20_000
"""The last refusal is looked for in so many of the newest entries."""
_WINDOW = 1024
_SEQ = 2**53
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ it.code or "not refused" }} · entry {{ it.seq }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{ style }}pre{background:#f4f4f5;padding:1rem;overflow:auto;font-size:.85rem}
del{background:#fde2e2;text-decoration:none;display:block}ins{background:#dcf5e3;text-decoration:none;display:block}
@media (prefers-color-scheme:dark){pre{background:#27272a}del{background:#5b1d1d}ins{background:#14432a}}
</style></head><body>
<h1>{{ it.code or "This request was not refused" }}</h1>
<p><code>{{ it.request }}</code> was answered with {{ it.answer or it.status or "nothing" }} (entry {{ it.seq }}).</p>
{% if it.injected %}<p>The fault <code>{{ it.injected }}</code> had a hand in the answer, on purpose.</p>{% endif %}
{% if it.message %}<p>{{ it.message }}</p>{% endif %}
{% if it.hint %}<p><strong>What to do:</strong> {{ it.hint }}</p>{% endif %}
{% for title, wrong in (("Field by field", it.fields), ("Records that were rejected", it.records)) if wrong %}<h2>{{ title }}</h2>
<table><thead><tr>
<th scope="col">where</th><th scope="col">sent</th><th scope="col">expected</th><th scope="col">why</th></tr></thead><tbody>
{% for one in wrong %}<tr><td><code>{{ one.pointer }}</code></td><td>{{ one.actual }}</td><td>{{ one.expected }}</td>
<td>{{ one.reason }}</td></tr>{% endfor %}</tbody></table>{% endfor %}
{% if it.diff %}<h2>What a correct client would have sent</h2>
<pre>{% for line in it.diff.splitlines() %}{% if line.startswith("+") %}<ins>{{ line }}</ins>
{%- elif line.startswith("-") %}<del>{{ line }}</del>{% else %}{{ line }}
{% endif %}{% endfor %}</pre>{% endif %}
{% if it.curl %}<h2>As a command</h2><pre>{{ it.curl }}</pre>{% endif %}
<p><small>A simulation, not ACR's.</small></p>
</body></html>
"""


_NOTHING = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Nothing was refused</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{{ style }}</style></head><body>
<h1>{{ nothing | capitalize }}</h1>
<p>Once a request is, this page says field by field what was wrong with it and what a correct one would be.</p>
<p><small>A simulation, not ACR's.</small></p>
</body></html>
"""


@lru_cache(maxsize=2)
def _template(page: str) -> jinja2.Template:
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(page)


def why(seq: str) -> flask.Response:
    """GET why/SEQ (or `last`, of an application where one is named): the explanation of an exchange."""
    body.only("application")
    core = current_core()
    application = body.argument("application") or None
    with core.store.read() as snapshot:
        if application is not None:
            find(snapshot, application)
        entry = _last(snapshot, application) if seq == LAST else _entry(snapshot, seq)
        nothing = f"nothing was refused {'so far' if snapshot.last_seq() <= _BACK else f'in the last {_BACK:,} entries'}"
    as_page = flask.request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json") == "text/html"
    if entry is None and seq == LAST and as_page:
        return _page(_template(_NOTHING).render(nothing=nothing, style=PLAIN))
    if entry is None:
        raise unknown(Code.ENTRY_UNKNOWN, seq, hint=nothing if seq == LAST else "GET /_acrmock/journal lists the entries")
    found = explain(entry) if isinstance(entry, HttpEntry) else explain_dicom(entry)
    return _page(_template(_PAGE).render(it=found, style=PLAIN)) if as_page else body.answer(msgspec.to_builtins(found))


def _entry(snapshot: Snapshot, seq: str) -> Told | None:
    number = int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 17 else 0
    if not 0 < number < _SEQ:
        return None
    found = next(iter(snapshot.entries(after=number - 1, until=number)), None)
    line = decode_line(found[1]) if found is not None else None
    return line if isinstance(line, Told) else None


def _last(snapshot: Snapshot, application: str | None) -> Told | None:
    """The last that was refused, looked for backwards in windows, and not too far, so that a long journal costs little."""
    until, width = snapshot.last_seq(), 256
    end = until - _BACK
    while until > max(0, end):
        low = max(0, until - width)
        lines = [decode_line(data) for _, data in snapshot.entries(application=application, after=low, until=until)]
        refused = [line for line in lines if isinstance(line, Told) and _refused(line)]
        if refused:
            return refused[-1]
        until, width = low, min(_WINDOW, width * 2)
    return None


def _refused(entry: Told) -> bool:
    return has_wrong(entry) if isinstance(entry, HttpEntry) else has_wrong_dicom(entry)


def _page(text: str) -> flask.Response:
    answer = flask.Response(text, content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
