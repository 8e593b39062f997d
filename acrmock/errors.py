"""The errors a person meets: what happened, what was expected, where, and how to mend it.

Four families never mix: findings about a vendor are data (never exceptions); a `SetupError` is the user's to mend;
a `HarnessError` is ours; anything else is a programming error.
"""

from __future__ import annotations


class AcrmockError(Exception):
    """The base of every error that acrmock shows to a person.

    `what` says what happened, `expected` and `actual` the difference, `where` the place (file and line, flag, pointer)
    and `fix` what to do about it. All but `what` may be empty.
    """

    exit_code = 2

    def __init__(self, what: str, *, expected: str = "", actual: str = "", where: str = "", fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.actual = actual
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        lines += [f"  {label}: {text}" for label, text in self._details() if text]
        return "\n".join(lines)

    def _details(self) -> tuple[tuple[str, str], ...]:
        return (("expected", self.expected), ("actual", self.actual), ("fix", self.fix))


class SetupError(AcrmockError):
    """Something the user gave (a flag, a file, a port, a store) cannot be used; exit code 2."""


class HarnessError(AcrmockError):
    """Something of acrmock's own went wrong; it is never blamed on the vendor; exit code 4 (the verdict is void)."""

    exit_code = 4
