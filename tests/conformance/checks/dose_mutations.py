"""One thing wrong at a time in DICOM and in documents: for each check, runs that break it and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dose_builder import (
    CAPTURE,
    CAPTURE_CONTEXT,
    ECHO_CONTEXT,
    IMPLICIT,
    DoseMutation,
    DoseStory,
    document,
    sha,
    store,
    uid,
)

from acrmock.record import AssociationEnd, FieldProblem, Operation

DOSE_MUTATIONS: list[tuple[str, str, str, DoseMutation]] = []
NEED = FieldProblem(pointer="CT/events/0", element="Mean CTDIvol", expected="a value in mGy", actual="", reason="is not there")


def breaks(profile: str, check: str, label: str, mutation: DoseMutation) -> None:
    """Note a mutation of a profile's good run that fails `check` and no other."""
    DOSE_MUTATIONS.append((profile, check, label, mutation))


def end(pointer: str, value: Any, nth: int = 1) -> DoseMutation:
    """Set a place in the nth association (the first verifies)."""
    return lambda story: story.put(story.ends()[nth], pointer, value)


def stored(pointer: str, value: Any, nth: int = 0) -> DoseMutation:
    """Set a place in the nth C-STORE."""
    return lambda story: story.put(story.stores()[nth], pointer, value)


def report(pointer: str, value: Any, nth: int = 0) -> DoseMutation:
    """Set a place in what was read of the nth report."""
    return lambda story: story.put(story.events("dir-report")[nth], f"/data/{pointer}", value)


def both(*mutations: DoseMutation) -> DoseMutation:
    """Several changes that make one fault."""

    def change(story: DoseStory) -> None:
        for mutation in mutations:
            mutation(story)

    return change


def more(act: Any) -> DoseMutation:
    """Something more before the run ends."""
    return lambda story: story.before_end(lambda: act(story))


def all_ends(pointer: str, value: Any) -> DoseMutation:
    """Set a place in all associations but the one that verifies."""

    def change(story: DoseStory) -> None:
        for place in story.ends()[1:]:
            story.put(place, pointer, value)

    return change


def lose(nth: int) -> DoseMutation:
    """The nth report never comes."""

    def change(story: DoseStory) -> None:
        for place in sorted((story.stores()[nth], story.ends()[nth + 1], story.events("dir-report")[nth]), reverse=True):
            del story.entries[place]

    return change


for run in ("dir-direct", "dir-rdim", "dir-pacs"):
    breaks(run, "dir-association", "wrong AE", both(end("/facts/called_ae", "DIR_LINK"), end("/facts/called_state", "unknown")))
    breaks(run, "dir-association", "abort", end("/facts/end", AssociationEnd.ABORTED))
    breaks(run, "dir-association", "broken off", end("/facts/end", AssociationEnd.LOST, 2))
    breaks(run, "dir-association", "silent", end("/facts/end", AssociationEnd.TIMED_OUT, 0))
    breaks(run, "dir-association", "never offers", all_ends("/facts/contexts", (ECHO_CONTEXT, CAPTURE_CONTEXT)))
    breaks(run, "dir-rdsr-only", "only captures proposed", more(lambda s: s.associate(contexts=(CAPTURE_CONTEXT,))))
    breaks(
        run,
        "dir-rdsr-only",
        "capture forced",
        more(lambda s: s.associate(store(70, sop_class=CAPTURE, dose=False, status=0x0122))),
    )
    breaks(run, "dir-each-exam", "dropped", lose(1))
    breaks(run, "dir-each-exam", "twice", more(lambda s: s.associate(store(2, repeat=True, same=True))))
    breaks(run, "apply-name", "none", lambda s: s.put(s.events("registration-attempted")[0], "/data/declared/name", " "))
    breaks(run, "allow-registered", "refused", more(lambda s: s.associate(allowed=False, end=AssociationEnd.REJECTED)))


def _no_echo(story: DoseStory) -> None:
    del story.entries[story.ends()[0]]
    del story.entries[_echo_place(story)]


