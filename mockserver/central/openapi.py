"""The OpenAPI description of the central server's operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mockserver._describe import COMPONENTS, answers

if TYPE_CHECKING:
    from acrmock.facts import Facts

_ANSWERS = {
    "200": "Kept",
    "202": "Kept, with warnings",
    "400": "Not understood",
    "401": "Not DIR Link's token",
    "409": "Not taken: not anonymised, not a dose report, or another report of that UID",
    "500": "Asked for by the control API",
    "502": "Asked for by the control API",
    "503": "Down, as asked for by the control API",
    "504": "Asked for by the control API",
}


_EXAMPLE = (
    "--x\r\nContent-Type: application/dicom\r\n\r\n(the file)\r\n--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x--\r\n"
)


def openapi(facts: Facts) -> dict[str, Any]:
    """The path below an application's environment."""
    plain = {"application/dicom+json": {"schema": {"type": "object"}}}
    responses = answers(facts, {}, (), back_channel=False)
    for status, text in _ANSWERS.items():
        known = responses.get(status, {"description": "", "content": {}})
        words = "; ".join(filter(None, (text, known["description"])))
        responses[status] = {"description": words, "content": {**plain, **known["content"]}}
    operation = {
        "operationId": "storeReport",
        "summary": "Take an anonymised dose report from DIR Link (PS3.18 section 10.5)",
        "tags": ["central"],
        "security": [{"dirLinkToken": []}],
        "requestBody": {
            "required": True,
            "description": "One part application/dicom (a file, PS3.10) and one part application/json (the envelope)",
            "content": {"multipart/related": {"schema": {"type": "string"}, "example": _EXAMPLE}},
        },
        "responses": responses,
    }
    scheme = {"type": "http", "scheme": "bearer", "description": "issued to DIR Link within the server; nobody else gets one"}
    return {
        "paths": {facts.text("dirlink.central.path"): {"post": operation}},
        "components": {**COMPONENTS, "securitySchemes": {"dirLinkToken": scheme}},
    }
