"""One registration for several registries: the reference vendor posts, updates and follows up for each of them."""

from __future__ import annotations

import socket
from pathlib import Path

from acrmock.clock import SystemClock
from acrmock.facts import load_facts
from acrmock.typed import convert
from conformance.control import Control
from conformance.plugin import ServerUnderTest
from conformance.vendors.config import Registration
from conformance.vendors.reference import ReferenceVendor
from mockserver import Engine

SLUGS = ("lcsr", "mips", "nmd", "3dp")


def test_the_reference_vendor_serves_every_registry_of_its_registration(tmp_path: Path) -> None:
    """All transactions of all registries are loaded, each registry's exam is updated, and follow-ups go where there are any."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Engine() as engine:
        assert engine.ready is not None
        control = Control(engine.ready.url, engine.ready.control_token, str(engine.ready.ca_file))
        redirect = f"https://localhost:{port}/callback"
        application = ServerUnderTest(control, process=False).register(registry=SLUGS, redirect_url=redirect, label="Several")
        application.settings({"nrdr.status.terminal_after": 0, "nrdr.status.retry_after": 0})
        vendor = ReferenceVendor(
            convert(dict(application), Registration),
            tmp_path / "state.json",
            facts=load_facts(),
            clock=SystemClock(),
            say=lambda _: None,
            browser=application.browse,
        )
        for step in ("sign-in", "submit", "update", "follow-up"):
            vendor.run(step)
    posted = {slug: [sent for sent in vendor.state.sent if sent.registry == slug] for slug in SLUGS}
    assert {slug: len(sent) for slug, sent in posted.items()} == {"lcsr": 4, "mips": 3, "nmd": 4, "3dp": 3}
    assert {sent.status for sent in vendor.state.sent} == {"Posted"}
