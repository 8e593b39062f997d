"""Bodies of type application/x-www-form-urlencoded, read strictly enough to be judged and harmless when hostile."""

from __future__ import annotations

from urllib.parse import parse_qsl

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 100


def form_pairs(body: bytes) -> list[tuple[str, str]]:
    """The fields of a form body in order; raises `ValueError` when there are more than a hundred.

    Bytes that are not UTF-8 become U+FFFD, so that what is stored is always text.
    """
    text = body.decode("utf-8", "replace")
    if "%" not in text and "+" not in text:  # nothing is encoded
        if text.count("&") >= MOST_FIELDS:
            raise ValueError("too many fields")
        parted = [part.partition("=") for part in text.split("&") if part]
        return [(name, value) for name, _, value in parted]
    return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace")


def first_value(body: bytes, name: str) -> str:
    """The first value of a field, or nothing where the body has no such field or cannot be read."""
    try:
        return next((value for key, value in form_pairs(body) if key == name), "")
    except ValueError:
        return ""
