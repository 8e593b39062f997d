"""Whatever stands in a layer, it is used or refused with a reason; nothing else happens."""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import acrmock
from acrmock.facts import FactsError, load_facts, shipped
from acrmock.facts.layer import Kind

OURS = {"provenance": "mock-choice", "sources": ["MOCK"]}
ELEMENT = {"label": "l", "type": "code", "codes": {"1": "one"}, "level": "submit", "number": 900, "multiple": True, **OURS}
RULE = {"kind": "requires", "when": {"element": "A", "values": ["1"]}, "elements": ["DLP"], "message": "m", **OURS}
DOCUMENTS: dict[Kind, dict[str, Any]] = {
    Kind.SOURCES: {"sources": {"X": {"title": "t", "url": "https://example.org", "seen": "2026-01-01", "kind": "acr"}}},
    Kind.SETTINGS: {"settings": {"gate.refusal_status": {"value": 404, "minimum": 1, "choices": [404], **OURS}}},
    Kind.REGISTRY: {
        "registry": "lcsr",
        "title": "t",
        **OURS,
        "versions": {
            "1.8": {"elements": {"A": ELEMENT}, "rules": {"X-1": RULE}, "key_elements": ["A"], **OURS},
            "1.9": {"extends": "1.8", "in_force_from": "2026-01-01", **OURS},
        },
    },
    Kind.REQUIREMENTS: {
        "group": "tx",
        "requirements": {"tx-x": {"text": "t", "hint": "h", "fails_when": "f", "presupposes": ["tx-schema"], **OURS}},
    },
    Kind.ERRORS: {
        "surface": "nrdr",
        "errors": {"x": {"status": 400, "title": "t", "trigger": "g", "headers": {"A": "b"}, **OURS}},
    },
    Kind.PROFILE: {
        "profile": "x",
        "revision": "1",
        "title": "t",
        "groups": ["tx"],
        "registries": ["lcsr"],
        "weights": {"tx-schema": "must"},
        "settings": {"auth.access_token_lifetime": 4},
        "steps": [{"name": "a", "text": "b", "timeout": 3, "directives": {"x": 1}}],
        **OURS,
    },
    Kind.DOSE: {
        "concepts": {"mine": {"meaning": "m", "written": ["1,99MINE"], "alternates": ["2,99MINE"], **OURS}},
        "units": {"mGy/min": {"dimension": "rate", "factor": 2, "plain": False, **OURS}},
        "elements": {"ct.dlp": {"unit": "Gy.cm", **OURS}},
        "rows": {"mine": {"template": "1", "modalities": ["CT"], "parent": "root", "concept": "mine", "types": ["NUM"], **OURS}},
        "needs": {"mine": {"text": "t", "among": "header", "severity": "warn", "all": ["header.station_name"], **OURS}},
        "roots": {"dose_report": {"collected": False, **OURS}},
        "modalities": {"XA": {"procedures": ["projection"], "collected": False, **OURS}},
        "classes": {"1.2.3": {"name": "n", "dose": True, **OURS}},
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=6) | st.just("1.8"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        found += places(item, (*path, key))
    return found


def tried(tmp_path: Path, data: bytes) -> FactsError | None:
    """What loading an overlay of these bytes raises, if it raises."""
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    try:
        load_facts([path])
    except FactsError as error:
        return error
    return None


@pytest.mark.parametrize("kind", list(Kind))
def test_the_documents_are_good(tmp_path: Path, kind: Kind) -> None:
    """What the next test spoils can be used as it is."""
    document = {"schema": "acrmock/layer/1", "kind": str(kind), **DOCUMENTS[kind]}
    assert tried(tmp_path, json.dumps(document).encode()) is None


@settings(max_examples=250, deadline=None, database=None)
@given(data=st.data())
def test_any_value_anywhere(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A layer with any value at any place is used or refused with its file and a reason."""
    kind = data.draw(st.sampled_from(list(Kind)))
    document: Any = {"schema": "acrmock/layer/1", "kind": str(kind), **copy.deepcopy(DOCUMENTS[kind])}
    *above, last = data.draw(st.sampled_from(places(document)[1:]))
    owner = document
    for key in above:
        owner = owner[key]
    owner[last] = data.draw(VALUES)
    refusal = tried(tmp_path_factory.getbasetemp(), json.dumps(document).encode())
    assert refusal is None or (refusal.reason and refusal.file)


@settings(max_examples=150, deadline=None, database=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Bytes that are no layer are refused, also after a good beginning."""
    base = tmp_path_factory.getbasetemp()
    assert tried(base, data) is not None
    tried(base, b"schema: acrmock/layer/1\nkind: settings\nsettings: " + data)


def test_an_installed_package_finds_its_facts(tmp_path: Path) -> None:
    """Where the package carries `_fixtures`, as a wheel does, those are the facts."""
    package = Path(acrmock.__file__).parent
    shutil.copytree(package, tmp_path / "acrmock", ignore=shutil.ignore_patterns("__pycache__", "_fixtures"))
    shutil.copytree(shipped.root(), tmp_path / "acrmock" / "_fixtures")
    code = "from acrmock.facts import load_facts, shipped; print(shipped.root()); print(load_facts().digest)"
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    folder, digest = run.stdout.split()
    assert Path(folder) == (tmp_path / "acrmock" / "_fixtures").resolve()
    assert digest == load_facts().digest
