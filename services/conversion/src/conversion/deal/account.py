"""Handover 2, as its sender: to whom the buyer is offered, until when, and with what handed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from belt.core.decider import Refused
from belt.core.ids import derived
from belt.core.rotation import ROUND_ROBIN, ROUTINGS, Rotation, choose
from conversion.deal.commands import REJECTED, OfferAccount, OpenDeal
from conversion.deal.events import AccountAnswered, AccountOffered, DealOpened
from conversion.deal.state import Deal
from conversion.roster import HERE, NEXT, acting, calendar_of
from conveyor_events.nearness import present
from conveyor_events.roster import Roster
from conveyor_events.words import Seat, changes_hands, role_at

MENDABLE = ("checklist_incomplete", "promise_unclear")
"""Reasons after which the same receiver is asked again; after others it is somebody else's turn."""


@dataclass(frozen=True)
class Handed:
    """What goes with the client: what is handed over, and what was promised and is not kept yet."""

    checklist: tuple[str, ...]
    promises: tuple[str, ...]

    @classmethod
    def of(cls, command: OpenDeal) -> Handed:
        return cls(command.checklist, command.promises)


def first(
    at: datetime,
    now: datetime,
    by: Seat,
    sale: DealOpened,
    roster: Roster,
    rotation: Rotation,
    handed: Handed,
) -> AccountOffered:
    """The offer that follows from the sale. Where hands do not change, the same person goes on, unless they left."""
    members = _members(sale, roster, at)
    if changes_hands(sale.variant, HERE, NEXT) or not present(sale.converted_by.person, roster, at):
        to = _picked(sale, roster, rotation, at, members)
        return _offer(at, now, by, sale, roster, handed, attempt=1, to=to, candidates=members)
    same = Seat(person=sale.converted_by.person, role=role_at(sale.variant, NEXT))
    offer, team = _offer_id(sale, 1), _team(sale, roster, at)
    return AccountOffered(at, by, offer, same, team, "self", 1, None, handed.checklist, (), handed.promises)


def again(command: OfferAccount, deal: Deal, sale: DealOpened, roster: Roster, rotation: Rotation) -> AccountOffered:
    """A rejected offer, mended and made anew. Only first offers count for a fair turn."""
    at, before, answer = command.at, deal.account, deal.answer
    by = acting(roster, command.by, sale.converted_by, sale.line, at)
    if by is None:
        raise Refused("deal.not-yours")
    if before is None or answer is None or answer.answer != REJECTED:
        raise Refused("deal.account-not-rejected", account=deal.account_stage)
    members = _members(sale, roster, at)
    if command.to is not None and command.to not in members:
        raise Refused("deal.receiver-not-in-team", to=command.to)
    to = command.to or _after(answer, sale, roster, rotation, at, members)
    promises = before.promises if command.promises is None else tuple(dict.fromkeys(command.promises))
    handed = Handed(tuple(dict.fromkeys((*before.checklist, *command.checklist))), promises)
    return _offer(at, command.now, by, sale, roster, handed, attempt=before.attempt + 1, to=to, candidates=())


def _after(
    answer: AccountAnswered,
    sale: DealOpened,
    roster: Roster,
    rotation: Rotation,
    at: datetime,
    members: tuple[str, ...],
) -> str | None:
    rejecter = answer.by.person
    if answer.reason in MENDABLE and rejecter in members:
        return rejecter
    return _picked(sale, roster, rotation, at, tuple(one for one in members if one != rejecter))


def _offer(
    at: datetime,
    now: datetime,
    by: Seat,
    sale: DealOpened,
    roster: Roster,
    handed: Handed,
    *,
    attempt: int,
    to: str | None,
    candidates: tuple[str, ...],
) -> AccountOffered:
    """To a person or to the queue. A deadline that was over when it was stamped, as in an import, does not run."""
    staffed = roster.line(sale.line, at)
    due = calendar_of(staffed).due(at, staffed.policy.account_accept_within_hours) if staffed else None
    return AccountOffered(
        at=at,
        by=by,
        offer=_offer_id(sale, attempt),
        to=Seat(person=to, role=_role(sale, roster, at)) if to else None,
        team=_team(sale, roster, at),
        mode="offer",
        attempt=attempt,
        due_at=due if due is not None and due > now else None,
        checklist=handed.checklist,
        candidates=candidates,
        promises=handed.promises,
    )


def _offer_id(sale: DealOpened, attempt: int) -> str:
    return derived(sale.deal, "account-offer", attempt)


def _members(sale: DealOpened, roster: Roster, at: datetime) -> tuple[str, ...]:
    return tuple(roster.members(sale.line, NEXT, at))


def _role(sale: DealOpened, roster: Roster, at: datetime) -> str:
    """What the team works as by now; while the staffing is not known, what the variant of the journey says."""
    return roster.role_at(sale.line, NEXT, at) or role_at(sale.variant, NEXT)


def _team(sale: DealOpened, roster: Roster, at: datetime) -> str:
    """The team's name; while the staffing is not known, the station's."""
    staffed = roster.line(sale.line, at)
    team = staffed.teams.get(NEXT) if staffed else None
    return team.team if team else NEXT.value


def _picked(sale: DealOpened, roster: Roster, rotation: Rotation, at: datetime, members: tuple[str, ...]) -> str | None:
    """Whose turn it is. Nobody hands over to themselves."""
    staffed = roster.line(sale.line, at)
    routing = staffed.policy.routing if staffed else ROUND_ROBIN
    others = [one for one in members if one != sale.converted_by.person]
    return choose(rotation, others, routing=routing if routing in ROUTINGS else ROUND_ROBIN)
