"""What reports say is consistent and plausible, and depends on nothing but seed, day and index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from math import exp, log10, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.dose import Kind, Maker, Options, generate
from synthetic.dose.model import CtType

AS_OF = date(2026, 6, 1)
SEEDS = st.integers(0, 2**64 - 1)
INDICES = st.integers(0, 2**32)


@settings(max_examples=60, deadline=None)
@given(SEEDS, INDICES, st.sampled_from(["generic", "siemens-like"]))
def test_ct_sums(seed: int, index: int, shape: str) -> None:
    """DLP is CTDIvol times length, the total is the sum of the events that report a dose, in plausible ranges."""
    values = generate("ct", seed, index, as_of=AS_OF, shape=shape).values
    assert values.ct_totals is not None
    total = Decimal(0)
    for event in values.exam.ct_events:
        product = Decimal(event.ctdi_vol) * Decimal(event.scanning_length) / 10
        assert abs(Decimal(event.dlp) - product) <= Decimal("0.005")
        assert Decimal("0.01") <= Decimal(event.ctdi_vol) <= 75
        assert 10 <= Decimal(event.scanning_length) <= 900
        assert Decimal(event.maximum_ma) >= Decimal(event.ma)
        if shape == "siemens-like" or event.type is not CtType.LOCALIZER:
            total += Decimal(event.dlp)
    assert Decimal(values.ct_totals.dlp_total) == total
    assert int(values.ct_totals.events) == len(values.exam.ct_events)
    assert values.exam.ct_events[0].type is CtType.LOCALIZER
    assert values.heading.start <= values.heading.end


@settings(max_examples=60, deadline=None)
@given(SEEDS, INDICES)
def test_ct_size(seed: int, index: int) -> None:
    """A scan of the trunk tells SSDE by AAPM report 204 from the patient's dimensions; a head, a localizer, a bolus none."""
    for event in generate("ct", seed, index, as_of=AS_OF).values.exam.ct_events:
        trunk = event.type in {CtType.SPIRAL, CtType.SEQUENCED} and event.phantom.meaning.startswith("IEC Body")
        assert bool(event.ssde) == bool(event.ap) == bool(event.lateral) == trunk
        if trunk:
            diameter = sqrt(int(event.ap) * int(event.lateral)) / 10
            assert float(event.ssde) == pytest.approx(float(event.ctdi_vol) * 3.704369 * exp(-0.03671937 * diameter), abs=0.011)
            assert 50 < int(event.ap) < int(event.lateral) < 700


@settings(max_examples=60, deadline=None)
@given(SEEDS, INDICES, st.sampled_from([Kind.FLUORO, Kind.DX, Kind.MG]))
def test_projection_sums(seed: int, index: int, kind: Kind) -> None:
    """Totals are the sums of the events, the deviation index follows from its parts, accumulated AGD is per side."""
    values = generate(kind, seed, index, as_of=AS_OF).values
    events, totals = values.exam.x_events, values.x_totals
    assert totals is not None
    fluoro = [event for event in events if event.fluoroscopy]
    assert Decimal(totals.dap_total) == sum(Decimal(event.dap) for event in events)
    assert Decimal(totals.rp_total) == sum(Decimal(event.rp) for event in events)
    assert Decimal(totals.fluoro_dap) + Decimal(totals.acquisition_dap) == Decimal(totals.dap_total)
    assert Decimal(totals.fluoro_time) == sum(Decimal(event.duration) for event in fluoro)
    assert bool(fluoro) == (kind is Kind.FLUORO)
    assert len({event.event_uid for event in events}) == len(events)
    if kind is Kind.DX:
        for event in events:
            expected = 10 * log10(int(event.index) / int(event.target))
            assert abs(float(event.deviation) - expected) <= 0.0501
    if kind is Kind.MG:
        assert Decimal(totals.agd_right) + Decimal(totals.agd_left) == sum(Decimal(event.agd) for event in events)
        assert all(Decimal("0.5") <= Decimal(event.agd) <= 3 for event in events)
        assert values.exam.patient.patient_sex == "F"


@settings(max_examples=80, deadline=None)
@given(SEEDS, INDICES, st.sampled_from(list(Kind)))
def test_nobody_can_be_a_real_person(seed: int, index: int, kind: Kind) -> None:
    """Patient ID and name say that they are synthetic; age, size and weight can be of one person."""
    person = generate(kind, seed, index, as_of=AS_OF).values.exam.patient
    assert re.fullmatch(r"SYN[0-9A-Z]{8,}", person.patient_id)
    assert person.patient_name.startswith("SYNTHETIC^")
    assert re.fullmatch(r"[0-9]{3}[YM]", person.patient_age)
    assert 0 <= person.years <= 95
    assert Decimal("0.40") <= Decimal(person.patient_size) <= 2
    assert Decimal("2.0") <= Decimal(person.patient_weight) <= 170


@pytest.mark.parametrize("kind", Kind)
def test_any_index_alone_gives_the_same_bytes(kind: Kind) -> None:
    """Backwards, in shards, and one by one, the reports are the same."""
    options = Options(kind=kind, seed=5, as_of=AS_OF)
    forward = [Maker(options).report(index).file_bytes for index in range(12)]
    shared = Maker(options)
    assert [shared.report(index).file_bytes for index in reversed(range(12))][::-1] == forward
    assert generate(kind, 5, 7, as_of=AS_OF).file_bytes == forward[7]
    assert len(set(forward)) == 12
    assert generate(kind, 6, 7, as_of=AS_OF).file_bytes != forward[7]


def test_the_bytes_are_frozen() -> None:
    """These digests stay the same on every machine, Python and release, until the model is changed on purpose."""
    found = {
        kind.value: hashlib.sha256(
            b"".join(generate(kind, "word", index, as_of=AS_OF).file_bytes for index in range(20))
        ).hexdigest()
        for kind in Kind
    }
    assert found == FROZEN


def test_cumulative_continued_and_dual_studies(maker: Callable[..., Maker]) -> None:
    """Q12 grows within one study, Q13 goes on with other events, Q14 gives two kinds of one study and device."""

    def events(name: str, kind: Kind, index: int) -> tuple[str, set[str], str]:
        report = maker(kind, quirks=(name,)).report(index)
        exam = report.values.exam
        uids = {event.event_uid for event in (*exam.ct_events, *exam.x_events)}
        return report.study_uid, uids, report.values.heading.device_uid

    for index in (0, 3):
        first, second, third = (events("Q12", Kind.FLUORO, index + step) for step in range(3))
        assert first[0] == second[0] == third[0]
        assert first[1] < second[1] < third[1]
    one, other = events("Q13", Kind.CT, 0), events("Q13", Kind.CT, 1)
    assert one[0] == other[0]
    assert not one[1] & other[1]
    made = [maker(Kind.DX, quirks=("Q14",)).report(index) for index in (0, 1)]
    assert [report.kind for report in made] == [Kind.DX, Kind.FLUORO]
    assert made[0].study_uid == made[1].study_uid
    assert made[0].values.exam.patient.patient_id == made[1].values.exam.patient.patient_id


FROZEN = {
    "ct": "e19a2da9fa9d6c18b96bd385a03fcf28209602ece6b06ee28babcbc0cdc8cc0e",
    "fluoro": "6d7e43ab2cc912c0c3ae78fc4866a8f1778f86dc7c0a58fd1af12687422f9d72",
    "dx": "db36d693837d34116f945d7d66ccb274ad0b24ef3c6fde261325bc89ae88facc",
    "mg": "cd5b741af991c612d1f95e512855d7f89305caeb56797c5e891b496999216192",
}
