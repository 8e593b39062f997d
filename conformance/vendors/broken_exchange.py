"""Vendors that send transactions or follow their status wrongly, each in one way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import requests

from acrmock.facts.registry import EXAM, MappingVersion
from acrmock.schema import RecordValidator
from conformance.vendors.data import ExamSource, other_version
from conformance.vendors.exchange import DEFAULT_WAIT, Exam, Exchange, Outcome
from conformance.vendors.reference import COMPLETE_EXAMS, ReferenceVendor
from conformance.vendors.state import Sent
from synthetic import transactions
from synthetic.exams import droppable

E = TypeVar("E", bound=type[Exchange])
V = TypeVar("V", bound=type[ReferenceVendor])

EXCHANGES: dict[str, type[Exchange]] = {}
VENDORS: dict[str, type[ReferenceVendor]] = {}

IMPATIENT = 0.1


def fails(check: str) -> Callable[[E], E]:
    """Enter a broken exchange under the check that it fails."""

    def enter(cls: E) -> E:
        EXCHANGES[check] = cls
        return cls

    return enter


def vendor_fails(check: str) -> Callable[[V], V]:
    """Enter a broken vendor under the check that it fails."""

    def enter(cls: V) -> V:
        VENDORS[check] = cls
        return cls

    return enter


class SpoiledOnce(Exchange):
    """Spoils its first post in a process; where that is refused, it sends the exams again as they should be."""

    spoiled = False

    def post(self, exams: Sequence[Exam]) -> Sent:
        """A spoiled post, and where it was refused a good one."""
        if not self.spoiled:
            self.spoiled = True
            identifier = self.new_id()
            answer = self.send_spoiled(self.envelope(exams, identifier))
            if answer.status_code == self.words.accepted:
                return Sent(transaction_id=identifier, exams=list(exams), due=self.due(answer))
        return super().post(exams)

    def send_spoiled(self, envelope: dict[str, Any]) -> requests.Response:
        """Send `envelope` with the fault."""
        return self.send(self.spoil(envelope))

    def spoil(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """`envelope` with the fault."""
        return envelope

    def with_header(self, envelope: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """`envelope` with other values in its header, by the facts' keys."""
        header = {**envelope[self.words.header], **{self.words.elements[key]: value for key, value in changes.items()}}
        return {**envelope, self.words.header: header}


