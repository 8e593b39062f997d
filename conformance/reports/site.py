"""The system requirements of ACR Connect and DIR Link as a checklist of one host (fact D1.11); pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from acrmock.facts import Fact, Facts, Provenance

SITE_SCHEMA = "acrmock/site/1"
_GB = 1_000_000_000


class Status(StrEnum):
    """How a host stands to one requirement."""

    RECOMMENDED = "recommended"
    MINIMUM = "minimum"
    BELOW_MINIMUM = "below-minimum"
    CANNOT_TELL = "cannot-tell"


class Host(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of a host; None is what could not be. `build` is Windows' build number, sizes are in bytes.

    `server` says whether a Windows is a server's; `drive` is the drive looked at (`C:`, or a path elsewhere).
    """

    system: str
    release: str = ""
    build: int | None = None
    server: bool | None = None
    processor: str = ""
    cores: int | None = None
    memory: int | None = None
    drive: str = ""
    drive_exists: bool | None = None
    disk: int | None = None
    disk_free: int | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One requirement, how the host stands to it, what was measured, what helps, and whose word it rests on."""

    requirement: str
    status: Status
    minimum: str
    recommended: str
    actual: str
    advice: str = ""
    provenance: Provenance
    sources: tuple[str, ...]


class SiteReport(msgspec.Struct, frozen=True, kw_only=True):
    """The checklist of a host. `met`: nothing is below its minimum; what cannot be told is for a person to look at."""

    schema: str = SITE_SCHEMA
    met: bool
    lines: tuple[Line, ...]


def checklist(host: Host, facts: Facts) -> SiteReport:
    """The checklist of `host` by these facts."""
    lines = tuple(_lines(host, facts))
    return SiteReport(met=all(line.status is not Status.BELOW_MINIMUM for line in lines), lines=lines)


def _lines(host: Host, facts: Facts) -> Iterator[Line]:
    yield _system(host, facts)
    yield _processor(host, facts)
    yield _amount("cores", "site.cores", host.cores, "", facts, advice="give the machine more processor cores")
    memory = None if host.memory is None else host.memory / _GB
    yield _amount("memory", "site.memory_gb", memory, " GB", facts, advice="give the machine more memory")
    disk = None if host.disk is None else host.disk / _GB
    free = "" if host.disk_free is None else f", {host.disk_free / _GB:.0f} GB of it free"
    yield _amount("local storage", "site.disk_gb", disk, " GB", facts, more=free, advice="give the machine a larger disk")
    yield _drive(host, facts)
    yield _certificate(facts)


def _system(host: Host, facts: Facts) -> Line:
    minimum, recommended = facts.text("site.os.minimum"), facts.text("site.os.recommended")
    unsupported = facts.texts("site.os.unsupported")
    name = facts.mapping("site.os.builds").get(str(host.build), "") if host.system == "Windows" and host.server else ""
    actual = name or f"{host.system} {host.release}".strip()
    advice = f"install it on {recommended}"
    if name == recommended:
        status, advice = Status.RECOMMENDED, ""
    elif name == minimum:
        status, advice = Status.MINIMUM, f"{recommended} is recommended"
    elif name in unsupported:
        status, advice = Status.BELOW_MINIMUM, f"{name} is not supported: {advice}"
    elif host.system == "Windows" and host.server is not False and not _older(name, minimum):
        status, advice = Status.CANNOT_TELL, f"ACR says nothing of it: {advice}, or ask ACR Connect's support"
    else:
        status = Status.BELOW_MINIMUM
    return _line("operating system", status, facts.fact("site.os.minimum"), (minimum, recommended), actual, advice)


def _older(name: str, minimum: str) -> bool:
    """Whether one release of Windows Server is older than another: their names differ by the year."""
    years = [int(word) for text in (name, minimum) for word in text.split() if word.isdigit()]
    return len(years) == 2 and years[0] < years[1]


def _processor(host: Host, facts: Facts) -> Line:
    fact, wanted = facts.fact("site.processor"), facts.text("site.processor")
    words = host.processor.replace("(R)", "").casefold()
    like = all(word in words for word in wanted.casefold().split())
    status = Status.RECOMMENDED if like else Status.CANNOT_TELL
    advice = "" if like else f"judge whether it is equal to {wanted}"
    known = host.processor or "not known"
    return _line("processor", status, fact, (f"{wanted} or equal", f"{wanted} or equal"), known, advice)


def _amount(requirement: str, key: str, value: float | None, unit: str, facts: Facts, *, advice: str, more: str = "") -> Line:
    least, better = facts.number(f"{key}.minimum"), facts.number(f"{key}.recommended")
    if value is None:
        status, actual, advice = Status.CANNOT_TELL, "not known", "look it up on the machine"
    else:
        status = Status.RECOMMENDED if value >= better else Status.MINIMUM if value >= least else Status.BELOW_MINIMUM
        actual = f"{value:.4g}{unit}{more}"
        advice = "" if status is Status.RECOMMENDED else advice
    bounds = (f"{least:g}{unit}", f"{better:g}{unit}")
    return _line(requirement, status, facts.fact(f"{key}.minimum"), bounds, actual, advice)


def _drive(host: Host, facts: Facts) -> Line:
    wanted = facts.text("site.drive")
    if host.drive_exists is None:
        status, actual, advice = Status.CANNOT_TELL, "not known", f"see that there is a drive {wanted}"
    elif host.system != "Windows" or not host.drive_exists:
        actual = f"no drive {wanted} ({host.system})"
        status, advice = Status.BELOW_MINIMUM, f"ACR Connect is installed on {wanted}, which only Windows has"
    else:
        status, actual, advice = Status.RECOMMENDED, f"{wanted} is there", ""
    return _line("drive", status, facts.fact("site.drive"), (wanted, wanted), actual, advice)


def _certificate(facts: Facts) -> Line:
    store = facts.text("site.certificate_store")
    advice = f"see with an administrator's PowerShell that `Get-ChildItem {store}` lists the certificate of this host"
    return _line("certificate", Status.CANNOT_TELL, facts.fact("site.certificate_store"), (store, store), "not looked at", advice)


def _line(requirement: str, status: Status, fact: Fact, bounds: tuple[str, str], actual: str, advice: str = "") -> Line:  # noqa: PLR0917 - a row in its columns' order
    """One line; `bounds` are the minimum and what is recommended."""
    return Line(
        requirement=requirement,
        status=status,
        minimum=bounds[0],
        recommended=bounds[1],
        actual=actual,
        advice=advice,
        provenance=fact.provenance,
        sources=fact.sources,
    )
