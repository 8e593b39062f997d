"""A user's overlay changes, adds and removes anything, without code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from acrmock.facts import Facts, FactsError, Provenance, Weight, load_facts, shipped
from acrmock.facts.forms import Form

HEAD = "schema: acrmock/layer/1\n"


def overlaid(tmp_path: Path, *texts: str) -> Facts:
    """The facts under overlays with these texts."""
    paths = []
    for index, text in enumerate(texts):
        path = tmp_path / f"{index}.yaml"
        path.write_text(HEAD + text, encoding="utf-8")
        paths.append(path)
    return load_facts(paths)


GUIDE = "kind: sources\nsources:\n  GUIDE: {title: the guide we were sent, kind: acr, seen: 2026-01-02}\n"

OF_FORM = {Form.UID: "1.2.3", Form.PATH: "/changed", Form.URL: "https://changed.example/x", Form.AE_PREFIX: "CH_"}
"""Another value for settings of a form that not every text has."""


@pytest.mark.parametrize("key", sorted(load_facts().settings))
def test_every_setting_can_be_changed(tmp_path: Path, key: str) -> None:
    """Any setting takes another value of its type, with the overlay's provenance."""
    before = load_facts().fact(key)
    value = before.value
    if isinstance(value, bool):
        written, expected = str(not value).lower(), not value
    elif isinstance(value, (int, float)):
        expected = value + 1 if before.maximum is None or value + 1 <= before.maximum else value - 1
        written = str(expected)
    elif isinstance(value, tuple):
        item = OF_FORM.get(before.form, "changed")
        written, expected = f'["{item}"]', (item,)
    elif isinstance(value, Mapping):
        written, expected = "{changed: other}", {"changed": "other"}
    else:
        expected = before.choices[-1] if before.choices else OF_FORM.get(before.form, "changed")
        written = f'"{expected}"'
    text = f"kind: settings\nsettings:\n  {key}: {{value: {written}, provenance: acr, sources: [GUIDE p. 3]}}\n"
    facts = overlaid(tmp_path, GUIDE, text)
    after = facts.fact(key)
    assert (after.value, after.provenance, after.sources) == (expected, Provenance.ACR, ("GUIDE p. 3",))
    assert after.layer.endswith("1.yaml")
    assert after.title == before.title
    assert facts.digest != load_facts().digest


def test_settings_are_added_and_removed(tmp_path: Path) -> None:
    """`new: true` adds a setting, null removes one, and the last overlay wins."""
    add = "kind: settings\nsettings:\n  nrdr.extra: {value: 1, title: t, new: true, provenance: mock-choice, sources: [MOCK]}\n"
    change = (
        "kind: settings\nsettings:\n  nrdr.extra: {value: 2, provenance: mock-choice, sources: [MOCK]}\n"
        "  onboarding.logo.registries: null\n"
    )
    facts = overlaid(tmp_path, add, change)
    assert facts.integer("nrdr.extra") == 2
    assert "onboarding.logo.registries" not in facts.settings


def test_elements_codes_and_rules_change(tmp_path: Path) -> None:
    """Elements, value lists and rules are changed, added and removed, each attribute with its own origin."""
    text = """kind: registry
registry: lcsr
versions:
  1.8:
    in_force_until: 2027-12-31
    provenance: acr
    sources: [GUIDE]
    elements:
      Smoking_Status:
        codes: {5: vapes, 9: null}
        level: complete
        provenance: acr
        sources: [GUIDE 2]
      Nodule_Size: {label: size, type: number, maximum: 99, unit: mm, provenance: acr, sources: [GUIDE 3]}
      Modality: null
      Exam_Unique_ID: {replace: true, label: other, provenance: acr, sources: [GUIDE]}
    rules:
      DATE-001: null
      COND-014: {message: tell the pack-years, provenance: acr, sources: [GUIDE 4]}
"""
    facts = overlaid(tmp_path, GUIDE, text)
    registry = facts.registry("lcsr")
    assert registry is not None
    version, older = registry.version("1.8"), registry.version("1.7")
    assert version is not None
    assert older is not None
    status = version.element("Smoking_Status")
    assert status is not None
    assert status.code_set == {"1", "2", "3", "4", "5"}
    assert status.origin("codes").provenance is Provenance.ACR
    assert status.provenance is Provenance.THIRD_PARTY
    assert status.provenance_of("codes") is Provenance.THIRD_PARTY
    assert status.level == "complete"
    assert version.element("Nodule_Size") is not None
    assert version.element("Modality") is None
    replaced = version.element("Exam_Unique_ID")
    assert replaced is not None
    assert (replaced.provenance, replaced.max_length) == (Provenance.ACR, None)
    rules = {rule.id: rule for rule in version.rules}
    assert "DATE-001" not in rules
    assert rules["COND-014"].message == "tell the pack-years"
    assert version.in_force_until == date(2027, 12, 31)
    assert older.element("Modality") is not None
    assert older.element("Nodule_Size") is None


