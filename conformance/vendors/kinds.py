"""Which vendors go with a profile: the client of the registries, or a sender of dose reports; right ones and broken ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.facts import Facts, Profile
from acrmock.facts.model import Role
from conformance.vendors import faults
from conformance.vendors.config import Registration

DEFAULT_CALLING_AE = "SENDER"
WITHOUT_SIGN_IN = ("apply-addresses", "apply-addresses:private", "apply-name", "allow-registered", "allow-all-used")
"""The faults of a registration that a vendor without a sign-in and without a registry can have."""


INAPPLICABLE: Mapping[Role, tuple[str, ...]] = {
    Role.MODALITY: ("dir-pass-through", "dir-pass-through-bytes", "dir-selective"),
    Role.RDIM: ("dir-selective", "dir-valid", "dir-template", "dir-station", "dir-soon"),
    Role.PACS: ("dir-valid", "dir-template", "dir-station", "dir-soon", "dir-pass-through-bytes"),
}


class Vendor(Protocol):
    """A vendor's client."""

    def run(self, step: str = "") -> None:
        """Do one step of the profile, or the whole job when `step` is empty."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a vendor is made with; `listen` and `folder` are where a forwarder takes its reports."""

    registration: Registration
    state: Path
    facts: Facts
    clock: Clock
    say: Callable[[str], None]
    certificate: tuple[Path, Path] | None = None
    browser: Callable[[str], object] | None = None
    listen: tuple[str, int] | None = None
    folder: Path | None = None
    calling_ae: str = DEFAULT_CALLING_AE
    finished: Callable[[], bool] | None = None


def broken_of(profile: Profile) -> Mapping[str, str]:
    """The broken vendors of a profile by name (a check, or `CHECK:VARIANT`), and in a sentence what each does wrong."""
    if profile.role is not Role.NONE:
        from conformance.vendors.senders.broken import broken_senders

        own = {name: (kind.__doc__ or "").partition("\n")[0] for name, kind in broken_senders(profile.role).items()}
        return {name: faults.WRONG[name] for name in WITHOUT_SIGN_IN if name in faults.WRONG} | own
    return {name: faults.what_is_wrong(name) for name in faults.broken_vendors()}


def inapplicable_to(profile: Profile) -> frozenset[str]:
    """The checks that a sender of that role cannot fail: a modality forwards nothing, a forwarder writes no report itself."""
    return frozenset(INAPPLICABLE.get(profile.role, ()))


def check_name(profile: Profile, name: str | None) -> None:
    """Raise `SetupError` when the profile has no vendor that is broken in that way."""
    known = broken_of(profile)
    if name is not None and name not in known:
        expected = ", ".join(sorted(known))
        raise SetupError("there is no vendor broken in that way", where="--broken", expected=expected, actual=name[:80])


def vendor_of(profile: Profile, broken: str | None, around: Surroundings) -> Vendor:
    """The vendor of a profile, broken in the way named (None: the reference); raises `SetupError` where there is none."""
    check_name(profile, broken)
    if profile.role is not Role.NONE:
        return _sender(profile.role, broken, around)
    from conformance.vendors.broken import vendor_for

    return vendor_for(broken)(
        around.registration,
        around.state,
        facts=around.facts,
        clock=around.clock,
        say=around.say,
        certificate=around.certificate,
        browser=around.browser,
    )


def _sender(role: Role, broken: str | None, around: Surroundings) -> Vendor:
    from conformance.vendors.senders.broken import broken_senders, sender_for
    from conformance.vendors.senders.reference import Given
    from conformance.vendors.senders.scu import Peer

    address = around.registration.dicom
    if address is None:
        raise SetupError("the registration has no DICOM address", fix="start the server with --dicom-port")
    given = Given(
        dicom=Peer(ae_title=address.ae_title, host=address.host, port=address.port),
        stations=around.registration.stations,
        listen=around.listen,
        folder=around.folder,
        calling_ae=around.calling_ae,
        finished=around.finished,
    )
    kind = sender_for(role, broken if broken in broken_senders(role) else None)
    return kind(given, clock=around.clock, say=around.say)
