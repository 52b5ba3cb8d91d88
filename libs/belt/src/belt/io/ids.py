"""Fresh ids (UUIDv7): they grow with time, so an index on them is written at one end."""

from __future__ import annotations

from uuid_utils import uuid7


def fresh() -> str:
    return str(uuid7())
