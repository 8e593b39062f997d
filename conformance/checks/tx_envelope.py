"""Transactions as posted: header, facility, body, version, media type. Each fault is one check's."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.checks.base import Case, Collection, Fault, Ruling, at, rule
from conformance.flows.transactions import Post
from conformance.result import Evidence

ENVELOPE = Collection("tx")
NO_POST = "no transaction was posted"
FACTS = "/facts/transaction"


def readable(post: Post) -> bool:
    """Whether the body could be read at all; if not, it is tx-media-type's."""
    return post.body_json is not False and post.body_utf8 is not False


def _seen(posts: tuple[Post, ...]) -> list[Evidence]:
    return [at(post.seq, FACTS) for post in posts]


@ENVELOPE.check("tx-header")
def tx_header(case: Case) -> Ruling:
    """The header is complete, its IDs are issued ones, its counts are true (S2; names by choice U13).

    Judges the header alone. Fails for: an element absent, empty or malformed; a partner, application or facility ID of
    another application, environment or of the vendor's own making; a number of exams other than that sent; a registry or
    version other than the path's. Also for one single post, refused or not.
    """
    posts = tuple(post for post in case.posts() if readable(post))
    faults = [fault for post in posts for fault in _header(case, post)]
    return rule("a complete header with issued IDs and true counts", faults, _seen(posts), NO_POST)


def _header(case: Case, post: Post) -> Iterator[Fault]:
    facts = post.facts
    for index, problem in enumerate(facts.header_problems):
        words = problem.reason or f"{problem.actual or 'absent'}, expected {problem.expected}"
        actual = f"{problem.element or problem.pointer}: {words}"
        yield Fault(entry=post.seq, pointer=f"{FACTS}/header_problems/{index}", actual=actual, correct=problem.expected)
    if facts.header_problems:
        return
    for name, issued in (("partner", facts.partner_issued), ("app", facts.app_issued), ("facility", facts.facility_issued)):
        if issued is False:
            actual = f"the {name} ID is not one that was issued"
            yield Fault(entry=post.seq, pointer=f"{FACTS}/{name}_issued", actual=actual)
    if facts.declared_exams is not None and facts.declared_exams != facts.exams:
        actual = f"{facts.declared_exams} exams declared, {facts.exams} sent"
        yield Fault(entry=post.seq, pointer=f"{FACTS}/declared_exams", actual=actual, correct=str(facts.exams))
    yield from _agreement(case, post)


def _agreement(case: Case, post: Post) -> Iterator[Fault]:
    """The header names the registry and the version of the path."""
    facts, registry = post.facts, case.rules.registry(case.registry)
    if facts.declared_mapping and facts.mapping and facts.declared_mapping != facts.mapping:
        actual = f"version {facts.declared_mapping[:20]} in the header, {facts.mapping[:20]} in the path"
        yield Fault(entry=post.seq, pointer=f"{FACTS}/declared_mapping", actual=actual, correct=facts.mapping)
    if registry and facts.declared_registry and facts.declared_registry != registry.header_word:
        actual = f"registry {facts.declared_registry[:20]} in the header, {case.registry} in the path"
        yield Fault(entry=post.seq, pointer=f"{FACTS}/declared_registry", actual=actual, correct=registry.header_word)


@ENVELOPE.check("tx-facility-token")
def tx_facility_token(case: Case) -> Ruling:
    """The facility of the data is one that the token's user belongs to (choice U28).

    Fails for another of the vendor's own facilities: its IDs are all right, the person has no right there. A facility that
    was never issued is tx-header's.
    """
    posts = tuple(post for post in case.posts() if post.facts.facility_issued is not False and readable(post))
    faults = [
        Fault(entry=post.seq, pointer=f"{FACTS}/facility_of_user", actual="a facility that the signed-in user does not belong to")
        for post in posts
        if post.facts.facility_of_user is False
    ]
    seen = _seen(tuple(post for post in posts if post.facts.facility_of_user))
    return rule(
        "data only for the facilities of the signed-in user",
        faults,
        seen,
        "no facility with a user was seen",
        correct="the facility of the user whose token is sent",
    )


@ENVELOPE.check("tx-schema")
def tx_schema(case: Case) -> Ruling:
    """The exams are valid against the mapping version they declare; reported by element.

    Judges the list of exams alone. Fails for: no list, or no objects in it; a rejected record; an element that the version
    does not know, a value outside its list, a broken condition. Missing elements that are needed only for a complete record
    are tx-complete's, follow-ups out of their time tx-follow-up's, an obsolete or unknown version tx-version-in-force's.
    """
    posts = tuple(post for post in case.posts() if readable(post) and post.facts.mapping_state in {"in-force", ""})
    faults = [fault for post in posts for fault in _exams(case, post)]
    elements = sorted({fault.correct for fault in faults if fault.correct})
    note = f"elements: {', '.join(elements[:20])}" if elements else ""
    shown = [Fault(entry=f.entry, pointer=f.pointer, actual=f.actual) for f in faults]
    seen = _seen(tuple(post for post in posts if post.facts.records))
    return rule("exams valid against the declared mapping version", shown, seen, "no exam was posted", note=note)


