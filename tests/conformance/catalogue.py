"""A small catalogue of requirements and a profile, so that the judge's tests rest on no shipped wording or weight."""

from __future__ import annotations

from collections.abc import Mapping

from acrmock.facts import Facts, load_facts
from acrmock.facts.model import Profile, Requirement, Weight
from acrmock.facts.provenance import Provenance
from acrmock.facts.registry import Registry

MUST = """apply-addresses apply-name apply-redirect-https apply-registries allow-registered auth-code-flow auth-redirect-exact
auth-csrf auth-state-unique auth-client-id auth-secret-private auth-client-auth auth-code-once auth-refresh auth-bearer-header
auth-id-token-not-api tx-header tx-facility-token tx-schema tx-version-in-force tx-complete tx-id-unique tx-update tx-follow-up
tx-test-data tx-media-type status-each status-terminal""".split()
SHOULD = "apply-logo allow-all-used auth-discovery auth-state-present auth-nonce auth-pkce tx-coverage status-pace".split()
CHALLENGES = """allow-refusal-respected auth-state-verified auth-denied auth-refresh-rotation auth-refresh-dead auth-token-expiry
auth-token-opaque auth-tls auth-mixup auth-next-guide tx-retry-same tx-backoff status-partial status-failed""".split()
PRESUPPOSES = {
    "auth-state-present": ("auth-csrf",),
    "auth-nonce": ("auth-csrf",),
    "auth-pkce": ("auth-csrf",),
    "status-terminal": ("status-each",),
}
CLAIMS = {"apply-logo": "logo", "tx-update": "update", "tx-follow-up": "follow-up", "auth-refresh": "offline"}


def _requirement(name: str) -> Requirement:
    return Requirement(
        id=name,
        group=name.partition("-")[0],
        text=f"the requirement {name}",
        weight=Weight.MUST if name in MUST else Weight.SHOULD if name in SHOULD else Weight.NOT_SCORED,
        provenance=Provenance.STANDARD,
        sources=("S2",),
        hint="mend it",
        fails_when="it is wrong",
        presupposes=PRESUPPOSES.get(name, ()),
        challenge=name in CHALLENGES,
        claim=CLAIMS.get(name, ""),
    )


REQUIREMENTS: dict[str, Requirement] = {name: _requirement(name) for name in (*MUST, *SHOULD, *CHALLENGES)}


class SmallFacts:
    """The shipped settings and registries with the small catalogue."""

    def __init__(self, requirements: Mapping[str, Requirement] = REQUIREMENTS) -> None:
        self._shipped: Facts = load_facts()
        self.digest = self._shipped.digest
        self.requirements = requirements
        self.registries: tuple[Registry, ...] = self._shipped.registries

    def text(self, key: str) -> str:
        """A setting that is text."""
        return self._shipped.text(key)

    def integer(self, key: str) -> int:
        """A setting that is a whole number."""
        return self._shipped.integer(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """A setting that is a list."""
        return self._shipped.texts(key)


FACTS = SmallFacts()
LCSR = Profile(
    name="lcsr",
    revision="1",
    title="Lung screening",
    registries=("lcsr",),
    groups=("apply", "allow", "auth", "tx", "status"),
    weights={name: requirement.weight for name, requirement in REQUIREMENTS.items()},
    claims=("logo", "follow-up", "update", "offline", "tls-dicom", "rdim"),
    default_claims=("follow-up", "update", "offline"),
    steps=(),
    settings={},
)
