"""Documents for the decision support registry: whole headers, creation and update, ids and times."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks.base import Case, Collection, Fault, Ruling, at, rule
from conformance.flows.documents import Document, DocumentPost, documents
from conformance.flows.events import asked_in

CDSR = Collection("cdsr")
UPDATE = "update"


@CDSR.check("cdsr-header")
def cdsr_header(case: Case) -> Ruling:
    """Every header element is present; a 400 that names the missing one is answered by a corrected document (S3, fact N5.4).

    Fails for a document without an element, or that cannot be read, after which no whole one came under its id (or any id,
    where the id is what was missing).
    """
    posts = case.flows.documents
    faults = [fault for index, post in enumerate(posts) for fault in _incomplete(post, posts[index + 1 :])]
    seen = [at(post.seq, "/facts/document/present") for post in posts if post.facts.readable and not post.facts.missing]
    return rule(
        "documents with every header element",
        faults,
        seen,
        "no document was posted",
        correct="the same document with the element that the 400 names",
    )


def _incomplete(post: DocumentPost, later: tuple[DocumentPost, ...]) -> Iterator[Fault]:
    facts = post.facts
    if facts.readable and not facts.missing:
        return
    own = (one for one in later if one.environment == post.environment and (not facts.id or one.facts.id == facts.id))
    if any(one.facts.readable and not one.facts.missing for one in own):
        return
    if not facts.readable:
        yield Fault(entry=post.seq, pointer="/facts/document/readable", actual="the body is no document, and stays so")
        return
    names = ", ".join(facts.missing[:5])
    yield Fault(entry=post.seq, pointer="/facts/document/missing", actual=f"without {names}, and never corrected")


@CDSR.check("cdsr-create-update")
def cdsr_create_update(case: Case) -> Ruling:
    """The first post of an id gives 201, an update 200, and the client goes on after both (S3, fact N5.3).

    Fails for: the same document once more after its success was delivered, as if that had been a failure, also under a new id
    after a 200; an update that comes under a new id, in the step that asks for one. Needs a creation and an update.
    """
    posts = case.flows.documents
    stories = documents(posts)
    faults = [fault for story in stories for fault in _again(story)]
    faults += _new_ids(case)
    faults += _under_new_ids(posts)
    updated = [post for post in posts if post.facts.updated]
    seen = [at(post.seq, "/response/status") for post in posts if post.stored] if updated else []
    if any(post.facts.created for post in posts):
        nothing = "no document was updated"
    else:
        nothing = "no document was created"
        seen = []
    return rule("201, then 200 for the same id, and on", faults, seen, nothing, correct="the changed document under its own id")


def _again(story: Document) -> Iterator[Fault]:
    told: DocumentPost | None = None
    for post in story.posts:
        if told is not None and post.body and post.body == told.body:
            words = f"the same document came again after its success in entry {told.seq}"
            yield Fault(entry=post.seq, pointer="/facts/body_digest", actual=words)
        if post.stored and not post.lost:
            told = post


def _new_ids(case: Case) -> Iterator[Fault]:
    """In the step that asks for an update: documents that are new instead."""
    asked = bool(asked_in(case.flows.steps, UPDATE))
    in_step = [post for post in case.flows.documents if post.step == UPDATE and post.stored]
    before = {post.facts.id for post in case.flows.documents if post.stored and post.step != UPDATE}
    if asked and before and in_step and not any(post.facts.updated for post in in_step):
        yield Fault(entry=in_step[0].seq, pointer="/facts/document/id", actual="the update came under a new id")


def _under_new_ids(posts: tuple[DocumentPost, ...]) -> Iterator[Fault]:
    """Updates that were taken, and came again as new documents that differ in id and times alone."""
    told: dict[tuple[str, str], DocumentPost] = {}
    for post in posts:
        before = told.get((post.environment, post.facts.content)) if post.facts.content else None
        if before is not None and post.facts.created and post.facts.id != before.facts.id:
            words = f"the update that was taken in entry {before.seq} came again under a new id"
            yield Fault(entry=post.seq, pointer="/facts/document/content", actual=words)
        if post.facts.updated and not post.lost:
            told[post.environment, post.facts.content] = post


@CDSR.check("cdsr-times-id")
def cdsr_times_id(case: Case) -> Ruling:
    """The id is a UUID (RFC 9562), dates are RFC 3339, and the version number grows with updates (our choice).

    Fails for: another form of id; a date that cannot be read; no version number that can be; a changed document whose number is
    not higher than that of the one that it replaces.
    """
    posts = [post for post in case.flows.documents if post.facts.readable and not post.facts.missing]
    faults = [fault for post in posts for fault in _forms(post)]
    faults += [fault for story in documents(tuple(posts)) for fault in _versions(story)]
    seen = [at(post.seq, "/facts/document") for post in posts]
    return rule("a UUID, RFC 3339 dates, and a version number that grows", faults, seen, "no whole document was posted")


def _forms(post: DocumentPost) -> Iterator[Fault]:
    base = "/facts/document"
    if not post.facts.id_uuid:
        yield Fault(entry=post.seq, pointer=f"{base}/id", actual=f"the id {post.facts.id[:64]} is no UUID")
    for index, problem in enumerate(post.facts.date_problems):
        words = f"{problem.element or problem.pointer}: {problem.actual or problem.reason}"
        yield Fault(entry=post.seq, pointer=f"{base}/date_problems/{index}", actual=words, correct=problem.expected)
    if post.facts.version is None:
        yield Fault(entry=post.seq, pointer=base, actual="the version number cannot be read", correct="a whole number")


def _versions(story: Document) -> Iterator[Fault]:
    before: DocumentPost | None = None
    for post in (post for post in story.posts if post.stored and post.facts.version is not None):
        old, new = before.facts.version if before else None, post.facts.version
        if before is not None and old is not None and new is not None and new <= old and post.body != before.body:
            words = f"the version number is {new} after {old}"
            yield Fault(entry=post.seq, pointer="/facts/document/version", actual=words, correct=f"{old + 1}")
        before = post


@CDSR.check("cdsr-internal-error")
def cdsr_internal_error(case: Case) -> Ruling:
    """A 400 for an internal error is retried a bounded number of times, and not corrected for ever (fact N5.3, our choice).

    Fails for: never again; another body under the same id, though nothing was wrong with it; more tries than the limit.
    """
    stories = documents(case.flows.documents)
    hit = [(story, index) for story in stories for index, post in enumerate(story.posts) if post.facts.internal]
    first = {(story.environment, story.id): (story, index) for story, index in reversed(hit)}
    faults = [fault for story, index in first.values() for fault in _after_internal(story, index, case.rules.document_retries)]
    seen = [at(story.posts[index].seq, "/response/status") for story, index in first.values()]
    return rule("the same document again, a bounded number of times", faults, seen, "no internal error was met")


def _after_internal(story: Document, index: int, most: int) -> Iterator[Fault]:
    hit, later = story.posts[index], story.posts[index + 1 :]
    ended = next((number for number, post in enumerate(later) if post.stored), len(later))
    tries = later[: ended + 1]
    if not tries:
        yield Fault(entry=hit.seq, pointer="/response/status", actual="the document never came again")
    elif any(post.body != hit.body for post in tries):
        yield Fault(
            entry=tries[0].seq, pointer="/facts/body_digest", actual="the document was changed, nothing was wrong with it"
        )
    elif len(tries) > most:
        yield Fault(entry=tries[-1].seq, pointer="/facts/document", actual=f"the document came {len(tries)} times more")
