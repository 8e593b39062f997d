"""Redirect URLs and links: absolute, https, and nothing in them that could send a code elsewhere.

Sources: S2 (https), RFC 6749 section 3.1.2 (absolute, no fragment), RFC 9700 section 2.1 (exact match, so no wildcard),
RFC 3986 (syntax). Hosts may be names (also international ones), addresses or loopback; any port but 0.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from acrmock.record import FieldProblem
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import hidden_characters, named, shown, wrong

HTTPS = "https"
_SPLIT = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#\\]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[\s<>\"{}|\\^`]")


@dataclass(frozen=True, slots=True)
class _Parts:
    """A URL taken apart by RFC 3986 appendix B; None where a part is absent."""

    scheme: str | None
    authority: str | None
    path: str
    query: str | None
    fragment: str | None

    @property
    def user_info(self) -> bool:
        return "@" in (self.authority or "")

    @property
    def host_and_port(self) -> str:
        return (self.authority or "").rpartition("@")[2]


def check_url(field: str, url: str, limits: Limits, *, index: int | None = None) -> list[FieldProblem]:
    """Every reason why `url` cannot be registered in `field`; empty when it can."""
    if len(url) > limits.url_length:
        reason = "the URL is too long"
        return [
            wrong(field, reason, expected=f"at most {limits.url_length} characters", actual=f"{len(url)} characters", index=index)
        ]
    if not url:
        return [wrong(field, "the URL is empty", expected="https://HOST/PATH", actual="", index=index)]
    actual = without_user_info(url)
    return [wrong(field, reason, expected=expected, actual=actual, index=index) for reason, expected in _faults(url)]


def without_user_info(url: str) -> str:
    """`url` with a user name and password in it masked, shortened, fit to be written down."""
    parts = _parts(url[:8192])
    if parts.user_info and parts.authority is not None:
        url = url.replace(parts.authority, f"***@{parts.host_and_port}", 1)
    return shown(url, 2048)


def _parts(url: str) -> _Parts:
    match = _SPLIT.fullmatch(url)
    return _Parts(*match.groups()) if match else _Parts(None, None, url, None, None)


def _faults(url: str) -> list[tuple[str, str]]:
    """(reason, expected) of each fault in `url`."""
    if hidden := hidden_characters(url):
        return [(f"the URL holds characters that cannot be seen: {named(hidden)}", "printable characters")]
    parts = _parts(url)
    found: list[tuple[str, str]] = []
    if parts.scheme is None or not parts.authority:
        found.append(("the URL is not absolute", "https://HOST/PATH"))
    if parts.scheme is not None and parts.scheme.lower() != HTTPS:
        found.append((f"the scheme is {shown(parts.scheme, 20)}", HTTPS))
    if parts.user_info:
        found.append(("the URL holds a user name or password", "no user info"))
    if parts.fragment is not None:
        found.append(("the URL has a fragment", "no fragment"))
    if "*" in url:
        found.append(("the URL has a wildcard", "the exact URL, compared byte for byte"))
    found += _host_faults(parts.host_and_port) if parts.authority else []
    return found + _text_faults(parts)


def _text_faults(parts: _Parts) -> list[tuple[str, str]]:
    rest = parts.path + (parts.query or "")
    found = []
    if _UNSAFE.search(rest) or _UNSAFE.search(parts.authority or ""):
        found.append(("the URL holds a character that no URL may hold unescaped", "RFC 3986 characters"))
    if not rest.isascii():
        found.append(("path and query hold characters beyond ASCII", "percent-encoded UTF-8"))
    if _BAD_PERCENT.search(rest):
        found.append(("a percent sign is not followed by two hexadecimal digits", "%XX"))
    return found


def _host_faults(host_and_port: str) -> list[tuple[str, str]]:
    bracket = host_and_port.rfind("]")
    colon = host_and_port.find(":", bracket + 1)
    host, port = (host_and_port, "") if colon < 0 else (host_and_port[:colon], host_and_port[colon:])
    found = []
    if port and not _valid_port(port[1:]):
        found.append(("the port is not one", "1 to 65535"))
    if not host:
        found.append(("the URL has no host", "https://HOST/PATH"))
    elif "*" not in host and not _valid_host(host):
        found.append((f"the host is not one: {shown(host, 80)}", "a host name or an IP address"))
    return found


def _valid_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 1 <= int(text) <= 65535


def _valid_host(host: str) -> bool:
    """A registered name of RFC 1123 labels (international ones by their A-labels), an IPv4 or a bracketed IPv6 address."""
    if host.startswith("["):
        return host.endswith("]") and "%" not in host and _is_address(host[1:-1], 6)
    ascii_host = _a_labels(host)
    if ascii_host is None or len(ascii_host) > 253:
        return False
    labels = ascii_host.removesuffix(".").split(".")
    if labels[-1].isdecimal():
        return _is_address(ascii_host, 4)
    return all(_LABEL.fullmatch(label) for label in labels)


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _a_labels(host: str) -> str | None:
    if host.isascii():
        return host
    if len(host) > 253:
        return None
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return None
