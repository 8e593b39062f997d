"""Associations and DIMSE operations as blocks of text that people can read, with the place of every pointer."""

from __future__ import annotations

from collections.abc import Mapping

from acrmock.record import AssociationEntry, ContextFacts, DimseEntry
from conformance.reports.blocks import Block
from conformance.reports.dicomwords import name_of_uid, rejection_words, result_words, status_words

SHOWN_ABOVE: Mapping[tuple[str, ...], frozenset[str]] = {
    ("facts",): frozenset(
        {
            "calling_ae",
            "called_ae",
            "implementation_uid",
            "implementation_version",
            "maximum_length",
            "contexts",
            "rejection",
            "end",
            "operations",
            "stored",
            "service",
            "message_id",
            "context",
            "sop_class",
            "sop_instance",
            "transfer_syntax",
            "bytes",
            "sha256",
            "status",
            "comment",
        }
    ),
}
"""The facts that the blocks here show, so that what acrmock noted need not repeat them."""


def association(entry: AssociationEntry) -> list[Block]:
    """What was asked for, what was answered context by context, and how the association ended."""
    return [_asked(entry), _contexts(entry), _ended(entry)]


def _asked(entry: AssociationEntry) -> Block:
    facts, block = entry.facts, Block("A-ASSOCIATE-RQ")
    _line(block, "calling AE title", facts.calling_ae or "(none)", "/facts/calling_ae")
    _line(block, "called AE title", facts.called_ae or "(none)", "/facts/called_ae")
    if facts.implementation_uid or facts.implementation_version:
        block.name("implementation")
        block.put(": ")
        block.put(facts.implementation_version or "(no version)", "/facts/implementation_version")
        block.put(", ")
        block.put(facts.implementation_uid or "(no UID)", "/facts/implementation_uid")
        block.put("\n")
    longest = f"{facts.maximum_length} bytes a PDU" if facts.maximum_length else "no limit"
    _line(block, "maximum length", longest, "/facts/maximum_length")
    return block


def _contexts(entry: AssociationEntry) -> Block:
    block = Block("Presentation contexts, as proposed and as answered")
    with block.within("/facts/contexts"):
        for number, context in enumerate(entry.facts.contexts):
            with block.within(f"/facts/contexts/{number}"):
                _context(block, context, f"/facts/contexts/{number}")
        if not entry.facts.contexts:
            block.put("none was proposed\n")
    return block


def _context(block: Block, context: ContextFacts, base: str) -> None:
    block.name(str(context.id), f"{base}/id")
    block.put("  ")
    block.put(name_of_uid(context.abstract_syntax), f"{base}/abstract_syntax")
    block.put("  [dose reports]" if context.dose else "", f"{base}/dose")
    block.put("\n     proposed: ")
    with block.within(f"{base}/transfer_syntaxes"):
        for nth, syntax in enumerate(context.transfer_syntaxes):
            block.put(", " if nth else "")
            block.put(name_of_uid(syntax), f"{base}/transfer_syntaxes/{nth}")
        block.put("" if context.transfer_syntaxes else "no transfer syntax")
    block.put("\n     ")
    block.put(result_words(context.result), f"{base}/result")
    if context.accepted:
        block.put(": ")
        block.put(name_of_uid(context.accepted), f"{base}/accepted")
    block.put("\n")


def _ended(entry: AssociationEntry) -> Block:
    facts, block = entry.facts, Block("End")
    if facts.rejection is not None:
        with block.within("/facts/rejection"):
            block.name("A-ASSOCIATE-RJ")
            block.put(f": {rejection_words(facts.rejection)} (")
            for nth, number in enumerate(facts.rejection):
                block.put(", " if nth else "")
                block.put(str(number), f"/facts/rejection/{nth}")
            block.put(")")
        block.put("\n")
    _line(block, "end", facts.end.value, "/facts/end")
    _line(block, "operations", str(facts.operations), "/facts/operations")
    _line(block, "stored", str(facts.stored), "/facts/stored")
    return block


def operation(entry: DimseEntry) -> list[Block]:
    """The request with what it is about, and the answer with its status in words."""
    return [_request(entry), _response(entry)]


def _request(entry: DimseEntry) -> Block:
    facts, block = entry.facts, Block(f"{entry.facts.service}-RQ")
    _line(block, "service", facts.service, "/facts/service")
    _line(block, "message", str(facts.message_id), "/facts/message_id")
    _line(block, "presentation context", str(facts.context), "/facts/context")
    _line(block, "SOP class", name_of_uid(facts.sop_class) or "(none)", "/facts/sop_class")
    if facts.sop_instance:
        _line(block, "SOP instance", facts.sop_instance, "/facts/sop_instance")
    if facts.transfer_syntax:
        _line(block, "transfer syntax", name_of_uid(facts.transfer_syntax), "/facts/transfer_syntax")
    if facts.bytes or facts.sha256:
        _line(block, "data set", f"{facts.bytes:,} bytes", "/facts/bytes")
        _line(block, "SHA-256", facts.sha256 or "(not taken)", "/facts/sha256")
    return block


def _response(entry: DimseEntry) -> Block:
    facts = entry.facts
    block = Block(f"{facts.service}-RSP", note="" if facts.delivered else "the answer did not reach the network")
    _line(block, "status", status_words(facts.status), "/facts/status")
    if facts.comment:
        _line(block, "comment", facts.comment, "/facts/comment")
    return block


def _line(block: Block, name: str, value: str, pointer: str) -> None:
    with block.within(pointer):
        block.name(name)
        block.put(f": {value}")
    block.put("\n")
