"""The report as one HTML file for a person: it needs no network, no server and no script to be read.

A Content-Security-Policy in the page forbids every request and admits only its own style and its own small script, by
their digests (CSP Level 3 section 8.4). All that came over the wires is escaped, and what would hide is made visible.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from conformance.reports import text as words
from conformance.reports.evidence import RecordingLike
from conformance.reports.exchanges import LISTED, SHOWN_WHOLE
from conformance.reports.page import FactsLike, build
from conformance.result import Result

if TYPE_CHECKING:
    from jinja2 import Template

_FOLDER = "templates"


def render(result: Result, recording: RecordingLike | None = None, facts: FactsLike | None = None) -> str:
    """The page; without a recording it has no exchanges, without facts no word on when a vendor fails a check."""
    style, script = _asset("report.css"), _asset("report.js")
    return _template().render(
        page=build(result, recording, facts),
        words=words,
        shown_whole=SHOWN_WHOLE,
        listed=LISTED,
        style=_Raw(style),
        script=_Raw(script),
        policy="; ".join(
            (
                "default-src 'none'",
                f"style-src '{_digest(style)}'",
                f"script-src '{_digest(script)}'",
                "base-uri 'none'",
                "form-action 'none'",
            ),
        ),
    )


class _Raw(str):
    """Our own style or script, which stands in the page as it is."""

    __slots__ = ()

    def __html__(self) -> str:
        return str(self)


def _asset(name: str) -> str:
    text = resources.files(__package__).joinpath(_FOLDER, name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").strip()


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import BaseLoader, Environment, StrictUndefined  # noqa: PLC0415 - heavy: --help must not pay for it

    class Packaged(BaseLoader):
        """Templates from this package, wherever it lies."""

        def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Any]:
            del environment
            return _asset(template), None, None

    environment = Environment(
        autoescape=True,
        loader=Packaged(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    return environment.get_template("report.html.j2")


def _shown(value: Any) -> Any:
    """Every plain string of the page with its hidden characters made visible."""
    return words.visible(value) if type(value) is str else value
