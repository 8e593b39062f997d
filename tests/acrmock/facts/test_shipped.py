"""What acrmock ships: every fact has its provenance and source, and the catalogues are complete."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import date

import jsonschema
import pytest

from acrmock.facts import MappingVersion, Provenance, Surface, VersionState, Weight, load_facts, shipped, show, weakest
from acrmock.facts.layer import Kind, check_schema
from acrmock.schema import breached

FACTS = load_facts()

IDS = [
    "apply-addresses",
    "apply-name",
    "apply-redirect-https",
    "apply-registries",
    "apply-logo",
    "allow-registered",
    "allow-all-used",
    "allow-refusal-respected†",
    "auth-discovery",
    "auth-code-flow",
    "auth-redirect-exact",
    "auth-csrf",
    "auth-state-present",
    "auth-state-unique",
    "auth-state-verified†",
    "auth-nonce",
    "auth-pkce",
    "auth-client-id",
    "auth-secret-private",
    "auth-client-auth",
    "auth-code-once",
    "auth-denied†",
    "auth-refresh",
    "auth-refresh-rotation†",
    "auth-refresh-dead†",
    "auth-token-expiry†",
    "auth-bearer-header",
    "auth-id-token-not-api",
    "auth-token-opaque†",
    "auth-tls†",
    "auth-mixup†",
    "auth-next-guide†",
    "tx-header",
    "tx-facility-token",
    "tx-schema",
    "tx-version-in-force",
    "tx-complete",
    "tx-coverage",
    "tx-id-unique",
    "tx-retry-same†",
    "tx-update",
    "tx-follow-up",
    "tx-backoff†",
    "tx-test-data",
    "tx-media-type",
    "status-each",
    "status-terminal",
    "status-pace",
    "status-partial†",
    "status-failed†",
    "prod-config†",
    "cdsr-header",
    "cdsr-create-update",
    "cdsr-times-id",
    "cdsr-internal-error†",
    "dir-association",
    "dir-echo",
    "dir-rdsr-only",
    "dir-valid",
    "dir-template",
    "dir-pass-through",
    "dir-pass-through-bytes",
    "dir-station",
    "dir-each-exam",
    "dir-soon",
    "dir-selective",
    "dir-retry†",
    "srv-credentials",
    "srv-name-shown",
    "srv-allow-environment",
    "srv-cdsr-codes",
    "srv-hold",
    "srv-anonymised",
    "srv-statuses",
    "acc-dicom",
    "acc-preferred",
    "acc-lossless",
    "acc-processed",
    "acc-not-anonymised",
    "acc-no-reports",
    "acc-no-photos",
    "acc-required-only",
    "acc-viewed",
    "acc-complete",
]
SHOULD = {
    "apply-logo",
    "allow-all-used",
    "allow-refusal-respected",
    "auth-discovery",
    "auth-state-present",
    "auth-nonce",
    "auth-pkce",
    "auth-token-opaque",
    "auth-mixup",
    "auth-next-guide",
    "tx-coverage",
    "status-pace",
    "cdsr-times-id",
    "dir-echo",
    "dir-template",
    "dir-pass-through-bytes",
    "dir-soon",
    "dir-selective",
    "acc-preferred",
}


def lcsr(version: str) -> MappingVersion:
    """A mapping version of LCSR."""
    registry = FACTS.registry("lcsr")
    found = registry.version(version) if registry else None
    assert found is not None
    return found


def test_the_catalogue_is_complete() -> None:
    """Every requirement that must be judged is there, with its weight, and none besides."""
    assert set(FACTS.requirements) == {text.rstrip("†") for text in IDS}
    challenges = {text.rstrip("†") for text in IDS if text.endswith("†")}
    assert {item.id for item in FACTS.requirements.values() if item.challenge} == challenges
    assert {item.id for item in FACTS.requirements.values() if item.weight is Weight.SHOULD} == SHOULD
    for item in FACTS.requirements.values():
        assert item.id.startswith(item.group + "-")
        assert item.text.endswith(".")
        assert item.hint
        assert item.fails_when


def test_the_profile_scores_no_challenge() -> None:
    """Every requirement of the profile's groups is listed, challenges as not scored."""
    profile = FACTS.profile("lcsr")
    assert profile.groups == ("apply", "allow", "auth", "tx", "status")
    in_groups = {item.id: item for item in FACTS.requirements.values() if item.group in profile.groups}
    assert set(profile.weights) == set(in_groups)
    assert set(profile.not_scored) == {item.id for item in in_groups.values() if item.challenge}
    scored = {check: weight for check, weight in profile.weights.items() if weight is not Weight.NOT_SCORED}
    assert scored == {check: in_groups[check].weight for check in scored}
    assert [step.name for step in profile.steps] == ["sign-in", "submit", "update", "follow-up", "refresh", "sign-in-again"]
    assert [*dict.fromkeys(in_groups[check].group for check in profile.weights)] == list(profile.groups)


