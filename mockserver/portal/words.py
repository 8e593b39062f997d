"""What the layers say of files: whose words a registry's files have, what a name must be like, which plan is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from acrmock.errors import SetupError
from mockserver import planwords
from mockserver.context import Settings
from mockserver.plans import After, Immediate, Plan
from mockserver.portal.eastern import night_after
from mockserver.portal.model import FileStatus

if TYPE_CHECKING:
    from acrmock.facts import Facts, MappingVersion

PLANS, OTHERS, APP = "portal.plans", "*", "app"
MOST_GROUPS = 100
CHANNELS = ("portal", "mips", APP)


def check(facts: Facts) -> None:
    """Whether the layers' plans, patterns and numbers of files can be used; raises `SetupError`, which names the setting."""
    for text in facts.mapping(planwords.WORDS).values():
        planwords.plan_of(text)
    for text in facts.mapping(PLANS).values():
        kind, _, rest = text.partition(" ")
        if kind == "end" and rest not in tuple(FileStatus):
            raise SetupError("a layer names a status that there is not", where=PLANS, expected=", ".join(FileStatus), actual=rest)
        if kind not in {"end", "overnight"}:
            planwords.plan_of(text, PLANS)
    _word_of(facts)
    for key in ("portal.name.pattern", "portal.name.form_pattern"):
        value = facts.fact(key).value
        for pattern in value.values() if isinstance(value, Mapping) else (value,):
            _compiles(key, pattern)
    for kind, number in ((kind, str(many)) for kind, many in facts.mapping("portal.format.groups").items()):
        if not number.isdigit() or not 0 < int(number) <= MOST_GROUPS:
            raise SetupError("not a number of records", where=f"portal.format.groups {kind}", expected=f"1 to {MOST_GROUPS}")


def _word_of(facts: Facts) -> None:
    """Whether each channel that a layer names has the words that any file may come to."""
    for channel in (*facts.mapping("portal.channel").values(), *CHANNELS):
        for key in (FileStatus.PENDING, FileStatus.SUCCESSFUL, FileStatus.REJECTED):
            facts.text(f"portal.word.{channel}.{key}")
    facts.text(f"portal.word.{APP}.{FileStatus.VALIDATION_FAILED}")


def _compiles(key: str, pattern: str) -> None:
    try:
        re.compile(pattern.replace("{registry}", "x").replace("{form}", "x"))
    except re.error as error:
        raise SetupError("a layer's pattern cannot be used", where=key, actual=f"{pattern[:80]}: {error}") from error


def words(facts: Facts, channel: str) -> Mapping[FileStatus, str]:
    """The status words of a channel, by key; a status for which it has none never comes."""
    keys = ((key, f"portal.word.{channel}.{key}") for key in FileStatus)
    return {key: facts.text(setting) for key, setting in keys if setting in facts.settings}


def channel_of(facts: Facts, registry: str) -> str:
    """Whose status words the files of a registry have."""
    named = facts.mapping("portal.channel")
    return named.get(registry, named[OTHERS])


def shown_name(facts: Facts, version: MappingVersion) -> str:
    """What a file's name must be like, for a person."""
    if version.form:
        return f"{version.registry}_{version.form.replace('-', '_')}_<free text>"
    named = facts.mapping("portal.name.shown")
    return named.get(version.registry, named[OTHERS]).replace("{registry}", version.registry)


def format_of(facts: Facts, version: MappingVersion, name: str) -> str:
    """The format of a file by its name, or empty where the name is not as it must be."""
    if version.form:
        pattern = facts.text("portal.name.form_pattern").replace("{form}", re.escape(version.form.replace("-", "_")))
    else:
        named = facts.mapping("portal.name.pattern")
        pattern = named.get(version.registry, named[OTHERS])
    pattern = pattern.replace("{registry}", re.escape(version.registry))
    for kind, suffix in facts.mapping("portal.format.suffixes").items():
        stem = name[: -len(suffix)] if name.lower().endswith(suffix) else ""
        if stem and plain(name) and re.fullmatch(pattern, stem, re.IGNORECASE):
            return kind
    return ""


def plain(name: str) -> bool:
    """Whether a name is no path, and nothing but printable characters."""
    return name.isprintable() and not set(name) & set('/\\:*?"<>|') and ".." not in name


@dataclass(frozen=True, slots=True)
class Planned:
    """The plan of a file: its word in the layer, what it is, and the status that it names, if it names one."""

    word: str
    plan: Plan
    forced: str = ""


def planned(facts: Facts, settings: Settings, word: str, now: datetime) -> Planned | None:
    """The plan of that word for what is uploaded `now` (business time); None where the layer has no such word."""
    text = settings.mapping(PLANS).get(word)
    if text is None:
        return None
    kind, _, rest = text.partition(" ")
    if kind == "end":
        return Planned(word, Immediate(), FileStatus(rest))
    if kind == "overnight":
        return Planned(word, After(seconds=(night_after(facts, now) - now).total_seconds()))
    return Planned(word, planwords.plan_of(text, PLANS))


def asked_by_name(settings: Settings, name: str) -> str:
    """The plan's word that a file's name asks for, or empty."""
    _, found, rest = name.partition(settings.text("portal.magic.prefix"))
    word = rest.partition(".")[0]
    return word if found and word in settings.mapping(PLANS) else ""
