"""What a server's process has loaded is not looked through again."""

from __future__ import annotations

import gc
import weakref

from mockserver.arenas import spare_what_is_loaded


class Ring:
    """An object that only the collector can let go of."""

    def __init__(self) -> None:
        self.me = self


def test_what_comes_later_is_still_collected() -> None:
    """What is loaded is taken out of the collector's sight; cyclic garbage that comes after it is let go of as before."""
    try:
        spare_what_is_loaded()
        assert gc.get_freeze_count() > 0
        later = weakref.ref(Ring())
        gc.collect()
        assert later() is None
    finally:
        gc.unfreeze()