def test_a_version_and_a_registry_are_added_and_removed(tmp_path: Path) -> None:
    """A new version inherits; a new registry stands beside LCSR; a version that nothing needs can go."""
    more = """kind: registry
registry: lcsr
versions:
  1.9: {extends: "1.8", in_force_from: 2026-06-01, unknown: "", provenance: acr, sources: [GUIDE]}
  1.0: null
"""
    other = """kind: registry
registry: mam
title: A registry of its own
header_word: MAM
aliases: [mammo]
provenance: acr
sources: [S2]
versions:
  3.4:
    provenance: acr
    sources: [S2]
    elements:
      Exam_Date: {label: date, type: date, level: submit, provenance: mock-choice, sources: [MOCK]}
"""
    facts = overlaid(tmp_path, GUIDE, more, other)
    lcsr, own = facts.registry("lcsr"), facts.registry("mammo")
    assert lcsr is not None
    assert own is not None
    newest = lcsr.default(date(2026, 7, 1))
    assert newest is not None
    assert newest.version == "1.9"
    assert len(newest.elements) == 89
    assert lcsr.version("1.0") is None
    assert [version.version for version in own.versions] == ["3.4"]


def test_requirements_errors_and_profiles_change(tmp_path: Path) -> None:
    """Weights, texts, statuses, headers and steps are data too."""
    requirement = (
        "kind: requirements\ngroup: tx\nrequirements:\n"
        "  tx-mine: {text: t, hint: h, fails_when: f, provenance: mock-choice, sources: [MOCK]}\n"
    )
    error = (
        "kind: errors\nsurface: nrdr\nerrors:\n"
        "  rate-limited: {headers: {Retry-After: '9'}, status: 503, provenance: acr, sources: [GUIDE]}\n"
    )
    profile = (
        "kind: profile\nprofile: lcsr\nrevision: '1'\nweights: {tx-coverage: must, auth-pkce: null}\n"
        "coverage_bar: 1\nprovenance: mock-choice\nsources: [MOCK]\n"
    )
    second = (
        "kind: profile\nprofile: lcsr\nrevision: '2'\ntitle: t\ngroups: [tx]\nlocal: true\n"
        "provenance: mock-choice\nsources: [MOCK]\n"
    )
    facts = overlaid(tmp_path, GUIDE, requirement, error, profile, second)
    assert facts.requirements["tx-mine"].group == "tx"
    assert (facts.errors["rate-limited"].status, facts.errors["rate-limited"].headers) == (503, {"Retry-After": "9"})
    assert facts.errors["rate-limited"].surface == "nrdr"
    first = facts.profile("lcsr", "1")
    assert first.weights["tx-coverage"] is Weight.MUST
    assert first.weights["auth-pkce"] is Weight.SHOULD
    assert first.weights["tx-mine"] is Weight.MUST
    assert first.coverage_bar == 1
    assert facts.profile("lcsr").revision == "2"
    assert facts.profile("lcsr").local


def test_words_stay_text(tmp_path: Path) -> None:
    """Y, N, no, dates and versions are text; true, null and numbers are not."""
    text = """kind: registry
registry: lcsr
versions:
  1.8:
    elements:
      A: {label: No, type: code, codes: {Y: yes, N: no, 2020-01-01: on, 1.10: Off}, provenance: mock-choice, sources: [MOCK]}
"""
    registry = overlaid(tmp_path, text).registry("lcsr")
    version = registry.version("1.8") if registry else None
    element = version.element("A") if version else None
    assert element is not None
    assert element.label == "No"
    assert [(code.code, code.label) for code in element.codes] == [
        ("Y", "yes"),
        ("N", "no"),
        ("2020-01-01", "on"),
        ("1.10", "Off"),
    ]


def test_the_example_in_the_manual_works(tmp_path: Path) -> None:
    """The layer shown in the fixtures' own description does what it says."""
    manual = (shipped.root() / "README.md").read_text(encoding="utf-8")
    example = manual.split("```yaml\n", 1)[1].split("```", 1)[0].removeprefix(HEAD)
    registry = overlaid(tmp_path, example).registry("lcsr")
    version = registry.version("1.8") if registry else None
    assert version is not None
    status = version.element("Smoking_Status")
    assert status is not None
    assert status.code_set == {"1", "2", "3", "4", "5"}
    assert version.element("Modality") is None


def test_a_misspelt_placeholder_is_refused(tmp_path: Path) -> None:
    """A path may lose placeholders, but a name that nothing fills is refused with those that there are."""
    wrong = 'kind: settings\nsettings:\n  nrdr.path.post: {value: "/v{mappin}/x", provenance: acr, sources: [S2]}\n'
    with pytest.raises(FactsError, match="mappin") as caught:
        overlaid(tmp_path, wrong)
    assert "{mapping}" in caught.value.fix
    bare = 'kind: settings\nsettings:\n  nrdr.path.post: {value: "/x", provenance: acr, sources: [S2]}\n'
    assert overlaid(tmp_path, bare).text("nrdr.path.post") == "/x"


def test_a_maximum_below_zero_needs_no_minimum(tmp_path: Path) -> None:
    """An element may have a negative greatest value and no least one; a least above it is refused."""
    text = """kind: registry
registry: lcsr
versions:
  1.8:
    elements:
      Deficit: {{label: d, type: number, maximum: -5, {least}provenance: mock-choice, sources: [MOCK]}}
"""
    registry = overlaid(tmp_path, text.format(least="")).registry("lcsr")
    version = registry.version("1.8") if registry else None
    element = version.element("Deficit") if version else None
    assert element is not None
    assert (element.minimum, element.maximum) == (None, -5)
    with pytest.raises(FactsError, match="above `maximum`"):
        overlaid(tmp_path, text.format(least="minimum: -4, "))
