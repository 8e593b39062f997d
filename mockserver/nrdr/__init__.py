"""NRDR's web-based transmission, the same for every registry of the facts (facts N2.1 to N2.18, U11 to U22)."""

from __future__ import annotations

from mockserver.nrdr.openapi import openapi
from mockserver.nrdr.views import blueprint

__all__ = ["blueprint", "openapi"]
