"""What was answered with success over DICOM survives a kill: there, whole, once.

`ACRMOCK_DICOM_KILLS=N` kills N times, at moments spread over 1,000 stores.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clients.server import Served

from acrmock.clock import SystemClock
from benchmarks.cstore_sender import associate_rq, maximum, messages, receive_pdu
from mockserver._places import place_of
from mockserver.dirlink.model import REPORT, StoredReport
from mockserver.sqlite import SqliteStore

SENDERS = 4
KILLS = int(os.environ.get("ACRMOCK_DICOM_KILLS", "0"))
STORES = 1000 if KILLS else 400
MOMENTS = [(2 * number + 1) * (STORES - 100) // (2 * KILLS) + 1 for number in range(KILLS)] or [60]
"""After how many successes the server is killed, a run each."""
SUCCESS = b"\x00\x00\x00\x09\x02\x00\x00\x00\x00\x00"


@pytest.mark.skipif(sys.platform == "win32", reason="a POSIX signal is needed")
@pytest.mark.parametrize("size", [20_000, 200_000], ids=["in-rows", "in-the-file"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_kill_during_stores_loses_nothing_that_was_acknowledged(moment: int, size: int, tmp_path: Path) -> None:
    """Every object answered with success before SIGKILL is there after it, whole and once, with its one journal entry."""
    server = Served(tmp_path / "data", options=["--port", "0", "--dicom-port", "0"])
    server.register("Durable")
    port = server.ready["dicom"]["port"]
    acknowledged: list[str] = []
    enough = threading.Event()

    def send(number: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
                wire.sendall(associate_rq("DIRLINK"))
                _, body = receive_pdu(wire)
                for index, message in enumerate(messages(STORES // SENDERS, size, str(number), maximum(body))):
                    wire.sendall(message)
                    _, answer = receive_pdu(wire)
                    assert SUCCESS in answer
                    acknowledged.append(f"2.25.4711.{number}.{index:08d}")
                    if len(acknowledged) >= moment:
                        enough.set()
        except OSError:
            return  # cut off by the kill: not acknowledged

    with ThreadPoolExecutor(SENDERS) as pool:
        sent = [pool.submit(send, number) for number in range(1, SENDERS + 1)]
        assert enough.wait(timeout=60)
        server.kill()
        for one in sent:
            one.result()
    assert moment <= len(acknowledged) < STORES
    check(tmp_path / "data" / "store.sqlite3", acknowledged)


def check(path: Path, acknowledged: list[str]) -> None:
    """The store holds each acknowledged object whole, and one entry for it; and no object without an entry."""
    store = SqliteStore(path, SystemClock())
    scope = ("default", "test")
    try:
        with store.read() as snapshot:
            lines = [json.loads(line) for _, line in snapshot.entries(labels=("C-STORE",))]
            entries = [line["facts"]["sop_instance"] for line in lines]
            kept = dict(snapshot.scan(REPORT, scope, StoredReport))
            for uid in acknowledged:
                octets = snapshot.get_object(scope, uid, kept[uid].sha256)
                assert octets is not None
                assert uid.encode() in octets
                assert hashlib.sha256(octets).hexdigest() == kept[uid].sha256
                assert kept[uid].size == len(octets)
        assert len(entries) == len(set(entries))
        assert set(acknowledged) <= set(entries) == set(kept)
        texts = [text for (text,) in store.connection.execute("SELECT place FROM received")]
        assert len(texts) == len(kept)
        places = [place_of(text) for text in texts if text is not None]
        file = path.with_name("objects.bytes")
        held = bytearray(file.read_bytes() if file.exists() else b"")
        for offset, length in (piece for place in places for piece in place):
            held[offset : offset + length] = bytes(length)
        assert not any(held), "bytes that no row names"
    finally:
        store.close()
