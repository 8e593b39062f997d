"""Which vendors go with a profile: clients of the registries, of documents, senders of dose reports; right and broken ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.facts import Facts, Profile
from acrmock.facts.model import Role, Weight
from conformance.vendors import faults
from conformance.vendors.config import Registration
from conformance.vendors.senders.address import DEFAULT_CALLING_AE

WITHOUT_SIGN_IN = ("apply-addresses", "apply-addresses:private", "apply-name", "allow-registered", "allow-all-used")
"""The faults of a registration that a vendor without a sign-in and without a registry can have."""
REGISTERING = (*WITHOUT_SIGN_IN, "apply-redirect-https", "apply-registries", "apply-logo")
"""The faults of a registration that a vendor of documents can have."""
DOCUMENTS = "cdsr"
"""The group of the checks of documents."""

INAPPLICABLE: Mapping[Role, tuple[str, ...]] = {
    Role.MODALITY: ("dir-pass-through", "dir-pass-through-bytes", "dir-selective"),
    Role.RDIM: ("dir-selective", "dir-valid", "dir-template", "dir-station", "dir-soon"),
    Role.PACS: ("dir-valid", "dir-template", "dir-station", "dir-soon", "dir-pass-through-bytes"),
}


class Part(StrEnum):
    """What a vendor's client is for."""

    EXAMS = "exams"
    DOCUMENTS = "documents"
    DOSES = "doses"


STEPS: Mapping[Part, tuple[str, ...]] = {
    Part.EXAMS: ("sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again"),
    Part.DOCUMENTS: ("create", "update"),
    Part.DOSES: ("configure", "exams", "forward"),
}
"""The steps that each part knows."""


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


def parts_of(profile: Profile) -> tuple[Part, ...]:
    """The parts of a vendor's client that a profile asks for; a joined profile asks for several."""
    asked = {
        Part.EXAMS: bool(profile.registries),
        Part.DOCUMENTS: DOCUMENTS in profile.groups,
        Part.DOSES: profile.role is not Role.NONE,
    }
    return tuple(part for part, wanted in asked.items() if wanted) or (Part.EXAMS,)


def broken_of(profile: Profile) -> Mapping[str, str]:
    """The broken vendors of a profile by name (a check, or `CHECK:VARIANT`), and in a sentence what each does wrong.

    What a profile does not score has none: nobody would be caught.
    """
    found: dict[str, str] = {}
    for part in reversed(parts_of(profile)):
        found |= _broken_part(part, profile)
    scored = {check for check, weight in profile.weights.items() if weight is not Weight.NOT_SCORED}
    return {name: words for name, words in found.items() if faults.check_of(name) in scored}


def _broken_part(part: Part, profile: Profile) -> Mapping[str, str]:
    if part is Part.EXAMS:
        return {name: faults.what_is_wrong(name) for name in faults.broken_vendors()}
    told = REGISTERING if part is Part.DOCUMENTS else WITHOUT_SIGN_IN
    own = {name: (kind.__doc__ or "").partition("\n")[0] for name, kind in _kinds(part, profile).items()}
    return {name: faults.WRONG[name] for name in told if name in faults.WRONG} | own


def _kinds(part: Part, profile: Profile) -> Mapping[str, type]:
    """The classes of broken vendors of a part other than that of exams."""
    if part is Part.DOCUMENTS:
        from conformance.vendors.documents.broken import BROKEN

        return BROKEN
    from conformance.vendors.senders.broken import broken_senders

    return broken_senders(profile.role)


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
    """The vendor of a profile, broken in the way named (None: the reference); raises `SetupError` where there is none.

    Where several parts are asked for, one of them is broken: the first that can be wrong in that way.
    """
    check_name(profile, broken)
    vendors: dict[Part, Vendor] = {}
    for part in parts_of(profile):
        wrong = broken if broken is not None and _acts_wrong(part, profile, broken) else None
        vendors[part] = _part(part, profile, wrong, around, vendors.get(Part.EXAMS))
        broken = None if wrong else broken
    return next(iter(vendors.values())) if len(vendors) == 1 else Several(profile, vendors, around.say)


def _acts_wrong(part: Part, profile: Profile, broken: str) -> bool:
    """Whether it is this part whose own behavior is wrong in a broken vendor."""
    if part is not Part.EXAMS:
        return broken in _kinds(part, profile)
    from conformance.vendors.broken import names

    return broken in names()


class Several:
    """The vendor of a joined profile: each part does the steps of its own; one that several know is done by each in turn."""

    def __init__(self, profile: Profile, vendors: Mapping[Part, Vendor], say: Callable[[str], None]) -> None:
        self._order = tuple(step.name for step in profile.steps)
        self._vendors = vendors
        self._say = say

    def run(self, step: str = "") -> None:
        """Do one step, or all of the profile's in order when `step` is empty; raises `SetupError` for one that no part knows."""
        for name in (step,) if step else self._order:
            able = [part for part in self._vendors if name in STEPS[part]]
            if not able:
                expected = ", ".join(self._order)
                raise SetupError("no part of the reference vendor knows this step", expected=expected, actual=name[:80])
            for part in able:
                self._vendors[part].run(name)


def _part(part: Part, profile: Profile, broken: str | None, around: Surroundings, exams: Vendor | None) -> Vendor:
    """A part of the vendor; `exams` is the part that signs in, if there is one."""
    if part is Part.DOSES:
        return _sender(profile.role, broken, around)
    if part is Part.DOCUMENTS:
        from conformance.vendors.documents.broken import document_vendor_for
        from conformance.vendors.documents.reference import memory_of

        return document_vendor_for(broken)(
            around.registration,
            memory_of(around.state),
            facts=around.facts,
            clock=around.clock,
            say=around.say,
            certificate=around.certificate,
            browser=around.browser,
            auth=getattr(exams, "auth", None),
        )
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
    from conformance.vendors.senders.address import Peer
    from conformance.vendors.senders.broken import broken_senders, sender_for
    from conformance.vendors.senders.reference import Given

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
