"""A house that takes files: the control API beside the wires of an engine in memory."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from errors_walk import EXAM, Walk

from acrmock.datafile import Layout, layout_of, write_pipe, write_workbook
from acrmock.facts import load_facts

FACTS = load_facts()


class Files:
    """Uploads by an application that is registered for every registry."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk
        registries = [registry.slug for registry in FACTS.registries]
        self.doc = self.walk.register("Uploader", registry=registries)
        self.application = str(self.doc["application"])
        self.base = f"/applications/{self.application}/files"

    def layout(self, registry: str = "lcsr", version: str = "1.8") -> Layout:
        """The layout of a mapping version."""
        found = FACTS.registry(registry)
        assert found is not None
        mapping = found.version(version)
        assert mapping is not None
        return layout_of(FACTS, mapping)

    def pipe(self, *exams: Any, registry: str = "lcsr", version: str = "1.8") -> bytes:
        """Exams as pipe text."""
        stream = io.BytesIO()
        layout = self.layout(registry, version)
        write_pipe((layout.row(exam) for exam in exams), stream)
        return stream.getvalue()

    def workbook(self, *exams: Any, registry: str = "lcsr", version: str = "1.8") -> bytes:
        """Exams as a workbook."""
        stream = io.BytesIO()
        layout = self.layout(registry, version)
        write_workbook((layout.row(exam) for exam in exams), stream)
        return stream.getvalue()

    def send(
        self, data: bytes, name: str, registry: str = "lcsr", *, media: str = "application/octet-stream", **query: str
    ) -> Any:
        """The answer to an upload."""
        asked = "&".join(f"{key}={value}" for key, value in {"name": name, "registry": registry, **query}.items())
        headers = {"Authorization": f"Bearer {self.walk.control_token}", "Content-Type": media}
        return self.walk.control("POST", f"{self.base}?{asked}", headers=headers, data=data)

    def upload(self, data: bytes, name: str, registry: str = "lcsr", **query: str) -> dict[str, Any]:
        """An upload that is taken."""
        seen = self.send(data, name, registry, **query)
        assert seen.status == 201, seen.body
        return dict(seen.document)

    def show(self, file: dict[str, Any]) -> dict[str, Any]:
        """The file as it stands now."""
        return dict(self.walk.control("GET", f"{self.base}/{file['file']}").document)

    def decide(self, file: dict[str, Any], decision: str) -> Any:
        """The answer to a decision."""
        return self.walk.control("POST", f"{self.base}/{file['file']}/decision", {"decision": decision})

    def log(self, file: dict[str, Any]) -> list[list[str]]:
        """The rows of the log."""
        seen = self.walk.control("GET", f"{self.base}/{file['file']}/log")
        assert seen.status == 200, seen.body
        return [line.split("|") for line in seen.body.split("\n") if line]

    def advance(self, seconds: float) -> None:
        """Business time goes on."""
        assert self.walk.control("POST", "/clock", {"application": self.application, "advance": seconds}).status == 200


def exam(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An exam that is accepted; None takes an element away."""
    made = {**EXAM, "Other_ID": f"P{number}"} | changes
    return {name: value for name, value in made.items() if value is not None}


@pytest.fixture(scope="module")
def shared_walk() -> Iterator[Walk]:
    """One server for a module."""
    made = Walk()
    yield made
    made.close()


@pytest.fixture
def files(shared_walk: Walk) -> Files:
    """An application of the test's own that uploads."""
    return Files(shared_walk)


@pytest.fixture
def fresh() -> Iterator[Files]:
    """A server of the test's own, and its first application, which also posts transactions."""
    walk = Walk()
    made = Files(walk)
    made.application, made.base = "default", "/applications/default/files"
    yield made
    walk.close()


@pytest.fixture
def an_exam() -> Any:
    """Makes exams that are accepted."""
    return exam
