"""Conflicts: the cases that the facts show, with claims, events and what is at stake, and how often who meets whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Query

from belt.core.decider import Refused
from belt.io.desk import Desk
from belt.io.doors import Doors
from compensation.api.books import Books, told
from compensation.api.shown import Shown
from compensation.conflict import KINDS, Case, Claim
from compensation.line import Line, payable_text
from compensation.months import Month
from conveyor_events.money import plain
from conveyor_events.words import instant_text

Kind = Literal["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]
Name = Annotated[str | None, Query(max_length=100)]
Lines = Mapping[tuple[str, str], Sequence[Line]]


def add(doors: Doors, desk: Desk, books: Books) -> None:
    @doors.query("/v1/conflicts", "pay:read:all", reply=Shown)
    async def listed(kind: Kind | None = None, client: Name = None, person: Name = None) -> dict[str, Any]:
        """The cases found, oldest first, and their number by kind and by pair of people."""
        found = [
            case
            for case in await books.conflicts()
            if kind in (None, case.kind) and client in (None, case.client) and (person is None or person in case.people)
        ]
        lines = await books.at_stake(Month.of(desk.clock.now().date()))
        pairs = Counter(tuple(sorted(case.people)) for case in found if case.b is not None)
        return {
            "items": [_shown(case, lines) for case in found],
            "by_kind": [
                {"kind": code, "what": KINDS[code], "cases": number}
                for code, number in sorted(Counter(case.kind for case in found).items())
            ],
            "by_pair": [{"people": list(pair), "cases": number} for pair, number in pairs.most_common()],
        }

    @doors.query("/v1/conflicts/{case_id}", "pay:read:all", reply=Shown)
    async def one(case_id: str) -> dict[str, Any]:
        """One case, with its events."""
        case = next((case for case in await books.conflicts() if case.case_id == case_id), None)
        if case is None:
            raise Refused("conflict.unknown")
        lines = await books.at_stake(Month.of(desk.clock.now().date()))
        return _shown(case, lines) | {"told": [told(books, event) for event in case.events]}


def _shown(case: Case, lines: Lines) -> dict[str, Any]:
    return {
        "case_id": case.case_id,
        "kind": case.kind,
        "what": KINDS[case.kind],
        "client_id": case.client,
        "line": case.line,
        "a": _claim(case.a),
        "b": _claim(case.b) if case.b is not None else None,
        "at": instant_text(case.at),
        "events": list(case.events),
        "sale_id": case.sale_id,
        "net": plain(case.net) if case.net is not None else None,
        "currency": case.currency,
        "at_stake": [stake for person in dict.fromkeys(case.people) for stake in _stakes(person, case, lines)],
    }


def _claim(claim: Claim) -> dict[str, str]:
    return {"person": claim.person, "role": claim.role, "at": instant_text(claim.at), "event_id": claim.event_id}


def _stakes(person: str, case: Case, lines: Lines) -> list[dict[str, str]]:
    """What the person is entitled to for this client, or for the one sale that the case is about."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines.get((person, case.client), ()):
        if case.sale_id is None or line.sale_id in (None, case.sale_id):
            sums[line.currency] += line.amount
    return [
        {"person": person, "amount": payable_text(amount, currency), "currency": currency}
        for currency, amount in sorted(sums.items())
    ]
