"""Compiling the requirement catalogue, the error catalogue and the profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from acrmock.facts.layer import Layer
from acrmock.facts.merge import Entries, Entry, merge
from acrmock.facts.model import ErrorSpec, Fact, Look, Profile, Requirement, Role, Source, Step, Surface, Weight
from acrmock.facts.settings import check_citations, problem_with

ProfileKey = tuple[str, str]


def compile_requirements(layers: Iterable[Layer], sources: Mapping[str, Source]) -> dict[str, Requirement]:
    """The requirement catalogue by id; raises `FactsError` for a missing text or a dangling or circular `presupposes`."""
    entries = _entries(layers, "requirements", "group")
    requirements = {key: _requirement(key, entry, sources) for key, entry in entries.items()}
    for key, requirement in requirements.items():
        for other in requirement.presupposes:
            if other not in requirements:
                raise entries[key].error(f"presupposes {other}, which is no requirement", "presupposes")
        if key in _reached(requirement, requirements):
            raise entries[key].error("presupposes itself in a circle", "presupposes")
    return requirements


def _reached(requirement: Requirement, requirements: Mapping[str, Requirement]) -> set[str]:
    seen: set[str] = set()
    waiting = list(requirement.presupposes)
    while waiting:
        other = waiting.pop()
        if other not in seen and other in requirements:
            seen.add(other)
            waiting += requirements[other].presupposes
    return seen


def _requirement(key: str, entry: Entry, sources: Mapping[str, Source]) -> Requirement:
    check_citations(entry, sources)
    return Requirement(
        id=key,
        group=entry.need("group"),
        text=entry.need("text"),
        weight=Weight(entry.get("weight", "must")),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        hint=entry.need("hint"),
        fails_when=entry.need("fails_when"),
        presupposes=tuple(entry.get("presupposes", ())),
        challenge=entry.get("challenge", False),
        subject=entry.get("subject", "vendor"),
        claim=entry.get("claim", ""),
        note=entry.origin.note,
        layer=entry.origin.layer,
    )


def compile_errors(layers: Iterable[Layer], sources: Mapping[str, Source]) -> dict[str, ErrorSpec]:
    """The error catalogue by code."""
    return {key: _error(key, entry, sources) for key, entry in _entries(layers, "errors", "surface").items()}


def _error(key: str, entry: Entry, sources: Mapping[str, Source]) -> ErrorSpec:
    check_citations(entry, sources)
    return ErrorSpec(
        code=key,
        surface=Surface(entry.need("surface")),
        status=entry.need("status"),
        title=entry.need("title"),
        trigger=entry.need("trigger"),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        look=Look(entry.get("look", Look.OAUTH if entry.get("oauth_error", "") else Look.PROBLEM)),
        operations=tuple(entry.get("operations", ())),
        rule_only=entry.get("rule_only", False),
        after_reading=entry.get("after_reading", False),
        oauth_error=entry.get("oauth_error", ""),
        headers=dict(entry.get("headers", {})),
        hint=entry.get("hint", ""),
        note=entry.origin.note,
        layer=entry.origin.layer,
    )


def _entries(layers: Iterable[Layer], table: str, family: str) -> Entries:
    """The merged entries of a table; a new entry belongs to its file's family (group or surface)."""
    entries: Entries = {}
    for layer in layers:
        patches = dict(layer.data[table])
        for key, patch in patches.items():
            fresh = patch is not None and (key not in entries or patch.get("replace"))
            if fresh:
                patches[key] = {**patch, family: layer.data[family]}
            if layer.shipped and key in entries:
                raise layer.error(f"{key} stands in another layer too", (table, key))
        merge(entries, patches, layer, (table,))
    return entries


