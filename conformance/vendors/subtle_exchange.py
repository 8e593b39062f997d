"""Further vendors that send transactions or follow their status wrongly: less plainly than those of `broken_exchange`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import requests

from conformance.vendors.broken_exchange import SpoiledOnce, fails, identifier, vendor_fails
from conformance.vendors.exchange import Exam, Exchange, Outcome
from conformance.vendors.reference import COMPLETE_EXAMS, ReferenceVendor
from conformance.vendors.state import Sent
from synthetic import transactions

MANY = 40
EARLY = 0.5


@fails("tx-id-unique:per-step")
class NumberedBatches(Exchange):
    """Numbers its transactions from one in each run of its program."""

    posted = 0

    def post(self, exams: Sequence[Exam]) -> Sent:
        """A post under the next number, and where that is refused one under a UUID."""
        self.posted += 1
        identifier = f"batch-{self.posted}"
        answer = self.send(self.envelope(exams, identifier))
        if answer.status_code == self.words.accepted:
            return Sent(transaction_id=identifier, exams=list(exams), due=self.due(answer))
        return super().post(exams)


@fails("tx-header:swapped")
class SwappedIds(SpoiledOnce):
    """Puts its application ID where its partner ID belongs, and the other way round."""

    def spoil(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Both IDs are issued, each for the other's place."""
        return self.with_header(envelope, partner_id=self.registration.app_id, app_id=self.registration.partner_id)


@fails("tx-media-type:form")
class FormMediaType(SpoiledOnce):
    """Leaves the media type to its library, which says that a form is sent."""

    def send_spoiled(self, envelope: dict[str, Any]) -> requests.Response:
        """The body as if it were a form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.auth.call("POST", self.post_url(), data=transactions.body(envelope), headers=headers)


@fails("status-each:another")
class AsksForAnother(Exchange):
    """Asks for the transaction before instead of the one it has just sent, once."""

    before = ""

    def follow(self, sent: Sent) -> Outcome:
        """One look at the wrong transaction, where several exams were sent."""
        if len(sent.exams) == COMPLETE_EXAMS and self.before:
            self.pause(max(0.0, sent.due - self.clock.monotonic()))
            self.poll(self.before)
            return Outcome(transaction_id=sent.transaction_id, status="")
        self.before = sent.transaction_id
        return super().follow(sent)


@fails("status-terminal:early")
class StopsEarly(Exchange):
    """Stops asking as soon as the transaction was received."""

    def follow(self, sent: Sent) -> Outcome:
        """A single look at the first and largest transaction."""
        if len(sent.exams) <= COMPLETE_EXAMS:
            return super().follow(sent)
        self.pause(max(0.0, sent.due - self.clock.monotonic()))
        body, _ = self.poll(sent.transaction_id)
        return Outcome(transaction_id=sent.transaction_id, status=str(body.get(self.words.status["status"], "")))


@fails("status-pace:half-a-second")
class SlightlyImpatient(Exchange):
    """Asks half a second before its time."""

    def pause(self, seconds: float) -> None:
        """Wait half a second less."""
        super().pause(max(0.0, seconds - EARLY))


@fails("status-pace:first")
class FirstAtOnce(Exchange):
    """Asks once right after each post, and at the right pace from then on."""

    def post(self, exams: Sequence[Exam]) -> Sent:
        """A post and a look at its status, whatever the post's answer asked for."""
        sent = super().post(exams)
        _, wait = self.poll(sent.transaction_id)
        sent.due = self.clock.monotonic() + wait
        return sent


@vendor_fails("tx-schema:fortieth")
class FortiethExam(ReferenceVendor):
    """Sends forty good exams but for one wrong code in the last."""

    def submit(self) -> None:
        """As the reference, and then the forty."""
        super().submit()
        for line in self.lines:
            *others, last = self.source(line).complete(MANY)
            fixed = {*line.version.key_elements, *line.version.patient_elements}
            coded = [
                e.name for e in line.version.elements if e.codes and not e.multiple and e.name in last and e.name not in fixed
            ]
            self.deliver(line, [*others, {**last, coded[len(coded) // 2]: "~"}])


@vendor_fails("tx-follow-up:future")
class FutureFollowUp(ReferenceVendor):
    """Sends a follow-up that is yet to happen."""

    def followed_up(self, line: Exchange) -> Exam:
        """The exam with a follow-up of next week."""
        exam = super().followed_up(line)
        window, child = line.version.window, line.version.follow_ups
        if window is None or child is None:
            return exam
        day = (self.clock.now().date() + timedelta(days=7)).isoformat()
        return {**exam, child.name: [{**one, window.elements[0]: day} for one in exam[child.name]]}


@vendor_fails("tx-update:unchanged")
class SameAgain(ReferenceVendor):
    """Sends the record again as it was."""

    def changed(self, line: Exchange) -> Exam:
        """The exam without a change."""
        return self.sent_exam(0, line)


@vendor_fails("tx-test-data:mbi")
class RealInsured(ReferenceVendor):
    """Sends an exam under a Medicare number that could be a living person's."""

    def refresh(self) -> None:
        """As the reference, but one exam carries such a number."""
        self.auth.renew()
        for line in self.lines:
            name = identifier(line.version, "mbi")
            exams = self.source(line).complete(1)
            self.deliver(line, [{**exam, name: "1EG4TE5MK73"} for exam in exams])
