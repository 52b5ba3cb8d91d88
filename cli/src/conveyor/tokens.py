"""Tokens of the development issuer: the key lies in the folder of the checkout, so whoever may read it may sign.

Where another issuer rules, whoever uses the command line brings a token of their own, in a file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from belt.io.http.issuer import DevelopmentIssuer
from conveyor.exits import Unusable

LIFETIME = 3_600.0
EARLY = 300.0  # a token is replaced while it still holds for the longest request


class Tokens:
    """A token for each (person, roles, scopes), signed once and used until shortly before it expires."""

    def __init__(self, folder: Path) -> None:
        self.issuer = DevelopmentIssuer(folder)
        self._held: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[float, str]] = {}

    def token(self, sub: str, roles: Iterable[str] = (), scopes: Iterable[str] = ()) -> str:
        """The token of this person with these bundles and further scopes."""
        asked = (sub, tuple(roles), tuple(scopes))
        until, token = self._held.get(asked, (0.0, ""))
        if time.monotonic() < until - EARLY:
            return token
        token = self.issuer.issue(sub, roles=asked[1], scopes=asked[2], ttl=LIFETIME)
        self._held[asked] = time.monotonic() + LIFETIME, token
        return token


class Brought:
    """One token, from a file that is read anew each time: it says itself for whom it speaks and what it may."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def token(self, _sub: str, _roles: Iterable[str] = (), _scopes: Iterable[str] = ()) -> str:
        """What stands in the file."""
        try:
            token = self.file.read_text().strip()
        except (OSError, UnicodeDecodeError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else "it is no text"
            raise Unusable(f"CONVEYOR_TOKEN_FILE: {self.file} cannot be read: {why}") from wrong
        if len(token.split()) != 1:
            raise Unusable(f"CONVEYOR_TOKEN_FILE: {self.file} must hold one token and nothing else")
        return token
