"""Conflicts: the cases that the facts show, with claims, events and what is at stake, and how often who meets whom."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import MOST, Cursor, Limit, cut
from compensation.access import Deed, Pay
from compensation.api.replies import CaseList, CaseReply, CaseShown
from compensation.api.shown import PAY
from compensation.api.sight import Sight, Sights
from compensation.clerk.books import Books
from compensation.clerk.cases import Cases
from compensation.clerk.chores import detected
from compensation.conflict import KINDS, Case, Claim
from compensation.line import Line, payable_text
from compensation.office import resolution
from compensation.office.views import CONFLICTS
from conveyor_events import HOUSE
from conveyor_events.money import plain
from conveyor_events.words import instant_text

Kind = Literal["C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9"]
Name = Annotated[str | None, Query(max_length=100)]
BESIDE = ("stage", "until", "claimed", "outcome", "resolved_by", "resolved_at")
NEW = dict.fromkeys(BESIDE) | {"stage": "detected", "claimed": []}
Lines = Mapping[tuple[str, str], Sequence[Line]]


class InviteBody(BaseBody):
    """How many days they have."""

    days: Annotated[int, Field(ge=1, le=90)] = 7


class ClaimBody(BaseBody):
    text: Annotated[str, Field(min_length=1, max_length=5_000)]


class ResolveBody(BaseBody):
    """`a` is the older claim. credit_a, credit_b: it is theirs; split: half each; house: nobody's."""

    model_config = example(outcome="split", reason="both spoke with the client that week")

    outcome: Literal["credit_a", "credit_b", "split", "house", "dismissed"]
    reason: Annotated[str, Field(min_length=1, max_length=5_000)]


