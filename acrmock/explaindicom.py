"""Why an association or a C-STORE was refused: a pure reading of one recorded entry, as `explain` reads an HTTP exchange."""

from __future__ import annotations

from acrmock.explain import Explanation, Wrong
from acrmock.record import AnyEntry, AssociationEntry, AssociationFacts, ContextFacts, DimseEntry, Refusal

_RESULTS = {
    1: "rejected by the user",
    2: "rejected, no reason",
    3: "this abstract syntax is not supported",
    4: "none of these transfer syntaxes is supported",
}
"""The results of a presentation context that was not accepted (PS3.8 table 9-18)."""
_IN_VAIN = Refusal(
    code="acrmock:association-contexts",
    message="presentation contexts were refused, and nothing was sent in any other",
    hint="propose a dose SR class, or verification, with a transfer syntax that is taken",
)


def has_wrong_dicom(entry: AnyEntry) -> bool:
    """Whether an association or an operation was refused; an association also where it had contexts refused and sent nothing."""
    if isinstance(entry, AssociationEntry):
        return entry.refusal is not None or _in_vain(entry.facts)
    return isinstance(entry, DimseEntry) and entry.refusal is not None


def explain_dicom(entry: AssociationEntry | DimseEntry) -> Explanation:
    """The explanation of an association or an operation; without a refusal only what was asked and answered.

    There is no diff and no command: what a correct sender does stands in the hint.
    """
    if isinstance(entry, DimseEntry):
        facts = entry.facts
        request = " ".join(filter(None, (facts.service, facts.sop_class, facts.sop_instance)))
        answer = "" if facts.status is None else f"{facts.status:04X}H"
        return _told(entry.seq, request, answer, entry.refusal)
    told = entry.facts
    request = f"A-ASSOCIATE from {told.calling_ae} to {told.called_ae}"
    refusal = entry.refusal or (_IN_VAIN if _in_vain(told) else None)
    refused = tuple(_wrong(at, context) for at, context in enumerate(told.contexts) if context.result)
    return _told(entry.seq, request, _answer(told), refusal, refused)


def _told(seq: int, request: str, answer: str, refusal: Refusal | None, wrong: tuple[Wrong, ...] = ()) -> Explanation:
    if refusal is None:
        return Explanation(seq=seq, request=request, answer=answer, fields=wrong)
    fields = tuple(
        Wrong(pointer=one.pointer, element=one.element, expected=one.expected, actual=one.actual, reason=one.reason)
        for one in refusal.fields
    )
    return Explanation(
        seq=seq,
        code=refusal.code,
        message=refusal.message,
        hint=refusal.hint,
        request=request,
        answer=answer,
        fields=(*fields, *wrong),
    )


def _in_vain(facts: AssociationFacts) -> bool:
    return not facts.operations and any(context.result for context in facts.contexts)


def _answer(facts: AssociationFacts) -> str:
    if facts.rejection is not None:
        return "A-ASSOCIATE-RJ, result {}, source {}, reason {}".format(*facts.rejection)
    taken = sum(context.result == 0 for context in facts.contexts)
    return f"{taken} of {len(facts.contexts)} contexts accepted, {facts.end}"


def _wrong(at: int, context: ContextFacts) -> Wrong:
    proposed = f"{context.abstract_syntax} in {', '.join(context.transfer_syntaxes)}"
    return Wrong(
        pointer=f"/facts/contexts/{at}",
        element=f"context {context.id}",
        actual=proposed,
        reason=_RESULTS.get(context.result or 0, f"result {context.result}"),
    )
