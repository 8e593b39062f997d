"""The forms of an HTML page, as a browser's user would find them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True, slots=True)
class Control:
    """One control of a form: its name, its value, and its type (`text`, `password`, `hidden`, `submit`, …).

    `shown` is the one-time code that the page shows for it (`data-code`), if it does.
    """

    name: str
    value: str
    type: str
    checked: bool = False
    shown: str = ""


@dataclass(slots=True)
class Form:
    """One form: where it goes, how, and its controls in the order of the page."""

    action: str
    method: str
    controls: list[Control] = field(default_factory=list)

    def asks_for(self, type_: str) -> bool:
        """Whether the form has a control of that type."""
        return any(control.type == type_ for control in self.controls)

    def button(self, value: str) -> Control | None:
        """The button that carries `value`, if there is one."""
        return next((c for c in self.controls if c.type == "submit" and c.value == value), None)

    def filled(self, answers: dict[str, str], press: Control | None) -> list[tuple[str, str]]:
        """The pairs to send when the fields are filled with `answers` (by name) and the button `press` is pressed."""
        pairs = [(c.name, answers.get(c.name, c.value)) for c in self.controls if c.name and _sends_itself(c)]
        if press is not None and press.name:
            pairs.append((press.name, press.value))
        return pairs


def parse_forms(page: str) -> list[Form]:
    """All forms of a page; a page that is no HTML has none."""
    reader = _FormReader()
    reader.feed(page)
    reader.close()
    return reader.forms


def _sends_itself(control: Control) -> bool:
    if control.type in {"submit", "button", "reset", "image"}:
        return False
    return control.type not in {"checkbox", "radio"} or control.checked


class _FormReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(action=values.get("action", ""), method=values.get("method", "get").lower())
            self.forms.append(self._open)
        elif tag in {"input", "button"} and self._open is not None:
            default = "text" if tag == "input" else "submit"
            kind = (values.get("type") or default).lower()
            self._open.controls.append(
                Control(
                    name=values.get("name", ""),
                    value=values.get("value", ""),
                    type=kind,
                    checked="checked" in values,
                    shown=values.get("data-code", ""),
                )
            )

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
