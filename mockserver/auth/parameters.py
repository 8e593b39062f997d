"""The parameters of an authorization request, each checked by itself; what is wrong is gathered, not raised.

Sources: RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1, RFC 7636 section 4.3, fact U2. PKCE's pattern is Authlib's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from authlib.oauth2.rfc7636.challenge import CODE_CHALLENGE_PATTERN

from acrmock.record import FieldProblem
from mockserver.context import Call

QUERY = "query"
FORM_POST = "form_post"
UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}
ONCE = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "login_hint",
    *UNSUPPORTED,
)
SHOWN = 80
LONGEST_NUMBER = 9
INVALID = "authorize-invalid-request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a page is needed: `automatic` where none ever is; else how old the session's sign-in is and what it allowed."""

    automatic: bool = False
    age: float | None = None
    consented: tuple[str, ...] = ()

    def signed_in(self, max_age: int | None) -> bool:
        """Whether a person is signed in, and not longer than `max_age` seconds ago."""
        return self.age is not None and (max_age is None or self.age <= max_age)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the catalogue's code, the OAuth error word, a sentence in plain ASCII, the field and a hint."""

    code: str
    error: str
    description: str
    problem: FieldProblem
    hint: str = ""


@dataclass(slots=True)
class Parameters:
    """One authorization request being read; problems are gathered, the first one is answered."""

    call: Call
    values: Mapping[str, Sequence[str]]
    faults: list[Fault] = field(default_factory=list)

    def one(self, name: str) -> str | None:
        """The parameter's value; sent without a value it counts as left out (RFC 6749 section 3.1)."""
        values = self.values.get(name, ())
        return values[0] or None if values else None

    def twice(self, name: str) -> bool:
        """Whether the parameter is there more than once."""
        return len(self.values.get(name, ())) > 1

    def wrong(
        self, code: str, name: str, reason: str, *, expected: str = "", actual: str = "", hint: str = "", error: str = ""
    ) -> None:
        """Gather a fault; its OAuth word is the catalogue's for `code` unless `error` names another."""
        word = error or self.call.engine.facts.errors[code].oauth_error
        self.faults.append(Fault(code, word, reason, field_problem(name, expected, actual, reason), hint))


def field_problem(name: str, expected: str, actual: str, reason: str) -> FieldProblem:
    """What was wrong with one parameter, cut to what can be shown."""
    return FieldProblem(
        pointer=f"/request/parameters/{name}", element=name, expected=expected[:512], actual=actual[:SHOWN], reason=reason
    )


def response_mode(sent: Parameters) -> str:
    """The response mode asked for, or query where it is not supported."""
    given = sent.one("response_mode") or QUERY
    modes = sent.call.settings.texts("auth.response_modes")
    if given in modes:
        return given
    sent.wrong(
        "authorize-unsupported-response-mode",
        "response_mode",
        "The response_mode is not supported.",
        expected=" or ".join(modes),
        actual=given,
    )
    return QUERY


def duplicates(sent: Parameters) -> None:
    """Every parameter at most once (RFC 6749 section 3.1)."""
    for name in ONCE:
        if sent.twice(name):
            sent.wrong(
                INVALID,
                name,
                f"The parameter {name} is given more than once.",
                expected="at most once",
                actual=f"{len(sent.values[name])} times",
                hint="Request parameters must not be included more than once (RFC 6749 section 3.1).",
            )


def sizes(sent: Parameters) -> None:
    """Every parameter within the limit."""
    limit = sent.call.settings.integer("auth.authorize_parameter_limit")
    for name in ONCE:
        if any(len(value) > limit for value in sent.values.get(name, ())):
            sent.wrong(
                INVALID,
                name,
                f"The parameter {name} is too long.",
                expected=f"at most {limit} characters",
                actual=f"{max(map(len, sent.values[name]))} characters",
            )


def echoed(sent: Parameters, state: str | None) -> str | None:
    """`state` as it may be echoed; one that is over the limit would make an answer that nobody can receive."""
    limit = sent.call.settings.integer("auth.authorize_parameter_limit")
    return state if state is None or len(state) <= limit else None


def response_type(sent: Parameters) -> None:
    """The one response type that is offered."""
    given = sent.one("response_type")
    if given is None:
        sent.wrong(
            INVALID,
            "response_type",
            "The parameter response_type is missing.",
            expected="code",
        )
    elif given not in sent.call.settings.texts("auth.response_types"):
        sent.wrong(
            "authorize-unsupported-response-type",
            "response_type",
            "The response_type is not supported.",
            expected="code",
            actual=given,
            hint="Only the authorization code flow is offered (fact N1.14).",
        )


