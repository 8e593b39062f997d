"""What a person does in a browser, for the witnesses: opens the sign-in page, fills the form and lands on the redirect URL."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import urljoin

import requests


class Form(HTMLParser):
    """The first form of a page: where it goes, its hidden fields, and the codes that it shows."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.codes: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a form needs."""
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        if tag == "input" and values.get("type") == "hidden":
            self.fields[values["name"]] = values.get("value", "")
        if tag == "input" and values.get("data-code"):
            self.codes[values["name"]] = values["data-code"]


def sign_in(url: str, user: dict[str, str], ca_file: str, decision: str = "allow") -> str:
    """The redirect URL with its parameters after `user` signed in at `url` and took `decision`."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = ca_file, False  # REQUESTS_CA_BUNDLE would go before `verify`
        page = browser.get(url, allow_redirects=False, timeout=10)
        assert page.status_code == 200, page.text
        form = Form()
        form.feed(page.text)
        fields = {**form.fields, "username": user["username"], "password": user["password"], "decision": decision}
        answer = browser.post(urljoin(url, form.action or url), data=fields, allow_redirects=False, timeout=10)
        if answer.status_code == 200:  # the second step, which shows its code
            form = Form()
            form.feed(answer.text)
            assert form.codes, answer.text
            fields = {**form.fields, **form.codes, "decision": decision}
            answer = browser.post(urljoin(url, form.action), data=fields, allow_redirects=False, timeout=10)
        assert answer.status_code == 303, (answer.status_code, answer.text)
        return answer.headers["Location"]
