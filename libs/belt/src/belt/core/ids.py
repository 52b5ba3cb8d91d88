"""Ids that are derived, not drawn: the same cause always gives the same id (UUIDv5)."""

from __future__ import annotations

from uuid import UUID, uuid5

NAMESPACE = UUID("6f1d3c0e-8f53-5b7e-9d56-1f0b6f6a4f11")


def derived(*parts: str | UUID | int) -> str:
    """An id that follows from its parts."""
    return str(uuid5(NAMESPACE, "\x1f".join(str(part) for part in parts)))
