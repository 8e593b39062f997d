"""How the plain pages look that a person is sent to: a refusal explained, a data file and its log."""

from __future__ import annotations

PLAIN = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem;border-bottom:1px solid #ddd}
@media (prefers-color-scheme:dark){body{color:#eee;background:#18181b}th,td{border-color:#3f3f46}}
"""
"""CSS of text and tables, light and dark; a page adds its own."""
