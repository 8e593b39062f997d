"""The registry's indices, against values worked out by hand."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path

import msgspec
import pytest

from acrmock.dose.dictionary import Quantity, dose_dictionary
from acrmock.dose.header import Header
from acrmock.dose.model import CtEvent, DoseReport, PlaneTotals, ProjectionEvent, Totals
from acrmock.dose.part10 import split
from acrmock.dose.report import read_report
from acrmock.dose.tree import Code
from acrmock.facts import load_facts
from mockserver.central.ages import band_of
from mockserver.central.indices import IndexName, effective_diameter, index_rules, indices, is_timing_run, normalisation, ssde
from synthetic.dose import Kind, generate

RULES = index_rules(load_facts())
REAL = {path.name: path for above in Path(__file__).parents for path in above.glob("shared/data/rdsr/*.dcm")}


def q(value: float | None, unit: str = "") -> Quantity:
    """A quantity."""
    return Quantity(value=value, unit=unit)


def ct(region: str, phantom: str, ctdivol: float | None, dlp: float | None, **more: object) -> CtEvent:
    """A CT event of a region on a phantom."""
    event = CtEvent(path="", target_region=Code(key=region), phantom=Code(key=phantom), ctdivol=q(ctdivol), dlp=q(dlp))
    return msgspec.structs.replace(event, **more)


def found(report: DoseReport, **more: str) -> dict[tuple[str, int], float]:
    """The indices of a report by name and event."""
    return {(index.name.value, index.event): index.value for index in indices(report, RULES, **more)}


@pytest.mark.parametrize(
    ("region", "phantom", "factor"),
    [
        ("head", "body_phantom", 2.3),
        ("head", "head_phantom", 1.0),
        ("chest", "head_phantom", 1 / 2.3),
        ("chest", "body_phantom", 1.0),
        ("", "head_phantom", 1.0),
        ("chest", "", 1.0),
        ("chest", "small_phantom", 1.0),
    ],
)
def test_doses_are_normalised_to_the_phantom_of_the_body_part(region: str, phantom: str, factor: float) -> None:
    """A head exam on 32 cm is multiplied by 2.3, a body exam on 16 cm divided; what is not known stays."""
    assert normalisation(ct(region, phantom, 1, 1), RULES) == pytest.approx(factor)


def test_a_head_exam_on_the_body_phantom() -> None:
    """CTDIvol 10 mGy and DLP 200 mGy.cm on 32 cm become 23 mGy and 460 mGy.cm on 16 cm; a head has no SSDE."""
    report = DoseReport(dose=True, modality="CT", header=Header(), events=(ct("head", "body_phantom", 10, 200, ap=q(180, "mm")),))
    assert found(report) == pytest.approx({("CTDIvol", 1): 23.0, ("DLP", 1): 460.0, ("DLP", 0): 460.0})


@pytest.mark.parametrize(
    ("ap", "lateral", "diameter"),
    [
        (25.0, 35.0, -0.203128 + 0.4958912 * 60),
        (25.0, None, -3.744858 + 41.79335 - 8.36846875),
        (None, 35.0, 5.899298 + 11.446729 + 12.2241476),
        (None, None, None),
        (1.0, None, None),
    ],
)
def test_the_effective_diameter_by_hand(ap: float | None, lateral: float | None, diameter: float | None) -> None:
    """From both dimensions, from either, from none; a dimension too small for the formula gives none."""
    assert effective_diameter(ap, lateral, RULES) == (pytest.approx(diameter) if diameter is not None else None)


def test_ssde_by_hand() -> None:
    """At 29.550344 cm the factor is 3.704369 e^-1.0850700 = 1.251596: 10 mGy give 12.516 mGy."""
    assert ssde(10, 29.550344, RULES) == pytest.approx(12.516, abs=0.003)
    event = ct("chest", "body_phantom", 10, 300, ap=q(250, "mm"), lateral=q(350, "mm"))
    values = found(DoseReport(dose=True, modality="CT", header=Header(), events=(event,)))
    assert values["Effective diameter", 1] == pytest.approx(29.550344)
    assert values["SSDE", 1] == pytest.approx(12.516, abs=0.003)


@pytest.mark.parametrize(
    "protocol", ["Monitoring", "PreMonitoring", "Pre-Monitoring", "TestBolus", "TEST BOLUS 1", "chest monitoring"]
)
def test_timing_runs_are_left_out_by_their_protocol(protocol: str) -> None:
    """However a vendor spells it, such a protocol gives no index, and its DLP is in no total."""
    events = (ct("chest", "body_phantom", 5, 10, protocol=protocol), ct("chest", "body_phantom", 8, 100, protocol="Chest"))
    assert found(DoseReport(dose=True, modality="CT", header=Header(), events=events)) == {
        ("CTDIvol", 2): 8,
        ("DLP", 2): 100,
        ("DLP", 0): 100,
    }


def test_a_timing_run_by_its_doses_needs_a_contrast_exam() -> None:
    """CTDIvol above DLP makes a timing run in an exam with contrast only."""
    event = ct("chest", "body_phantom", 12, 6)
    assert is_timing_run(event, RULES, exam_name="CT CHEST W IVCON")
    assert not is_timing_run(event, RULES, exam_name="CT CHEST WO IVCON")
    assert not is_timing_run(event, RULES)
    assert not is_timing_run(ct("chest", "body_phantom", 6, 12), RULES, exam_name="CT CHEST ANGIO")


def test_localizers_and_doses_that_are_none_give_no_index() -> None:
    """A localizer with a dose, a missing, negative or infinite value: nothing is made of them."""
    events = (
        ct("chest", "body_phantom", 0.1, 5, kind="constant_angle"),
        ct("chest", "body_phantom", None, None),
        ct("chest", "body_phantom", -1, math.nan),
        ct("chest", "body_phantom", math.inf, 4),
    )
    assert found(DoseReport(dose=True, modality="CT", header=Header(), events=events)) == {("DLP", 4): 4, ("DLP", 0): 4}


def plane(key: str, time: float, kar: float, kap: float) -> PlaneTotals:
    """The totals of a plane."""
    return PlaneTotals(path="", plane=Code(key=key), fluoro_time=q(time), dose_rp=q(kar), dap=q(kap))


def test_fluoroscopy_by_hand() -> None:
    """Two planes add up: 300 s, 0.5 Gy and 0.005 Gy.m2 give a mean of 0.5/300 Gy/s and a field of 0.01 m2."""
    planes = (plane("plane_a", 200, 0.3, 0.003), plane("plane_b", 100, 0.2, 0.002))
    values = found(DoseReport(dose=True, modality="RF", header=Header(), totals=Totals(planes=planes)))
    assert values == pytest.approx(
        {
            ("Fluoroscopy time", 0): 300,
            ("Ka,r", 0): 0.5,
            ("KAP", 0): 0.005,
            ("Mean Ka,r rate", 0): 0.5 / 300,
            ("Mean field size", 0): 0.01,
        },
    )


def test_totals_of_all_planes_are_not_added_to_those_of_each() -> None:
    """Where a report gives all planes together, they alone count; without fluoroscopy there is no rate."""
    planes = (plane("plane_a", 0, 0.3, 0.003), plane("all_planes", 0, 0.5, 0.005))
    values = found(DoseReport(dose=True, modality="RF", header=Header(), totals=Totals(planes=planes)))
    assert values["Ka,r", 0] == 0.5
    assert ("Mean Ka,r rate", 0) not in values


def test_radiography_by_hand() -> None:
    """EI 400 on a target of 200 is a deviation of 10 log10 2 = 3.0103 where none is given; the child is of its band."""
    events = (
        ProjectionEvent(path="", exposure_index=q(400), target_exposure_index=q(200), dap=q(1e-5)),
        ProjectionEvent(path="", exposure_index=q(400), target_exposure_index=q(200), deviation_index=q(-1.5)),
        ProjectionEvent(path=""),
    )
    report = DoseReport(dose=True, modality="DX", header=Header(patient_age="004Y"), events=events)
    values = found(report)
    assert values["DI", 1] == pytest.approx(3.0103, abs=1e-4)
    assert values["DI", 2] == -1.5
    assert (values["EI", 1], values["EI_T", 1], values["KAP", 1]) == (400, 200, 1e-5)
    assert {index.band for index in indices(report, RULES)} == {"1-<5"}
    assert not [index for index in indices(report, RULES) if index.event == 3]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("000D", "<1"),
        ("011M", "<1"),
        ("012M", "1-<5"),
        ("001Y", "1-<5"),
        ("005Y", "5-<10"),
        ("010Y", "10-<15"),
        ("015Y", "15-<18"),
        ("017Y", "15-<18"),
        ("018Y", ">=18"),
        ("090Y", ">=18"),
        ("", ""),
        ("old", ""),
    ],
)
def test_age_bands(age: str, band: str) -> None:
    """Each bound belongs to the band above it; no age, no band."""
    assert band_of(age, "", "", RULES.age_bands) == band


def test_what_is_collected_of_no_modality_has_no_index() -> None:
    """Mammography, an unknown modality and what is no dose report give nothing."""
    for report in (DoseReport(dose=True, modality="MG", header=Header()), DoseReport(modality="CT", header=Header())):
        assert indices(report, RULES) == ()


@pytest.mark.parametrize("name", sorted(REAL) or ["absent"])
def test_real_reports_give_indices(name: str) -> None:
    """Every real dose report gives finite indices of its own kind, and the one that is none gives none."""
    if name not in REAL:
        pytest.skip("the folder of real dose reports is absent")
    file = split(REAL[name].read_bytes())
    report = read_report(file.data_set, file.transfer_syntax, load_facts().dose)
    made = indices(report, RULES)
    assert all(math.isfinite(index.value) and index.unit for index in made)
    wanted = {"CT": IndexName.DLP, "RF": IndexName.KAP, "DX": IndexName.KAP}
    only_localizers = report.ct_events and all(event.kind in RULES.localizers for event in report.ct_events)
    given = report.dose and not only_localizers
    assert (wanted[report.modality] in {index.name for index in made}) if given else not made


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Kind.CT, {"CTDIvol", "DLP", "Effective diameter", "SSDE"}),
        (Kind.FLUORO, {"Fluoroscopy time", "Ka,r", "KAP", "Mean Ka,r rate", "Mean field size"}),
        (Kind.DX, {"EI", "EI_T", "DI", "KAP"}),
    ],
)
def test_generated_reports_give_every_index_of_their_kind(kind: Kind, expected: set[str]) -> None:
    """So the dashboard has a plot of each; the registry's SSDE is near the scanner's own, which is of the same diameter."""
    names, words = set(), dose_dictionary(load_facts())
    for index in range(30):
        made = generate(kind, 5, index, as_of=date(2026, 3, 1))
        report = read_report(made.data_set, made.transfer_syntax, words)
        values = found(report)
        names |= {name for name, _ in values}
        for at, event in enumerate(report.ct_events, 1):
            if ("SSDE", at) in values:
                assert event.ssde is not None
                assert values["SSDE", at] == pytest.approx(event.ssde.value, rel=0.1)
    assert names == expected
