"""What the harness waits for while dose reports come: all of them, a sender that gives up, and flags that do not fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from acrmock.errors import SetupError
from acrmock.facts import load_facts
from acrmock.record import AssociationEntry, AssociationFacts, DimseEntry, DimseFacts
from conformance.runs.doses import Doses, DosesGiven, await_associations, check_given, read_expected
from conformance.runs.planting import Target

DOCUMENT = {"application": "default", "environment": "test", "stations": ["CT1"]}
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Hand:
    """A clock that goes only when somebody waits."""

    def __init__(self) -> None:
        self.time = 1000.0

    def monotonic(self) -> float:
        """Seconds since it was made."""
        return self.time

    def wait(self, seconds: float) -> None:
        """Let so much go by."""
        self.time += seconds

    def now(self) -> datetime:
        """Always the same day."""
        return NOON


class Server:
    """Says which reports came, and notes what is expected and planted."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[bytes] = []

    def reports(self, application: str, environment: str) -> list[dict[str, Any]]:
        """What came."""
        assert (application, environment) == ("default", "test")
        return [{"sop_instance": uid} for uid in self.came]

    def event(self, run: str, name: str, data: dict[str, Any]) -> None:
        """Note it."""
        assert run == "run-1"
        self.events.append((name, data))

    def plant(self, *_: Any) -> None:
        """Take what is planted."""

    def journal(self, *, run: str) -> Iterator[bytes]:
        """The lines of the run."""
        assert run == "run-1"
        yield from self.lines


def doses(server: Server, clock: Hand, asked: dict[str, Any], **given: Any) -> Doses:
    """The reports of a step."""
    return Doses(
        control=server,  # type: ignore[arg-type] # all that this part asks of a control API
        run="run-1",
        document=DOCUMENT,
        asked=asked,
        given=DosesGiven(**given),
        clock=clock,  # type: ignore[arg-type] # all that this part asks of a clock
        tell=lambda _text: None,
    )


def until_finished(waited: Doses, clock: Hand) -> float:
    """How long it takes until it says that all has come."""
    began = clock.time
    assert waited.wait(1000)
    return clock.time - began


def test_all_that_was_expected_has_come() -> None:
    """Not before the last one, and not before a moment in which nothing more comes."""
    server, clock = Server(), Hand()
    with doses(server, clock, {"expect": {"reports": 2}}) as waited:
        server.came = ["2.25.1"]
        assert not waited.wait(60)
        server.came += ["2.25.2"]
        assert 2 <= until_finished(waited, clock) < 4
    assert server.events == [("dir-expected", {"environment": "test", "count": 2})]


def test_the_flags_say_which_are_expected() -> None:
    """A number or UIDs of one's own stand for the profile's number."""
    server, clock = Server(), Hand()
    with doses(server, clock, {"expect": {"reports": 9}}, expect=("2.25.1", "2.25.2")) as waited:
        server.came = ["2.25.1", "2.25.7", "2.25.8"]
        assert not waited.wait(30)
        server.came += ["2.25.2"]
        assert waited.wait(30)
    assert server.events[0][1]["sop_instances"] == ["2.25.1", "2.25.2"]
    with doses(server, clock, {"expect": {"reports": 9}}, expect=4) as waited:
        assert waited.wait(30)


def test_a_forwarder_that_sends_nothing_more_is_not_waited_for(tmp_path: Path) -> None:
    """After all was planted and nothing has come for long, it is held to have given up."""
    server, clock = Server(), Hand()
    with doses(server, clock, {"plant": {"reports": 2, "unwanted": 1}}, target=Target(folder=tmp_path)) as waited:
        assert waited.finished is not None
        while len(list(tmp_path.glob("*.dcm"))) < 3 or not waited._planting.done:  # type: ignore[union-attr] # its own state
            assert not waited.finished()
        server.came = ["2.25.1"]
        assert 10 <= until_finished(waited, clock) < 13
        began = clock.time
        waited.settle(30)
        assert clock.time == began


def test_without_a_directive_nothing_is_waited_for() -> None:
    """A step that neither plants nor expects is over when its client is."""
    server, clock = Server(), Hand()
    with doses(server, clock, {}) as waited:
        assert waited.finished is None
        assert waited.wait(5)
        waited.settle(5)
    assert clock.time == 1000


PLANT = DosesGiven(target=Target(folder=Path()))


@pytest.mark.parametrize(
    ("profile", "given", "words"),
    [
        ("dir-rdim", DosesGiven(), "--plant-to AE@HOST:PORT or --plant-dir DIR"),
        ("dir-pacs", DosesGiven(), "--plant-to"),
        ("dir-direct", PLANT, "plants no reports"),
        ("lcsr", PLANT, "plants no reports"),
        ("lcsr", DosesGiven(expect=3), "which reports to expect"),
        ("dir-rdim", DosesGiven(target=PLANT.target, expect=3), "which reports to expect"),
    ],
)
def test_flags_that_do_not_fit_the_profile(profile: str, given: DosesGiven, words: str) -> None:
    """Before anything is started it is said what is missing or is of no use."""
    with pytest.raises(SetupError) as caught:
        check_given(load_facts().profile(profile), given)
    assert words in str(caught.value)


def test_flags_that_fit() -> None:
    """A target where reports are planted, a number where they are expected, or nothing."""
    for profile, given in (
        ("dir-rdim", PLANT),
        ("dir-direct", DosesGiven(expect=3)),
        ("dir-direct", DosesGiven()),
        ("lcsr", DosesGiven()),
    ):
        check_given(load_facts().profile(profile), given)


def test_what_is_expected(tmp_path: Path) -> None:
    """A number, or a file with a UID a line; nothing, none and what cannot be read are errors."""
    listed = tmp_path / "uids.txt"
    listed.write_text("2.25.1\n2.25.2\r\n\n")
    assert read_expected(None) is None
    assert read_expected("12") == 12
    assert read_expected(str(listed)) == ("2.25.1", "2.25.2")
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for wrong in ("0", "-3", "", "nowhere.txt", str(tmp_path), str(tmp_path / "empty"), str(tmp_path / "binary")):
        with pytest.raises(SetupError) as caught:
            read_expected(wrong)
        assert "--expect" in str(caught.value)


def line(entry: Any) -> bytes:
    """An entry as the journal has it."""
    return msgspec.json.encode(entry)


def test_associations_that_are_still_open_are_waited_for() -> None:
    """Until each that did something has ended, but not for ever."""
    server, clock = Server(), Hand()
    common: dict[str, Any] = {"seq": 1, "at": NOON, "t": NOON, "application": "default", "environment": "test"}
    server.lines = [line(DimseEntry(**common, facts=DimseFacts(association="a", service="C-STORE", context=1, sop_class="1.2")))]
    await_associations(server, "run-1", clock, 5)  # type: ignore[arg-type] # the same
    assert 1005 <= clock.time < 1006
    began = clock.time
    ended = AssociationFacts(
        association="a", calling_ae="X", called_ae="DIRLINK", called_state="own", allowed=True, began=NOON.isoformat()
    )
    server.lines.append(line(AssociationEntry(**common, facts=ended)))
    await_associations(server, "run-1", clock, 5)  # type: ignore[arg-type] # the same
    assert clock.time == began
