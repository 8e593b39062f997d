"""What a vendor declares when it applies: redirect URLs, links and names, and what is wrong with them.

The mock refuses and the judge fails by these same rules. Sources: S2 (https), RFC 6749 section 3.1.2 (absolute, no fragment),
RFC 9700 section 2.1 (exact match, so no wildcard), RFC 3986 (syntax). Hosts may be names (also international ones), addresses
or loopback; any port but 0.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

Fault = tuple[str, str]
"""The reason, and what is expected instead."""

SHOWN = 120
"""Characters of a value that a reason shows."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HTTPS = "https"
_SPLIT = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#\\]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.DOTALL)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNSAFE = re.compile(r"[\s<>\"{}|\\^`]")


def shown(value: str, limit: int = SHOWN) -> str:
    """`value` fit for a person's eyes: shortened, what cannot be seen written as `U+XXXX`."""
    head = value[:limit]
    text = "".join(f"<U+{ord(char):04X}>" if unicodedata.category(char) in _HIDDEN else char for char in head)
    return text if len(value) <= limit else f"{text}… ({len(value)} characters)"


def hidden_characters(value: str) -> tuple[str, ...]:
    """The characters of `value` that cannot be seen or that reorder text (categories C, line and paragraph separators)."""
    return tuple(dict.fromkeys(char for char in value if unicodedata.category(char) in _HIDDEN))


def named(characters: Iterable[str]) -> str:
    """Characters by their code points, e.g. `U+202E, U+0007`; at most eight."""
    found = [f"U+{ord(char):04X}" for char in characters]
    return ", ".join(found[:8]) + (" …" if len(found) > 8 else "")


def name_faults(name: str, longest: int) -> list[Fault]:
    """Why `name` cannot stand on a sign-in page, with what is expected instead; empty when it can."""
    if not name.strip():
        return [("an application name is needed: people will read it on the sign-in page", "a name")]
    head, found = name[: 4 * longest], []
    if len(name) > longest:
        found.append(("the name is too long", f"at most {longest} characters"))
    if hidden := hidden_characters(head):
        reason = f"the name holds characters that cannot be seen or that reorder text: {named(hidden)}"
        found.append((reason, "printable text"))
    if name != name.strip():
        found.append(("the name begins or ends with white space", shown(name.strip(), 60)))
    if not any(unicodedata.category(char)[0] in "LN" for char in head):
        found.append(("the name has no letter and no digit", "a readable name"))
    return found


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


def without_user_info(url: str) -> str:
    """`url` with a user name and password in it masked, shortened, fit to be written down."""
    parts = _parts(url[:8192])
    if parts.user_info and parts.authority is not None:
        url = url.replace(parts.authority, f"***@{parts.host_and_port}", 1)
    return shown(url, 2048)


def _parts(url: str) -> _Parts:
    match = _SPLIT.fullmatch(url)
    return _Parts(*match.groups()) if match else _Parts(None, None, url, None, None)


def url_faults(url: str, longest: int) -> list[Fault]:
    """Why `url` cannot be registered, with what is expected instead; empty when it can. `longest` is in characters."""
    if len(url) > longest:
        return [("the URL is too long", f"at most {longest} characters")]
    if not url:
        return [("the URL is empty", "https://HOST/PATH")]
    if hidden := hidden_characters(url):
        return [(f"the URL holds characters that cannot be seen: {named(hidden)}", "printable characters")]
    parts = _parts(url)
    found: list[Fault] = []
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


def _text_faults(parts: _Parts) -> list[Fault]:
    rest = parts.path + (parts.query or "")
    found = []
    if _UNSAFE.search(rest) or _UNSAFE.search(parts.authority or ""):
        found.append(("the URL holds a character that no URL may hold unescaped", "RFC 3986 characters"))
    if not rest.isascii():
        found.append(("path and query hold characters beyond ASCII", "percent-encoded UTF-8"))
    if _BAD_PERCENT.search(rest):
        found.append(("a percent sign is not followed by two hexadecimal digits", "%XX"))
    return found


def _host_faults(host_and_port: str) -> list[Fault]:
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
