"""Requests and answers in the shape of HAR 1.2."""

from __future__ import annotations

from acrmock.record.base import Struct


class NameValue(Struct, frozen=True, kw_only=True):
    """A HAR name-value pair."""

    name: str
    value: str


class PostData(Struct, frozen=True, kw_only=True):
    """The body of a request as text (HAR 1.2 `postData`); `params` for a form."""

    mimeType: str = ""  # noqa: N815 - HAR's own name
    text: str = ""
    params: tuple[NameValue, ...] = ()
    truncated: bool = False


class HttpRequest(Struct, frozen=True, kw_only=True):
    """A request in the shape of HAR 1.2, its headers in the order of the wire."""

    method: str
    url: str
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's own name
    headers: tuple[NameValue, ...] = ()
    queryString: tuple[NameValue, ...] = ()  # noqa: N815 - HAR's own name
    postData: PostData | None = None  # noqa: N815 - HAR's own name
    bodySize: int = 0  # noqa: N815 - HAR's own name


class Content(Struct, frozen=True, kw_only=True):
    """The body of an answer as text (HAR 1.2 `content`)."""

    size: int = 0
    mimeType: str = ""  # noqa: N815 - HAR's own name
    text: str = ""
    truncated: bool = False


class HttpResponse(Struct, frozen=True, kw_only=True):
    """An answer in the shape of HAR 1.2."""

    status: int
    statusText: str = ""  # noqa: N815 - HAR's own name
    httpVersion: str = "HTTP/1.1"  # noqa: N815 - HAR's own name
    headers: tuple[NameValue, ...] = ()
    content: Content = Content()
    redirectURL: str = ""  # noqa: N815 - HAR's own name
    bodySize: int = 0  # noqa: N815 - HAR's own name
