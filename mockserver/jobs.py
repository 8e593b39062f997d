"""Durable jobs, drained by one worker at the start and on every move of a clock."""
