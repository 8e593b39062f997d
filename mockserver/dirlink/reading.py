"""What is read of a data set, as facts for the journal: references where a patient could be known by the value.

All of it is a function of the bytes and takes milliseconds, so it can be left to a process of its own (`apart`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from acrmock.dose.compare import digest_tags
from acrmock.dose.dictionary import dose_dictionary
from acrmock.dose.elements import Unreadable
from acrmock.dose.report import missing, read_report, template_problems
from acrmock.facts import Facts
from acrmock.facts.layer import parse
from acrmock.record import ReportFacts
from acrmock.redaction import Digester
from mockserver.dirlink.anonymise import CannotAnonymise, anonymise, uid_map
from mockserver.dirlink.changes import Policy
from mockserver.dirlink.deidentification import shipped_rules
from mockserver.dirlink.outcome import Outgoing, Reading
from mockserver.dirlink.persons import real_persons

_MOST_EVENTS = 2_000
"""So many irradiation events of a report stand in the journal at most."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads data sets by the facts, and makes the references by a digester."""

    facts: Facts
    digester: Digester

    @classmethod
    def made(cls, key: bytes, layers: Iterable[tuple[str, str]]) -> Reader:
        """The reader by the digester's key and the (name, text) of overlaid layers; raises `FactsError`."""
        overlaid = [parse(text, name, shipped=False) for name, text in layers]
        return cls(Facts(overlaid, ""), Digester(key))

    def prepare(self) -> None:
        """Read the facts that are read once, now."""
        words = dose_dictionary(self.facts)
        _ = words.by_code, words.families, words.detailed, shipped_rules()

    def read(self, data: bytes, transfer_syntax: str, facts: ReportFacts) -> Reading:
        """`data` read, with `facts` (what is known of it already) filled in."""
        words = dose_dictionary(self.facts)
        facts = self._digested(data, transfer_syntax, facts)
        real = real_persons(data, transfer_syntax, self.facts) if facts.synthetic and not facts.planted else ""
        try:
            report = read_report(data, transfer_syntax, words)
        except Unreadable as error:
            return Reading(facts=msgspec.structs.replace(facts, readable=False), problem=str(error), real=real)
        ref = self.digester.ref
        header = report.header
        events = tuple(dict.fromkeys(ref("event", event.uid) for event in report.events if event.uid))
        return Reading(
            study_uid=header.study_uid,
            collected=report.collected,
            kind=known.name if (known := words.classes.get(facts.sop_class)) else "",
            real=real,
            facts=msgspec.structs.replace(
                facts,
                dose=report.dose,
                modality=report.modality,
                station=header.station_name,
                study=ref("study", header.study_uid) if header.study_uid else "",
                patient=ref("patient", header.patient_id) if header.patient_id else "",
                events=events[:_MOST_EVENTS],
                study_time=f"{header.study_date}{header.study_time}"[:24],
                ended=report.end[:32],
                missing=missing(report, words) if report.dose else (),
                template=template_problems(report, words) if report.dose else (),
                warnings=tuple(f"{one.pointer}: {one.element or one.expected}: {one.reason}" for one in report.warnings),
            ),
        )

    def _digested(self, data: bytes, transfer_syntax: str, facts: ReportFacts) -> ReportFacts:
        """With digests by tag path, for a planted report, so that a changed tag can be named without the report."""
        if not facts.planted:
            return facts
        try:
            digest, tags = digest_tags(data, transfer_syntax, self.digester.mark)
        except Unreadable:
            return facts
        return msgspec.structs.replace(facts, digest=digest, tags=tags)

    def outgoing(self, data: bytes, transfer_syntax: str, policy: Policy, uid_key: bytes) -> Outgoing:
        """`data` without what identifies anybody; the same bytes always give the same."""
        try:
            made = anonymise(data, transfer_syntax, policy, uid_map(uid_key))
        except CannotAnonymise as error:
            return Outgoing(problem=str(error)[:300])
        return Outgoing(data=made.data, changes=made.changes, birth_date=made.birth_date_hash or "")

    def described(self, data: bytes, transfer_syntax: str, envelope: bytes) -> bytes:
        """What the registry reads of anonymised `data` that came with `envelope`: a `Described`, both in MessagePack."""
        from mockserver.central.described import Described  # noqa: PLC0415 - only where reports are sent on
        from mockserver.central.model import Envelope  # noqa: PLC0415 - the same
        from mockserver.central.reading import describe  # noqa: PLC0415 - the same

        try:
            found = describe(self.facts, data, transfer_syntax, msgspec.msgpack.decode(envelope, type=Envelope))
        except Unreadable as error:
            found = Described(problem=str(error)[:300])
        return msgspec.msgpack.encode(found)
