"""How the makers of a shape speak: which codes, which names for scans; what the clinical model needs to know of a shape."""

from __future__ import annotations

from typing import NamedTuple

from synthetic.dose.codes import retired
from synthetic.dose.draw import Uids
from synthetic.dose.elements import Code
from synthetic.dose.model import Patient
from synthetic.dose.tables import Term
from synthetic.randomness import Draws


class Sitting(NamedTuple):
    """One patient's exam about to be drawn: `day` as DICOM writes it, begun so many seconds after its midnight."""

    draws: Draws
    uids: Uids
    patient: Patient
    style: Style
    day: str
    begun: int


class Style(NamedTuple):
    """The speech of a shape."""

    retired_codes: bool = False
    localizer_name: str = "Localizer"
    monitoring_names: tuple[str, ...] = ("Monitoring",)
    protocol_suffix: str = ""
    force_bolus: bool = False
    many_events: int = 0

    def term(self, term: Term) -> Code:
        """A term of the tables as a code."""
        current, older, meaning = term
        return Code(older, "SRT", meaning) if self.retired_codes else Code(current, "SCT", meaning)

    def code(self, code: Code) -> Code:
        """A concept in this speech."""
        return retired(code) if self.retired_codes else code
