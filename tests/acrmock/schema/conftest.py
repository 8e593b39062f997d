"""An exam that is complete, and the means to check one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from acrmock.facts import MappingVersion, load_facts
from acrmock.identity import npi_check_digit
from acrmock.schema import RecordValidator, RecordVerdict

TODAY = date(2026, 4, 30)
FACILITY = "100001"
NPI = "987654321" + npi_check_digit("987654321")


@pytest.fixture(scope="session")
def version() -> MappingVersion:
    """LCSR 1.8."""
    registry = load_facts().registry("lcsr")
    found = registry.version("1.8") if registry else None
    assert found is not None
    return found


@pytest.fixture(scope="session")
def validator(version: MappingVersion) -> RecordValidator:
    """A validator of LCSR 1.8."""
    return RecordValidator(load_facts(), version)


@pytest.fixture
def exam() -> dict[str, Any]:
    """A complete exam of a synthetic person, with one follow-up."""
    return {
        "Patient_SSN": "666-12-3456",
        "New_Medicare_Beneficiary_ID": "1S00A00AA00",
        "Patient_Date_Of_Birth": "1960-02-29",
        "Patient_Sex": "F",
        "Exam_Date": "2026-03-02",
        "Smoking_Status": "1",
        "Number_Of_Packs_Year_Smoking": 30,
        "Patient_Height": "65",
        "Radiologist_Reading_NPI": NPI,
        "Ordering_Practitioner_NPI": NPI,
        "Indication_Of_Exam": "1",
        "CTDIvol": 2.1,
        "CT_Exam_Result_Lung_RADS": "4A",
        "Follow_Ups": [{"Date_Of_Follow_Up": "2026-04-01", "Tissue_Diagnosis": "1"}],
    }


Check = Callable[[Any], RecordVerdict]


@pytest.fixture
def check(validator: RecordValidator) -> Check:
    """The verdict on an exam at index 0."""
    return lambda value: validator.check(value, index=0, today=TODAY, facility=FACILITY)
