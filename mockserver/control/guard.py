"""Who may speak to the control API: a request that names this server, from no foreign page, with the token.

A page in somebody's browser can be made to send requests here under another name (DNS rebinding); it then shows in `Host`
and `Origin`. An IP literal cannot be rebound, so it passes as `Host`.
"""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import urlsplit

from mockserver.control.errors import Code, refuse

LOOPBACK_NAMES = frozenset({"localhost", "localhost."})


def host_name(host: str) -> str:
    """The host of a `Host` header or authority, without port, in lower case; empty where it is malformed."""
    if set(host) & set("@/?#\\ "):
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def check_host(host: str, public_url: str) -> None:
    """Raise 403 unless `host` names this server: loopback, an IP literal, or the host of the public URL."""
    name = host_name(host)
    if name and (name in LOOPBACK_NAMES or _is_literal(name) or name == (urlsplit(public_url).hostname or "").lower()):
        return
    raise refuse(Code.ORIGIN_REFUSED, f"Host: {host[:80]!r}", hint="use the server's own URL, or start it with --public-url")


def check_origin(origin: str | None, host: str, public_url: str) -> None:
    """Raise 403 where a browser says that a page of another origin asks (Fetch standard, `Origin`)."""
    if origin is None:
        return
    own = {_origin(public_url), *(f"{scheme}://{host.lower()}" for scheme in ("https", "http"))}
    if origin.lower() not in own:
        raise refuse(Code.ORIGIN_REFUSED, f"Origin: {origin[:80]!r}")


def check_token(authorization: str | None, token: str) -> None:
    """Raise 401 without a token and 403 for another than the control token, compared in constant time."""
    scheme, _, given = (authorization or "").partition(" ")
    if not given or scheme.lower() != "bearer":
        raise refuse(Code.TOKEN_MISSING, "Authorization: Bearer TOKEN", hint="the token stands in ready.json of the data folder")
    if not hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode()):
        raise refuse(Code.TOKEN_WRONG, hint="ready.json of the data folder has this server's token")


def _is_literal(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
