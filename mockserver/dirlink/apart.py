"""Reading and anonymising reports beside the receiver: in a process of its own (`worker`), or in this one.

What the central server reads of them too. All are pure functions of bytes that take milliseconds of the interpreter, which the
receiver has better uses for; and what a hostile report does to a reader is then done to a process that holds nothing. The process
is started with the first connection, before descriptors can run short, or with the first report. Where there is none to be had,
this process does the work.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import msgspec

from acrmock.typed import decoder
from mockserver._scarce import is_scarce
from mockserver.dirlink.outcome import Outgoing, Reading
from mockserver.dirlink.worker import Anonymise, Answer, Describe, Read, Setup, Task, receive, send
from mockserver.jobs import Unfinished

if TYPE_CHECKING:
    from acrmock.facts import Facts
    from acrmock.record import ReportFacts
    from acrmock.redaction import Digester
    from mockserver.central.described import Described
    from mockserver.central.model import Envelope
    from mockserver.dirlink.changes import Policy
    from mockserver.dirlink.reading import Reader

_log = logging.getLogger("mockserver")
_PATIENCE = 5.0
_TRIES = 2
"""A report on which the process died is given to another one once."""

_KEPT = ("PATH", "SYSTEMROOT", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL")
"""Variables of the environment that the process gets: what an interpreter may need to start."""

_STARTS = 3
"""So often a process is started that ends before it is of use (somebody may have killed it); then there can be none."""

_FLAGS = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
"""On Windows: it gives way, and a server without a console (a service) opens none."""

_DIED = "the process that reads reports died of it twice"


class Apart:
    """Whoever reads the reports of one engine: a process of its own, with `process`, or this one. Thread-safe."""

    def __init__(self, facts: Facts, digester: Digester, key: bytes, *, process: bool, command: tuple[str, ...] = ()) -> None:
        self._facts, self._digester, self._key = facts, digester, key
        self.command = command or (sys.executable, "-P", "-m", "mockserver.dirlink.worker")
        self._wanted = process and bool(self.command[0]) and not getattr(sys, "frozen", False)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: Reader | None = None
        self._decode: Callable[[bytes], Answer] | None = None
        self._set_up = False
        self._preparing = threading.Lock()
        self._prepared = self._closed = False

    @property
    def pid(self) -> int | None:
        """The process's identifier while there is one."""
        process = self._process
        return None if process is None else process.pid

    def prepare(self) -> None:
        """Have at hand what the first report needs: the process, or here modules, dictionary and rules, which are files to open.

        Done once, however often it is called; what cannot be had now is left to the first report. It waits for no process.
        """
        if self._prepared:
            return
        with self._preparing, contextlib.suppress(OSError, ImportError):
            if not self._prepared and not self._closed:
                if self._wanted:
                    self._launch_ahead()
                else:
                    self._own().prepare()
                self._prepared = True

    def read(self, data: bytes, transfer_syntax: str, facts: ReportFacts) -> Reading:
        """As `reading.Reader.read`; raises `Unfinished` when the engine stops meanwhile."""
        answer = self._ask(Read(transfer_syntax=transfer_syntax, facts=facts), data) if self._wanted else None
        if answer is None:
            return self._own().read(data, transfer_syntax, facts)
        if answer.reading is None:
            return Reading(facts=msgspec.structs.replace(facts, readable=False), problem=_DIED, fault=True)
        return answer.reading

    def outgoing(self, data: bytes, transfer_syntax: str, policy: Policy, uid_key: bytes) -> Outgoing:
        """As `reading.Reader.outgoing`; raises `Unfinished` when the engine stops meanwhile."""
        request = Anonymise(transfer_syntax=transfer_syntax, policy=policy, uid_key=uid_key)
        answer = self._ask(request, data) if self._wanted else None
        if answer is None:
            return self._own().outgoing(data, transfer_syntax, policy, uid_key)
        return answer.outgoing if answer.outgoing is not None else Outgoing(problem=_DIED, fault=True)

    def described(self, data: bytes, transfer_syntax: str, envelope: Envelope) -> Described:
        """As `central.reading.describe`, with a `problem` where the report cannot be read.

        Raises `Unfinished` when the engine stops meanwhile, `RuntimeError` when the process died of it twice.
        """
        from mockserver.central.described import Described  # noqa: PLC0415 - only where reports are sent on

        beside = msgspec.msgpack.encode(envelope)
        answer = self._ask(Describe(transfer_syntax=transfer_syntax, envelope=beside), data) if self._wanted else None
        found = self._own().described(data, transfer_syntax, beside) if answer is None else answer.described
        if not found:
            raise RuntimeError(_DIED)
        decoder(Described)  # works the type out, one thread at a time
        return msgspec.msgpack.decode(found, type=Described)

    def close(self) -> None:
        """End the process; what it is at is left undone. Harmless when done twice."""
        self._closed, process = True, self._process
        if process is not None:
            process.kill()
        with self._lock:
            self._forget()

    def _own(self) -> Reader:
        """This process's own reader, made when it is first needed."""
        from mockserver.dirlink.reading import Reader  # noqa: PLC0415 - memory that only who reads here needs

        if self._reader is None:
            self._reader = Reader(self._facts, self._digester)
        return self._reader

    # the process

    def _ask(self, request: Task, data: bytes) -> Answer | None:
        """What the process answers, nothing where it died of it; None where there is no process.

        What one process died of is never read here, even if no other one can be started.
        """
        with self._lock:
            for again in range(_TRIES):
                if self._closed:
                    raise Unfinished
                if not self._ready():
                    return Answer() if again else None
                try:
                    answer = self._exchange(request, data)
                except (OSError, EOFError, ValueError, msgspec.MsgspecError):
                    code = self._forget()
                    if self._closed:
                        raise Unfinished from None
                    _log.warning("the process that reads reports died (exit status %s)", code)
                    continue
                if answer.error:
                    raise RuntimeError(f"a report could not be read: {answer.error}")
                return answer
        return Answer()

    def _ready(self) -> bool:
        """Whether there is a process, started if need be; False, and no more tries, where there can be none."""
        if self._process is not None and self._set_up:
            return True
        why = ""
        for _ in range(_STARTS):
            try:
                if self._process is None:
                    self._launch()
                self._greet()
            except (OSError, EOFError, ValueError, msgspec.MsgspecError) as error:
                code = self._forget()
                if self._closed:
                    raise Unfinished from None
                why = str(error) or f"exit status {code}"
                if is_scarce(error):  # it passes: the next report is read apart again
                    _log.warning("no process for reading reports can be started for now (%s): a report is read here", why)
                    return False
            else:
                return True
        self._wanted = False
        _log.warning("no process for reading reports could be started (%s): they are read in the server's own", why)
        return False

    def _launch_ahead(self) -> None:
        """Start the process that there is none of yet; raises `OSError` where it cannot be."""
        with self._lock:
            if self._process is not None or self._closed:
                return
            try:
                self._launch()
            except (OSError, ValueError):
                self._forget()
                raise

    def _launch(self) -> None:
        """Start the process and tell it what it needs to know; its answer is waited for when it is first asked."""
        self._process, self._set_up = self._started(), False
        if self._closed:
            self._process.kill()
        dose = tuple((layer.name, layer.document.text) for layer in self._facts.overlaid("dose", "settings", "sources"))
        send(cast("BinaryIO", self._process.stdin), Setup(key=self._key, layers=dose))

    def _greet(self) -> None:
        """Wait until the process knows what it needs to know."""
        if self._answer().error:
            raise EOFError
        self._set_up = True

    def _started(self) -> subprocess.Popen[bytes]:
        """The process: it inherits no socket, and of the environment only what an interpreter needs to find its modules."""
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
        return subprocess.Popen(  # noqa: S603 - this interpreter and a module of ours
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            close_fds=True,
            creationflags=_FLAGS,
        )

    def _exchange(self, request: msgspec.Struct, data: bytes) -> Answer:
        if self._process is None:
            raise EOFError
        send(cast("BinaryIO", self._process.stdin), request, data)
        return self._answer()

    def _answer(self) -> Answer:
        if self._process is None:
            raise EOFError
        if self._decode is None:
            decoder(Answer)  # works the types out, one thread at a time
            self._decode = msgspec.msgpack.Decoder(Answer).decode
        return self._decode(receive(cast("BinaryIO", self._process.stdout)))

    def _forget(self) -> int | None:
        """Let go of the process, whatever it does; gives its exit status."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was not sent yet cannot be sent any more
                cast("BinaryIO", pipe).close()
        return process.wait(_PATIENCE)