def _echo_place(story: DoseStory) -> int:
    return next(i for i, e in enumerate(story.entries) if getattr(getattr(e, "facts", None), "service", "") == "C-ECHO")


breaks("dir-direct", "dir-echo", "never", _no_echo)
breaks("dir-rdim", "dir-echo", "never", _no_echo)
breaks("dir-direct", "dir-echo", "fails", lambda s: s.put(_echo_place(s), "/facts/status", 0x0122))

breaks("dir-direct", "dir-rdsr-only", "no dose report", more(lambda s: s.send(71, dose=False, modality="")))


def _for_ever(story: DoseStory) -> None:
    for _ in range(6):
        story.wait(60)
        story.associate(store(72, status=0xC001))


breaks("dir-rdim", "dir-rdsr-only", "for ever", more(_for_ever))

breaks("dir-direct", "dir-valid", "missing", report("missing", (NEED,)))
breaks("dir-direct", "dir-valid", "not understood", more(lambda s: s.associate(store(73, status=0xC000))))
breaks("dir-direct", "dir-valid", "unreadable", more(lambda s: s.send(74, readable=False, dose=False)))
breaks("dir-direct", "dir-template", "row", report("template", (NEED,)))

OTHER = sha("other bytes")


def altered(**changes: Any) -> DoseMutation:
    """The first planted report arrives with other bytes."""
    told = (report(name, value) for name, value in changes.items())
    return both(stored("/facts/sha256", OTHER), report("sha256", OTHER), *told)


def tagged(path: str, value: str | None) -> DoseMutation:
    """One tag of the first planted report is changed, dropped or added."""

    def change(story: DoseStory) -> None:
        altered(digest="d:set:changed")(story)
        place = story.events("dir-report")[0]
        entry = story.entries[place]
        known = dict(entry.data["tags"])  # type: ignore[union-attr]
        known.pop(path, None)
        story.put(place, "/data/tags", known | ({path: value} if value else {}))

    return change


for run in ("dir-rdim", "dir-pacs"):
    breaks(run, "dir-pass-through", "changed", tagged("0040A730[2]/0040A300[0]/0040A30A", "d:tag:changed"))
    breaks(run, "dir-pass-through", "dropped", tagged("00100020", None))
    breaks(run, "dir-pass-through", "added", tagged("00120062", "d:tag:new"))
    breaks(
        run,
        "dir-pass-through",
        "station",
        both(tagged("00081010", "d:tag:s"), report("station", "X"), report("station_configured", False)),
    )
    breaks(run, "dir-pass-through", "unreadable", altered(readable=False, dose=False, digest=""))
    breaks(run, "dir-pass-through-bytes", "encoded anew", both(altered(), stored("/facts/transfer_syntax", IMPLICIT)))
    breaks(run, "dir-pass-through-bytes", "padding", altered())

UNKNOWN = {"station": "CT1x", "station_configured": False, "station_near": "CT1"}
breaks("dir-direct", "dir-station", "near", both(*(report(k, v) for k, v in UNKNOWN.items())))
NUL = {"station": "CT1\0", "station_configured": True}
breaks("dir-direct", "dir-station", "padded with NUL", both(*(report(k, v) for k, v in NUL.items())))
breaks("dir-rdim", "dir-station", "another", more(lambda s: s.send(75, **UNKNOWN)))


def _fewer(story: DoseStory) -> None:
    story.put(story.events("dir-expected")[0], "/data/count", 4)


def _another(story: DoseStory) -> None:
    story.put(story.events("dir-expected")[0], "/data", {"environment": "test", "sop_instances": [uid(1), uid(44)]})


breaks("dir-direct", "dir-each-exam", "fewer", _fewer)
breaks("dir-direct", "dir-each-exam", "another", _another)


def _hours_later(story: DoseStory) -> None:
    """What comes after the third report's exam comes hours later."""
    first = story.stores()[2]
    for place in range(first, len(story.entries)):
        moment = story.now + timedelta(hours=3)
        story.put(place, "/t", moment.isoformat())


