"""Certification runs: a server, an application, a client driven step by step, a robot user, and the files that remain."""
