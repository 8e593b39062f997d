"""Pages for a person: the shell from which files are uploaded, and a file or a list of files as they stand.

The shell holds nothing of anybody: its script asks for the control token, keeps it in memory only, and speaks with the control
API. No page loads anything from elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib.resources import files
from itertools import islice

import flask
import jinja2

from mockserver.pagestyle import PLAIN
from mockserver.portal.log import told
from mockserver.portal.upload import rows_of
from mockserver.portal.views import FileList, FileView
from mockserver.store import Reader, Scope

_STYLE = (
    PLAIN
    + """label{display:block;margin:.6rem 0}input,select,button{font:inherit;padding:.3rem;max-width:100%}
code{overflow-wrap:anywhere}
@media (prefers-color-scheme:dark){input,select,button{color:#eee;background:#27272a;border:1px solid #52525b}}
"""
)
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{{ style }}</style></head><body>
"""
_FOOT = "<p><small>A simulation, not ACR's.</small></p></body></html>\n"
_FILE = (
    _HEAD.replace("{title}", "{{ it.name }}")
    + """<h1>{{ it.name }}: {{ it.status }}</h1>
<p>{{ it.registry }} {{ it.mapping }}, facility {{ it.facility }}, uploaded {{ it.uploaded_eastern }}.</p>
{% if it.reason %}<p><strong>The whole file is rejected</strong>{% if it.reason.row %} (row {{ it.reason.row }}){% endif %}:
{{ it.reason.message }} <code>{{ it.reason.code }}</code></p>{% endif %}
{% if it.decision_needed %}<p><strong>Some records have errors.</strong> Continue, and the valid ones load; cancel, and none does:
on the page <a href="/_acrmock/upload">upload</a>, or with <code>POST …/files/{{ it.file }}/decision</code>.</p>{% endif %}
{% for remark in it.remarks %}<p>{{ remark }}</p>{% endfor %}
<table><thead><tr><th scope="col">received</th><th scope="col">uploaded</th><th scope="col">updated</th>
<th scope="col">rejected</th><th scope="col">with a warning</th></tr></thead><tbody><tr><td>{{ it.counts.received }}</td>
<td>{{ it.counts.uploaded }}</td><td>{{ it.counts.updated }}</td><td>{{ it.counts.rejected }}</td>
<td>{{ it.counts.warnings }}</td></tr></tbody></table>
{% if rows %}<h2>What is wrong</h2><table><thead><tr><th scope="col">row</th><th scope="col">Error</th></tr></thead><tbody>
{% for number, error in rows %}<tr><td>{{ number }}</td><td>{{ error }}</td></tr>{% endfor %}</tbody></table>
{% if more %}<p>The log has the others.</p>{% endif %}{% endif %}
"""
    + _FOOT
)
_LIST = (
    _HEAD.replace("{title}", "Data files")
    + """<h1>Data files</h1>
<table><thead><tr><th scope="col">file</th><th scope="col">registry</th><th scope="col">facility</th><th scope="col">uploaded</th>
<th scope="col">status</th><th scope="col">uploaded / updated / rejected</th></tr></thead><tbody>
{% for one in it.files %}<tr><td>{{ one.name }}</td><td>{{ one.registry }} {{ one.mapping }}</td><td>{{ one.facility }}</td>
<td>{{ one.uploaded_eastern }}</td><td>{{ one.status }}</td>
<td>{{ one.counts.uploaded }} / {{ one.counts.updated }} / {{ one.counts.rejected }}</td></tr>{% else %}
<tr><td colspan="6">none so far</td></tr>{% endfor %}</tbody></table>
{% if it.next %}<p>There are more, after <code>{{ it.next }}</code>.</p>{% endif %}
"""
    + _FOOT
)


def shell() -> flask.Response:
    """The page from which a person uploads."""
    html, digest = _shell()
    return _page(html, f"script-src 'sha256-{digest}'; connect-src 'self'; form-action 'none'; base-uri 'none'")


def of_list(listed: FileList) -> flask.Response:
    """Files as a table."""
    return _page(_template(_LIST).render(it=listed, style=_STYLE))


def of_file(shown: FileView, reader: Reader, scope: Scope, most: int) -> flask.Response:
    """A file with the first of its rows that have errors or warnings."""
    wrong = ((row.number, told(row)) for _, row in rows_of(reader, scope, shown.file) if row.errors or row.warnings)
    rows = list(islice(wrong, most + 1)) if shown.log else []
    return _page(_template(_FILE).render(it=shown, rows=rows[:most], more=len(rows) > most, style=_STYLE))


@lru_cache(maxsize=4)
def _template(text: str) -> jinja2.Template:
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(text)


@lru_cache(maxsize=1)
def _shell() -> tuple[str, str]:
    """The shell, and the digest by which its script may run (CSP level 3, section 6.7.3)."""
    folder = files("mockserver.portal") / "templates"
    script = (folder / "upload.js").read_text("utf-8").replace("\r\n", "\n")
    body = (folder / "upload.html").read_text("utf-8").replace("\r\n", "\n")
    head = _HEAD.replace("{title}", "Upload a data file").replace("{{ style }}", _STYLE)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"{head}{body}<script>{script}</script>{_FOOT}", digest


def _page(html: str, more: str = "") -> flask.Response:
    answer = flask.Response(html, content_type="text/html; charset=utf-8")
    policy = f"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'{'; ' if more else ''}{more}"
    answer.headers["Content-Security-Policy"] = policy
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
