"""Faults on purpose over DICOM: rejected for the moment, refused for now, broken off, delayed; and rules that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from acrmock.record import AssociationEnd

from .conftest import ABORT, ASSOCIATE_AC, ASSOCIATE_RJ, Receiver, associate_rq, command, data_set, p_data, pdv


def rule(receiver: Receiver, expected: int = 201, **body: Any) -> dict[str, Any]:
    """Set a rule for the application; gives the answer."""
    ready = receiver.engine.ready
    assert ready is not None
    answer = requests.post(
        f"{ready.url}/_acrmock/faults",
        json={"application": "default", **body},
        headers={"Authorization": f"Bearer {ready.control_token}"},
        verify=str(ready.ca_file),
        timeout=20,
    )
    assert answer.status_code == expected, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(autouse=True)
def _without_rules(receiver: Receiver) -> Any:
    """No rule is left for the next test."""
    yield
    ready = receiver.engine.ready
    assert ready is not None
    headers = {"Authorization": f"Bearer {ready.control_token}"}
    url = f"{ready.url}/_acrmock/faults?application=default"
    assert requests.delete(url, headers=headers, verify=str(ready.ca_file), timeout=20).status_code == 200


def test_an_association_is_rejected_for_the_moment(receiver: Receiver) -> None:
    """The first is rejected, transient and with the reason congestion, the second is served; the journal names the rule."""
    rule(receiver, name="full", operation="dicom.association", effect={"kind": "busy"}, trigger={"kind": "once"})
    with receiver.raw() as raw:
        raw.send(associate_rq())
        assert raw.receive() == (ASSOCIATE_RJ, bytes((0, 2, 3, 1)))
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        assert raw.store() == 0
        raw.release()
    (entry,) = (one for one in receiver.associations(2) if one.facts.end is AssociationEnd.REJECTED)
    assert entry.refusal is not None
    assert "the rule full" in entry.refusal.message


def test_a_store_is_refused_until_it_heals(receiver: Receiver) -> None:
    """Each object gets A700H twice and is not kept, then it is taken; another begins anew."""
    rule(receiver, operation="dicom.store", effect={"kind": "busy"}, trigger={"kind": "heal", "after": 2})
    with receiver.raw() as raw:
        raw.associate()
        assert [raw.store("2.25.1") for _ in range(2)] == [0xA700] * 2
        assert receiver.report("2.25.1") is None
        assert [raw.store("2.25.1"), raw.store("2.25.2")] == [0, 0xA700]
    assert receiver.report("2.25.1") is not None
    refused = [entry.refusal.code for entry in receiver.operations() if entry.refusal]
    assert refused == ["acrmock:dimse-fault"] * 3


def test_a_store_is_broken_off(receiver: Receiver) -> None:
    """The sender gets an abort instead of an answer, nothing is kept, and its next association is served."""
    rule(receiver, name="cut", operation="dicom.store", effect={"kind": "reset"}, trigger={"kind": "once"})
    with receiver.raw() as raw:
        raw.associate()
        raw.send(p_data(pdv(command(), 3), pdv(data_set(), 2)))
        assert raw.receive()[0] in {ABORT, 0}
    assert receiver.report("2.25.1") is None
    facts = receiver.associations(1)[0].facts
    assert (facts.end, facts.error) == (AssociationEnd.ABORTED_BY_US, "on purpose, by the rule cut")
    with receiver.raw() as raw:
        raw.associate()
        assert raw.store() == 0


def test_a_delay_and_the_rules_of_http_change_nothing(receiver: Receiver) -> None:
    """A short delay ends in success; a rule that names no operation is about HTTP only."""
    rule(receiver, operation="dicom.store", effect={"kind": "delay", "seconds": 0.05})
    rule(receiver, effect={"kind": "reset"}, operation="nrdr.post")
    rule(receiver, effect={"kind": "busy"})
    with receiver.raw() as raw:
        assert raw.associate() == ASSOCIATE_AC
        assert raw.store() == 0


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "dicom.store", "effect": {"kind": "truncate"}},
        {"operation": "dicom.store", "error": "transaction-conflict"},
        {"operation": "dicom.association", "effect": {"kind": "reset"}},
        {"operation": "dicom.store", "effect": {"kind": "busy"}, "registry": "lcsr"},
        {"operation": "dicom.store", "effect": {"kind": "busy"}, "value": {"name": "a", "prefix": "b"}},
        {"operation": "dicom.find", "effect": {"kind": "busy"}},
    ],
)
def test_rules_that_cannot_be(receiver: Receiver, body: dict[str, Any]) -> None:
    """An effect that DICOM does not have, an error of HTTP, a registry, a value, another operation: 422."""
    rule(receiver, 422, **body)
