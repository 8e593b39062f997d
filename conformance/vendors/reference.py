"""The reference vendor: a headless client that does everything the interface asks for, step by step or all at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.facts import Facts, MappingVersion, Registry
from acrmock.schema import without_updates
from conformance.vendors import state as memory
from conformance.vendors.auth import Authentication
from conformance.vendors.config import Registration, VendorError, issuer_name, wording
from conformance.vendors.data import ExamSource
from conformance.vendors.exchange import Exam, Exchange, Outcome

STEPS = ("sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again")
CORRECTIONS = 2
COMPLETE_EXAMS = 3


class ReferenceVendor:
    """One run of the vendor's client. `authentication` and `exchange` name the classes, so that a broken vendor swaps them."""

    authentication: type[Authentication] = Authentication
    exchange: type[Exchange] = Exchange

    def __init__(
        self,
        registration: Registration,
        state_file: Path,
        *,
        facts: Facts,
        clock: Clock,
        say: Callable[[str], None],
        certificate: tuple[Path, Path] | None = None,
        browser: Callable[[str], object] | None = None,
    ) -> None:
        self.registration = registration
        self.facts = facts
        self.clock = clock
        self.say = say
        self._state_file = state_file
        self.state = memory.load(state_file)
        self.auth = self.authentication(
            registration,
            clock=clock,
            token=self.state.token,
            keep=self._keep_token,
            say=say,
            certificate=certificate,
            browser=browser,
            issuer=issuer_name(registration, facts),
        )
        self.lines = [self._exchange(slug) for slug in registration.registries]

    # --- the steps -----------------------------------------------------------------------------------------------

    def run(self, step: str = "") -> None:
        """Do one step, or all of them when `step` is empty; raises `SetupError` for a step it does not know."""
        if step and step not in STEPS:
            raise SetupError("the reference vendor does not know this step", expected=", ".join(STEPS), actual=step)
        for name in [step] if step else STEPS:
            self.say(f"step {name}")
            getattr(self, name.replace("-", "_"))()

    def sign_in(self) -> None:
        """A person signs in; the tokens are kept."""
        self.auth.sign_in()

    def submit(self) -> None:
        """Every value and branch of the mapping, then a few complete exams, unattended."""
        for line in self.lines:
            source = self.source(line)
            self.deliver(line, source.coverage(), source.complete(COMPLETE_EXAMS))

    def update(self) -> None:
        """A value of an exam changed: it is sent again under the same key."""
        for line in self.lines:
            if why := without_updates(line.version):
                self.say(f"nothing can change: {line.registry.slug} {line.version.version} {why}")
            else:
                self.deliver(line, [self.changed(line)])

    def follow_up(self) -> None:
        """Work-up followed a screen: it is sent as a follow-up of that exam."""
        for line in self.lines:
            if line.version.follow_ups is not None:
                self.deliver(line, [self.followed_up(line)])

    def refresh(self) -> None:
        """The access token has expired: work goes on by refresh token."""
        self.auth.renew()
        for line in self.lines:
            self.deliver(line, self.source(line).complete(1))

    def sign_in_again(self) -> None:
        """A person signs in anew, by then perhaps at other endpoints."""
        self.auth.sign_in()

    # --- what the steps are made of ------------------------------------------------------------------------------

    def source(self, line: Exchange) -> ExamSource:
        """The vendor's own data for one registry; it counts what it has given."""
        return ExamSource(
            self.facts, line.registry, line.version, facility=line.facility(), state=self.state, today=self.clock.now().date()
        )

    def deliver(self, line: Exchange, *batches: Sequence[Exam]) -> None:
        """Post all batches, follow each to the end, correct what was rejected and send that again."""
        waiting = list(batches)
        for _ in range(CORRECTIONS + 1):
            posted = [self._post(line, exams) for exams in waiting]
            waiting = []
            for sent in posted:
                outcome = line.follow(sent)
                self.save()
                waiting += [exams] if (exams := self.corrected(line, sent.exams, outcome)) else []
            if not waiting:
                return

    def _post(self, line: Exchange, exams: Sequence[Exam]) -> memory.Sent:
        sent = line.post(exams)
        sent.registry = line.registry.slug
        self.state.sent.append(sent)
        self.save()
        return sent

    def corrected(self, line: Exchange, exams: Sequence[Exam], outcome: Outcome) -> list[Exam]:
        """The rejected exams, mended where it is known how."""
        for error in outcome.errors:
            self.say(f"rejected: {error.pointer} {error.message}")
        source = self.source(line)
        mended = [
            source.corrected(exams[i], {e.element for e in outcome.errors if e.index == i})
            for i in outcome.rejected
            if i < len(exams)
        ]
        return [exam for exam in mended if exam is not None]

    def changed(self, line: Exchange) -> Exam:
        """A sent exam with another value, its key untouched."""
        return self.source(line).changed(self.sent_exam(0, line))

    def followed_up(self, line: Exchange) -> Exam:
        """A sent exam with a follow-up."""
        return self.source(line).followed_up(self.sent_exam(1, line))

    def sent_exam(self, index: int, line: Exchange | None = None) -> Exam:
        """A complete exam that was loaded before to a registry (the first of the registration unless `line` names it)."""
        slug = (line or self.lines[0]).registry.slug
        loaded = [sent for sent in self.state.sent if sent.registry == slug and len(sent.exams) == COMPLETE_EXAMS]
        if not loaded:
            raise VendorError("nothing was sent yet that could be changed")
        return loaded[-1].exams[index % COMPLETE_EXAMS]

    # --- memory --------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Keep the state for the next run."""
        memory.save(self._state_file, self.state)

    def _keep_token(self, token: dict[str, Any]) -> None:
        self.state.token = token
        self.save()

    def _exchange(self, slug: str) -> Exchange:
        registry, version = self._mapping(slug)
        return self.exchange(
            self.registration,
            self.auth,
            facts=self.facts,
            registry=registry,
            version=version,
            words=wording(self.facts),
            clock=self.clock,
            say=self.say,
        )

    def _mapping(self, slug: str) -> tuple[Registry, MappingVersion]:
        registry = self.facts.registry(slug)
        version = registry.version(self.registration.registries[slug]) if registry is not None else None
        if registry is None or version is None:
            raise SetupError("the registration names a registry or mapping version that is not known", actual=slug)
        return registry, version
