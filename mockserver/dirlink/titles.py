"""AE titles: which application and environment a called one stands for, and what an application's are (PS3.5 section 6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acrmock.documents import DicomAddress

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from mockserver.context import Applications
    from mockserver.onboarding.model import Application

PRODUCTION = "production"
AE_BYTES = 16


class Titles:
    """The called AE titles of one engine; looked up in memory, read anew when one is not known."""

    def __init__(self, facts: Facts, applications: Applications) -> None:
        self._ending = facts.text("dirlink.ae_title_production")
        self._environments = facts.texts("gate.environments")
        self._applications = applications
        self._known: dict[str, tuple[str, str]] = {}

    def find(self, called: str) -> tuple[Application, str] | None:
        """The application and the environment that `called` (without padding) stands for, or None."""
        found = self._current(called)
        if found is None:
            self._known = {
                title: (application.id, environment)
                for application in self._applications.all()
                for environment in self._environments
                if (title := self.of(application, environment))
            }
            found = self._current(called)
        return found

    def _current(self, called: str) -> tuple[Application, str] | None:
        identity, environment = self._known.get(called, ("", ""))
        application = self._applications.get(identity) if identity else None
        if application is None or environment not in application.environments or self.of(application, environment) != called:
            return None
        return application, environment

    def registered(self, calling: str) -> tuple[Application, str] | None:
        """The one environment of an application that registered this calling AE title, or None."""
        found = [
            (application, environment)
            for application in self._applications.all()
            for environment, registration in application.environments.items()
            if calling in registration.calling_aes
        ]
        return found[0] if len(found) == 1 else None

    def of(self, application: Application, environment: str) -> str:
        """The called AE title of an application's environment."""
        return production_title(application.ae_title, self._ending) if environment == PRODUCTION else application.ae_title


def production_title(title: str, ending: str) -> str:
    """The AE title of production; `title` is that of the test environment, empty gives empty."""
    return title + ending if title else ""


def address(facts: Facts, listening: DicomAddress | None, application: Application, environment: str) -> DicomAddress | None:
    """Where an application's dose reports go; `listening` is the engine's own address, None where it serves no DICOM."""
    if listening is None or not application.ae_title:
        return None
    ending = facts.text("dirlink.ae_title_production")
    title = production_title(application.ae_title, ending) if environment == PRODUCTION else application.ae_title
    return DicomAddress(host=listening.host, port=listening.port, ae_title=title)


def malformed(field: bytes) -> str:
    """Why 16 bytes of an A-ASSOCIATE-RQ are no AE title, or an empty string (PS3.5 table 6.2-1, PS3.8 section 9.3.2)."""
    text = field.strip(b" ")
    if not text:
        return "it is empty"
    if any(byte < 0x20 or byte > 0x7E or byte == 0x5C for byte in field):
        return "it holds control characters, a backslash or characters beyond ASCII"
    return ""


def printable(field: bytes) -> str:
    """An AE title's field as text that pynetdicom takes, everything that may not stand there as `?`."""
    text = "".join(chr(byte) if 0x20 <= byte <= 0x7E and byte != 0x5C else "?" for byte in field).strip(" ")
    return text or "?"
