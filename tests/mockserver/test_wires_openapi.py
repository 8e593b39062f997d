"""The wires do what the OpenAPI document says, whatever they are sent."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

from acrmock.facts import load_facts
from mockserver.openapi import document


def _load() -> Any:
    name = "acrmock_tests_wires_support"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).parent / "wires_support.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


HOUSE = _load().House()
SCHEMA = schemathesis.openapi.from_dict(
    document(load_facts(), base_url="https://localhost:8443/test", public_url="https://localhost:8443")
).include(tag=["auth", "nrdr"])
SCHEMA.app = HOUSE.client.application
BEARER = HOUSE.test.bearer()

# what a schema cannot say (issued IDs, a registered redirect URI, a sealed form) is refused however valid it looks
EXCLUDED = [CHECKS.get_one("positive_data_acceptance")]


@SCHEMA.parametrize()
@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_as_described(case: Any) -> None:
    """No request gets an error of the server or an answer that the document does not describe."""
    case.call_and_validate(headers={"Authorization": f"Bearer {BEARER}"}, excluded_checks=EXCLUDED)


@pytest.mark.parametrize("path", ["/test/oauth2/default/v1/token", "/test/nrdr/lcsr/transactions/T1"])
def test_other_methods(path: str) -> None:
    """A method that a resource has not is 405 with an Allow header that tells the truth."""
    answer = HOUSE.client.patch(path)
    assert answer.status_code == 405
    assert "PATCH" not in answer.headers["Allow"]
    assert "DELETE" not in answer.headers["Allow"]
