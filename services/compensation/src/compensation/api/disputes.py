"""Disputes: a person objects to a published statement, the office answers in time."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from belt.core.decider import Refused, Step
from belt.io.http.body import BaseBody, GivenId, NewId, example
from belt.io.http.desk import Desk
from belt.io.http.doors import Doors
from belt.io.http.paging import Cursor, Limit
from belt.io.ids import fresh
from belt.io.store.unit import Guard, Reads
from compensation.access import Pay
from compensation.api.adjustments import Currency
from compensation.api.listing import Listing
from compensation.api.replies import DisputeList, DisputeReply, DisputeShown
from compensation.api.sheets import kept
from compensation.api.shown import SUMS, month_of, payable
from compensation.api.sight import Sight, Sights
from compensation.clerk.books import Books
from compensation.office import dispute, sheet
from compensation.office.views import DISPUTES
from conveyor_events import Amount

SEES = (*SUMS, "conflicts:resolve")
Text = Annotated[str, Field(min_length=1, max_length=5_000)]
Ids = Annotated[list[GivenId], Field(max_length=100)]


class DisputeBody(BaseBody):
    """`lines`: ids of the lines it is about; `evidence`: ids of events or documents. The text stays with the office."""

    model_config = example(period="2026-03", text="the deal of the 14th is missing")

    period: str
    text: Text
    lines: Ids = []
    evidence: Ids = []
    dispute_id: NewId = None


class TextBody(BaseBody):
    text: Text


class InfoBody(BaseBody):
    text: Text
    evidence: Ids = []


class ReviewBody(BaseBody):
    """Nothing to say yet."""


class DecisionBody(BaseBody):
    """accepted and partly grant an amount, which is posted as an adjustment; refused grants none."""

    model_config = example(outcome="refused", reason="the deal was cancelled on the 20th")

    outcome: dispute.Outcome
    reason: Text
    amount: Annotated[Amount, Field(ge=-(10**12), le=10**12)] | None = None
    currency: Currency | None = None


def add(doors: Doors, desk: Desk, books: Books, sights: Sights) -> None:
    _office(doors, desk)
    _reading(doors, desk, books, sights)

    @doors.command("/v1/disputes", "pay:read:own", "act_for", reply=DisputeReply, status=201)
    async def opened(request: Request, body: DisputeBody) -> Response:
        """Objects to one's own published statement. `respond_by` is when there must be an answer."""
        month = month_of(body.period)
        person, name, at = desk.who(desk.subject(request), body.by), body.dispute_id or fresh(), desk.clock.now()
        if not (await sights.of(request)).may("answer", Pay(person, month)):
            raise Refused("statement.unknown")
        command = dispute.Open(
            name, person, body.period, tuple(body.lines), tuple(body.evidence), body.text, at
        )  # fmt: skip
        contested = Step(sheet.CATEGORY, sheet.key(body.period, person), sheet.Contest(name, at))
        step = Step(dispute.CATEGORY, name, command)
        return await desk.do(request, step, contested, body=body, created=True, reply=_reply(name))

    @doors.command("/v1/disputes/{dispute_id}/answer", "pay:read:own", "act_for", reply=DisputeReply)
    async def answer(request: Request, dispute_id: str, body: InfoBody) -> Response:
        """The person answers."""
        by, sight = _by(desk, request, body), await sights.of(request)

        def guard(read: Reads) -> None:
            opened = read(dispute.CATEGORY, dispute_id).opened
            if opened is None or not sight.may("answer", Pay(opened.person, month_of(opened.period))):
                raise Refused("dispute.unknown")

        command = dispute.GiveInfo(body.text, tuple(body.evidence), by, desk.clock.now())
        return await _do(desk, request, dispute_id, command, body, guard)