def test_one_fault_one_finding() -> None:
    """What would fail with another check presupposes it."""
    for check, other in [
        ("auth-state-present", "auth-csrf"),
        ("auth-nonce", "auth-csrf"),
        ("auth-pkce", "auth-csrf"),
        ("status-terminal", "status-each"),
        ("dir-pass-through-bytes", "dir-pass-through"),
    ]:
        assert other in FACTS.requirements[check].presupposes


@pytest.mark.parametrize("kind", list(Kind))
def test_shipped_layers_keep_their_schema(kind: Kind) -> None:
    """Every shipped layer is valid by the published schema of its kind, which is itself valid."""
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped.schema_text(kind)))
    layers = shipped.layers(kind)
    assert layers
    for layer in layers:
        check_schema(layer)


def test_everything_has_provenance_and_a_known_source() -> None:
    """Each row has a provenance and, but for sources themselves, citations of known sources."""
    for row in show(FACTS):
        assert row.provenance in set(Provenance)
        assert row.sources or row.key.startswith("source.")
        for citation in row.sources:
            assert citation.partition(" ")[0] in FACTS.sources


def test_provenance_is_never_stronger_than_its_sources() -> None:
    """What is called ACR's own cites a document of ACR; what is called a standard's cites a standard."""
    for row in show(FACTS):
        kinds = [FACTS.sources[citation.partition(" ")[0]].kind for citation in row.sources]
        if row.provenance in {Provenance.ACR, Provenance.ACR_MIRROR, Provenance.STANDARD} and kinds:
            strongest = min(kinds, key=list(Provenance).index)
            assert list(Provenance).index(strongest) <= list(Provenance).index(Provenance(row.provenance)), row


def test_every_element_is_whole() -> None:
    """Each element has a label, a number of its own, a citation, and every code a label."""
    elements = lcsr("1.8").elements
    assert len(elements) == 89
    assert sorted(element.number or 0 for element in elements) == list(range(1, 90))
    for element in elements:
        assert element.label
        assert element.sources
        assert all(code.label for code in element.codes)
        assert all(origin.sources for origin in element.origins.values())


def test_weakest_word_counts() -> None:
    """What rests on several words counts as its weakest; nothing at all is our choice."""
    assert weakest(Provenance.ACR, Provenance.STANDARD) is Provenance.STANDARD
    assert weakest(Provenance.THIRD_PARTY, Provenance.ACR_MIRROR) is Provenance.THIRD_PARTY
    assert weakest(*Provenance) is Provenance.MOCK_CHOICE
    assert weakest() is Provenance.MOCK_CHOICE


@pytest.mark.parametrize(
    ("day", "in_force", "default"),
    [
        ("2024-07-12", ["1.6"], "1.6"),
        ("2024-07-13", ["1.6", "1.7"], "1.7"),
        ("2024-12-07", ["1.6", "1.7"], "1.7"),
        ("2024-12-08", ["1.7"], "1.7"),
        ("2025-07-28", ["1.7"], "1.7"),
        ("2025-07-29", ["1.7", "1.8"], "1.8"),
        ("2026-04-30", ["1.7", "1.8"], "1.8"),
        ("2026-05-01", ["1.8"], "1.8"),
    ],
)
def test_versions_in_force(day: str, in_force: list[str], default: str) -> None:
    """The versions in force on the days around each boundary."""
    registry = FACTS.registry("lcsr")
    assert registry is not None
    when = date.fromisoformat(day)
    assert [version.version for version in registry.in_force(when)] == in_force
    newest = registry.default(when)
    assert newest is not None
    assert newest.version == default


def test_old_versions_are_named_but_not_described() -> None:
    """1.0 to 1.5 are obsolete and have no elements; an unknown version is none at all."""
    for version in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5"):
        assert lcsr(version).state(date(2026, 1, 1)) is VersionState.OBSOLETE
        assert not lcsr(version).described
    registry = FACTS.registry("lcsr")
    assert registry is not None
    assert registry.version("1.10") is None
    assert lcsr("1.8").state(date(2025, 7, 28)) is VersionState.NOT_YET


