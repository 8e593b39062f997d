"""The shipped facts and profile (without its bar of coverage), by which the judge's tests judge."""

from __future__ import annotations

import msgspec

from acrmock.facts import Facts, Profile, Weight, load_facts

FACTS: Facts = load_facts()
LCSR: Profile = msgspec.structs.replace(FACTS.profile("lcsr", "1"), coverage_bar=0.0)
MUST = tuple(check for check, weight in LCSR.weights.items() if weight is Weight.MUST)
SHOULD = tuple(check for check, weight in LCSR.weights.items() if weight is Weight.SHOULD)
