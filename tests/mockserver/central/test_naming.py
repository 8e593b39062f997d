"""The registry's names of exams."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hostile_reports import TRANSFER, code, content, part10, report
from pydicom.sequence import Sequence

from acrmock.dose.header import Header
from acrmock.dose.model import DoseReport
from acrmock.facts import FactsError, load_facts
from acrmock.facts.shipped import root
from mockserver.central.naming import How, folded, name_exam, naming_rules, stated_code
from mockserver.dirlink.content import Concept

RULES = naming_rules(load_facts())


def exam(modality: str, study: str = "", requested: str = "") -> DoseReport:
    """A report of an exam with a local name."""
    return DoseReport(dose=True, modality=modality, header=Header(study_description=study, requested_procedure=requested))


def test_a_name_is_mapped_however_it_is_spelled() -> None:
    """Case, repeated spaces and marks between words make no difference; the carrier is told."""
    for local in ("CT CHEST", " ct  chest ", "CT_Chest", "CT-CHEST"):
        named = name_exam(exam("CT", local), RULES)
        assert (named.how, named.system, named.code, named.carrier) == (How.MAPPED, "RPID", "RPID90002", "study_description")
    assert named.meaning == "CT CHEST WO IVCON"


def test_the_shipped_table_knows_the_exams_that_are_generated() -> None:
    """Each study description of generated reports is mapped with a meaning, but the two that are left out on purpose."""
    drawn = yaml.safe_load((root() / "synthesis" / "dose.yaml").read_text(encoding="utf-8"))
    modalities = {"ct": "CT", "fluoro": "RF", "dx": "DX"}
    studies = {(modalities[kind], each["study"]) for kind in modalities for each in drawn[kind]["protocols"]}
    named = {study: name_exam(exam(*study), RULES) for study in studies}
    assert len(named) > 18
    assert {study for study, name in named.items() if name.how is How.UNMAPPED} == {
        ("CT", "CT C SPINE WO CONTRAST"),
        ("DX", "XR SHOULDER"),
    }
    assert all(name.meaning for name in named.values() if name.how is How.MAPPED)


def test_the_requested_procedure_serves_where_there_is_no_study_description() -> None:
    """Radiography is named in ACR Common by the requested procedure when the study has no description."""
    named = name_exam(exam("DX", "", "XR HAND"), RULES)
    assert (named.system, named.code, named.carrier, named.local) == (
        "ACR Common",
        "ACRCOMMON9103",
        "requested_procedure",
        "XR HAND",
    )


def test_the_facility_goes_before_the_account_and_the_account_before_everybody() -> None:
    """Each has its own table; without any row the exam is unmapped and keeps its local name."""
    thorax = exam("CT", "Thorax")
    assert name_exam(thorax, RULES, facility="FAC1", account="ACCT1").code == "RPID90003"
    assert name_exam(thorax, RULES, facility="FAC2", account="ACCT1").code == "RPID90002"
    unmapped = name_exam(thorax, RULES, facility="FAC2")
    assert (unmapped.how, unmapped.code, unmapped.system, unmapped.local) == (How.UNMAPPED, "", "", "Thorax")


def test_a_name_of_one_modality_is_none_of_another() -> None:
    """CT CHEST names no radiograph, a modality without names has none, and no name at all is unmapped."""
    assert name_exam(exam("DX", "CT CHEST"), RULES).how is How.UNMAPPED
    assert name_exam(exam("MG", "CT CHEST"), RULES).how is How.UNMAPPED
    assert name_exam(exam("CT"), RULES).how is How.UNMAPPED


def test_what_the_report_states_goes_before_any_table() -> None:
    """An RPID in the report names a CT exam, with or without a row; of radiography it says nothing."""
    stated = Concept("RPID90006", "RADLEX", "as sent")
    named = name_exam(exam("CT", "CT CHEST"), RULES, stated=stated)
    assert (named.how, named.code, named.meaning) == (How.STATED, "RPID90006", "CT CHEST ABDOMEN PELVIS W IVCON")
    assert name_exam(exam("CT"), RULES, stated=Concept("RPID1", "RADLEX", "as sent")).meaning == "as sent"
    assert name_exam(exam("DX", "XR HAND"), RULES, stated=stated).code == "ACRCOMMON9103"


def test_an_rpid_is_found_where_a_report_may_state_it() -> None:
    """In a procedure code, or in a code of the content tree; a code of another scheme or shape is none."""
    rpid = code("RPID90007", "RADLEX", "CT CHEST ANGIO")
    in_header = report(ProcedureCodeSequence=Sequence([code("L1", "99LOCAL", "Thorax"), rpid]))
    in_tree = report(content("CODE", "121058", "Procedure reported", ConceptCodeSequence=Sequence([rpid])))
    neither = report(ProcedureCodeSequence=Sequence([code("RPID90007", "99LOCAL", "x"), code("X7", "RADLEX", "y")]))
    for data_set in (in_header, in_tree):
        assert stated_code(part10(data_set), TRANSFER, RULES) == Concept("RPID90007", "RADLEX", "CT CHEST ANGIO")
    assert stated_code(part10(neither), TRANSFER, RULES) is None
    assert stated_code(b"\x08\x00nonsense", TRANSFER, RULES) is None


def test_a_row_that_is_none_is_refused(tmp_path: Path) -> None:
    """A user's table with a row of another form says which row and which file."""
    layer = tmp_path / "names.yaml"
    layer.write_text(
        'schema: acrmock/layer/1\nkind: settings\nsettings:\n  central.naming.rows:\n    value: {"CT CHEST": RPID1}\n'
        "    provenance: mock-choice\n    sources: [MOCK]\n",
    )
    with pytest.raises(FactsError, match="CT CHEST"):
        naming_rules(load_facts([layer]))


def test_folding_is_stable() -> None:
    """A name folded twice is as folded once."""
    assert folded(folded("CT  Chest_W/O")) == folded("CT  Chest_W/O") == "ct chest w o"
