"""The reference vendor of documents: it posts new ones, then changes of them, reads a refusal and corrects what it names."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import requests

from acrmock.clock import Clock
from acrmock.errors import SetupError
from acrmock.facts import Facts
from acrmock.typed import decode
from conformance.runs.files import write_atomically
from conformance.vendors.auth import Authentication
from conformance.vendors.config import Registration, VendorError, issuer_name
from conformance.vendors.documents import making
from conformance.vendors.documents.making import Document

STEPS = ("create", "update")
DOCUMENTS = 2
TRIES = 4
"""Posts of one document at the most: a 400 may stand for an error of the service (fact N5.3), which a few more tries outlast."""
FIRST_PAUSE = 0.5
"""Seconds before the second try; each further pause is twice as long."""
TIMEOUT = 20.0


class Memory(msgspec.Struct, kw_only=True):
    """What the vendor keeps between its runs: its documents as they were taken last, and its tokens where it signs in itself."""

    documents: list[Document] = []
    token: dict[str, Any] | None = None


class DocumentVendor:
    """One run of the vendor's client. Each decision is a method of its own, so that a broken vendor is wrong in one of them.

    `memory_file` is where its documents are kept between runs. Where the facts ask for an access token (choice U33), it signs in
    as a person's client does, with `certificate` and `browser`, or uses `auth`, by which another part of the vendor signs in.
    """

    steps = STEPS

    def __init__(
        self,
        registration: Registration,
        memory_file: Path,
        *,
        facts: Facts,
        clock: Clock,
        say: Callable[[str], None],
        certificate: tuple[Path, Path] | None = None,
        browser: Callable[[str], object] | None = None,
        auth: Authentication | None = None,
    ) -> None:
        if not registration.cdsr:
            raise SetupError("the registration has no address for documents", fix="register with an acrmock that serves them")
        self.registration = registration
        self.url = registration.cdsr
        self.shape = making.shape_of(facts)
        self.clock = clock
        self.say = say
        self._file = memory_file
        self.memory = _load(memory_file)
        own = Authentication(
            registration,
            clock=clock,
            token=self.memory.token,
            keep=self._keep_token,
            say=say,
            certificate=certificate,
            browser=browser,
            issuer=issuer_name(registration, facts),
        )
        self.auth = (auth or own) if facts.flag("cdsr.bearer_required") else None

    # --- the steps -----------------------------------------------------------------------------------------------

    def run(self, step: str = "") -> None:
        """Do one step, or all of them when `step` is empty; raises `SetupError` for a step it does not know."""
        if step and step not in self.steps:
            raise SetupError("the vendor of documents does not know this step", expected=", ".join(self.steps), actual=step)
        for name in [step] if step else self.steps:
            self.say(f"step {name}")
            getattr(self, name)()

    def create(self) -> None:
        """A few documents, each under a new id."""
        for number in range(DOCUMENTS):
            document = self.new_document(number)
            if self.deliver(document):
                self.memory.documents.append(document)
                self._keep()

    def update(self) -> None:
        """Every document changed, and posted again under its own id."""
        if not self.memory.documents:
            raise VendorError("no document was taken yet that could be changed")
        for index, document in enumerate(self.memory.documents):
            later = self.changed(document)
            if self.deliver(later):
                self.memory.documents[index] = later
                self._keep()

    # --- what the steps are made of ------------------------------------------------------------------------------

    def new_document(self, number: int) -> Document:
        """The document of one consultation."""
        return making.new_document(self.shape, self.clock.now(), {"consultation": number + 1, "scores": [7, 3]})

    def changed(self, document: Document) -> Document:
        """Its next version."""
        payload = {**document[self.shape.payload], "amended": True}
        return making.changed(self.shape, document, self.clock.now(), payload)

    def outgoing(self, document: Document) -> Document:
        """The document as it is first sent."""
        return document

    def deliver(self, document: Document) -> bool:
        """Post until the document is taken: corrected where the refusal names something, else again after a growing pause.

        Raises `VendorError` when it is not taken after a few tries.
        """
        sent, pause = self.outgoing(document), FIRST_PAUSE
        for number in range(1, TRIES + 1):
            answer = self.post(sent)
            if self.taken(answer):
                return True
            if number == TRIES or answer.status_code not in {400, 429, 500, 502, 503, 504}:
                break
            mended = self.corrected(sent, document, answer)
            if mended == sent:
                self.clock.wait(pause)
                pause *= 2
            sent = mended
        raise VendorError("a document was not taken", actual=f"{answer.status_code} {answer.text[:300]}")

    def taken(self, answer: requests.Response) -> bool:
        """Whether the answer says that the document was created or updated (fact N5.3)."""
        return answer.status_code in {200, 201}

    def corrected(self, sent: Document, good: Document, answer: requests.Response) -> Document:
        """What was sent, with what the refusal names put right; the same where it names nothing."""
        places = making.named(_json(answer)) if answer.status_code == 400 else ()
        for place in places:
            self.say(f"refused: {'/'.join(place)}")
        return making.corrected(sent, good, places)

    def post(self, document: Document) -> requests.Response:
        """One POST of a document, with an access token where one is asked for."""
        data, headers = json.dumps(document), {"Content-Type": self.shape.media_type}
        if self.auth is not None:
            answer = self.auth.call("POST", self.url, data=data, headers=headers)
        else:
            with self.session() as session:
                answer = session.post(self.url, data=data, headers=headers, timeout=TIMEOUT)
        self.say(f"posted {making.identifier(self.shape, document)}: {answer.status_code}")
        return answer

    def session(self) -> requests.Session:
        """A session that trusts acrmock's authority."""
        session = requests.Session()
        session.trust_env = False
        session.verify = self.registration.ca_file or True
        return session

    def _keep_token(self, token: dict[str, Any]) -> None:
        self.memory.token = token
        self._keep()

    def _keep(self) -> None:
        write_atomically(self._file, msgspec.json.encode(self.memory), private=True)


def memory_of(state: Path) -> Path:
    """Where the documents are kept beside the vendor's other state."""
    return state.with_name(f"{state.stem}-documents.json")


def _load(path: Path) -> Memory:
    try:
        return decode(path.read_bytes(), Memory)
    except FileNotFoundError:
        return Memory()
    except (OSError, msgspec.MsgspecError) as error:
        raise SetupError(
            "the vendor's documents cannot be read", where=str(path), actual=str(error), fix="remove it to begin anew"
        ) from error


def _json(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
