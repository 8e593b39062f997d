"""A vendor and the robot user as threads of this process: what the self-test does instead of starting a process per step.

The traffic goes over TLS all the same; only Python's start is saved.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from acrmock.clock import SystemClock
from acrmock.errors import AcrmockError
from acrmock.facts import load_facts
from conformance.runs.client import Exit
from conformance.runs.robot import run_from_environment
from conformance.vendors.config import read_registration, surroundings
from conformance.vendors.kinds import Surroundings, vendor_of
from conformance.vendors.senders.address import DEFAULT_CALLING_AE


@dataclass(frozen=True, slots=True)
class VendorThread:
    """Runs the vendor of a name (None: the reference) where `conformance.runs.client.run` would start the command.

    `overlays` are those of the run.
    """

    broken: str | None
    listen: tuple[str, int] | None = None
    calling_ae: str = DEFAULT_CALLING_AE
    overlays: tuple[Path, ...] = ()

    def __call__(
        self, command: list[str], env: Mapping[str, str], *, timeout: float, log: Path, finished: Callable[[], bool] | None = None
    ) -> Exit:
        """Do the step that `env` names within `timeout` seconds; a vendor that does not end is left to end by itself."""
        del command
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w", encoding="utf-8", buffering=1) as out:
            codes: list[int] = []
            thread = threading.Thread(target=lambda: codes.append(self._step(env, out, finished)), daemon=True)
            thread.start()
            thread.join(timeout)
        return Exit(codes[0] if codes else None, timed_out=not codes, log=log)

    def _step(self, env: Mapping[str, str], out: TextIO, finished: Callable[[], bool] | None) -> int:
        def say(text: str) -> None:
            if not out.closed:
                out.write(f"{text}\n")

        try:
            around = surroundings(env)
            facts = load_facts(self.overlays)
            made = Surroundings(
                registration=read_registration(around.registration),
                state=around.state,
                facts=facts,
                clock=SystemClock(),
                say=say,
                browser=lambda url: _send_the_robot(url, env),
                listen=self.listen,
                calling_ae=self.calling_ae,
                finished=finished,
            )
            vendor = vendor_of(facts.profile(around.profile), self.broken, made)
            vendor.run(around.step)
        except AcrmockError as error:
            say(str(error))
            return error.exit_code
        except Exception:  # noqa: BLE001 - as a process would: its traceback is its output
            say(traceback.format_exc())
            return 1
        return 0


def _send_the_robot(url: str, env: Mapping[str, str]) -> None:
    threading.Thread(target=run_from_environment, args=(url, env), daemon=True).start()
