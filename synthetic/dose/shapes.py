"""The shapes of report: how several makers differ, as style, extras and the quirks that come with them."""

from __future__ import annotations

from typing import NamedTuple

from acrmock.errors import SetupError
from synthetic.dose.model import Kind
from synthetic.dose.style import Style
from synthetic.dose.templates import Extras

GENERIC = "generic"


class Shape(NamedTuple):
    """One shape: `quirks` come with it for each kind; `undefined` leaves the lengths of sequences open."""

    style: Style
    extras: Extras = Extras()
    quirks: dict[Kind, tuple[str, ...]] = {}  # noqa: RUF012 - never changed
    undefined: bool = False
    charset: str = "ISO_IR 192"
    completion: str = "COMPLETE"
    series: str = "Dose Report"


SHAPES = {
    GENERIC: Shape(Style(), Extras(ssde=True), charset="ISO_IR 100"),
    "ge-like": Shape(
        Style(retired_codes=True, localizer_name="Scout", monitoring_names=("SmartPrep",)),
        quirks={Kind.CT: ("Q1", "Q4", "Q6", "Q7", "Q8"), Kind.FLUORO: ("Q8", "Q18"), Kind.MG: ("Q16",)},
        undefined=True,
        charset="ISO_IR 100",
        series="Dose Record",
    ),
    "siemens-like": Shape(
        Style(retired_codes=True, localizer_name="Topogram", monitoring_names=("PreMonitoring", "Monitoring")),
        Extras(dose_check=True, comment=True, participant=True, calibration=True, location=True, localizer_dose=True, ssde=True),
        {Kind.CT: ("Q9", "Q10"), Kind.FLUORO: ("Q8", "Q29")},
        charset="ISO_IR 100",
        completion="PARTIAL",
        series="Exam Protocol SR",
    ),
    "philips-like": Shape(
        Style(retired_codes=True, localizer_name="Surview", monitoring_names=("Locator", "Tracker")),
        Extras(private=True, participant=True),
        {Kind.CT: ("Q5",), Kind.FLUORO: ("Q26", "Q27", "Q31"), Kind.DX: ("Q26",)},
        undefined=True,
        series="Radiation Dose Information",
    ),
    "canon-like": Shape(
        Style(retired_codes=True, localizer_name="Scanogram", monitoring_names=("SureStart",)),
        Extras(dose_check=True, participant=True),
        {Kind.CT: ("Q16", "Q22"), Kind.FLUORO: ("Q16", "Q26"), Kind.DX: ("Q25",)},
        series="Radiation Dose Report",
    ),
}


def shape_named(name: str) -> Shape:
    """The shape of that name; raises `SetupError` for any other."""
    if name not in SHAPES:
        raise SetupError(f"there is no shape {name[:40]!r}", expected=", ".join(SHAPES), where="--shape")
    return SHAPES[name]
