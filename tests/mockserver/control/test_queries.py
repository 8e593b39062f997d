"""Query parameters and numbers of the control API."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("path", ["/journal", "/journal/await", "/clock", "/plans"])
def test_a_misspelt_filter_is_refused(house: Any, path: str) -> None:
    """A parameter that a call has not is 422 and names it, for a filter that is ignored lets everything through."""
    answer = house.call("GET", f"/_acrmock{path}?aplication=default")
    assert answer.status_code == 422
    assert answer.json["fields"][0]["element"] == "aplication"


@pytest.mark.parametrize("text", ["", "1.5", "1e3", " 1", "1_000", "\u0661", "nan", "-1", "9007199254740993"])
def test_what_is_no_entry_number_is_refused(house: Any, text: str) -> None:
    """`after` is written in digits and at most 2**53, compared as the integer that it is."""
    assert house.call("GET", "/_acrmock/journal", query_string={"after": text}).status_code == 422


@pytest.mark.parametrize("text", ["0", "0.0", "1e-05", "0.05"])
def test_a_wait_may_have_a_fraction(house: Any, text: str) -> None:
    """`timeout` is a number of seconds in any form that JSON knows."""
    answer = house.call("GET", "/_acrmock/journal/await", query_string={"timeout": text, "name": "nothing"})
    assert answer.status_code == 408


def test_a_whole_number_may_have_a_point(house: Any) -> None:
    """2.0 is the integer 2 (JSON Schema Core 4.2.1), 2.5 is none."""
    sent = {
        "name": "Whole Numbers",
        "redirect_url": "https://localhost:8765/callback",
        "ip": "198.51.100.7",
        "registry": "lcsr",
        "facility": 2.0,
    }
    answer = house.call("POST", "/_acrmock/applications", json=sent)
    assert answer.status_code == 201, answer.json
    assert len(answer.json["facilities"]) == 2
    assert house.call("POST", "/_acrmock/applications", json={**sent, "facility": 2.5}).status_code == 422