@fails("tx-header")
class WrongCount(SpoiledOnce):
    """Says that there are more exams than there are."""

    def spoil(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """One exam too many in the header."""
        return self.with_header(envelope, number_of_exams=len(envelope[self.words.exams]) + 1)


@fails("tx-facility-token")
class OtherFacility(SpoiledOnce):
    """Sends data of a facility that its user does not belong to."""

    def spoil(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """Another of the issued facilities in the header."""
        others = [facility for facility in self.registration.facilities if facility != self.facility()]
        name = self.words.elements["facility_id"]
        exams = [{key: value for key, value in exam.items() if key != name} for exam in envelope[self.words.exams]]
        return self.with_header({**envelope, self.words.exams: exams}, facility_id=others[0])


@fails("tx-schema")
class UnknownCode(SpoiledOnce):
    """Sends a code that is in no value list."""

    def spoil(self, envelope: dict[str, Any]) -> dict[str, Any]:
        """The last exam with a code that does not exist."""
        *others, last = envelope[self.words.exams]
        coded = [e for e in self.version.elements if e.codes and not e.multiple and e.name in last]
        free = [e for e in coded if e.name not in {*self.version.key_elements, *self.version.patient_elements}]
        return {**envelope, self.words.exams: [*others, {**last, free[-1].name: "~"}]}


@fails("tx-version-in-force")
class ObsoleteVersion(SpoiledOnce):
    """Posts under a mapping version that is not in force."""

    def send_spoiled(self, envelope: dict[str, Any]) -> requests.Response:
        """Header and path of the other version, which agree."""
        version = other_version(self.registry, self.version, self.clock.now().date())
        return self.send(self.with_header(envelope, data_version=version), url=self.post_url(version))


@fails("tx-id-unique")
class SameId(Exchange):
    """Uses a transaction ID twice, for different bodies."""

    reused = False

    def post(self, exams: Sequence[Exam]) -> Sent:
        """A good post, and then another body under the same ID."""
        sent = super().post(exams)
        if not self.reused and len(exams) > 1:
            self.reused = True
            self.send(self.envelope(exams[:1], sent.transaction_id))
        return sent


@fails("tx-media-type")
class WrongMediaType(SpoiledOnce):
    """Says that its JSON is plain text."""

    def send_spoiled(self, envelope: dict[str, Any]) -> requests.Response:
        """The body under another media type."""
        return self.auth.call(
            "POST", self.post_url(), data=transactions.body(envelope), headers={"Content-Type": "text/plain; charset=utf-8"}
        )


@fails("status-each")
class NeverAsking(Exchange):
    """Does not ask what became of its larger transactions."""

    def follow(self, sent: Sent) -> Outcome:
        """Nothing, where several exams were sent."""
        if len(sent.exams) == COMPLETE_EXAMS:
            return Outcome(transaction_id=sent.transaction_id, status="")
        return super().follow(sent)


@fails("status-terminal")
class NeverStopping(Exchange):
    """Goes on polling after the end."""

    def follow(self, sent: Sent) -> Outcome:
        """Follow to the end, and then ask again at the same pace."""
        outcome = super().follow(sent)
        if len(sent.exams) == COMPLETE_EXAMS:
            for _ in range(2):
                self.pause(DEFAULT_WAIT)
                self.poll(sent.transaction_id)
        return outcome


@fails("status-pace")
class Impatient(Exchange):
    """Polls ten times a second, whatever Retry-After says."""

    def pause(self, seconds: float) -> None:
        """Wait a tenth of a second."""
        super().pause(min(seconds, IMPATIENT))


class _IncompleteSource(ExamSource):
    """Gives exams that are acceptable and never complete."""

    def coverage(self) -> list[Exam]:
        """The coverage set, each exam without an element that completeness demands."""
        return [self.stripped(exam) for exam in super().coverage()]

    def complete(self, count: int) -> list[Exam]:
        """Exams that lack an element."""
        return [self.stripped(exam) for exam in super().complete(count)]

    def stripped(self, exam: Exam) -> Exam:
        """The exam without its first element that only completeness demands."""
        coded = {element.name for element in self.maker.version.of(EXAM) if element.codes}
        name = min(droppable(self.maker.version, exam), key=coded.__contains__)
        return {key: value for key, value in exam.items() if key != name}


@vendor_fails("tx-complete")
class NeverComplete(ReferenceVendor):
    """Sends records that are accepted and never complete."""

    def source(self, line: Exchange) -> ExamSource:
        """A source of incomplete exams."""
        return _IncompleteSource(
            self.facts, line.registry, line.version, facility=line.facility(), state=self.state, today=self.clock.now().date()
        )


@vendor_fails("tx-test-data")
class RealPerson(ReferenceVendor):
    """Sends an exam under a social security number that could be a living person's."""

    def refresh(self) -> None:
        """As the reference, but one exam carries a number of an issued area."""
        self.auth.renew()
        for line in self.lines:
            name = identifier(line.version, "ssn")
            exams = self.source(line).complete(1)
            self.deliver(line, [{**exam, name: _issuable_number()} for exam in exams])


def identifier(version: MappingVersion, kind: str) -> str:
    """The element of an exam for a kind of identifier, else for any."""
    found = {element.identity: element.name for element in reversed(version.of(EXAM))}
    return found.get(kind) or found["id"]


def _issuable_number() -> str:
    # an area that was issued, with the last four digits of a number that was withdrawn for being printed on wallets
    return "219-09-9999"


@vendor_fails("tx-follow-up")
class FollowUpAsExam(ReferenceVendor):
    """Sends work-up as a new exam of the same patient, a month after the screen."""

    def followed_up(self, line: Exchange) -> Exam:
        """The same patient's exam of a month later."""
        source = self.source(line)
        exam = self.sent_exam(1, line)
        return source.moved(exam, 30)


@vendor_fails("tx-coverage")
class Monotonous(ReferenceVendor):
    """Sends nothing but what completeness demands, and always the same answers."""

    def submit(self) -> None:
        """A few bare exams, no coverage."""
        for line in self.lines:
            self.deliver(line, self.source(line).complete(COMPLETE_EXAMS))

    def bare(self, line: Exchange, exam: Exam) -> Exam:
        """The exam without whatever it can do without."""
        kept = dict(exam)
        today = self.clock.now().date()
        validator = RecordValidator(self.facts, line.version)
        complete = self.facts.text("nrdr.record.word.complete")
        for name in exam:
            without = {key: value for key, value in kept.items() if key != name}
            if validator.check(without, index=0, today=today, facility=line.facility()).status == complete:
                kept = without
        return kept

    def source(self, line: Exchange) -> ExamSource:
        """A source whose every exam is bare."""
        vendor = self

        class Bare(ExamSource):
            def complete(self, count: int) -> list[Exam]:
                return [vendor.bare(line, exam) for exam in super().complete(count)]

        return Bare(
            self.facts, line.registry, line.version, facility=line.facility(), state=self.state, today=self.clock.now().date()
        )


@vendor_fails("tx-update")
class NewKey(ReferenceVendor):
    """Sends a changed exam under another key, so that the old one stays."""

    def changed(self, line: Exchange) -> Exam:
        """The changed exam of another day."""
        source = self.source(line)
        exam = super().changed(line)
        return source.moved(exam, -1)
