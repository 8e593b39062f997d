"""The pages a person sees: sign-in, the error page and the form that posts an answer back (fact U3).

Everything shown is escaped by Jinja; the policy headers forbid scripts, frames and storing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import flask
import jinja2
from werkzeug.urls import iri_to_uri

from mockserver.auth.seal import AuthorizationRequest
from mockserver.auth.settings import FormNames
from mockserver.context import Call

WORDS = {
    "openid": "know who you are",
    "profile": "read your name",
    "email": "read your e-mail address",
    "offline_access": "go on working for you while you are away",
}


@dataclass(frozen=True, slots=True)
class ScopeWords:
    """A scope and what it means to a person."""

    name: str
    words: str


@lru_cache(maxsize=1)
def _templates() -> jinja2.Environment:
    """The templates, compiled once; autoescaping is on for all of them."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("mockserver.auth", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )


def scope_words(call: Call, scopes: Sequence[str]) -> list[ScopeWords]:
    """Each scope in words: the standard ones, else the registry whose scope it is, else its name."""
    registries = {registry.scope: registry.title for registry in call.engine.facts.registries if registry.scope}
    return [ScopeWords(scope, WORDS.get(scope) or _registry_words(registries.get(scope), scope)) for scope in scopes]


def _registry_words(title: str | None, scope: str) -> str:
    return f"send data to the {title} for you" if title else f"use {scope}"


def sign_in_page(
    call: Call,
    request: AuthorizationRequest,
    *,
    names: FormNames,
    action: str,
    token: str,
    username: str,
    signed_in: str,
    problem: str,
) -> flask.Response:
    """The sign-in page for `request`; `problem` is shown above the form when it is shown again.

    `signed_in` is the name of who is signed in already, if anybody.
    """
    answer = _page(
        call,
        "sign_in.html",
        401 if problem else 200,
        form_targets=("'self'", origin_source(request.redirect_uri)),
        title=f"Sign in to {call.application.name}",
        application=call.application.name,
        scopes=scope_words(call, request.scopes),
        names=names,
        action=action,
        request_token=token,
        username=username,
        signed_in=signed_in,
        problem=problem,
    )
    return _refused(answer) if problem else answer


def second_factor_page(
    call: Call, request: AuthorizationRequest, *, names: FormNames, action: str, token: str, passcode: str, problem: str
) -> flask.Response:
    """The page that asks for the one-time code; being a mock it shows the code, also as the input's `data-code`."""
    answer = _page(
        call,
        "second_factor.html",
        401 if problem else 200,
        form_targets=("'self'", origin_source(request.redirect_uri)),
        title=f"Second step of the sign-in to {call.application.name}",
        names=names,
        action=action,
        request_token=token,
        passcode=passcode,
        problem=problem,
    )
    return _refused(answer) if problem else answer


def ask_sign_out_page(call: Call, *, names: FormNames, action: str, token: str, name: str, back: str) -> flask.Response:
    """The page that asks the person whether to sign out; `back` is the registered address that follows, if any."""
    return _page(
        call,
        "sign_out.html",
        200,
        form_targets=("'self'", *((origin_source(back),) if back else ())),
        title="Sign out",
        application=call.application.name,
        names=names,
        action=action,
        request_token=token,
        signed_in=name,
    )


def done_page(call: Call, title: str, message: str) -> flask.Response:
    """A page that says what was done, with nothing more to do."""
    return _page(call, "error.html", 200, form_targets=("'none'",), title=title, message=message)


def _refused(answer: flask.Response) -> flask.Response:
    # a 401 must name a way to authenticate (RFC 9110 section 15.5.2); this one makes no browser ask by itself
    answer.headers["WWW-Authenticate"] = 'Form realm="acrmock"'
    return answer


def error_page(call: Call, message: str, status: int = 400) -> flask.Response:
    """The page for a request that must not be answered by a redirect."""
    return _page(call, "error.html", status, form_targets=("'none'",), title="This sign-in cannot go on", message=message)


def form_post_page(call: Call, redirect_uri: str, fields: Sequence[tuple[str, str]]) -> flask.Response:
    """The page that posts an answer to the redirect URI (OAuth 2.0 Form Post Response Mode section 2).

    It submits itself by the one script that its policy admits, and has a button for browsers without scripts.
    """
    return _page(
        call,
        "form_post.html",
        200,
        form_targets=(origin_source(redirect_uri),),
        script=True,
        title=f"Back to {call.application.name}",
        application=call.application.name,
        action=redirect_uri,
        fields=fields,
    )


def origin_source(url: str) -> str:
    """A source expression for `form-action` that admits `url` (CSP Level 3 section 2.3.1).

    The grammar has no IPv6 literals, so such a redirect URI is admitted by its scheme.
    """
    parts = urlsplit(iri_to_uri(url))  # a header holds no international host, except by its A-labels
    if "[" in parts.netloc:
        return f"{parts.scheme}:"
    return f"{parts.scheme}://{parts.netloc}"


def _page(
    call: Call, template: str, status: int, *, form_targets: Sequence[str], script: bool = False, **values: Any
) -> flask.Response:
    nonce = secrets.token_urlsafe(12)
    html = _templates().get_template(template).render(style_nonce=nonce, environment=call.environment, **values)
    answer = flask.Response(html, status, content_type="text/html; charset=utf-8")
    policy = ["default-src 'none'", f"style-src 'nonce-{nonce}'", f"form-action {' '.join(form_targets)}"]
    policy += ["frame-ancestors 'none'", "base-uri 'none'"]
    if script:
        policy.append(f"script-src 'nonce-{nonce}'")
    answer.headers["Content-Security-Policy"] = "; ".join(policy)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Pragma"] = "no-cache"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["X-Frame-Options"] = "DENY"
    return answer