def compile_profiles(
    layers: Iterable[Layer],
    sources: Mapping[str, Source],
    requirements: Mapping[str, Requirement],
    settings: Mapping[str, Fact],
    registries: Iterable[str],
) -> dict[ProfileKey, Profile]:
    """The profiles by name and revision; raises `FactsError` for an unknown requirement, registry or setting."""
    entries: dict[ProfileKey, Entry] = {}
    for layer in layers:
        key = (layer.data["profile"], layer.data["revision"])
        merged: Entries = {"profile": entries[key]} if key in entries else {}
        data = {name: value for name, value in layer.data.items() if name not in {"schema", "kind", "profile", "revision"}}
        merge(merged, {"profile": data}, layer, ())
        entries[key] = Entry(
            data=merged["profile"].data,
            origin=merged["profile"].origin,
            origins=merged["profile"].origins,
            layer=layer,
            path=(),
        )
    known = set(registries)
    for entry in entries.values():
        check_citations(entry, sources)
        _check_profile(entry, requirements, settings, known)
    return {key: _profile(key, entry, requirements) for key, entry in entries.items()}


def _profile(key: ProfileKey, entry: Entry, requirements: Mapping[str, Requirement]) -> Profile:
    joins = tuple(entry.get("joins", ()))
    groups = tuple(entry.get("groups", ()) if joins else entry.need("groups"))
    stated: Mapping[str, str] = entry.get("weights", {})
    checks = frozenset(entry.get("checks", ()))
    narrowed = {requirements[name].group for name in checks}
    chosen = [
        item for item in requirements.values() if item.group in groups and (item.group not in narrowed or item.id in checks)
    ]
    chosen.sort(key=lambda requirement: groups.index(requirement.group))
    weights = {item.id: Weight(stated[item.id]) if item.id in stated else _default(item) for item in chosen}
    return Profile(
        name=key[0],
        revision=key[1],
        title=entry.need("title"),
        registries=tuple(entry.get("registries", ())),
        groups=groups,
        weights=weights,
        claims=tuple(entry.get("claims", ())),
        default_claims=tuple(entry.get("default_claims", ())),
        steps=tuple(_step(step) for step in entry.get("steps", ())),
        settings=dict(entry.get("settings", {})),
        provenance=entry.origin.provenance,
        sources=entry.origin.sources,
        coverage_bar=float(entry.get("coverage_bar", 0)),
        local=entry.get("local", False),
        joins=joins,
        checks=tuple(entry.get("checks", ())),
        role=Role(entry.get("role", "")),
        topology=tuple(entry.get("topology", ())),
        prefers=entry.get("prefers", ""),
        note=entry.origin.note,
        layer=entry.origin.layer,
    )


def _default(requirement: Requirement) -> Weight:
    return Weight.NOT_SCORED if requirement.challenge else requirement.weight


def _step(data: Mapping[str, Any]) -> Step:
    return Step(
        name=data["name"],
        text=data["text"],
        timeout=float(data.get("timeout", 60)),
        directives=dict(data.get("directives", {})),
    )


def _check_profile(
    entry: Entry,
    requirements: Mapping[str, Requirement],
    settings: Mapping[str, Fact],
    registries: set[str],
) -> None:
    groups = {requirement.group for requirement in requirements.values()}
    judged = entry.get("groups", ()) if entry.get("joins") else entry.need("groups")
    for group in judged:
        if group not in groups:
            raise entry.error(f"there is no group {group}", "groups")
    _check_names(entry, requirements, judged)
    for registry in entry.get("registries", ()):
        if registry not in registries:
            raise entry.error(f"names the registry {registry}, which is not known", "registries")
    for key, value in entry.get("settings", {}).items():
        reason = problem_with(settings[key], value) if key in settings else "there is no such setting"
        if reason:
            raise entry.error(f"setting {key}: {reason}", "settings")


def _check_names(entry: Entry, requirements: Mapping[str, Requirement], judged: Iterable[str]) -> None:
    """Every requirement that the profile names exists, in a group that is judged."""
    for place, verb in (("weights", "weighs"), ("checks", "checks")):
        for check in entry.get(place, ()):
            if check not in requirements:
                raise entry.error(f"{verb} {check}, which is no requirement", place)
            if requirements[check].group not in judged:
                raise entry.error(f"{verb} {check}, whose group {requirements[check].group} is not judged", place)
