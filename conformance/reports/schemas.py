"""The published JSON Schemas (2020-12) of what outsiders read, made from the code's own types.

The files under `docs/schemas/` are these, byte for byte; `python -m conformance.reports.schemas` prints one or writes all.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from acrmock.documents import READY_SCHEMA, REGISTRATION_SCHEMA, ReadyDocument, RegistrationDocument
from acrmock.record import RECORD_SCHEMA, Line
from conformance.detection import DETECTION_SCHEMA, Detection
from conformance.reports.site import SITE_SCHEMA, SiteReport
from conformance.result import RESULT_SCHEMA, Result

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS: tuple[tuple[str, Any, str], ...] = (
    (RESULT_SCHEMA, Result, "A judged run of acrmock"),
    (RECORD_SCHEMA, Line, "One line of a recording of acrmock (NDJSON)"),
    (DETECTION_SCHEMA, Detection, "The detection matrix of a self-test"),
    (REGISTRATION_SCHEMA, RegistrationDocument, "The registration of an application for one environment"),
    (READY_SCHEMA, ReadyDocument, "A server's ready.json"),
    (SITE_SCHEMA, SiteReport, "The checklist of a host of ACR Connect and DIR Link"),
)


def identifier(name: str) -> str:
    """The `$id` of the schema named like `acrmock/result/1`; the number goes up with every breaking change."""
    return "urn:" + name.replace("acrmock/", "acrmock:schema:").replace("/", ":")


def file_name(name: str) -> str:
    """The published file of the schema named like `acrmock/result/1`: `result-1.json`."""
    return "-".join(name.split("/")[1:]) + ".json"


def schemas() -> dict[str, dict[str, Any]]:
    """Every published schema by its file's name. They admit fields that later versions add."""
    made = {}
    for name, kind, title in _KINDS:
        schema = msgspec.json.schema(kind)
        _say_which(schema, name)
        made[file_name(name)] = {"$schema": _DIALECT, "$id": identifier(name), "title": title, **schema}
    return made


def _say_which(schema: dict[str, Any], name: str) -> None:
    """Where a document names its schema, only this name will do."""
    for definition in schema["$defs"].values():
        properties = definition.get("properties", {})
        if "schema" in properties:
            properties["schema"] = {"const": name}


def render(schema: dict[str, Any]) -> bytes:
    """A schema as the published file has it: UTF-8, indent of two, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def write(folder: Path) -> tuple[Path, ...]:
    """Write every schema into `folder`, which must exist; the files written."""
    written = []
    for name, schema in schemas().items():
        path = folder / name
        path.write_bytes(render(schema))
        written.append(path)
    return tuple(written)


def main(arguments: Sequence[str]) -> int:
    """Write the schemas into the folder given, or say how to."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m conformance.reports.schemas FOLDER (an existing one, e.g. docs/schemas)\n")
        return 2
    for path in write(Path(arguments[0])):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
