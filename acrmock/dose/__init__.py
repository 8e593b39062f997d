"""Dose reports as bytes: what the registry needs to know of them."""