def _office(doors: Doors, desk: Desk) -> None:
    @doors.command("/v1/disputes/{dispute_id}/review", "conflicts:resolve", reply=DisputeReply)
    async def review(request: Request, dispute_id: str, body: ReviewBody) -> Response:
        """Somebody of the office looks into it."""
        return await _do(desk, request, dispute_id, dispute.Review(_by(desk, request, body), desk.clock.now()), body)

    @doors.command("/v1/disputes/{dispute_id}/ask", "conflicts:resolve", reply=DisputeReply)
    async def ask(request: Request, dispute_id: str, body: TextBody) -> Response:
        """Asks the person for more."""
        command = dispute.RequestInfo(body.text, _by(desk, request, body), desk.clock.now())
        return await _do(desk, request, dispute_id, command, body)

    @doors.command("/v1/disputes/{dispute_id}/decide", "conflicts:resolve", reply=DisputeReply)
    async def decide(request: Request, dispute_id: str, body: DecisionBody) -> Response:
        """Decides. What is granted is paid in the current month and relates to the disputed one."""
        if body.amount is not None:
            payable(body.amount, body.currency)
        by = _by(desk, request, body)
        command = dispute.Decide(body.outcome, body.reason, body.amount, body.currency, by, desk.clock.now())
        return await _do(desk, request, dispute_id, command, body)

    @doors.command("/v1/disputes/{dispute_id}/close", "conflicts:resolve", reply=DisputeReply)
    async def close(request: Request, dispute_id: str, body: ReviewBody) -> Response:
        """Closes what is decided; it closes by itself after two weeks."""
        return await _do(desk, request, dispute_id, dispute.Close(desk.clock.now()), body)


def _reading(doors: Doors, desk: Desk, books: Books, sights: Sights) -> None:
    @doors.query("/v1/disputes", *SEES, reply=DisputeList)
    async def listed(request: Request, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
        """The disputes of everybody whose pay you may see, and all for who decides them; the latest first."""
        d, sight = DISPUTES.c, await sights.of(request)
        listing = Listing(select(DISPUTES), (d.opened_at, d.dispute_id), True)
        rows, following = await listing.page(
            desk, limit, cursor, lambda row: _sees(sight, row["person"], row["period"])
        )
        await sight.read(*(row["person"] for row in rows))
        return {"items": rows, "next": following}

    @doors.query("/v1/disputes/{dispute_id}", *SEES, reply=DisputeShown)
    async def one(request: Request, dispute_id: str) -> dict[str, Any]:
        """One dispute with what was said, and the lines it is about, as the statement shows them to you."""
        sight = await sights.of(request)
        rows = await desk.rows(select(DISPUTES).where(DISPUTES.c.dispute_id == dispute_id))
        if not rows or not _sees(sight, rows[0]["person"], rows[0]["period"]):
            raise Refused("dispute.unknown")
        state: dispute.Dispute = (await desk.state(dispute.CATEGORY, dispute_id)).state
        person, period = rows[0]["person"], rows[0]["period"]
        frozen = await kept(desk, person, period)
        about = [line for line in (frozen or {"lines": []})["lines"] if line["line_id"] in rows[0]["lines"]]
        if not _decides(sight):
            history = (await books.file(person)).history
            about = [sight.frozen(line, history) for line in about]
        await sight.read(person)
        shown = {k: v for k, v in rows[0].items() if k not in ("version", "shape")}
        return shown | {"said": [{"by": by, "text": text} for by, text in state.said], "disputed": about}


def _sees(sight: Sight, person: str, period: str) -> bool:
    """Who may see the lines, and who decides: finance, too, sees the lines of what is disputed."""
    return _decides(sight) or sight.may("lines", Pay(person, month_of(period)))


def _decides(sight: Sight) -> bool:
    return sight.reader.may("conflicts:resolve") or sight.reader.may("pay:read:totals")


def _by(desk: Desk, request: Request, body: BaseBody) -> str:
    return desk.who(desk.subject(request), body.by)


async def _do(
    desk: Desk, request: Request, name: str, command: dispute.Command, body: BaseBody, guard: Guard | None = None
) -> Response:
    return await desk.do(request, Step(dispute.CATEGORY, name, command), body=body, reply=_reply(name), guard=guard)


def _reply(name: str) -> Any:
    def reply(outcome: Any) -> dict[str, Any]:
        state: dispute.Dispute = outcome.state(f"{dispute.CATEGORY}-{name}")
        respond_by = state.opened.respond_by.isoformat() if state.opened else None
        return {"dispute_id": name, "stage": state.stage, "respond_by": respond_by}

    return reply
