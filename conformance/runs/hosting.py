"""Measures what this host is, for the checklist of a site; what cannot be measured here is None."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from conformance.reports.site import Host

_SERVERS = frozenset({2, 3})
"""The product types of a domain controller and of a server (Windows' OSVERSIONINFOEX)."""


def measure(drive: str) -> Host:
    """This host; `drive` is the one to look for on Windows (`C:`). Never raises: what cannot be read is None."""
    build, server = _windows()
    place = Path(f"{drive}\\") if sys.platform == "win32" else Path(Path.cwd().anchor)
    total, free = _disk(place)
    return Host(
        system=platform.system() or sys.platform,
        release=platform.release(),
        build=build,
        server=server,
        processor=_processor(),
        cores=os.cpu_count(),
        memory=_memory(),
        drive=str(place),
        drive_exists=sys.platform == "win32" and place.exists(),
        disk=total,
        disk_free=free,
    )


def _windows() -> tuple[int | None, bool | None]:
    if sys.platform != "win32":
        return None, None
    version = sys.getwindowsversion()
    return version.build, version.product_type in _SERVERS


def _disk(place: Path) -> tuple[int | None, int | None]:
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return None, None
    return usage.total, usage.free


def _processor() -> str:
    """The processor's name: Linux tells it in a file, the others the platform module."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
            found = next(names, "")
    except OSError:
        found = ""
    return found or os.environ.get("PROCESSOR_IDENTIFIER", "") or platform.processor()


def _memory() -> int | None:
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _windows_memory() -> int | None:
    """The physical memory in bytes, by GlobalMemoryStatusEx."""
    import ctypes

    class MemoryStatus(ctypes.Structure):
        """MEMORYSTATUSEX; only the total is read."""

        _fields_ = (
            ("length", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            ("total", ctypes.c_ulonglong),
            ("rest", ctypes.c_ulonglong * 6),
        )

    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - only Windows has it
    return int(status.total) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else None
