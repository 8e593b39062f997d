"""`/`, where a newcomer's browser lands: what this is and where to go on; and `/favicon.ico`, which there is none of.

Neither needs a token nor holds anything of anybody, and neither is recorded: a look around is no traffic of a client. They are
for people and no part of the API, so they do not stand in the OpenAPI document: what else comes there is a lost client.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import flask
import jinja2
import msgspec

from mockserver.context import EngineCore, current_core
from mockserver.pagestyle import PLAIN

if TYPE_CHECKING:
    from acrmock.facts import Facts

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>acrmock</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><style>{{ style }}
h1{margin-bottom:.2rem}dt{font-weight:600;margin-top:.5rem}dd{margin:0 0 .3rem}
pre{overflow-x:auto;background:#f5f6f8;padding:.8rem;border-radius:.4rem}a{color:#0b5cad}
@media (prefers-color-scheme:dark){pre{background:#26262b}a{color:#6cb2ff}}
</style></head><body>
<h1>acrmock</h1>
<p>A simulated test environment of the American College of Radiology (ACR), on somebody's own machine.
<strong>It is not ACR's</strong>, and nothing it says is a certification. Use test data only.</p>
<h2>Open to everybody</h2>
<dl>{% for link in it.open %}<dt><a href="{{ link.path }}">/{{ link.path }}</a></dt><dd>{{ link.what }}</dd>
{% endfor %}</dl>
<h2>With the control token</h2>
<p>The browser asks for a name and a password: any name will do, the password is <code>control_token</code> in
<code>ready.json</code>, which stands in the server's data folder (<code>acrmock-data</code> unless <code>--data</code> names
another).</p>
<dl>{% for link in it.guarded %}<dt><a href="{{ link.path }}">/{{ link.path }}</a></dt><dd>{{ link.what }}</dd>
{% endfor %}</dl>
{% if not it.registered %}<h2>Begin</h2>
<p>Nobody is registered yet. In another terminal, with the same <code>--data</code> if the server was given one:</p>
<pre>acrmock register --name "My app" --registry lcsr \\
    --redirect-url https://localhost:8765/callback --ip 203.0.113.7</pre>{% endif %}
<p><small>acrmock {{ it.version }}. A simulation, not ACR's.</small></p>
</body></html>
"""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the server: its path, relative to the root, and what is there."""

    path: str
    what: str


class Welcome(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is, the pages `open` to everybody and those `guarded` by the token; whether anybody is `registered`."""

    name: str = "acrmock"
    what: str = "a simulated test environment of the American College of Radiology; not ACR's, and no certification"
    version: str
    registered: bool
    open: tuple[Link, ...]
    guarded: tuple[Link, ...]
    token: str = "control_token in ready.json of the server's data folder, as bearer token or as the password of HTTP Basic"


def blueprint(facts: Facts) -> flask.Blueprint:  # noqa: ARG001 - every part is made from the facts
    """`/` and `/favicon.ico` as a Flask blueprint; the engine's core is found in the request's environment."""
    pages = flask.Blueprint("welcome", __name__)
    pages.add_url_rule("/", "root", _root, methods=["GET"], provide_automatic_options=False)
    pages.add_url_rule("/favicon.ico", "favicon", _favicon, methods=["GET"], provide_automatic_options=False)
    return pages


def _root() -> flask.Response:
    """GET /: a page for a browser, JSON for anybody else."""
    told = _welcome(current_core())
    known = ("application/json", "text/html")
    if flask.request.accept_mimetypes.best_match(known, "application/json") == "text/html":
        answer = flask.Response(_template().render(it=told, style=PLAIN), content_type="text/html; charset=utf-8")
        answer.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
        )
        answer.headers["X-Content-Type-Options"] = "nosniff"
    else:
        answer = flask.Response(msgspec.json.encode(told), content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Accept"
    return answer


def _favicon() -> flask.Response:
    """GET /favicon.ico: 204; browsers ask for it unbidden."""
    return flask.Response(status=204, headers={"Cache-Control": "max-age=86400"})


def _welcome(core: EngineCore) -> Welcome:
    shared = (
        Link(path="openapi.json", what="every call of this server, as OpenAPI 3.1"),
        Link(path="healthz", what="whether the server can keep what it is told"),
        Link(path="_acrmock/ca.pem", what="the certificate authority that clients must trust"),
        Link(path="_acrmock/upload", what="upload data files as to the NRDR portal (the page asks for the token)"),
    )
    guarded = [Link(path="_acrmock/why/last", what="why the last refused request was refused, and what a correct one would be")]
    if core.dicom or core.dicom_tls:
        guarded += [
            Link(path="_acrmock/dirlink", what="DIR Link: stations, and dose reports that were received"),
            Link(path="_acrmock/dirlink/central", what="the central server's dashboard of doses"),
        ]
    return Welcome(
        version=core.version,
        registered=bool(core.applications.all()),
        open=(*shared, *_discovery(core)),
        guarded=tuple(guarded),
    )


def _discovery(core: EngineCore) -> tuple[Link, ...]:
    """The discovery document of the application without a name, where that is registered."""
    default = core.applications.get("default")
    if default is None:
        return ()
    found = []
    for name, registration in default.environments.items():
        settings = core.settings_for(registration)
        path = f"{name}{settings.text('auth.base_path')}{settings.text('auth.discovery_path')}"
        what = f"where to sign in ({name}): OpenID Connect discovery (a look is recorded as a client's)"
        found.append(Link(path=path, what=what))
    return tuple(found)


@lru_cache(maxsize=1)
def _template() -> jinja2.Template:
    return jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_PAGE)
