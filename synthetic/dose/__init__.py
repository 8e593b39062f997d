"""Synthetic dose reports, the images that belong to them, and objects that a dose registry must not take."""

from synthetic.dose.model import Kind
from synthetic.dose.reports import Maker, Options, Report, generate

__all__ = ["Kind", "Maker", "Options", "Report", "generate"]
