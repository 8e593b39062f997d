"""The error catalogue is complete and true: every entry is provoked over the real wires, naturally and by a rule."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from acrmock.facts import load_facts
from mockserver.control.errors import Code
from mockserver.faults import places_of

sys.path.insert(0, str(Path(__file__).parent))

from errors_natural import NATURAL
from errors_walk import Walk, check

FACTS = load_facts()
UNRECORDED = {"environment-unknown", "store-full", "unavailable"}
"""What leaves no entry: a control call's answer, and what is said where nothing can be stored."""
SOURCE = Path(__file__).parents[2] / "mockserver"


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """One engine for the whole walk."""
    made = Walk()
    yield made
    made.close()


@pytest.mark.parametrize("code", sorted(FACTS.errors))
def test_by_its_natural_trigger(walk: Any, code: str) -> None:
    """What the catalogue says of status, media type, headers and body is what a client gets that does what the trigger says."""
    spec = FACTS.errors[code]
    if spec.rule_only:
        assert code not in NATURAL
        return
    unrecorded = spec.surface == "control" or code in UNRECORDED
    check(code, spec, NATURAL[code](walk), control=unrecorded)


@pytest.mark.parametrize("code", sorted(FACTS.errors))
def test_by_a_fault_rule(walk: Any, code: str) -> None:
    """A rule of that name gives the same look, and the record says that it was the rule."""
    spec, places = FACTS.errors[code], places_of(FACTS, code)
    seen = walk.by_rule(code, places)
    control = places[0] == "control"
    check(code, spec, seen, control=control)
    assert seen.fault == ("" if control else f"walk-{code}")


@pytest.mark.parametrize("code", sorted(code for code in FACTS.errors if places_of(FACTS, code)[0] != "control"))
def test_by_a_magic_value(walk: Any, code: str) -> None:
    """Without any rule a value of that name gives the same look; only the control API, where tests set rules, knows none."""
    spec = FACTS.errors[code]
    seen = walk.by_magic(code, places_of(FACTS, code))
    check(code, spec, seen, control=False)
    assert seen.fault == f"magic:{code}"


def test_every_trigger_belongs_to_an_error() -> None:
    """No trigger is left over, so that an error taken out of the catalogue takes its trigger with it."""
    assert set(NATURAL) <= set(FACTS.errors)


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    """No refusal is raised that the catalogue does not know, and none stands in it that no source names."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    raised = set(re.findall(r'(?:Problem|_problem|_listed|_refusal|_refuse|Refusal|Fault)\(\s*"([a-z0-9-]+)"', source)) - {
        "token-"
    }
    raised |= {str(code) for code in Code}
    assert len(raised) > 50
    assert raised <= set(FACTS.errors)


def test_the_page_of_the_docs_is_true(walk: Any) -> None:
    """docs/errors.md is what the generator makes of this run."""
    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("acrmock_tools_error_catalogue", root / "tools" / "error_catalogue.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    made = tool.page(walk)
    assert made == (root / "docs" / "errors.md").read_text(encoding="utf-8"), "run: python tools/error_catalogue.py"
