"""Digests of what is frozen: SHA-256 over each statement, chained over the months. Change a cent and none fits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def of_statement(period: str, person: str, lines: Sequence[Mapping[str, Any]], totals: Sequence[Any]) -> str:
    """Over lines and totals as the API shows them, whatever the order of their keys."""
    content = {"period": period, "person": person, "lines": list(lines), "totals": list(totals)}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def of_month(previous: str | None, period: str, statements: Iterable[tuple[str, str]]) -> str:
    """Over (person, digest) of every statement of the month, and the digest of the month closed before."""
    said = [previous or "", period, *(f"{person} {digest}" for person, digest in sorted(statements))]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()
