"""Vendors that prove the judge: one that does everything right, and for each check one that is wrong in just that way."""