def unsupported(sent: Parameters) -> None:
    """Parameters of OpenID Connect that are not offered (section 6)."""
    for name, error in UNSUPPORTED.items():
        if sent.one(name) is not None:
            sent.wrong(INVALID, name, f"The parameter {name} is not supported.", expected="left out", error=error)


def scopes(sent: Parameters) -> tuple[str, ...]:
    """The scopes asked for, without repetition; what every sign-in needs, and no more than was issued."""
    given = tuple(dict.fromkeys((sent.one("scope") or "").split()))
    required = sent.call.settings.texts("auth.scopes.required")
    for missing in (scope for scope in required if scope not in given):
        sent.wrong(
            "authorize-invalid-scope",
            "scope",
            f"The scope {missing} is missing.",
            expected=" ".join(required),
            actual=" ".join(given),
        )
    allowed = sent.call.registration.scopes
    unknown = [scope for scope in given if scope not in allowed]
    if unknown:
        sent.wrong(
            "authorize-invalid-scope",
            "scope",
            "A scope is not granted to this application.",
            expected="of " + " ".join(allowed),
            actual=" ".join(unknown),
            hint="Ask only for the scopes of the registration document.",
        )
    return given


def pkce(sent: Parameters) -> tuple[str | None, str | None]:
    """Code challenge and method (RFC 7636 section 4.3); `plain` is not accepted."""
    challenge, method = sent.one("code_challenge"), sent.one("code_challenge_method")

    def wrong(name: str, reason: str, expected: str, actual: str = "", code: str = "authorize-pkce-method") -> None:
        sent.wrong(
            code,
            name,
            reason,
            expected=expected,
            actual=actual,
            hint="Send the base64url SHA-256 of the verifier and code_challenge_method=S256 (RFC 7636 section 4.2).",
        )

    if challenge is None:
        if method is not None:
            wrong("code_challenge", "The code_challenge is missing.", "43 characters of base64url")
        elif sent.call.settings.flag("auth.pkce_required"):
            wrong("code_challenge", "PKCE is required here.", "43 characters of base64url", code="authorize-pkce-required")
        return None, None
    if method not in sent.call.settings.texts("auth.pkce_methods"):
        wrong("code_challenge_method", "The code_challenge_method must be S256.", "S256", method or "left out, which means plain")
    if len(challenge) != 43 or not CODE_CHALLENGE_PATTERN.fullmatch(challenge):
        wrong("code_challenge", "The code_challenge is malformed.", "43 characters of base64url", f"{len(challenge)} characters")
    return challenge, "S256"


def prompt(sent: Parameters) -> tuple[str, ...]:
    """The prompts asked for; `none` stands alone (OpenID Connect Core 3.1.2.1). Whether it can be met is asked later."""
    prompts = tuple(dict.fromkeys((sent.one("prompt") or "").split()))
    if "none" in prompts and len(prompts) > 1:
        sent.wrong(
            INVALID,
            "prompt",
            "The prompt none stands with another.",
            expected="left out, or none alone",
            actual=" ".join(prompts),
        )
    return prompts


def max_age(sent: Parameters) -> int | None:
    """The seconds that a sign-in may be old, if said."""
    given = sent.one("max_age")
    if given is None:
        return None
    if given.isascii() and given.isdigit() and len(given) <= LONGEST_NUMBER:
        return int(given)
    sent.wrong(
        INVALID,
        "max_age",
        "The max_age is not a number of seconds.",
        expected="digits",
        actual=given,
    )
    return None


def silent(sent: Parameters, prompts: Sequence[str], wanted: Sequence[str], standing: Standing, age: int | None) -> None:
    """`prompt=none` needs a person who is signed in and has allowed all that is asked for (OpenID Connect Core 3.1.2.6)."""
    if tuple(prompts) != ("none",) or standing.automatic:
        return
    expected = "left out"
    if not standing.signed_in(age):
        hint = "Ask without prompt=none; then the page is shown."
        sent.wrong("authorize-prompt-none", "prompt", "The user must sign in.", expected=expected, actual="none", hint=hint)
    elif not set(wanted) <= set(standing.consented):
        code, hint = "authorize-consent-required", "Ask without prompt=none; then the person is asked."
        sent.wrong(code, "prompt", "The user has not allowed all of this.", expected=expected, actual="none", hint=hint)


def as_lists(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Parameters by name, each with all the values that were sent."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
