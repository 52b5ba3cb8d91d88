"""Ids that are derived, not drawn: the same cause always gives the same id (UUIDv5)."""

from __future__ import annotations

from hashlib import sha1
from uuid import UUID

NAMESPACE = UUID("6f1d3c0e-8f53-5b7e-9d56-1f0b6f6a4f11")
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def derived(*parts: str | UUID | int) -> str:
    """An id that follows from its parts."""
    name = "\x1f".join([str(part) for part in parts])
    text = sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    # As uuid.uuid5 has it, which takes five times as long: version 5, and the variant in two bits of the next group.
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"
