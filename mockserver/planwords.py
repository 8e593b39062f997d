"""Plans by word: the texts of a layer as plans, and the transaction IDs that ask for one by themselves."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from acrmock.errors import SetupError
from acrmock.typed import convert
from mockserver.plans import Plan

ENABLED, PREFIX, WORDS = "nrdr.magic.enabled", "nrdr.magic.prefix", "nrdr.magic.words"
_NUMBER = {
    "after": "seconds", "polls": "count", "hold": "at", "fail": "step", "partial": "reject", "superseded": "seconds",
}  # fmt: skip


class _Held(msgspec.Struct, frozen=True):
    """A plan; a union has no class of its own to be read as."""

    plan: Plan


class Settings(Protocol):
    """As much of the settings as is needed here."""

    def text(self, key: str) -> str:
        """A text."""
        ...

    def flag(self, key: str) -> bool:
        """Yes or no."""
        ...

    def mapping(self, key: str) -> Any:
        """A mapping of texts."""
        ...


def plan_of(text: str, where: str = WORDS) -> Plan:
    """The plan that `text` names by its kind and number, such as `hold 2`; raises `SetupError` where it names none."""
    kind, *numbers = text.split() or [""]
    values = [float(number) if "." in number else int(number) for number in numbers if number.replace(".", "", 1).isdigit()]
    name = _NUMBER.get(kind)
    try:
        if len(values) != len(numbers) or len(numbers) > (name is not None):
            raise ValueError(text)
        return convert({"plan": {"kind": kind, **({name: values[0]} if values and name else {})}}, _Held).plan
    except (ValueError, msgspec.ValidationError) as error:
        kinds = ", ".join(("immediate", *_NUMBER))
        raise SetupError("a layer names a plan that there is not", where=where, expected=kinds, actual=text[:80]) from error


def asked(settings: Settings, transaction_id: str) -> Plan | None:
    """The plan that a transaction ID asks for, or None; a word that the layer does not have asks for nothing."""
    prefix = settings.text(PREFIX)
    if not prefix or not transaction_id.startswith(prefix) or not settings.flag(ENABLED):
        return None
    text = settings.mapping(WORDS).get(transaction_id[len(prefix) :].partition(".")[0])
    return plan_of(text) if text is not None else None
