"""`acrmock faults`: add, list, remove, the magic words, and what it says of a rule that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner

from conformance.cli.app import run
from conformance.cli.faults import faults
from conformance.control import Control
from mockserver import Engine

Call = Callable[..., str]


@pytest.fixture(scope="module")
def server() -> Iterator[list[str]]:
    """The flags that lead to an engine with an application."""
    with Engine() as engine:
        ready = engine.ready
        assert ready is not None
        body = {"name": "Faulty", "redirect_url": ["https://localhost:8765/callback"], "ip": ["198.51.100.7"]}
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            control.register({**body, "registry": ["lcsr"]})
        yield ["--server", ready.url, "--token", ready.control_token, "--ca-file", str(ready.ca_file)]


@pytest.fixture
def call(server: list[str]) -> Call:
    """Run the verb and give its output."""

    def called(*words: str) -> str:
        done = CliRunner().invoke(faults, [*words, *server], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    return called


def test_rules_come_and_go(call: Call) -> None:
    """A rule as in the help is set, listed with its counts, and taken back by name or with all others."""
    assert "nothing fails on purpose" in call("list")
    assert call("add", "--operation", "nrdr.post", "--error", "unavailable", "--first", "2") == "unavailable: set\n"
    assert call("add", "--effect", "busy 503 5 first 1", "--name", "brief", "--registry", "lcsr") == "brief: set\n"
    assert call("add", "--error", "transaction-conflict", "--value", "Transaction_ID=bad-", "--heal", "1")
    shown = call("list")
    assert "unavailable on nrdr.post first 2 met 0, struck 0" in " ".join(shown.split())
    rules = {rule["name"]: rule for rule in json.loads(call("list", "--format", "json"))}
    assert rules["brief"]["effect"] == {"kind": "busy", "status": 503, "retry_after": 5}
    assert rules["brief"]["trigger"] == {"kind": "first", "count": 1}
    assert rules["transaction-conflict"]["value"] == {"name": "Transaction_ID", "prefix": "bad-"}
    assert call("remove", "brief") == "brief: removed\n"
    assert sorted(call("remove", "--all").split()) == ["removed", "removed", "transaction-conflict:", "unavailable:"]
    assert "nothing fails on purpose" in call("list")


@pytest.mark.parametrize(
    "words",
    [
        ("add",),
        ("add", "--error", "unavailable", "--effect", "drop"),
        ("add", "--error", "no-such-error"),
        ("add", "--effect", "explode"),
        ("add", "--effect", "busy 503 1 2 3"),
        ("add", "--effect", "delay x"),
        ("add", "--effect", "drop", "--once", "--first", "2"),
        ("add", "--effect", "drop", "--value", "nothing"),
        ("add", "--effect", "drop", "--operation", "no.such"),
        ("remove", "never-set"),
        ("remove",),
        ("remove", "a", "--all"),
    ],
)
def test_what_cannot_be(server: list[str], words: tuple[str, ...]) -> None:
    """A rule that contradicts itself or names what is not there is a usage error, and nothing is set."""
    assert run(["faults", *words, *server]) == 2


def test_magic_words() -> None:
    """The words are those of the facts, with what each does."""
    done = CliRunner().invoke(faults, ["words"])
    assert "acrmock-fault.busy-twice          busy 503 1 first 2" in done.output
    told = json.loads(CliRunner().invoke(faults, ["words", "--format", "json"]).output)
    assert told["enabled"] is True
    assert "transaction-conflict" in told["errors"]
