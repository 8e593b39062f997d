"""The kernel of acrmock: record model, clock, facts, schemas, redaction, TLS, errors. A leaf: it imports no sibling."""

__version__ = "0.1.0"
