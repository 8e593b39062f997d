"""JSON results and the published schemas."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import msgspec
import pytest

from acrmock.documents import DicomAddress, ReadyDocument, RegistrationDocument, SignInUser
from acrmock.record import encode_line
from conformance.reports import jsonout
from conformance.reports.evidence import RecordingLike
from conformance.reports.schemas import identifier, main, render, schemas
from conformance.result import Result

_PUBLISHED = Path(__file__).parents[3] / "docs" / "schemas"


def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_published_files_are_the_code_s_schemas() -> None:
    """What stands under docs/schemas is what the code makes, byte for byte (line ends aside), and nothing else."""
    made = {name: render(schema) for name, schema in schemas().items()}
    found = {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in _PUBLISHED.glob("*.json")}
    missing = "run: python -m conformance.reports.schemas docs/schemas"
    assert {name: found.get(name) for name in made} == made, missing


def test_every_schema_has_its_own_versioned_name() -> None:
    """The `$id` of each schema is unique and says its version."""
    names = [schema["$id"] for schema in schemas().values()]
    assert len(set(names)) == len(names)
    assert identifier("acrmock/result/1") == "urn:acrmock:schema:result:1"
    assert identifier("acrmock/result/1") in names


def test_a_result_is_valid_and_survives(result: Result) -> None:
    """The JSON of a result is valid against its schema and reads back as the same result."""
    data = jsonout.render(result)
    _validator("result-1.json").validate(json.loads(data))
    assert msgspec.json.decode(data, type=Result) == result
    assert data.endswith(b"}\n")


@pytest.mark.parametrize("change", [{"schema": "other/1"}, {"verdict": "splendid"}, {"findings": None}, {"points": {}}])
def test_a_wrong_result_is_refused(result: Result, change: dict[str, object]) -> None:
    """The schema tells another document from a result."""
    document = {**json.loads(jsonout.render(result)), **change}
    with pytest.raises(jsonschema.ValidationError):
        _validator("result-1.json").validate(document)


def test_every_line_of_a_recording_is_valid(recording: RecordingLike) -> None:
    """Header, entries of every kind and footer are valid against the schema of a line."""
    validator = _validator("record-1.json")
    for line in (recording.header, *recording.entries, recording.footer):
        assert line is not None
        validator.validate(json.loads(encode_line(line)))
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"kind": "http", "seq": "one"})


def test_a_registration_and_a_ready_document_are_valid() -> None:
    """Both documents have a schema that they meet, with and without what is optional."""
    registration = RegistrationDocument(
        schema="acrmock/registration/1",
        application="default",
        name="Client",
        environment="test",
        client_id="c",
        client_secret="s",
        redirect_url="https://localhost:8765/callback",
        redirect_urls=("https://localhost:8765/callback",),
        partner_id="p",
        app_id="a",
        facility_id="100001",
        facilities=("100001",),
        issuer="https://localhost:8443/test/oauth2/default",
        nrdr="https://localhost:8443/test/nrdr",
        users=(SignInUser(username="u", password="p", facility_id="100001"),),
        scopes=("openid",),
        registries={"lcsr": "1.8"},
        ca_file="",
    )
    validator = _validator("registration-1.json")
    validator.validate(json.loads(msgspec.json.encode(registration)))
    more = msgspec.structs.replace(registration, dicom=DicomAddress(host="127.0.0.1", port=11112, ae_title="DIRLINK"))
    validator.validate({**json.loads(msgspec.json.encode(more)), "later": "addition"})
    ready = ReadyDocument(
        schema="acrmock/ready/1",
        pid=1,
        url="https://localhost:8443",
        port=8443,
        control_token="t",
        ca_file="",
        data="acrmock-data",
        version="0.1.0",
    )
    _validator("ready-1.json").validate(json.loads(msgspec.json.encode(ready)))


def test_the_schemas_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The module writes every schema into a folder, and says how to use it when there is none."""
    assert main([str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(schemas())
    assert main([str(tmp_path / "absent")]) == 2
    assert "usage" in capsys.readouterr().err
