"""What `acrmock facts show` and `acrmock facts check` print, as data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from acrmock.facts.errors import FactsError
from acrmock.facts.facts import Facts, load_facts
from acrmock.facts.model import Struct
from acrmock.facts.registry import Element, MappingVersion, Registry


class Row(Struct, frozen=True, kw_only=True):
    """One fact shown: `key` selects it, `value` as text, what it is, on whose word, and the layer that says it."""

    key: str
    value: str
    title: str
    provenance: str
    sources: tuple[str, ...]
    note: str = ""
    layer: str = ""


class LayerProblem(Struct, frozen=True, kw_only=True):
    """Why a layer cannot be used: file, line (0: the whole file) and reason."""

    file: str
    line: int
    reason: str
    fix: str = ""


def show(facts: Facts, selector: str = "") -> list[Row]:
    """The facts whose key is `selector`, begins with it and a dot, or has it as one of its parts (all without one), in order.

    Keys: a setting's own (`nrdr.limit.exams`), `registry.SLUG.VERSION.ELEMENT[.CODE]`, `registry.SLUG.VERSION.rule.ID`,
    `registry.SLUG.VERSION.list.KIND`, `requirement.ID`, `error.CODE`, `profile.NAME.REVISION`, `source.KEY`,
    `dose.TABLE.ENTRY`.
    """
    wanted = selector.strip().strip(".")
    families: Iterable[tuple[str, Callable[[Facts], Iterator[Row]]]] = _FAMILIES.items()
    rows = []
    for family, make in families:
        rows += [row for row in make(facts) if _matches(row.key, wanted, family)]
    return rows


def check(paths: Sequence[Path]) -> list[LayerProblem]:
    """What is wrong with a user's layers, each alone first, then all together in order; empty when they can be used."""
    problems = [problem for path in paths if (problem := _tried([path])) is not None]
    if not problems and len(paths) > 1:
        together = _tried(paths)
        problems = [together] if together is not None else []
    return problems


def _tried(paths: Sequence[Path]) -> LayerProblem | None:
    try:
        load_facts(paths).compile_all()
    except FactsError as error:
        return LayerProblem(file=error.file, line=error.line, reason=error.reason, fix=error.fix)
    return None


def _matches(key: str, wanted: str, family: str) -> bool:
    if not wanted or key == wanted or key.startswith(wanted + "."):
        return True
    inner = key.removeprefix(f"{family}.").split(".") if family else ()
    return wanted.removeprefix("acrmock:") in inner


def _row(key: str, value: Any, title: str, thing: Any) -> Row:
    return Row(
        key=key,
        value=_text(value),
        title=title,
        provenance=str(thing.provenance),
        sources=thing.sources,
        note=thing.note,
        layer=thing.layer,
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)


def _settings(facts: Facts) -> Iterator[Row]:
    for key, fact in facts.settings.items():
        yield _row(key, fact.value, fact.title, fact)


def _registries(facts: Facts) -> Iterator[Row]:
    for registry in facts.registries:
        yield _row(f"registry.{registry.slug}", registry.header_word, registry.title, registry)
        for version in registry.versions:
            yield from _version(registry, version)


def _version(registry: Registry, version: MappingVersion) -> Iterator[Row]:
    base = f"registry.{registry.slug}.{version.version}"
    dates = f"{version.in_force_from or '…'} to {version.in_force_until or '…'}"
    title = version.unknown or "mapping version"
    yield _row(base, dates, title, version)
    for element in version.elements:
        yield _row(f"{base}.{element.name}", _shape(element), element.label, element)
        codes = element.origin("codes")
        for code in element.codes:
            yield _row(f"{base}.{element.name}.{code.code}", code.code, code.label, codes)
    for child in version.lists:
        yield _row(f"{base}.list.{child.kind}", f"{child.name} ({child.least} to {child.most})", f"list: {child.label}", child)
    for rule in version.rules:
        yield _row(f"{base}.rule.{rule.id}", f"{rule.kind} ({rule.level})", rule.message, rule)


def _shape(element: Element) -> str:
    parts = [f"list of {element.type}" if element.multiple else str(element.type), str(element.level)]
    if element.max_length is not None:
        parts.append(f"at most {element.max_length} characters")
    if element.minimum is not None or element.maximum is not None:
        parts.append(f"{element.minimum} to {element.maximum} {element.unit}".rstrip())
    return ", ".join(parts)


def _requirements(facts: Facts) -> Iterator[Row]:
    for requirement in facts.requirements.values():
        weight = f"{requirement.weight}{' (challenge)' if requirement.challenge else ''}"
        yield _row(f"requirement.{requirement.id}", weight, requirement.text, requirement)


def _errors(facts: Facts) -> Iterator[Row]:
    for error in facts.errors.values():
        yield _row(f"error.{error.code}", error.status, error.title, error)


def _profiles(facts: Facts) -> Iterator[Row]:
    for profile in facts.profiles.values():
        yield _row(f"profile.{profile.name}.{profile.revision}", profile.groups, profile.title, profile)


def _dose(facts: Facts) -> Iterator[Row]:
    dose = facts.dose
    for concept in dose.concepts.values():
        yield _row(f"dose.concept.{concept.key}", (*concept.written, *concept.alternates), concept.meaning, concept)
    for unit in dose.units.values():
        yield _row(f"dose.unit.{unit.name}", f"{unit.factor:g}", unit.dimension, unit)
    for element in dose.elements.values():
        yield _row(f"dose.element.{element.key}", element.unit or element.tag or element.type, element.title, element)
    for row in dose.rows.values():
        yield _row(f"dose.row.{row.key}", row.types, f"mandatory in TID {row.template} below {row.parent}", row)
    for need in dose.needs.values():
        yield _row(f"dose.need.{need.key}", (*need.all, *need.any), need.text, need)
    for detail in dose.details.values():
        yield _row(f"dose.detail.{detail.concept}", detail.elements, "given to events of an enhanced report's details", detail)
    for root in dose.roots.values():
        title = "makes a dose report" if root.collected else "makes a dose report that the registry does not collect"
        yield _row(f"dose.root.{root.concept}", dose.concepts[root.concept].written, title, root)
    for rule in dose.modalities.values():
        title = "collected" if rule.collected else "not collected"
        yield _row(f"dose.modality.{rule.modality}", (*rule.procedures, *rule.devices, *rule.events), title, rule)
    for sop_class in dose.classes.values():
        yield _row(f"dose.class.{sop_class.uid}", sop_class.uid, sop_class.name, sop_class)


def _sources(facts: Facts) -> Iterator[Row]:
    for source in facts.sources.values():
        yield Row(
            key=f"source.{source.key}",
            value=source.url or "no public address",
            title=" ".join(part for part in (source.title, source.version) if part),
            provenance=str(source.kind),
            sources=(),
            note=f"seen {source.seen}" if source.seen else "",
        )


_FAMILIES: dict[str, Callable[[Facts], Iterator[Row]]] = {
    "": _settings,
    "registry": _registries,
    "requirement": _requirements,
    "error": _errors,
    "profile": _profiles,
    "source": _sources,
    "dose": _dose,
}
