"""Finding issued secrets in text: raw, percent-encoded, in base64, glued to other characters, or shaped like a JWT.

No secret is kept anywhere: a candidate is looked up by its mark among the marks of what was issued.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from urllib.parse import unquote

from acrmock.record import SecretKind

Known = Callable[[Sequence[str]], Mapping[str, SecretKind]]
"""Which of these marks belong to issued secrets, and of which kind."""

JWT = re.compile(r"eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*")
_JWT_OR_RUN = re.compile(r"eyJ[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]{2,}+\.[A-Za-z0-9_-]*+)?")
"""A JWT, or a run in which none begins: taken whole, as to look for one from each `eyJ` in it takes the square of its length.

The group itself is not possessive: before Python 3.11.5 such a one keeps what it took although it failed.
"""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
UUID_LENGTH = 36
_BETWEEN = {code: " " for code in range(128) if not re.match(r"[A-Za-z0-9_+/=-]", chr(code))}
"""Every character that stands in no token and in no base64 becomes a space."""
_ISSUABLE = re.compile(r"[A-Za-z0-9_-]{8,1024}")
_ROUNDS = 3
_LONGEST_RUN = 4096
_MEMO = 4096
_REMEMBERED_RUN = 64


class Scanner:
    """Looks for issued secrets; knows their lengths, so that every window of a run of token characters can be tried.

    What is recognised as a whole is never looked into. Runs that held nothing are remembered (a bounded number, forgotten
    where a secret learnt since could stand in them), so that names which come with each request cost nothing.
    """

    def __init__(self, mark: Callable[[str], str]) -> None:
        self._mark = mark
        self._lengths: tuple[int, ...] = ()
        self._shortest = _LONGEST_RUN
        self._long_runs = _TOKEN
        self._base64: tuple[re.Pattern[str], ...] = ()
        self._jwt_lengths: frozenset[int] = frozenset()
        self._clean: set[str] = set()
        self._clean_base64: set[str] = set()
        self._clean_texts: set[str] = set()
        self._clean_words: set[str] = set()
        self.generation = 0
        """Grows when a secret was learnt that could stand in what was found clean before."""

    def learn(self, value: str) -> None:
        """A secret was issued; raises `ValueError` when it could not be recognised (not `[A-Za-z0-9_-]{8,}` and no JWT)."""
        if JWT.fullmatch(value):
            self.learn_length(len(value), jwt=True)
            if len(value) <= _REMEMBERED_RUN:
                self._forget()
        elif _ISSUABLE.fullmatch(value):
            self.learn_length(len(value))
            self._clean = {run for run in self._clean.copy() if value not in run}
            self._forget()
        else:
            raise ValueError("an issued secret must be 8 to 1024 characters of A-Z a-z 0-9 _ - or a JWT")

    def learn_length(self, length: int, *, jwt: bool = False) -> None:
        """A secret (or a JWT) of this many characters was issued, perhaps before a restart."""
        if jwt:
            self._jwt_lengths |= {length}
        elif length not in self._lengths:
            self._lengths = tuple(sorted({*self._lengths, length}, reverse=True))
            self._shortest = self._lengths[-1]
            encoded = (self._shortest * 4 + 2) // 3
            self._long_runs = re.compile(rf"[A-Za-z0-9_-]{{{self._shortest},}}")
            self._base64 = tuple(re.compile(rf"[{letters}]{{{encoded},}}={{0,2}}") for letters in ("A-Za-z0-9+/", "A-Za-z0-9_-"))
            self._clean = set()
            self._forget()

    def _forget(self) -> None:
        self._clean_base64, self._clean_texts, self._clean_words = set(), set(), set()
        self.generation += 1

    def looked_up(self, run: str) -> bool:
        """Whether a short run of token characters is known to hold no issued secret."""
        return run in self._clean

    def is_clean(self, text: str) -> bool:
        """Whether nothing can be found in `text`, in any encoding: it is too short, or it was remembered."""
        return text in self._clean_texts or (len(text) < self._shortest and "%" not in text and "eyJ" not in text)

    def remember_clean(self, text: str) -> None:
        """Nothing was found in `text`, in any encoding."""
        self._clean_texts = _remember(self._clean_texts, (text,))

    def finds(self, text: str, known: Known, ours: frozenset[str]) -> bool:
        """Whether there is anything in `text`, which holds no JWT and no percent, apart from the words `ours`."""
        words = [word for word in self._unknown_words(text).split(" ") if word not in ours]
        return bool(words) and bool(self.find(" ".join(words), known))

    def find(self, text: str, known: Known) -> dict[str, SecretKind | None]:
        """The pieces of `text` that must go, longest first, with the kind of each (None: JWT-shaped, not ours).

        A piece in another encoding is given as it stands in `text`.
        """
        found: dict[str, SecretKind | None] = {}
        if "eyJ" in text:
            found = self._jwts(text, known)
            text = _without(text, (jwt for jwt, kind in found.items() if kind is not None))
            found |= self._glued_jwts([jwt for jwt, kind in found.items() if kind is None], known)
        text = self._unknown_words(text)
        if text:
            runs = [run for run in set(self._long_runs.findall(text)) if run not in self._clean]
            if runs:
                whole = self._whole(runs, known)
                found |= whole
                text = _without(text, whole)
                found |= self._runs([run for run in runs if run not in whole], known)
            found |= self._encoded(text, known)
            if not found:
                self._clean_words = _remember(self._clean_words, text.split(" "))
        return dict(sorted(found.items(), key=lambda pair: -len(pair[0]))) if len(found) > 1 else found

    def _unknown_words(self, text: str) -> str:
        """The words of `text` in which something could be found, each standing alone."""
        shortest, clean = self._shortest, self._clean_words
        return " ".join([word for word in text.translate(_BETWEEN).split() if len(word) >= shortest and word not in clean])

    def holds(self, text: str, known: Known) -> SecretKind | None:
        """The kind of an issued secret in `text`, percent-encoded or not, if any."""
        for _ in range(_ROUNDS):
            for kind in self.find(text, known).values():
                if kind is not None:
                    return kind
            decoded = unquote(text, encoding="latin-1")
            if decoded == text:
                break
            text = decoded
        return None

    def _jwts(self, text: str, known: Known) -> dict[str, SecretKind | None]:
        """Everything shaped like a JWT, with the kind of those that are ours from end to end."""
        pieces = dict.fromkeys(piece for piece in _JWT_OR_RUN.findall(text) if "." in piece)
        marks = {self._mark(whole): whole for whole in pieces}
        found: dict[str, SecretKind | None] = dict(pieces)
        found |= {marks[mark]: kind for mark, kind in known(list(marks)).items()}
        return found

    def _glued_jwts(self, pieces: Sequence[str], known: Known) -> dict[str, SecretKind | None]:
        """Those that begin with a JWT of ours."""
        marks = {self._mark(piece[:size]): piece for piece in pieces for size in self._jwt_lengths if size < len(piece)}
        return {marks[mark]: kind for mark, kind in known(list(marks)).items()} if marks else {}

    def _whole(self, runs: Sequence[str], known: Known) -> dict[str, SecretKind]:
        """The runs that are issued secrets from end to end."""
        marks = {self._mark(run): run for run in runs if len(run) in self._lengths}
        return {marks[mark]: kind for mark, kind in known(list(marks)).items()} if marks else {}

    def _runs(self, runs: Sequence[str], known: Known) -> dict[str, SecretKind | None]:
        found: dict[str, SecretKind | None] = {}
        windows: dict[str, str] = {}
        for run in runs:
            if len(run) > _LONGEST_RUN:
                found[run] = None  # too long to look into: hidden as a whole
            elif UUID.fullmatch(run):
                windows[self._mark(run)] = run
            else:
                windows.update({self._mark(window): window for window in self._windows(run)})
        hits = known(list(windows)) if windows else {}
        found |= {windows[mark]: kind for mark, kind in hits.items()}
        if not hits:
            self._clean = _remember(self._clean, runs)
        return found

    def _windows(self, run: str) -> list[str]:
        return [run[start : start + size] for size in self._lengths for start in range(len(run) - size + 1)]

    def _encoded(self, text: str, known: Known) -> dict[str, SecretKind | None]:
        """Runs of base64 in whose decoded text, at any alignment, a secret stands."""
        found: dict[str, SecretKind | None] = {}
        for pattern in self._base64:
            for run in pattern.findall(text):
                if UUID.fullmatch(run):
                    continue  # no text that holds a secret looks so in base64
                if run not in self._clean_base64 and len(run) <= _LONGEST_RUN * 2 and run not in found:
                    kind = self._decoded(run, known)
                    if kind is not None:
                        found[run] = kind
                    else:
                        self._clean_base64 = _remember(self._clean_base64, (run,))
        return found

    def _decoded(self, run: str, known: Known) -> SecretKind | None:
        body = run.rstrip("=").replace("-", "+").replace("_", "/")
        for offset in range(4):
            part = body[offset:]
            part = part[: len(part) - 1] if len(part) % 4 == 1 else part
            try:
                plain = base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")
            except (binascii.Error, ValueError):
                continue
            inner = self._long_runs.findall(unquote(plain, encoding="latin-1") if "%" in plain else plain)
            found = self._runs(inner, known) if inner else {}
            if "eyJ" in plain:
                jwts = self._jwts(plain, known)
                found |= jwts | self._glued_jwts(list(jwts), known)
            for kind in found.values():
                if kind is not None:
                    return kind
        return None


def _without(text: str, pieces: Iterable[str]) -> str:
    """`text` with each of `pieces` blanked out."""
    for piece in pieces:
        text = text.replace(piece, " ")
    return text


def _remember(memo: set[str], runs: Sequence[str]) -> set[str]:
    """The memo with the short ones of `runs` added, begun anew when it is full."""
    short = {run for run in runs[:_MEMO] if len(run) <= _REMEMBERED_RUN}
    if len(memo) + len(short) > _MEMO:
        return short
    memo |= short
    return memo
