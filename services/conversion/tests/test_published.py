"""What the outside is told in the stories of this station. Word for word, event by event: tests/contract."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

from conversion_stories import CLASSIC, Bench, accept, bench, on, seat, staffing

from belt.core.decider import Step
from conversion import deal
from conversion.deal import CancelDeal
from conversion.deal.terms import Instalment
from conversion.offer import (
    AcceptLead,
    DisputeRejection,
    Lead,
    OverturnRejection,
    ReceiveLead,
    RejectLead,
    UpholdRejection,
)
from conversion.opportunity import (
    CloseDeal,
    LoseOpportunity,
    OpenOpportunity,
    RecordMeeting,
    RecycleOpportunity,
    SendProposal,
)
from conversion.opportunity.client import NoteServed
from conveyor_events import Envelope, from_json

SAMPLES = Path(__file__).parents[3] / "libs" / "events" / "samples"
NAMES = sorted(path.name.split(".")[1] for path in SAMPLES.glob("deals.*.v1.json"))


def sample(name: str) -> Envelope:
    return from_json(json.loads((SAMPLES / f"deals.{name}.v1.json").read_text(encoding="utf-8")))


# --- a story told whole ---------------------------------------------------------------------------------------------


def test_the_berlin_sale_of_the_samples_can_be_made() -> None:
    """The samples belong to one story; commands at the doors tell it."""
    closed, offered = sample("DealClosed"), sample("AccountOffered")
    line, sale = closed.data["sale"]["line"], closed.data["sale"]
    events = staffing(line=line)
    there = Bench(*events)
    at = closed.occurred_at
    lead = Lead(
        offer="o",
        client=str(closed.client_id),
        journey=str(closed.journey_id),
        variant=CLASSIC,
        line=line,
        need="n",
        attempt=1,
        sourced_by=seat("ana", "scout"),
        team="t",
        first_touch_due_at=None,
        credit_until=at,
    )
    there.do(Step("offer", "o", ReceiveLead(at, lead, seat("boris"), "offer", None)))
    there.do(accept(at=at, offer="o"))
    name = there.state("offer", "o").opportunity
    price = {"tax": Decimal(closed.data["tax"]), "currency": sale["currency"]}
    there.do(on(name, SendProposal(at, "boris", "p", (), Decimal(sale["net"]), **price)))
    there.do(
        on(
            name,
            CloseDeal(
                at,
                at,
                "boris",
                closed.data["deal_id"],
                Decimal(sale["net"]),
                **price,
                schedule=tuple(
                    Instalment(date.fromisoformat(part["due_on"]), Decimal(part["amount"]))
                    for part in closed.data["payment_schedule"]
                ),
                splits=tuple((part["person"], Decimal(part["weight"])) for part in sale["splits"]),
                checklist=tuple(offered.data["checklist"]),
                promises=tuple(offered.data["open_promises"]),
            ),
        )
    )
    made = there.last("DealClosed").model_dump(mode="json")
    assert made == closed.data | {"opportunity_id": name}
    told = there.last("AccountOffered").model_dump(mode="json")
    ours = {"offer_id": told["offer_id"], "team": told["team"]}
    assert told == offered.data | ours


def test_every_public_event_of_the_topic_is_told_by_some_story() -> None:
    there = bench()
    there.won()
    there.do(Step("deal", there.last("DealClosed").deal_id, _pay("p1")))
    there.do(Step("deal", there.last("DealClosed").deal_id, _refund()))
    there.do(on("own", OpenOpportunity(AT, "dina", "own", "client-1", "berlin")))
    there.do(on("own", RecordMeeting(AT, "dina", "m", "no")))
    there.do(Step("client", "client-1", NoteServed(AT, "client-1", seat("clara", "farmer"), AT)))
    there.refusal(on("own", CloseDeal(AT, AT, "dina", "d", Decimal(1), Decimal(0), "EUR")))
    there.do(on("own", LoseOpportunity(AT, "dina", "other")))
    there.do(on("own", RecycleOpportunity(AT, "dina", "timing")))
    there.do(Step("deal", there.last("DealClosed").deal_id, CancelDeal(AT, "boris", "other")))
    for name, decision in (("upheld", UpholdRejection(AT, "maria")), ("overturned", OverturnRejection(AT, "maria"))):
        there.do(_received(name))
        there.do(Step("offer", name, RejectLead(AT, "boris", "duplicate")))
        there.do(Step("offer", name, DisputeRejection(AT, "ana")))
        there.do(Step("offer", name, decision))
    there.fire("opportunity", str(there.state("offer", "overturned").opportunity), AT.replace(year=2027))
    there.do(_received("third"))
    there.fire("offer", "third", AT.replace(year=2027))
    assert set(there.public) == set(NAMES)


AT = sample("DealClosed").occurred_at


def _received(name: str) -> Step:
    lead = Lead(
        name, f"client-{name}", "j", CLASSIC, "berlin", "n", 1, seat("ana", "scout"), "t", AT.replace(day=20), AT
    )
    return Step("offer", name, ReceiveLead(AT, lead, seat("boris"), "offer", AT.replace(day=20)))


def _pay(name: str) -> deal.RecordPayment:
    return deal.RecordPayment(AT, "boris", name, Decimal("100.00"), "EUR")


def _refund() -> deal.RecordRefund:
    return deal.RecordRefund(AT, "boris", "r", None, Decimal("100.00"), "EUR")


def test_an_acceptance_names_who_said_so_and_whose_it_is() -> None:
    there = bench()
    there.do(_received("x"))
    there.do(Step("offer", "x", AcceptLead(AT, "maria", "dina")))
    told = next(t for t in there.told if type(t.data).__name__ == "LeadAccepted")
    assert told.actor == seat("maria", "manager")
    assert there.last("LeadAccepted").converted_by == seat("dina")
