"""The receiving side of a forwarder: it takes any dose report and keeps the bytes as they came (PS3.4 Annex B)."""

from __future__ import annotations

import queue
from typing import Any, Self

from conformance.vendors.senders.objects import DicomObject, of_bytes

STORED = 0
NOT_UNDERSTOOD = 0xC000


class Inbox:
    """A storage SCP on a port of its own; what came waits in a queue until it is asked for."""

    def __init__(self, ae_title: str, port: int, *, host: str = "127.0.0.1") -> None:
        self._ae_title = ae_title
        self._address = (host, port)
        self._came: queue.Queue[DicomObject] = queue.Queue()
        self._server: Any = None

    def __enter__(self) -> Self:
        from pynetdicom import AE, ALL_TRANSFER_SYNTAXES, AllStoragePresentationContexts, evt

        ae = AE(ae_title=self._ae_title)
        for context in AllStoragePresentationContexts:
            ae.add_supported_context(str(context.abstract_syntax), ALL_TRANSFER_SYNTAXES)
        ae.add_supported_context("1.2.840.10008.1.1")
        ae.maximum_associations = 100
        handlers: list[Any] = [(evt.EVT_C_STORE, self._take)]
        self._server = ae.start_server(self._address, block=False, evt_handlers=handlers)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.socket.getsockname()[1])

    def next(self, seconds: float) -> DicomObject | None:
        """The next object that came, waiting at most so long; None where none does."""
        try:
            return self._came.get(timeout=seconds)
        except queue.Empty:
            return None

    def _take(self, event: Any) -> int:
        data = event.request.DataSet.getvalue()
        try:
            found = of_bytes("received", data, str(event.context.transfer_syntax))
        except ValueError:
            return NOT_UNDERSTOOD
        self._came.put(found)
        return STORED
