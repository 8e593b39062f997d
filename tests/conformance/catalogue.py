"""The shipped facts and profile, by which the judge's tests judge."""

from __future__ import annotations

from acrmock.facts import Facts, Profile, Weight, load_facts

FACTS: Facts = load_facts()
LCSR: Profile = FACTS.profile("lcsr", "1")
MUST = tuple(check for check, weight in LCSR.weights.items() if weight is Weight.MUST)
SHOULD = tuple(check for check, weight in LCSR.weights.items() if weight is Weight.SHOULD)
