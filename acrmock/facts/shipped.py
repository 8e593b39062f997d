"""The layers that acrmock ships: in a checkout `fixtures/` beside the package, in a wheel `acrmock/_fixtures`."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from acrmock.errors import HarnessError
from acrmock.facts.layer import Kind, Layer, parse
from acrmock.facts.yamlfile import read_text

PUBLISHED = "fixtures"

_FOLDERS = {
    Kind.SOURCES: "sources.yaml",
    Kind.SETTINGS: "layers/*.yaml",
    Kind.REGISTRY: "registries/*/*.yaml",
    Kind.REQUIREMENTS: "requirements/*.yaml",
    Kind.ERRORS: "errors/*.yaml",
    Kind.PROFILE: "profiles/*.yaml",
    Kind.DOSE: "dose/*.yaml",
}


@cache
def root() -> Path:
    """The folder of the shipped layers; raises `HarnessError` when the installation lacks it."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_fixtures", package.parent / PUBLISHED):
        if (folder / "sources.yaml").is_file():
            return folder
    raise HarnessError("the shipped facts are missing", where=str(package), fix="install acrmock again")


def files(kind: Kind) -> list[Path]:
    """The shipped files of one kind, in the order in which they merge."""
    return sorted(root().glob(_FOLDERS[kind]), key=lambda path: path.relative_to(root()).as_posix())


@cache
def layers(kind: Kind) -> tuple[Layer, ...]:
    """The shipped layers of one kind, in the order in which they merge; read once, never changed."""
    return tuple(parse(read_text(path), _name(path), shipped=True) for path in files(kind))


def overlays() -> dict[str, Path]:
    """The overlays that acrmock ships, by name; none is in force unless it is asked for."""
    return {path.stem: path for path in sorted((root() / "overlays").glob("*.yaml"))}


def schema_text(kind: Kind) -> str:
    """The JSON Schema of one kind of layer."""
    return (root() / "schema" / f"{kind}.schema.json").read_text(encoding="utf-8")


def read_file(name: str) -> str:
    """The text of a shipped file that is no layer, by its place in the folder."""
    return (root() / name).read_text(encoding="utf-8")


@cache
def digest() -> bytes:
    """The SHA-256 over names and texts of all shipped layers, the same on every system."""
    total = hashlib.sha256()
    for kind in Kind:
        for path in files(kind):
            total.update(_name(path).encode() + b"\0" + read_text(path).encode() + b"\0")
    return total.digest()


def _name(path: Path) -> str:
    return f"{PUBLISHED}/{path.relative_to(root()).as_posix()}"
