"""The house is as its papers say: links lead somewhere, verbs exist, the import rule holds, no registry host is named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from acrmock.facts import load_facts
from conformance.cli.app import cli

ROOT = Path(__file__).parent.parent
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("fixtures/*.md"), *ROOT.glob("examples/*/README.md")])
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
VERB = re.compile(r"\bacrmock ([a-z]+)\b")
CONTAINER = "acrmock"
ROOMS = ("acrmock", "synthetic", "mockserver", "conformance")
WHOLE = ("guide.",)
"""Families of settings that are read as what they are made of: a guide's are the keys of other settings."""
FOR_PEOPLE = {"dirlink.tls_port", "onboarding.logo.registries"}
"""Settings that are told, and that no code needs."""


@pytest.mark.parametrize("paper", PAPERS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(paper: Path) -> None:
    """Each relative link of a paper names a file that is there."""
    text = re.sub(r"```.*?```", "", paper.read_text("utf-8"), flags=re.DOTALL)
    dead = [target for target in LINK.findall(text) if not (paper.parent / target).exists()]
    assert dead == []


def test_every_path_of_the_architecture_is_there() -> None:
    """Each file and folder that the one-page map names exists, whole or as the end of a path; and it is one page."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = {name for name in re.findall(r"`([\w./*-]+)`", text) if name.endswith(("/", ".py", ".yaml"))}
    assert len(named) > 80, "the map names hardly a path"
    assert sorted(name for name in named if not any(ROOT.glob(name)) and not any(_somewhere(name))) == []
    assert len(text.splitlines()) <= 110


def _somewhere(name: str) -> Iterator[Path]:
    """What the end of a path may stand for, in the project's own folders."""
    folders = ("acrmock", "synthetic", "mockserver", "conformance", "fixtures", "tests", "tools")
    return (path for folder in folders for pattern in (name, f"*{name}") for path in (ROOT / folder).glob(f"**/{pattern}"))


def test_every_verb_of_the_readme_works() -> None:
    """What the README tells people to type is a verb that `--help` lists."""
    listed = CliRunner().invoke(cli, ["--help"], prog_name="acrmock").output
    code = re.findall(r"`([^`\n]+)`|^\$ (.+)$", (ROOT / "README.md").read_text("utf-8"), flags=re.MULTILINE)
    told = {verb for pair in code for text in pair for verb in VERB.findall(text)} - {CONTAINER}
    assert told, "the README tells of no verb"
    assert sorted(verb for verb in told if not re.search(rf"^  {verb} ", listed, flags=re.MULTILINE)) == []


def test_every_verb_explains_itself_with_an_example() -> None:
    """Each verb that is listed answers `--help` with an example."""
    listed = CliRunner().invoke(cli, ["--help"], prog_name="acrmock").output
    verbs = re.findall(r"^  ([a-z]+)  ", listed.split("Verbs:")[1], flags=re.MULTILINE)
    assert len(verbs) >= 11
    for verb in verbs:
        shown = CliRunner().invoke(cli, [verb, "--help"], prog_name="acrmock")
        assert shown.exit_code == 0, verb
        assert f"acrmock {verb}" in shown.output, verb


def test_the_import_rule_holds() -> None:
    """No arrow points up, none runs in a circle, and the judge's pure part knows no server."""
    linter = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if linter is None:
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


def test_locks_have_hashes_and_name_no_host() -> None:
    """Every pinned package has a hash, and no lock file says where it came from."""
    for name in ("requirements/run.txt", "requirements/dev.txt"):
        text = (ROOT / name).read_text("utf-8")
        pins = re.findall(r"^[a-z0-9][^\s]*==.*(?:\n    .*)*", text, flags=re.MULTILINE)
        assert len(pins) > 20, name
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == [], name
        assert "://" not in text, name
    for name in ("tests/clients/node", "examples/node"):
        node = (ROOT / name / "package-lock.json").read_text("utf-8")
        assert '"integrity"' in node
        assert '"resolved"' not in node


def test_every_setting_is_read() -> None:
    """Each setting of a layer is named in the code, alone or as one of a family, or is among those that are for people."""
    code = "".join(path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    named = set(re.findall(r'"([a-z]\w*(?:\.\w+)+\.?)"', code))
    families = [re.sub(r"\\\{.*?\\\}", "[^.]+", re.escape(text)) for text in re.findall(r'f"([a-z]+\.[\w.]*\{[\w.{}]+)"', code)]
    family = re.compile("|".join(families))
    unread = {
        key
        for key in load_facts().settings
        if key not in named
        and not family.fullmatch(key)
        and not any(key.startswith(name) for name in named if name.endswith(".") and name.count(".") > 1)
        and key.rpartition(".")[0] not in named
        and not key.startswith(WHOLE)
    }
    assert unread == FOR_PEOPLE
    papers = (ROOT / "fixtures" / "README.md").read_text("utf-8")
    assert [key for key in FOR_PEOPLE if f"`{key}`" not in papers] == []