def test_the_unknown_of_1_8_is_said() -> None:
    """Version 1.8 says that its changes are not public, in other words than 1.7's."""
    assert "1.8" in lcsr("1.8").unknown
    assert lcsr("1.7").unknown != lcsr("1.8").unknown
    assert lcsr("1.8").origins["in_force_from"].provenance is Provenance.MOCK_CHOICE


def test_the_error_catalogue() -> None:
    """Errors have fitting statuses and, at the sign-in's endpoints, the protocol's own word."""
    for error in FACTS.errors.values():
        assert error.trigger
        assert re.fullmatch(r"[a-z0-9-]+", error.code)
        if error.code.startswith("token-"):
            assert error.surface is Surface.AUTH
            assert error.oauth_error
            assert error.headers["Cache-Control"] == "no-store"
        if error.status == 401 and error.surface is Surface.AUTH and error.code.startswith("bearer"):
            assert error.headers["WWW-Authenticate"].startswith("Bearer")
    assert {error.surface for error in FACTS.errors.values()} == set(Surface)


def test_typed_reading() -> None:
    """Settings are read by type; another type or an unknown key is an error that names the key."""
    assert FACTS.text("auth.base_path") == "/oauth2/default"
    assert FACTS.texts("gate.environments") == ("test", "production")
    assert FACTS.flag("auth.pkce_required") is False
    assert FACTS.number("nrdr.status.retry_after") == 1.0
    for read, key in wrong_reads():
        with pytest.raises(Exception, match=re.escape(key)):
            read(key)
    assert FACTS.problem_with("nrdr.status.terminal_after", -1)
    assert FACTS.problem_with("nrdr.status.terminal_after", "2")
    assert FACTS.problem_with("nrdr.nothing", 1)
    assert not FACTS.problem_with("nrdr.status.terminal_after", 30)


def wrong_reads() -> Iterator[tuple[Callable[[str], object], str]]:
    """Readings that cannot succeed."""
    yield FACTS.text, "nrdr.limit.exams"
    yield FACTS.integer, "auth.base_path"
    yield FACTS.integer, "auth.pkce_required"
    yield FACTS.number, "auth.base_path"
    yield FACTS.flag, "auth.base_path"
    yield FACTS.mapping, "auth.base_path"
    yield FACTS.text, "no.such.key"


def test_shipped_facts_are_made_once() -> None:
    """Without overlays a process has one set of facts."""
    assert load_facts() is load_facts([])
    assert re.fullmatch("[0-9a-f]{64}", FACTS.digest)


def test_show_selects() -> None:
    """A selector shows a key and what lies below it, and nothing else."""
    assert [row.key for row in show(FACTS, "gate.refusal_status")] == ["gate.refusal_status"]
    keys = [row.key for row in show(FACTS, "registry.lcsr.1.8.Modality")]
    assert keys == [f"registry.lcsr.1.8.Modality{end}" for end in ("", ".1", ".2")]
    assert show(FACTS, "nothing.here") == []
    assert len(show(FACTS, "requirement")) == len(IDS)


@pytest.mark.parametrize(
    ("selector", "key"),
    [
        ("nrdr.path", "nrdr.path.post"),
        ("auth-pkce", "requirement.auth-pkce"),
        ("acrmock:not-json", "error.not-json"),
        ("Smoking_Status", "registry.lcsr.1.8.Smoking_Status"),
        ("lcsr", "registry.lcsr.1.7"),
    ],
)
def test_a_fact_is_found_by_any_part_of_its_name(selector: str, key: str) -> None:
    """A beginning of a name or one part of it finds the fact, and what has neither finds nothing."""
    assert key in {row.key for row in show(FACTS, selector)}
    assert show(FACTS, "no-such-fact") == []


def test_a_record_error_leads_to_its_element_or_rule() -> None:
    """The code in a status answer names the element or the rule that was broken, in each version that has it."""
    assert "registry.lcsr.1.8.Exam_Date" in breached(FACTS, "acrmock:LCSR-REQ-037")
    assert "registry.lcsr.1.6.rule.NPI-001" in breached(FACTS, "LCSR-NPI-001")
    assert breached(FACTS, "LCSR-NONSENSE-1") == ()
