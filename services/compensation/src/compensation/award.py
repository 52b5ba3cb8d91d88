"""Who has which part of a sale after conflicts over it were decided. `a` is the older claim, `b` the younger.

credit_a   the disputed part is a's, or, where a lead was rejected and then sold to (C8), stays b's own work
credit_b   the disputed part is b's
split      the disputed part is halved, a before b; whoever is both has it whole
house      nobody has it
dismissed  nothing changes
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from compensation.facts import Ruled, Seat
from conveyor_events import HOUSE

if TYPE_CHECKING:
    from compensation.known import Credit

OWN_WORK = ("C7", "C8")
"""Conflicts about who found the client: whoever sold, sold."""


def award(stamped: Sequence[tuple[str, Credit]], rulings: Sequence[Ruled]) -> Iterator[tuple[str, Credit]]:
    """The parts as stamped, after each ruling in turn. Parts always sum to the same whole; the house is left out."""
    beside = [part for part in stamped if part[1].kind == "legacy"]
    parts = [part for part in stamped if part[1].kind != "legacy"]
    for ruled in rulings:
        parts = _after(parts, ruled)
    yield from beside
    yield from (part for part in parts if part[0] != HOUSE)


def _after(parts: list[tuple[str, Credit]], ruled: Ruled) -> list[tuple[str, Credit]]:
    kept = ruled.outcome == "dismissed" or (ruled.kind in OWN_WORK and ruled.outcome in ("credit_a", "credit_b"))
    if kept or ruled.b is None or not parts:
        return parts
    rivals = (ruled.a.person, ruled.b.person)
    disputed = [part for part in parts if part[0] in rivals] or parts
    stakes = sum((credit.weights[credit.index] for _, credit in disputed), Decimal(0))
    others = [part for part in parts if part not in disputed]
    place = parts.index(disputed[0])
    winners: dict[str, tuple[Seat, ...]] = {
        "credit_a": (ruled.a,),
        "credit_b": (ruled.b,),
        "split": (ruled.a, ruled.b) if ruled.a.person != ruled.b.person else (ruled.a,),
        "house": (Seat(HOUSE, ""),),
    }
    seats = winners[ruled.outcome]
    before = [part for part in others if parts.index(part) < place]
    after = [part for part in others if parts.index(part) > place]
    # Each winner weighs the whole stake, everybody else as many times more: no fraction of a weight is ever needed.
    weighed = [
        *((part[1].weights[part[1].index] * len(seats), part) for part in before),
        *((stakes, (seat.person, _as(seat, disputed, len(parts)))) for seat in seats),
        *((part[1].weights[part[1].index] * len(seats), part) for part in after),
    ]
    weights = tuple(weight for weight, _ in weighed)
    return [
        (person, replace(credit, index=index, weights=weights, leg=credit.index if credit.leg is None else credit.leg))
        for index, (_, (person, credit)) in enumerate(weighed)
    ]


def _as(seat: Seat, disputed: Sequence[tuple[str, Credit]], new_leg: int) -> Credit:
    """The winner's own part if there was one, else a part like the loser's, in the winner's role."""
    own = next((credit for person, credit in disputed if person == seat.person), None)
    if own is not None:
        return own
    credit = disputed[0][1]
    kind = credit.kind
    if kind in ("repeat", "co_sell"):
        serving = next((c.role for _, c in disputed if c.kind == "repeat"), "")
        kind = "repeat" if seat.role == serving else "co_sell"
    return replace(credit, role=seat.role, kind=kind, leg=new_leg)
