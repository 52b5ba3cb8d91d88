"""Who may see and do what at this station: one question, `authorize(reader, action, thing, roster, now)`.

The scopes of a token open the door; behind it every door and list asks here. Being forbidden looks like not being there
(404). Whoever sees an opportunity may ask to work on it: whose it is, the stream decides (403, `…not-yours`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from belt.core.subject import Subject
from conversion.deal import Deal
from conversion.offer import LeadOffer
from conversion.opportunity import Opportunity
from conversion.roster import HERE
from conveyor_events.nearness import Matter, Near, nearness
from conveyor_events.roster import Roster

Action = Literal["see", "work", "know"]
"""see: that it is there, how far it is, and for how much. work: send a command. know: what was said and planned, and
who spoke."""
Thing = Matter


def authorize(reader: Subject, action: Action, thing: Thing, roster: Roster, now: datetime) -> bool:
    """Whether the reader may do this with that."""
    near = nearness(reader.person, reader.scopes, thing, roster, now)
    match action:
        case "see" | "work":
            return near >= Near.PEER
        case "know":
            return reader.may("pii:read") and near is Near.OWN


def of_offer(offer: LeadOffer, roster: Roster, now: datetime) -> Matter | None:
    """Who found the client, who is asked, who took it. In the queue it is the whole team's."""
    lead, accepted, asked = offer.lead, offer.handover.accepted, offer.handover.to
    if lead is None:
        return None
    people = {lead.sourced_by.person}
    if accepted is not None:
        people.add(accepted.to.person)
    people |= {asked.person} if asked is not None else set(roster.members(lead.line, HERE, now))
    return Matter(lead.line, frozenset(people))


def of_opportunity(opportunity: Opportunity) -> Matter | None:
    """Who found the client, and who sells to it."""
    opened = opportunity.opened
    if opened is None:
        return None
    return Matter(opened.line, frozenset({opened.sourced_by.person, opened.converted_by.person}))


def of_deal(deal: Deal) -> Matter | None:
    """Who found the client, who sold to it, alone or with others, and who is offered the account or has answered."""
    sale, account = deal.sale, deal.account
    if sale is None:
        return None
    people = {sale.sourced_by.person, sale.converted_by.person, *(part.person for part in sale.splits)}
    if deal.answer is not None:
        people.add(deal.answer.by.person)
    elif account is not None and account.to is not None:
        people.add(account.to.person)
    return Matter(sale.line, frozenset(people))


ASKED: Mapping[str, tuple[str, str]] = {
    # door: what is asked, of which kind of thing. company: the scopes alone decide. line: its stream decides, openly.
    "GET /v1/offers": ("see", "offers"),
    "GET /v1/offers/{offer}": ("see", "offer"),
    "POST /v1/offers/{offer}/accept": ("work", "offer"),
    "POST /v1/offers/{offer}/reject": ("work", "offer"),
    "GET /v1/offers-to-answer": ("see", "offers"),
    "POST /v1/offers/{offer}/dispute": ("work", "offer"),
    "POST /v1/offers/{offer}/uphold": ("work", "offer"),
    "POST /v1/offers/{offer}/overturn": ("work", "offer"),
    "GET /v1/opportunities": ("see", "opportunities"),
    "GET /v1/opportunity-counts": ("see", "opportunities"),
    "GET /v1/opportunities/{opportunity}": ("see", "opportunity"),
    "POST /v1/opportunities": ("-", "line"),
    "POST /v1/opportunities/{opportunity}/lose": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/reopen": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/recycle": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/meeting-plans": ("work", "opportunity"),
    "POST /v1/meeting-plans/{plan}/ready": ("work", "opportunity"),
    "GET /v1/meeting-plans/{plan}": ("see", "opportunity"),
    "POST /v1/opportunities/{opportunity}/negotiation-plans": ("work", "opportunity"),
    "POST /v1/negotiation-plans/{plan}/ready": ("work", "opportunity"),
    "POST /v1/negotiation-plans/{plan}/score": ("work", "opportunity"),
    "GET /v1/negotiation-plans/{plan}": ("see", "opportunity"),
    "POST /v1/opportunities/{opportunity}/meetings": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/meetings/{meeting}/cancel": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/touches": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/presentations": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/proposals": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/close": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/objections": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/objections/{objection}/answer": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/negotiation": ("work", "opportunity"),
    "POST /v1/opportunities/{opportunity}/concessions": ("work", "opportunity"),
    "GET /v1/deals": ("see", "deals"),
    "GET /v1/deals/{deal}": ("see", "deal"),
    "POST /v1/deals/{deal}/payments": ("work", "deal"),
    "POST /v1/deals/{deal}/refunds": ("work", "deal"),
    "POST /v1/deals/{deal}/cancel": ("work", "deal"),
    "POST /v1/deals/{deal}/offer": ("work", "deal"),
    "GET /v1/waiting": ("-", "company"),
}
