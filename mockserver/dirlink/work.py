"""Which of DIR Link's functions does which job."""

from __future__ import annotations

from collections.abc import Mapping

from mockserver.dirlink.decode import EXPIRE, FORWARD, RELEASE, decode
from mockserver.dirlink.forward import RETRY, forward, retry
from mockserver.dirlink.hold import expire, release, retain
from mockserver.dirlink.intake import DECODE, RETAIN
from mockserver.jobs import Handler

HANDLERS: Mapping[str, Handler] = {
    DECODE: decode,
    EXPIRE: expire,
    RELEASE: release,
    RETAIN: retain,
    FORWARD: forward,
    RETRY: retry,
}
"""The handlers by the kind of job."""
