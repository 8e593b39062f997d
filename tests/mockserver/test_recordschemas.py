"""The schemas of exam records as anybody can fetch them."""

from __future__ import annotations

import jsonschema
import requests

from acrmock.clock import SystemClock
from acrmock.facts import load_facts
from mockserver import Engine
from synthetic.exams import exams


def test_the_schemas_are_served_and_judge_as_a_second_validator_does() -> None:
    """Each known version and level is served as JSON Schema 2020-12; a synthetic complete exam is valid by both levels."""
    today = SystemClock().now().date()
    facts = load_facts()
    registry = facts.registry("lcsr")
    assert registry is not None
    with Engine() as engine, requests.Session() as session:
        assert engine.ready is not None
        session.trust_env = False
        session.verify = engine.ready.ca_file
        for version in registry.versions:
            for level in ("submit", "complete"):
                answer = session.get(f"{engine.ready.url}/schemas/lcsr/{version.version}/{level}.json", timeout=10)
                assert answer.status_code == (200 if version.described else 404)
                if answer.status_code == 200:
                    jsonschema.Draft202012Validator.check_schema(answer.json())
        newest = registry.default(today)
        assert newest is not None
        exam = next(iter(exams(facts, "lcsr", seed=5, count=1, as_of=today)))
        for level in ("submit", "complete"):
            schema = session.get(f"{engine.ready.url}/schemas/lcsr/{newest.version}/{level}.json", timeout=10).json()
            jsonschema.Draft202012Validator(schema).validate(exam)
            assert list(jsonschema.Draft202012Validator(schema).iter_errors({}))
        missing = session.get(f"{engine.ready.url}/schemas/lcsr/9.9/submit.json", timeout=10)
        assert (missing.status_code, missing.headers["Content-Type"]) == (404, "application/problem+json")
