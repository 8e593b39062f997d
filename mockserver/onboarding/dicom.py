"""What a registration says of dose reports: the AE titles that they come from, and the Station Names to configure (S1, D1.6)."""

from __future__ import annotations

from acrmock.dose.text import unpadded
from acrmock.record import FieldProblem
from mockserver.dirlink import stations
from mockserver.dirlink.titles import AE_BYTES, malformed
from mockserver.onboarding.limits import Limits
from mockserver.onboarding.reasons import wrong

Weighed = tuple[tuple[str, ...], list[FieldProblem]]


def check_titles(texts: tuple[str, ...], limits: Limits) -> Weighed:
    """The calling AE titles without padding, and every reason against one (PS3.5 table 6.2-1, AE)."""
    if len(texts) > limits.addresses:
        return (), [wrong("dicom", "too many AE titles", expected=f"at most {limits.addresses}", actual=str(len(texts)))]
    found: list[FieldProblem] = []
    for index, text in enumerate(texts):
        reason = malformed(text.encode("utf-8", "replace")) or ("it is too long" if len(text.strip()) > AE_BYTES else "")
        if reason:
            expected = f"1 to {AE_BYTES} printable ASCII characters"
            found.append(wrong("dicom", f"no AE title: {reason}", expected=expected, actual=text, index=index))
    return tuple(dict.fromkeys(text.strip(" ") for text in texts)), found


def check_stations(texts: tuple[str, ...], limits: Limits) -> Weighed:
    """The Station Names without padding, and every reason against one (PS3.5 table 6.2-1, SH)."""
    if len(texts) > limits.addresses:
        return (), [wrong("station", "too many stations", expected=f"at most {limits.addresses}", actual=str(len(texts)))]
    found: list[FieldProblem] = []
    for index, text in enumerate(texts):
        reason = stations.problem_with(text)
        if reason:
            expected = f"1 to {stations.LONGEST} characters"
            found.append(wrong("station", f"no Station Name: it {reason}", expected=expected, actual=text, index=index))
    return tuple(dict.fromkeys(unpadded(text) for text in texts)), found
