"""Whether the service of a client gets better: what its newest survey came to against the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Trend:
    """Newest minus the one before; None where one of them has no number, or there are not two."""

    total: Decimal | None = None
    gaps: Mapping[str, Decimal | None] | None = None
    recommend: int | None = None


def trend(rows: Sequence[Mapping[str, Any]]) -> Trend:
    """Of the answered surveys of one client, the newest first, as their rows show them."""
    if len(rows) < 2:
        return Trend()
    new, old = rows[0], rows[1]
    now, before = _gaps(new), _gaps(old)
    gaps = {group: _change(gap, before.get(group)) for group, gap in now.items()}
    return Trend(_change(new["total"], old["total"]), gaps, _change(new["recommend"], old["recommend"]))


def _gaps(row: Mapping[str, Any]) -> dict[str, Decimal | None]:
    return {one["group"]: None if one["gap"] is None else Decimal(one["gap"]) for one in row["gaps"]}


def _change(new: Any, old: Any) -> Any:
    return None if new is None or old is None else new - old
