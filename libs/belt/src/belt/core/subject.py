"""Who is asking: the person or system that a valid token speaks for, and what it may open."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """A scope opens a door; what may be seen and done behind it, each service's `authorize` says."""

    person: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        return scope in self.scopes
