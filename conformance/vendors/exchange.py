"""How the reference vendor posts transactions and follows their status, with every decision in a method of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import requests

from acrmock.clock import Clock
from acrmock.facts import Facts, MappingVersion, Registry
from conformance.vendors.auth import Authentication
from conformance.vendors.config import Registration, VendorError, Wording
from conformance.vendors.state import Sent
from synthetic import transactions

Exam = dict[str, Any]

DEFAULT_WAIT = 1.0
LONGEST_WAIT = 60.0
MAX_POLLS = 100
MAX_RETRIES = 5
BUSY = frozenset({429, 503})
"""Answers that ask to come back later (RFC 6585 section 4, RFC 9110 section 15.6.4)."""


class RecordError(msgspec.Struct, frozen=True, kw_only=True):
    """One error of a rejected record, as the status told it; `index` is the exam's place in its transaction."""

    index: int
    element: str
    pointer: str
    message: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a transaction: its last status word, and the errors of its rejected records."""

    transaction_id: str
    status: str
    errors: tuple[RecordError, ...] = ()

    @property
    def rejected(self) -> tuple[int, ...]:
        """The places of the rejected exams."""
        return tuple(sorted({error.index for error in self.errors}))


class Exchange:
    """The registry side of the vendor: one registry, one mapping version, one facility (that of its user)."""

    def __init__(
        self,
        registration: Registration,
        auth: Authentication,
        *,
        facts: Facts,
        registry: Registry,
        version: MappingVersion,
        words: Wording,
        clock: Clock,
        say: Callable[[str], None],
    ) -> None:
        self.registration = registration
        self.auth = auth
        self.facts = facts
        self.registry = registry
        self.version = version
        self.words = words
        self.clock = clock
        self.say = say

    # --- posting -------------------------------------------------------------------------------------------------

    def new_id(self) -> str:
        """A transaction ID that nobody has used (choice U14)."""
        return str(uuid.uuid4())

    def facility(self) -> str:
        """The facility whose data are sent: the one that the signed-in user belongs to."""
        return self.registration.users[0].facility_id if self.registration.users else self.registration.facility_id

    def envelope(self, exams: Sequence[Exam], identifier: str) -> dict[str, Any]:
        """The transaction as an object: header and exams (choices U13 and U15)."""
        sender = transactions.Sender(
            partner_id=self.registration.partner_id, app_id=self.registration.app_id, facility_id=self.facility()
        )
        return transactions.transaction(
            self.facts, self.registry, self.version, exams, sender=sender, at=self.clock.now(), identifier=identifier
        )

    def post_url(self, version: str | None = None) -> str:
        """Where transactions of a mapping version are posted (choice U11)."""
        path = self.words.post.replace("{registry}", self.registry.slug).replace("{mapping}", version or self.version.version)
        return self.registration.nrdr + path

    def content_type(self) -> str:
        """The media type of a transaction."""
        return self.words.media_type

    def post(self, exams: Sequence[Exam]) -> Sent:
        """Send one transaction, the same bytes again while the service is busy; raises `VendorError` when it is refused."""
        identifier = self.new_id()
        envelope = self.envelope(exams, identifier)
        answer = self.send(envelope)
        for _ in range(MAX_RETRIES):
            if answer.status_code not in BUSY:
                break
            self.say(f"busy ({answer.status_code}): {identifier} is sent again")
            self.pause(_retry_after(answer))
            answer = self.send(envelope)
        if answer.status_code != self.words.accepted:
            raise VendorError(f"transaction {identifier} was refused", actual=f"{answer.status_code} {answer.text[:500]}")
        self.say(f"posted {len(exams)} exams as {identifier}")
        return Sent(transaction_id=identifier, exams=list(exams), due=self.due(answer))

    def due(self, answer: requests.Response) -> float:
        """When the status may first be asked for, by the answer's Retry-After."""
        return self.clock.monotonic() + _retry_after(answer, 0.0)

    def send(self, envelope: dict[str, Any], *, url: str | None = None) -> requests.Response:
        """One POST of an envelope."""
        headers = {"Content-Type": self.content_type()}
        return self.auth.call("POST", url or self.post_url(), data=transactions.body(envelope), headers=headers)

    # --- status --------------------------------------------------------------------------------------------------

    def status_url(self, identifier: str) -> str:
        """Where a transaction's status is read (choice U11)."""
        path = self.words.read.replace("{registry}", self.registry.slug).replace("{transaction_id}", identifier)
        return self.registration.nrdr + path

    def pause(self, seconds: float) -> None:
        """Wait as long as the server asked."""
        self.clock.wait(seconds)

    def follow(self, sent: Sent) -> Outcome:
        """Poll at the server's pace until the status is terminal, then stop (choice U12)."""
        self.pause(max(0.0, sent.due - self.clock.monotonic()))
        for _ in range(MAX_POLLS):
            body, wait = self.poll(sent.transaction_id)
            sent.status = str(body.get(self.words.status["status"], ""))
            if sent.status in self.words.terminal:
                self.say(f"{sent.transaction_id}: {sent.status}")
                return Outcome(transaction_id=sent.transaction_id, status=sent.status, errors=self._errors(body))
            self.pause(wait)
        raise VendorError(f"transaction {sent.transaction_id} does not end", actual=sent.status)

    def poll(self, identifier: str) -> tuple[dict[str, Any], float]:
        """One look at a status: its body, and the seconds to wait before the next."""
        answer = self.auth.call("GET", self.status_url(identifier))
        if answer.status_code in BUSY:
            return {}, _retry_after(answer)
        try:
            body = answer.json() if answer.ok else None
        except ValueError:
            body = None
        if not isinstance(body, dict):
            raise VendorError("the status cannot be read", where=answer.url, actual=f"{answer.status_code} {answer.text[:300]}")
        return body, _retry_after(answer)

    def _errors(self, body: dict[str, Any]) -> tuple[RecordError, ...]:
        names = self.words.status
        found = []
        for exam in body.get(names["exams"]) or ():
            if exam.get(names["record_status"]) != self.words.rejected:
                continue
            errors = exam.get(names["errors"]) or [{}]
            found += [
                RecordError(
                    index=int(exam.get(names["index"], 0)),
                    element=str(error.get(names["element"], "")),
                    pointer=str(error.get(names["pointer"], "")),
                    message=str(error.get(names["text"], "")),
                )
                for error in errors
            ]
        return tuple(found)


def _retry_after(answer: requests.Response, default: float = DEFAULT_WAIT) -> float:
    text = answer.headers.get("Retry-After", "")
    seconds = float(text) if text.isdigit() else default
    return min(seconds, LONGEST_WAIT)
