"""The words and signs that every report shares, and the one place where hostile text is made harmless to look at."""

from __future__ import annotations

import re
from enum import Enum

from acrmock.facts.provenance import Provenance
from conformance.result import Finding, Outcome, Verdict, Weight

NOT_A_CERTIFICATION = "a self-test with acrmock, not an ACR certification"

OUTCOME_SIGNS = {
    Outcome.PASSED: "✓",
    Outcome.FAILED: "✗",
    Outcome.NOT_EXERCISED: "○",
    Outcome.NOT_APPLICABLE: "-",
    Outcome.NEEDS_REVIEW: "?",
    Outcome.HARNESS_ERROR: "!",
}
PLAIN_SIGNS = {**OUTCOME_SIGNS, Outcome.PASSED: "+", Outcome.FAILED: "x", Outcome.NOT_EXERCISED: "o"}

OUTCOME_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.NOT_EXERCISED: "not exercised",
    Outcome.NOT_APPLICABLE: "not applicable",
    Outcome.NEEDS_REVIEW: "needs review",
    Outcome.HARNESS_ERROR: "harness error",
}
VERDICT_WORDS = {
    Verdict.READY: "ready",
    Verdict.NOT_READY: "not ready",
    Verdict.INCOMPLETE: "incomplete",
    Verdict.VOID: "void",
}
VERDICT_SIGNS = {Verdict.READY: "✓", Verdict.NOT_READY: "✗", Verdict.INCOMPLETE: "○", Verdict.VOID: "!"}
PLAIN_VERDICT_SIGNS = {Verdict.READY: "+", Verdict.NOT_READY: "x", Verdict.INCOMPLETE: "o", Verdict.VOID: "!"}
WEIGHT_WORDS = {
    Weight.MUST: "must",
    Weight.SHOULD: "should",
    Weight.MAY: "may",
    Weight.NOT_SCORED: "not scored",
}

PROVENANCE_ORDER = tuple(word.value for word in Provenance)
PROVENANCE_WORDS = {
    "acr": "ACR's own words",
    "acr-mirror": "ACR's words, seen through a third party",
    "standard": "a published standard",
    "third-party": "a third party's account",
    "mock-choice": "acrmock's choice where no source speaks",
}
GROUP_ORDER = ("apply", "allow", "auth", "tx", "status", "prod", "cdsr", "dir", "srv", "acc")
GROUP_WORDS = {
    "apply": "Applying for the test environment",
    "allow": "Address allowlist",
    "auth": "Sign-in and tokens",
    "tx": "Transactions",
    "status": "Status and errors",
    "prod": "Moving to production",
    "cdsr": "Clinical decision support registry",
    "dir": "Dose reports",
    "srv": "The server's own side",
    "acc": "Accreditation images",
}

# C0 but for tab and line feed, DEL, C1, Arabic letter mark, zero-width and bidi controls, line separators, isolates,
# byte-order mark, interlinear marks, surrogates, non-characters of the basic plane, tag characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]",
)


def visible(text: str) -> str:
    """`text` with every character that hides, reorders or breaks its surroundings written as `[U+202E]`.

    That takes in control characters (so also terminal escapes), bidi controls (Unicode TR 36 section 2.10), zero-width
    characters and lone surrogates; tab and line feed stay. The answer can be encoded and stands in XML 1.0.
    """
    return _UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", text)


def one_line(text: str) -> str:
    """`text` made visible and brought to one line."""
    return " ".join(visible(text).split())


def cut(text: str, limit: int) -> str:
    """`text`, or its first `limit` characters and a note of how many were left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}… [{len(text) - limit:,} more characters]"


def word(value: str) -> str:
    """The plain value of an enum member or string, for display."""
    return str(value.value) if isinstance(value, Enum) else value


def name_of(finding: Finding) -> str:
    """A finding's check, with its registry and, where it is not the vendor, its subject."""
    extra = [part for part in (finding.registry, finding.subject if finding.subject != "vendor" else "") if part]
    return f"{finding.check} [{', '.join(extra)}]" if extra else finding.check


def group_title(group: str) -> str:
    """What a group is about, in words; the group's own id where it is not known."""
    return GROUP_WORDS.get(group, group)


def provenance_title(provenance: str) -> str:
    """On whose word something rests; the id itself where it is not known."""
    return PROVENANCE_WORDS.get(provenance, provenance)


def in_order(keys: set[str] | dict[str, tuple[int, int]], order: tuple[str, ...]) -> list[str]:
    """The keys in their usual order, unknown ones last in alphabetical order."""
    return sorted(keys, key=lambda key: (order.index(key) if key in order else len(order), key))
