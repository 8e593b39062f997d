"""What the robot user saw at the vendor's door, in the shape of a HAR 1.2 entry; the server redacts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from acrmock.record import Content, HttpRequest, HttpResponse, NameValue, PostData


def observed_request(request: requests.PreparedRequest) -> HttpRequest:
    """A request as it was sent, in the shape of HAR 1.2."""
    url = request.url or ""
    body = request.body or b""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    kind = str(request.headers.get("Content-Type", ""))
    post = PostData(mimeType=kind, text=text, params=_pairs(parse_qsl(text, keep_blank_values=True))) if text else None
    return HttpRequest(
        method=request.method or "GET",
        url=url,
        headers=_pairs(request.headers.items()),
        queryString=_pairs(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
        postData=post,
        bodySize=len(text),
    )


def observed_response(answer: requests.Response) -> HttpResponse:
    """An answer as it was read, in the shape of HAR 1.2."""
    content = answer.content
    kind = answer.headers.get("Content-Type", "")
    return HttpResponse(
        status=answer.status_code,
        statusText=answer.reason or "",
        headers=_pairs(answer.headers.items()),
        content=Content(size=len(content), mimeType=kind, text=content.decode("utf-8", "replace")),
        redirectURL=answer.headers.get("Location", ""),
        bodySize=len(content),
    )


def _pairs(items: Iterable[tuple[Any, Any]]) -> tuple[NameValue, ...]:
    return tuple(NameValue(name=str(name), value=str(value)) for name, value in items)
