"""What happens in a run, as typed events; the terminal and whoever else wants to know are small handlers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from conformance.result import Result


@dataclass(frozen=True, slots=True)
class ServerReady:
    """A server answers: its URL, and whether the run started it for itself."""

    url: str
    private: bool


@dataclass(frozen=True, slots=True)
class Registered:
    """The application is registered; `document` is the registration document, `path` where it was written."""

    document: dict[str, Any]
    path: Path


@dataclass(frozen=True, slots=True)
class RegistrationRefused:
    """The server refused to register the application: evidence, not an error."""

    reason: str


@dataclass(frozen=True, slots=True)
class StepBegan:
    """A step begins: its number from 1, of how many, and its name."""

    number: int
    of: int
    name: str


@dataclass(frozen=True, slots=True)
class YourTurn:
    """The run waits for a client that somebody else drives: what it is asked to do, and the window in seconds."""

    text: str
    window: float
    registration: Path


@dataclass(frozen=True, slots=True)
class PullReady:
    """The client may take its first step with a GET of `url`, within `window` seconds."""

    url: str
    window: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """The run waits for a stated time, in seconds."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a person may want to know."""

    text: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step ended: the client's exit code (None when it was waited for or did not end), and where its output is kept."""

    name: str
    exit_code: int | None
    timed_out: bool
    log: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentNothing:
    """The client was run, and nothing of it reached its application.

    `first` is how its first step ended, `alike` whether all `steps` ended so. `strays` are method and path of requests that named
    no application, `handshakes` how many TLS handshakes failed; both are known of a server of the run's own only.
    """

    command: tuple[str, ...]
    first: StepEnded
    steps: int
    alike: bool
    strays: tuple[str, ...] = ()
    handshakes: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict is there."""

    result: Result


@dataclass(frozen=True, slots=True)
class FilesWritten:
    """What remains of the run."""

    directory: Path
    names: tuple[str, ...]


Event = (
    ServerReady
    | Registered
    | RegistrationRefused
    | PullReady
    | StepBegan
    | YourTurn
    | Waiting
    | Noted
    | StepEnded
    | SentNothing
    | Judged
    | FilesWritten
)


class Handler(Protocol):
    """Somebody who wants to know what happens in a run."""

    def handle(self, event: Event) -> None:
        """Take note of `event`; must not raise."""
        ...
