"""The Clinical Decision Support Registry's endpoint for documents (facts N5.1 to N5.6, U33, U34)."""

from __future__ import annotations

from mockserver.cdsr.openapi import openapi
from mockserver.cdsr.views import blueprint

__all__ = ["blueprint", "openapi"]
