"""What happens to an exam over time: it is updated, and work-up follows it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from acrmock.record import RecordFacts, Struct
from conformance.checks.base import Case, Collection, Fault, Ruling, at, failed, inapplicable, passed, review, rule, unseen
from conformance.checks.tx_envelope import FACTS, out_of_time
from conformance.flows.events import asked_in
from conformance.flows.transactions import Post
from conformance.result import Evidence

STORY = Collection("tx")
LAST_MONTH = 32
"""A new exam within the window of follow-ups is clearly work-up; in its last month it may be an early annual screen (days)."""


class Sent(Struct, frozen=True, kw_only=True):
    """One record of an accepted post, with its place."""

    post: Post
    record: RecordFacts
    pointer: str

    @property
    def place(self) -> Evidence:
        """Where it stands."""
        return at(self.post.seq, self.pointer)

    @property
    def day(self) -> date | None:
        """The date of the exam, or None when it is not known."""
        try:
            return date.fromisoformat(self.record.exam_date[:10])
        except ValueError:
            return None


def _sent(case: Case) -> list[Sent]:
    return [
        Sent(post=post, record=record, pointer=f"{FACTS}/records/{index}")
        for post in case.posts()
        if post.accepted and not post.facts.repeat
        for index, record in enumerate(post.facts.records)
    ]


def _in_step(case: Case, name: str, seq: int) -> bool:
    return any(step.holds(seq) for step in asked_in(case.flows.steps, name))


@STORY.check("tx-update")
def tx_update(case: Case) -> Ruling:
    """A changed record is sent under the same exam key, so that it replaces the old one (fact N2.12).

    Both must be valid. What the step `update` asks for counts; outside of it a pair counts where not only follow-ups were
    added. Fails where the step was answered with something else: the same record again, or the change under another key,
    which makes a second exam.
    """
    expected = "a changed record under the exam key of one sent before"
    sent, rejected = _sent(case), case.rules.words.rejected
    if why := case.rules.without_updates(case.registry, (new.post.facts.mapping for new in sent)):
        return inapplicable(expected, why)
    pairs = list(_pairs(case, sent))
    valid = [new for old, new in pairs if rejected not in {old.record.status, new.record.status}]
    if valid:
        return passed(expected, [new.place for new in valid])
    if pairs:
        return unseen(expected, "the changed record or the one before it was rejected", evidence=[new.place for _, new in pairs])
    answered = [new for new in sent if _in_step(case, "update", new.post.seq)]
    if answered and any(old.post.seq < answered[0].post.seq for old in sent):
        before = {old.record.content for old in sent if old.post.seq < answered[0].post.seq}
        faults = [
            Fault(entry=new.post.seq, pointer=f"{new.pointer}/key", actual=_instead(new, before), correct="the same key elements")
            for new in answered
        ]
        return failed(expected, faults)
    return unseen(expected, "no record was sent again with a change")


def _instead(new: Sent, before: set[str]) -> str:
    return "the same record again, unchanged" if new.record.content in before else "a record under a key that was not sent before"


def _pairs(case: Case, sent: list[Sent]) -> Iterator[tuple[Sent, Sent]]:
    """A record and its change: same environment and key, other content, in a later post."""
    known: dict[tuple[str, str], Sent] = {}
    for new in sent:
        if not new.record.key:
            continue
        key = (new.post.environment, new.record.key)
        old = known.get(key)
        if old and old.post.seq < new.post.seq and old.record.content != new.record.content:
            same = len(old.record.follow_ups) == len(new.record.follow_ups)
            if same or _in_step(case, "update", new.post.seq):
                yield old, new
        known[key] = new


@STORY.check("tx-follow-up")
def tx_follow_up(case: Case) -> Ruling:
    """Work-up within twelve months is a follow-up of the latest screen, its dates not in the future (fact N2.16).

    Fails for: a follow-up in the future, before its exam or after its window; one on a screen that a later screen of the
    same patient, before the follow-up, has replaced as the latest; a new exam of the same patient within twelve months of an
    earlier one. In the twelfth month that may be an early annual screen: a person decides. Fails also where the step
    `follow-up` was answered with records that have none. A record of the step `update` under another key is tx-update's.
    """
    expected = "work-up as follow-up inside the latest screen, within twelve months, not in the future"
    sent = _sent(case)
    if why := case.rules.without_follow_ups(case.registry, (new.post.facts.mapping for new in sent)):
        return inapplicable(expected, why)
    seen = [new.place for new in sent if new.record.follow_ups]
    patients: dict[tuple[str, str], list[Sent]] = {}
    for new in sent:
        patients.setdefault((new.post.environment, new.record.patient), []).append(new)
    faults = [fault for new in sent for fault in _dates(case, new)]
    faults += [fault for (_, patient), theirs in patients.items() if patient for new in theirs for fault in _latest(new, theirs)]
    clear, doubtful = _new_exams(case, sent)
    faults += clear
    answered = [new for new in sent if _in_step(case, "follow-up", new.post.seq)]
    if answered and not seen and not faults:
        faults = [Fault(entry=new.post.seq, pointer=new.pointer, actual="a record without a follow-up") for new in answered]
    if not faults and doubtful and seen:
        return review(expected, doubtful)
    return rule(expected, faults, seen, "no follow-up was sent")


def _dates(case: Case, new: Sent) -> Iterator[Fault]:
    for index, follow_up in enumerate(new.record.follow_ups):
        if out_of_time(case, new.post, follow_up.days_after_exam, future=follow_up.in_future):
            when = "in the future" if follow_up.in_future else f"{follow_up.days_after_exam} days after its exam"
            yield Fault(entry=new.post.seq, pointer=f"{new.pointer}/follow_ups/{index}", actual=f"a follow-up {when}")


def _latest(new: Sent, theirs: list[Sent]) -> Iterator[Fault]:
    """Follow-ups on a screen that was no more the latest of the patient's."""
    if not new.record.follow_ups or new.day is None:
        return
    earlier = (other for other in theirs if other.record.key != new.record.key and other.post.seq <= new.post.seq)
    later = [other.day for other in earlier if other.day and other.day > new.day]
    for index, follow_up in enumerate(new.record.follow_ups):
        days = follow_up.days_after_exam
        if days is not None and any(day <= new.day + timedelta(days=min(days, 100_000)) for day in later):
            actual = "a follow-up of a screen that was not the patient's latest"
            yield Fault(entry=new.post.seq, pointer=f"{new.pointer}/follow_ups/{index}", actual=actual)


def _new_exams(case: Case, sent: list[Sent]) -> tuple[list[Fault], list[Fault]]:
    """New exams of a patient soon after an earlier one: clear and doubtful."""
    clear: list[Fault] = []
    doubtful: list[Fault] = []
    days: dict[tuple[str, str], dict[str, date]] = {}
    for new in sent:
        known = days.setdefault((new.post.environment, new.record.patient), {})
        if new.day is None or not new.record.patient:
            continue
        gap = min(((new.day - day).days for key, day in known.items() if key != new.record.key and day < new.day), default=None)
        fresh = new.record.key not in known and not _in_step(case, "update", new.post.seq)
        window = case.rules.follow_up_days(case.registry, new.post.facts.mapping) if fresh else None
        if gap is not None and window is not None and gap < window - 1:
            fault = Fault(
                entry=new.post.seq,
                pointer=f"{new.pointer}/exam_date",
                actual=f"a new exam {gap} days after one of the same patient",
                correct="a follow-up inside that exam",
            )
            (clear if gap <= window - LAST_MONTH else doubtful).append(fault)
        known[new.record.key] = new.day
    return clear, doubtful
