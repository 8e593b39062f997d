"""Refusals over DICOM explain themselves: what was asked, what was answered, which contexts were refused, what to do."""

from __future__ import annotations

import pytest

from acrmock.explain import as_text
from acrmock.explaindicom import explain_dicom, has_wrong_dicom
from acrmock.record import AssociationEntry, AssociationFacts, ContextFacts, DimseEntry, DimseFacts, FieldProblem, Refusal

REFUSAL = Refusal(code="acrmock:x", message="why not", fields=(FieldProblem(pointer="", expected="A", actual="B"),), hint="do C")
CAPTURE = ContextFacts(id=1, abstract_syntax="1.2.840.10008.5.1.4.1.1.7", transfer_syntaxes=("1.2.840.10008.1.2",), result=3)
ECHO = ContextFacts(id=3, abstract_syntax="1.2.840.10008.1.1", transfer_syntaxes=("1.2.840.10008.1.2",), result=0)


def association(*contexts: ContextFacts, refusal: Refusal | None = None, **more: object) -> AssociationEntry:
    """An association as the journal has it."""
    facts = AssociationFacts(association="a", calling_ae="CT1", called_ae="DIRLINK", contexts=contexts, **more)  # type: ignore[arg-type]
    return AssociationEntry(seq=7, at="", t="", facts=facts, refusal=refusal)


def test_a_store() -> None:
    """A refused C-STORE: its status as DICOM writes it, the fields, the hint."""
    facts = DimseFacts(association="a", service="C-STORE", sop_class="1.2.3", sop_instance="2.25.1", status=0xC001)
    entry = DimseEntry(seq=8, at="", t="", facts=facts, refusal=REFUSAL)
    assert has_wrong_dicom(entry)
    text = as_text(explain_dicom(entry))
    assert text.splitlines()[0] == "entry 8: C-STORE 1.2.3 2.25.1 -> C001H"
    assert "expected A; got B" in text
    assert text.endswith("fix: do C")


def test_a_rejected_association() -> None:
    """What was rejected says by whom and why in the numbers of PS3.8."""
    entry = association(refusal=REFUSAL, rejection=(1, 1, 7))
    assert has_wrong_dicom(entry)
    assert "A-ASSOCIATE-RJ, result 1, source 1, reason 7" in as_text(explain_dicom(entry))


@pytest.mark.parametrize("contexts", [(CAPTURE,), (CAPTURE, ECHO)])
def test_an_association_in_vain(contexts: tuple[ContextFacts, ...]) -> None:
    """Where nothing could be sent, the contexts that were refused are named."""
    entry = association(*contexts)
    assert has_wrong_dicom(entry)
    found = explain_dicom(entry)
    assert [(one.pointer, one.element) for one in found.fields] == [("/facts/contexts/0", "context 1")]
    assert "this abstract syntax is not supported" in as_text(found)


def test_an_association_that_served() -> None:
    """One in which something was sent is no refusal, but looked at by its number it tells its refused contexts too."""
    entry = association(CAPTURE, ECHO, operations=1)
    assert not has_wrong_dicom(entry)
    text = as_text(explain_dicom(entry))
    assert "not refused" in text
    assert "/facts/contexts/0" in text
