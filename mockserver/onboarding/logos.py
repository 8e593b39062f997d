"""The logo for the list of certified partners: a PNG of a fixed size with a web link (S2, requirement apply-logo)."""

from __future__ import annotations

import base64
import binascii

from acrmock.record import FieldProblem
from mockserver.onboarding import png
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.model import Logo
from mockserver.onboarding.reasons import wrong
from mockserver.onboarding.urls import check_url, without_user_info


def check_logo(logo: str | None, link: str | None, limits: Limits) -> tuple[Logo | None, list[FieldProblem]]:
    """The logo as measured (None where none was given) and what keeps it from the list of partners."""
    if logo is None:
        return None, [wrong("link", "a link was given without a logo", expected="a logo with it")] if link else []
    found = [] if link else [wrong("link", "a logo needs a web link", expected="https://HOST/PATH")]
    if link:
        found += check_url("link", link, limits)
    data, faults = _decoded(logo, limits)
    picture = png.size_of(data)
    measured = Logo(
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        format=_format(data),
        size=len(data),
        link=without_user_info(link or ""),
    )
    return measured, found + (faults or _picture_faults(data, limits))


def _format(data: bytes) -> str:
    """The format as far as the whole file bears it out; a PNG that no page could show is `broken png`."""
    name = png.format_of(data)
    if name == "png":
        try:
            png.read(data)
        except png.NotAPng:
            return "broken png"
    return name


def _decoded(logo: str, limits: Limits) -> tuple[bytes, list[FieldProblem]]:
    if len(logo) > limits.logo_bytes * 4 // 3 + 8:
        return b"", [
            wrong(
                "logo",
                "the logo is too large",
                expected=f"at most {limits.logo_bytes} bytes",
                actual=f"about {len(logo) * 3 // 4} bytes",
            )
        ]
    try:
        return base64.b64decode(logo, validate=True), []
    except (binascii.Error, ValueError):
        return b"", [wrong("logo", "the logo is not base64", expected="base64 of a PNG file")]


def _picture_faults(data: bytes, limits: Limits) -> list[FieldProblem]:
    expected = f"a PNG of {limits.logo_width} x {limits.logo_height} pixels"
    try:
        picture = png.read(data)
    except png.NotAPng as error:
        return [wrong("logo", str(error), expected=expected, actual=f"{len(data)} bytes, {png.format_of(data)}")]
    if (picture.width, picture.height) == (limits.logo_width, limits.logo_height):
        return []
    return [wrong("logo", "the logo has another size", expected=expected, actual=f"{picture.width} x {picture.height} pixels")]
