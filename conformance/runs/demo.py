"""The demonstration: the reference vendor, or a broken one, through a profile on a private server."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acrmock.facts import Facts, Profile, load_facts
from acrmock.facts.model import Role
from conformance.runs.application import DEFAULT_ADDRESS, DEFAULT_STATIONS, ApplicationRequest, claimed
from conformance.runs.certification import Order
from conformance.runs.doses import DosesGiven
from conformance.runs.planting import Target
from conformance.runs.png import grey_png
from conformance.runs.python import command
from conformance.vendors import faults
from conformance.vendors.kinds import Part, check_name, parts_of
from conformance.vendors.senders.address import DEFAULT_CALLING_AE, Peer

FORWARDER = "FORWARDER"
"""The AE title under which the demonstration's forwarder takes reports."""
SETTINGS = {"auth.access_token_lifetime": 2}
"""Seconds: the demonstration waits until a token has expired, and nobody likes to wait."""
STEP_SETTINGS = {"update": {"nrdr.status.terminal_after": 0, "nrdr.status.retry_after": 0}}
"""Statuses take their time while the first exams are submitted; after that the demonstration shows them at once."""


@contextmanager
def order(
    profile: str, out: Path, broken: str | None = None, *, port: int | None = None, overlays: tuple[Path, ...] = ()
) -> Iterator[Order]:
    """The demonstration as an order for a run; raises `SetupError` when no vendor is broken in the way asked for.

    `broken` is a check, or `CHECK:VARIANT`; `port` is that of the vendor's redirect URL (None: a free one);
    `overlays` hold for server, vendor and judge.
    """
    facts = load_facts(overlays)
    known = facts.profile(profile)
    check_name(known, broken)
    port = port or _free_port()
    flags = _flags(known, facts, port)
    fault = faults.REGISTRATIONS.get(broken or "")
    if fault is not None:
        flags = fault(flags)
    size = flags.pop("logo_size", (facts.integer("onboarding.logo.width"), facts.integer("onboarding.logo.height")))
    arguments = ["--broken", broken] if broken else []
    arguments += [part for file in overlays for part in ("--overlay", str(file.resolve()))]
    doses = DosesGiven()
    if known.role is not Role.NONE:
        arguments += ["--calling", *flags["dicom"]]
    if known.role in {Role.RDIM, Role.PACS}:
        doses = DosesGiven(target=Target(peer=Peer(ae_title=FORWARDER, host="127.0.0.1", port=port)))
        arguments += ["--listen", f"{FORWARDER}:{port}"]
    with tempfile.TemporaryDirectory(prefix="acrmock-demo-") as name:
        logo = Path(name) / "logo.png"
        logo.write_bytes(grey_png(*size))
        yield Order(
            profile=profile,
            out=out,
            command=tuple(command("conformance.vendors.__main__", *arguments)),
            application=ApplicationRequest(**flags, logo=logo if "link" in flags else None),
            overlays=overlays,
            doses=doses,
            step_settings={**STEP_SETTINGS, **faults.CONDITIONS.get(broken or "", {})},
        )


def _flags(profile: Profile, facts: Facts, port: int) -> dict[str, Any]:
    """What the demonstration's vendor tells ACR: all of it right."""
    parts = parts_of(profile)
    sends = profile.role is not Role.NONE
    flags: dict[str, Any] = {
        "name": "acrmock reference sender" if parts == (Part.DOSES,) else "acrmock reference vendor",
        "ip": (DEFAULT_ADDRESS,),
        "local_source": ("127.0.0.1/32",),
    }
    if sends:
        flags |= {"dicom": (f"{DEFAULT_CALLING_AE}{port}",), "station": DEFAULT_STATIONS}
    if parts == (Part.DOSES,):
        return flags
    return {
        **flags,
        "redirect_url": (f"https://localhost:{port}/callback",),
        "registry": claimed(profile, facts),
        "settings": SETTINGS,
        "link": "https://example.org/",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