def _exams(case: Case, post: Post) -> Iterator[Fault]:
    """The faults of one post; the element's name travels in `correct`."""
    facts = post.facts
    for index, record in enumerate(facts.records):
        late = tuple(f"{f.pointer}/" for f in record.follow_ups if out_of_time(case, post, f.days_after_exam, future=f.in_future))
        for place, problem in enumerate(record.problems):
            if problem.severity == "error" and not problem.pointer.startswith(late or ("\0",)):
                pointer = f"{FACTS}/records/{index}/problems/{place}"
                actual = f"{problem.element or problem.pointer}: {problem.message}"
                yield Fault(entry=post.seq, pointer=pointer, actual=actual, correct=problem.element or problem.pointer)
        if record.status == case.rules.words.rejected and not record.problems:
            yield Fault(entry=post.seq, pointer=f"{FACTS}/records/{index}", actual="a record was rejected")
    yield from _shape(case, post)


def _shape(case: Case, post: Post) -> Iterator[Fault]:
    """The list of exams itself, as far as the refusal names it."""
    prefix = f"/{case.rules.words.exams}"
    named = [problem for problem in (post.refusal.fields if post.refusal else ()) if problem.pointer.startswith(prefix)]
    if named and not post.facts.records:
        actual = f"{named[0].element or named[0].pointer}: {named[0].reason or named[0].actual}"
        yield Fault(entry=post.seq, pointer="/refusal/fields", actual=actual, correct=named[0].element or prefix)
    elif _unsound(post):
        yield Fault(
            entry=post.seq, pointer=f"{FACTS}/envelope_valid", actual="the list of exams has not the right shape", correct=prefix
        )


def _unsound(post: Post) -> bool:
    """Whether the envelope is wrong and the header is not to blame."""
    facts = post.facts
    header = facts.header_problems or facts.declared_exams != facts.exams or facts.declared_mapping != facts.mapping
    return not facts.envelope_valid and not facts.records and not header and not facts.accepted and post.body_json is True


def out_of_time(case: Case, post: Post, days: int | None, *, future: bool) -> bool:
    """Whether a follow-up lies in the future, before its exam or after its window."""
    if future or days is None:
        return future
    window = case.rules.follow_up_days(case.registry, post.facts.mapping)
    return days < 0 or (window is not None and days > window)


@ENVELOPE.check("tx-version-in-force")
def tx_version_in_force(case: Case) -> Ruling:
    """The mapping version that is declared is in force on the business date (fact N3.2).

    Fails for one that is obsolete, not yet in force or unknown, in the path or the header, even when it was tried once.
    """
    posts = tuple(post for post in case.posts() if post.facts.mapping_state)
    faults = [
        Fault(
            entry=post.seq,
            pointer=f"{FACTS}/mapping_state",
            actual=f"mapping {post.facts.mapping[:20]} is {post.facts.mapping_state.replace('-', ' ')}",
            correct=_newest(case),
        )
        for post in posts
        if post.facts.mapping_state != "in-force"
    ]
    return rule("a mapping version that is in force", faults, _seen(posts), NO_POST)


def _newest(case: Case) -> str:
    registry = case.rules.registry(case.registry)
    described = [version.version for version in registry.versions if version.described] if registry else []
    return f"version {described[-1]}, while it is in force" if described else ""


@ENVELOPE.check("tx-media-type")
def tx_media_type(case: Case) -> Ruling:
    """JSON in UTF-8 under the right Content-Type, within the size limit (choice U19).

    Fails for: no Content-Type or another (`text/json`, a form); a charset other than UTF-8; a body that is no JSON, has
    NaN or a name twice; bytes that are not UTF-8, a byte order mark; too long.
    """
    words = case.rules.words
    posts = tuple(post for post in case.flows.posts if post.facts.registry in {case.registry, ""})
    faults = [fault for post in posts for fault in _media(post, words.media_type, words.body_bytes)]
    return rule(f"{words.media_type} in UTF-8, at most {words.body_bytes} bytes", faults, _seen(posts), NO_POST)


def _media(post: Post, wanted: str, limit: int) -> Iterator[Fault]:
    media, _, rest = (post.content_type.value if post.content_type else "").partition(";")
    pointer = post.content_type.pointer if post.content_type else "/request/headers"
    charset = next(
        (v.strip(' "') for n, _, v in (p.partition("=") for p in rest.split(";")) if n.strip().lower() == "charset"), "utf-8"
    )
    if media.strip().lower() != wanted:
        actual = f"Content-Type {media[:60] or 'is absent'}"
        yield Fault(entry=post.seq, pointer=pointer, actual=actual, correct=f"Content-Type: {wanted}")
    elif charset.lower() not in {"utf-8", "utf8"}:
        yield Fault(entry=post.seq, pointer=pointer, actual=f"charset {charset[:30]}", correct=f"Content-Type: {wanted}")
    if post.body_utf8 is False:
        yield Fault(entry=post.seq, pointer="/facts/body_utf8", actual="the body is not UTF-8")
    elif post.body_json is False:
        yield Fault(entry=post.seq, pointer="/facts/body_json", actual="the body is not JSON")
    if post.body_bytes > limit:
        yield Fault(entry=post.seq, pointer="/facts/body_bytes", actual=f"the body has {post.body_bytes} bytes")
