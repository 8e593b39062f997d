"""From lines of a recording to a result, the same way for a live run and for a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from acrmock.clock import SystemClock, rfc3339
from acrmock.errors import SetupError
from acrmock.facts import Facts, Profile
from acrmock.record import EventEntry
from acrmock.typed import decode
from conformance import harstream
from conformance import judge as judging
from conformance import recording as recordings
from conformance.result import Outcome, Resolution, Result, Verdict
from conformance.verdict import unexpected_passes

if TYPE_CHECKING:
    from conformance.recording import Recording


MOST_BASELINE_BYTES = 1024 * 1024
_LOOK = 256
_HAR = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:')


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of the judge: a profile (None: the one the recording names), what is claimed, and what narrows it."""

    profile: str | None = None
    claims: tuple[str, ...] | None = None
    only: tuple[str, ...] = ()
    resolutions: tuple[Resolution, ...] = ()
    baseline: Path | None = None


def read_recording(path: Path) -> Recording:
    """The recording at `path`, NDJSON or acrmock's own HAR; raises `SetupError` when it cannot be read."""
    try:
        with path.open("rb") as file:
            if path.suffix.lower() == ".har" or _HAR.match(file.peek(_LOOK)[:_LOOK]):
                return harstream.read(file)
            return recordings.read(recordings.bounded_lines(file))
    except OSError as error:
        raise SetupError("the recording cannot be read", where=str(path), actual=error.strerror or str(error)) from error
    except SetupError as error:
        error.where = f"{path}, {error.where}" if error.where else str(path)
        raise


def judge_recording(recording: Recording, facts: Facts, question: Question) -> Result:
    """Judge a recording; raises `SetupError` when neither the question nor the recording names a profile."""
    profile = profile_of(recording, facts, question.profile)
    started = _run_started(recording)
    claims = question.claims
    if claims is None:
        noted = started.data.get("claims") if started is not None else None
        claims = tuple(map(str, noted)) if isinstance(noted, list) else profile.default_claims
    result: Result = judging.judge(
        recording,
        facts,
        profile,
        claims=claims,
        only=question.only,
        resolutions=question.resolutions,
        baseline=read_baseline(question.baseline) if question.baseline else None,
        judged_at=rfc3339(SystemClock().now()),
    )
    return msgspec.structs.replace(result, notes=(*recording.remarks, *result.notes)) if recording.remarks else result


def profile_of(recording: Recording, facts: Facts, name: str | None) -> Profile:
    """The profile asked for, else the one that the recording's run was started with."""
    started = _run_started(recording)
    if name is None and started is None:
        raise SetupError("the recording does not say which profile it is for", fix="name one with --profile")
    if name is not None:
        return facts.profile(name)
    assert started is not None  # noqa: S101 - the case was refused above
    return facts.profile(str(started.data.get("profile")), str(started.data.get("revision") or "") or None)


def read_baseline(path: Path) -> frozenset[str]:
    """The checks that are expected to fail: one id a line, `#` begins a comment."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BASELINE_BYTES + 1)
        if len(text) > MOST_BASELINE_BYTES:
            raise SetupError("this is not a baseline", where=str(path), expected="one check a line", actual="a very long file")
        lines = text.decode("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError("the baseline cannot be read", where=str(path), actual=str(error)) from error
    return frozenset(filter(None, (line.partition("#")[0].strip() for line in lines)))


def exit_code(result: Result, baseline: Path | None) -> int:
    """The verdict's exit code; with a baseline, 0 where exactly what it names failed: the build goes on, the verdict stands."""
    if baseline is None or result.verdict is not Verdict.NOT_READY:
        return result.verdict.exit_code
    expected = read_baseline(baseline)
    failed = {finding.check for finding in result.findings if finding.outcome is Outcome.FAILED}
    surprising = unexpected_passes(result.findings, expected)
    return 0 if failed <= expected and not surprising else result.verdict.exit_code


def read_result(path: Path) -> Result:
    """The result at `path` (result.json); raises `SetupError` when it is none."""
    try:
        return decode(path.read_bytes(), Result)
    except OSError as error:
        actual, fix = error.strerror or str(error), "name the directory that `acrmock certify` or `demo` wrote"
        raise SetupError("the result cannot be read", where=str(path), actual=actual, fix=fix) from error
    except msgspec.MsgspecError as error:
        raise SetupError("this is not a result", where=str(path), actual=str(error)) from error


def check_question(question: Question, profile: Profile) -> None:
    """Refuse, before a run is driven, what the judge would refuse after it; raises `SetupError`."""
    known = {
        "--claim": (question.claims or (), set(profile.claims)),
        "--only": (question.only, {*profile.groups, *profile.weights}),
    }
    for flag, (given, allowed) in known.items():
        for name in given:
            if name not in allowed:
                raise SetupError(
                    f"profile {profile.name} has no such thing", where=flag, expected=", ".join(sorted(allowed)), actual=name[:80]
                )
    if question.baseline is not None:
        read_baseline(question.baseline)


def claims_or_none(claims: Sequence[str]) -> tuple[str, ...] | None:
    """The claims given by flags, None when none was."""
    return tuple(claims) or None


def _run_started(recording: Recording) -> EventEntry | None:
    return next((e for e in recording.entries if isinstance(e, EventEntry) and e.name == "run-started"), None)