def _batch(story: DoseStory) -> None:
    """An association of three reports of exams that were an hour apart, whose zone is unknown."""
    for number in (81, 82, 83):
        story.wait(1)
        ended = story.now.replace(tzinfo=None) - timedelta(hours=number - 80)
        story.read(number, ended=ended.isoformat())
    story.associate(*(store(number) for number in (81, 82, 83)))


breaks("dir-direct", "dir-soon", "late", _hours_later)
breaks("dir-rdim", "dir-soon", "late", _hours_later)
breaks("dir-direct", "dir-soon", "batch", more(_batch))
breaks("dir-pacs", "dir-selective", "unwanted", more(lambda s: s.send(9, station="MR9", station_configured=False, planted=True)))
breaks("dir-pacs", "dir-selective", "refused", more(lambda s: s.associate(store(9, status=0xA700))))


def _retries(*pauses: float) -> Any:
    """A row of refusals, each followed by an attempt after a pause."""

    def act(story: DoseStory) -> None:
        story.wait(5)
        for pause in pauses:
            story.associate(end=AssociationEnd.REJECTED, rejection=(2, 3, 2), contexts=())
            story.wait(pause)
        story.send(2 + 90, planted=False)

    return act


GOOD_RETRY = more(_retries(2, 4, 8))
breaks("dir-direct", "dir-retry", "no pause", more(_retries(0.2)))
breaks("dir-rdim", "dir-retry", "shorter", more(_retries(8, 2)))
breaks("dir-direct", "dir-retry", "lost", more(lambda s: s.associate(store(93, status=0xA700))))


def posted(pointer: str, value: Any, nth: int = 0) -> DoseMutation:
    """Set a place in the nth post of a document."""
    return lambda story: story.put(story.of(Operation.CDSR_POST)[nth], f"/facts/document/{pointer}", value)


OTHER_UUID = "7b1a8f5e-2d53-4c5e-8d3a-0c9b8a7f6e5d"
breaks(
    "cdsr",
    "cdsr-header",
    "never corrected",
    more(lambda s: document(s, 1, 400, id=OTHER_UUID, missing=("appid",), created=False)),
)
breaks("cdsr", "cdsr-header", "no JSON", more(lambda s: document(s, 1, 400, id="", readable=False)))
breaks("cdsr", "cdsr-create-update", "again", more(lambda s: document(s, 2, 200)))


def _new_id(story: DoseStory) -> None:
    del story.entries[story.of(Operation.CDSR_POST)[1]]
    story.before_end(lambda: document(story, 1, 201, id=OTHER_UUID))


breaks("cdsr", "cdsr-create-update", "new id", _new_id)


def _again_as_new(story: DoseStory) -> None:
    """After its update was taken, the same comes under another id."""
    posted("content", "d:content:same", 1)(story)
    story.before_end(lambda: document(story, 2, 201, id=OTHER_UUID, content="d:content:same"))


breaks("cdsr", "cdsr-create-update", "again under a new id", _again_as_new)
breaks("cdsr", "cdsr-times-id", "no UUID", both(posted("id_uuid", False), posted("id_uuid", False, 1)))
breaks(
    "cdsr",
    "cdsr-times-id",
    "date",
    posted("date_problems", (FieldProblem(pointer="/x", element="creationdate", actual="1 May"),)),
)
breaks("cdsr", "cdsr-times-id", "no number", posted("version", None, 1))
breaks("cdsr", "cdsr-times-id", "does not grow", posted("version", 1, 1))


def _internal(*versions: int) -> DoseMutation:
    """An internal error, and what comes after it."""

    def act(story: DoseStory) -> None:
        document(story, 5, 400, internal=True)
        for version in versions:
            document(story, version, 400 if version == 5 else 200, internal=version == 5)

    return more(act)


breaks("cdsr", "cdsr-internal-error", "never again", _internal())
breaks("cdsr", "cdsr-internal-error", "corrected", _internal(6))
breaks("cdsr", "cdsr-internal-error", "for ever", _internal(5, 5, 5, 5, 5, 5, 5))
