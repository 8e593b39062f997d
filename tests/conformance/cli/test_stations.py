"""`acrmock stations`: configure, list, take back, and what it says of a name that cannot be."""

from __future__ import annotations

import json

from click.testing import CliRunner

from conformance.cli.app import run
from conformance.cli.stations import stations
from conformance.control import Control
from mockserver import Engine


def test_stations_come_and_go() -> None:
    """What is added is listed with its facility, what is removed is not."""
    with Engine() as engine:
        ready = engine.ready
        assert ready is not None
        server = ["--server", ready.url, "--token", ready.control_token, "--ca-file", str(ready.ca_file)]
        body = {"name": "Dose", "redirect_url": ["https://localhost:8765/callback"], "ip": ["198.51.100.7"], "registry": ["lcsr"]}
        with Control(ready.url, ready.control_token, str(ready.ca_file)) as control:
            facility = control.register(body)["facility_id"]
            control.register({**body, "name": "Second"})
        runner = CliRunner()

        def call(*words: str) -> str:
            done = runner.invoke(stations, [*words, *server], catch_exceptions=False)
            assert done.exit_code == 0, done.output
            return done.output

        assert call("list") == (
            "no station is configured for application default: every report sent to it is held\n"
            "  --application names another of: default, second\n"
        )
        assert call("add", "CT1", "CT ROOM 2") == "CT1: configured\nCT ROOM 2: configured\n"
        assert [(one["name"], one["facilities"]) for one in json.loads(call("list", "--format", "json"))] == [
            ("CT ROOM 2", [facility]),
            ("CT1", [facility]),
        ]
        assert call("remove", "CT1") == "CT1: removed\n"
        assert "CT1 " not in call("list")
        assert run(["stations", "remove", "CT1", *server]) == 2
        assert run(["stations", "add", "A NAME THAT IS TOO LONG", *server]) == 2