def add(doors: Doors, desk: Desk, books: Books, cases: Cases, sights: Sights) -> None:
    _decide(doors, desk, books, cases, sights)

    async def stages() -> dict[str, dict[str, Any]]:
        rows = await desk.rows(select(CONFLICTS))
        return {row["case_id"]: {name: row[name] for name in BESIDE} for row in rows}

    @doors.query("/v1/conflicts", *PAY, reply=CaseList)
    async def listed(
        request: Request,
        kind: Kind | None = None,
        client: Name = None,
        person: Name = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> dict[str, Any]:
        """The cases found, oldest first, and the number of all by kind and by pair of people, of most cases first.

        Shown are those of people whose pay you may see; the other side of a case is a "colleague" if it is not.
        """
        decided = await stages()
        all_cases = await _every(desk, cases, decided)
        sight = await sights.of(request)
        found = [
            case
            for case in all_cases
            if kind in (None, case.kind)
            and client in (None, case.client)
            and _visible(case, sight)
            and (person is None or person in _named(case, sight))
        ]
        pairs = Counter(tuple(sorted(_named(case, sight))) for case in found if case.b is not None)
        often = pairs.most_common(MOST)
        some, following = cut(found, limit, cursor, lambda case: (instant_text(case.at), case.case_id), str, str)
        lines = _of(sight, await cases.at_stake(some, books.month(desk.clock.now())))
        await sight.read(
            *{one for case in some for one in _named(case, sight)}, *(p for pair, _ in often for p in pair)
        )
        return {
            "items": [_shown(case, lines, sight) | _stage(case, decided, sight) for case in some],
            "next": following,
            "by_kind": [
                {"kind": code, "what": KINDS[code], "cases": number}
                for code, number in sorted(Counter(case.kind for case in found).items())
            ],
            "by_pair": [{"people": list(pair), "cases": number} for pair, number in often],
        }

    @doors.query("/v1/conflicts/{case_id}", *PAY, reply=CaseShown)
    async def one(request: Request, case_id: str) -> dict[str, Any]:
        """One case, with its events."""
        case = await _find(desk, cases, case_id)
        sight = await sights.of(request)
        if case is None or not _visible(case, sight):
            raise Refused("conflict.unknown")
        stake, decided = await cases.at_stake([case], books.month(desk.clock.now())), await stages()
        lines = _of(sight, stake)
        await sight.read(*_named(case, sight))
        known = await books.told(case.events)
        events = await sight.told([known[event] for event in case.events])
        return _shown(case, lines, sight) | _stage(case, decided, sight) | {"told": events}


async def _every(desk: Desk, cases: Cases, recorded: Collection[str]) -> list[Case]:
    """Those that the facts show, and those recorded before that show no longer: what is paid waits for them, too."""
    found = await cases.all()
    gone = sorted(set(recorded) - {case.case_id for case in found})
    kept = [case for one in gone if (case := await _recorded(desk, one)) is not None]
    return sorted([*found, *kept], key=lambda case: (case.at, case.case_id))


async def _find(desk: Desk, cases: Cases, case_id: str) -> Case | None:
    return await cases.find(case_id) or await _recorded(desk, case_id)


async def _recorded(desk: Desk, case_id: str) -> Case | None:
    state: resolution.Conflict = (await desk.state(resolution.CATEGORY, case_id)).state
    return state.case


def _stage(case: Case, decided: Mapping[str, Mapping[str, Any]], sight: Sight) -> dict[str, Any]:
    """How far it is decided; who has claimed is named as far as they may be seen."""
    found = dict(decided.get(case.case_id, NEW))
    return found | {"claimed": [sight.named(person, case.at) for person in found["claimed"]]}


def _decide(doors: Doors, desk: Desk, books: Books, cases: Cases, sights: Sights) -> None:
    @doors.command("/v1/conflicts/{case_id}/invite", "conflicts:resolve", reply=CaseReply)
    async def invite(request: Request, case_id: str, body: InviteBody) -> Response:
        """Asks the two for what they have to say."""
        now, by = desk.clock.now(), desk.who(desk.subject(request), body.by)
        return await do(request, case_id, resolution.InviteClaims(now + timedelta(days=body.days), by, now), body)

    @doors.command("/v1/conflicts/{case_id}/claims", "pay:read:own", "act_for", reply=CaseReply)
    async def state(request: Request, case_id: str, body: ClaimBody) -> Response:
        """One of the two says why it is theirs. Nobody else learns that there is a case."""
        by, sight = desk.who(desk.subject(request), body.by), await sights.of(request)
        case = await _find(desk, cases, case_id)
        if case is not None and not any(sight.may("answer", Deed(person, case.at)) for person in case.people):
            raise Refused("conflict.unknown")
        return await do(request, case_id, resolution.StateClaim(body.text, by, desk.clock.now()), body)

    @doors.command("/v1/conflicts/{case_id}/resolve", "conflicts:resolve", reply=CaseReply)
    async def resolve(request: Request, case_id: str, body: ResolveBody) -> Response:
        """Decides the case for good: what was conditional is paid, moved or void, and in closed months corrected."""
        by = desk.who(desk.subject(request), body.by)
        return await do(request, case_id, resolution.Resolve(body.outcome, body.reason, by, desk.clock.now()), body)

    async def do(request: Request, case_id: str, command: resolution.Command, body: BaseBody) -> Response:
        steps = [Step(resolution.CATEGORY, case_id, command)]
        step = steps[0]
        found = await cases.find(case_id)
        if found is not None:  # the clerk may not have recorded it yet; what it recorded and is gone is decided, too
            steps.insert(0, await detected(desk, books, found))

        def reply(outcome: Any) -> dict[str, Any]:
            after: resolution.Conflict = outcome.state(step.stream_id)
            until = instant_text(after.until) if after.until else None
            return {"case_id": case_id, "stage": after.stage, "until": until, "outcome": after.outcome}

        return await desk.do(request, *steps, body=body, reply=reply)


def _visible(case: Case, sight: Sight) -> bool:
    """Whether one of the claims is of somebody whose deeds may be seen."""
    return any(sight.may("deed", Deed(person, case.at)) for person in case.people if person != HOUSE) or (
        sight.reader.everything
    )


def _of(sight: Sight, lines: Lines) -> Lines:
    """The lines that may be seen."""
    return {
        key: [one for one in some if sight.may("lines", Pay(one.person, one.period))] for key, some in lines.items()
    }


def _named(case: Case, sight: Sight) -> tuple[str, ...]:
    return tuple(sight.named(person, case.at) for person in case.people)


def _shown(case: Case, lines: Lines, sight: Sight) -> dict[str, Any]:
    seen = [person for person in dict.fromkeys(case.people) if sight.may("deed", Deed(person, case.at))]
    amounts = case.net is not None and len(seen) == len(set(case.people))
    return {
        "case_id": case.case_id,
        "kind": case.kind,
        "what": KINDS[case.kind],
        "client_id": case.client,
        "line": case.line,
        "a": _claim(case.a, case.at, sight),
        "b": _claim(case.b, case.at, sight) if case.b is not None else None,
        "at": instant_text(case.at),
        "events": list(case.events),
        "sale_id": case.sale_id,
        "net": plain(case.net) if case.net is not None and amounts else None,
        "currency": case.currency,
        "at_stake": [stake for person in seen for stake in _stakes(person, case, lines)],
    }


def _claim(claim: Claim, at: datetime, sight: Sight) -> dict[str, str]:
    name = sight.named(claim.person, at)
    return {"person": name, "role": claim.role, "at": instant_text(claim.at), "event_id": claim.event_id}


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
