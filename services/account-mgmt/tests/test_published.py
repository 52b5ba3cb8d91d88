"""What this station tells is, to the letter, what the published language promises."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from account_story import NEW_YEAR, Line

import conveyor_events
from account_mgmt.account import (
    CustomerLeft,
    LeaveReason,
    Matter,
    MoveReason,
    ReassignAccount,
    ReceiveComplaint,
)
from account_mgmt.offer import AcceptOffer, RejectOffer
from account_mgmt.papers.survey import Answer, AnswerSurvey, Contact, Invite, Via
from account_mgmt.reactions import react
from account_mgmt.sale import RecordPayment, RecordRefund, RecordRepeatSale
from belt.core.decider import Public
from conveyor_events import staff
from conveyor_events.accounts import PaymentReceived, PaymentRefunded, RepeatSale
from conveyor_events.catalog import CATALOG, wire_type
from conveyor_events.envelope import Envelope, from_json
from conveyor_events.words import Event, instant_text

SAMPLES = Path(conveyor_events.__file__).parents[2] / "samples"
OURS = [entry.model.__name__ for entry in CATALOG if entry.topic == "conveyor.accounts.v1"]


def sample(name: str) -> Envelope:
    return from_json(json.loads((SAMPLES / f"{name}.v1.json").read_text()))


def told(name: str) -> Any:
    return conveyor_events.open(sample(f"accounts.{name}"))


def hear(station: Line, heard: Envelope, **data: Any) -> None:
    event = conveyor_events.open(heard).model_copy(update=data)
    station.do(*react(event, heard))


def station() -> Line:
    """Knows the people of the samples, their line and the won client."""
    line = Line()
    for path in sorted(SAMPLES.glob("staff.*.json")):
        heard = from_json(json.loads(path.read_text()))
        hear(line, heard)
    hear(line, sample("deals.DealClosed"))
    hear(line, sample("deals.AccountOffered"))
    return line


def sold(line: Line) -> None:
    """The client is served, bought again as in the samples, and paid."""
    accepted = sample("accounts.AccountAccepted")
    line.command("offer", accepted.data["offer_id"], AcceptOffer(accepted.occurred_at, "clara"))
    sale, tax = told("RepeatSale").sale, told("RepeatSale").tax
    command = RecordRepeatSale(
        sale.sold_at, "clara", sale.sale_id, sample("accounts.RepeatSale").subject, sale.net, tax, sale.currency
    )
    line.command("sale", sale.sale_id, command)
    paid = told("PaymentReceived")
    at = sample("accounts.PaymentReceived").occurred_at
    line.command("sale", sale.sale_id, RecordPayment(at, "clara", paid.payment_id, paid.net, paid.currency))


def rejection(line: Line) -> None:
    refused = sample("accounts.AccountRejected")
    offer_again(line, refused)
    line.command("offer", refused.data["offer_id"], RejectOffer(refused.occurred_at, "clara", refused.data["reason"]))


def expiry(line: Line) -> None:
    silent = sample("accounts.AccountOfferExpired")
    offer_again(line, silent, accept_due_at=silent.occurred_at)
    line.tick(silent.occurred_at)


def offer_again(line: Line, about: Envelope, accept_due_at: Any = None) -> None:
    """The offer that the sample speaks of: another client's than that of the other samples."""
    event = conveyor_events.open(sample("deals.AccountOffered")).model_copy(
        update={"offer_id": about.data["offer_id"], "accept_due_at": accept_due_at}
    )
    line.do(*react(event, about))


def refund(line: Line) -> None:
    sold(line)
    given, at = told("PaymentRefunded"), sample("accounts.PaymentRefunded").occurred_at
    line.command("sale", given.sale.sale_id, RecordRefund(at, "clara", given.refund_id, given.net, given.currency))


def third_purchase(line: Line) -> None:
    sold(line)
    regular, sale = sample("accounts.CustomerBecameRegular"), told("RepeatSale").sale
    command = RecordRepeatSale(regular.occurred_at, "clara", "third", regular.subject, sale.net, sale.net, "EUR")
    line.command("sale", "third", command)


def survey(line: Line) -> None:
    """The client's answers, item by item, give what the sample says."""
    sold(line)
    answered, wanted = told("SurveyAnswered"), sample("accounts.SurveyAnswered")
    at, gaps = wanted.occurred_at, {"promises": (-1, -1, -1), "speed": (0, 0, 0), "competence": (-1, -1, -1)}
    asked = Contact("Erika Weber")
    weights = tuple((one.group, one.weight) for one in answered.gaps)
    invited = Invite(
        at, "clara", answered.survey_id, wanted.subject, answered.survey_version, weights, asked, Via.FORM, True, 30
    )
    line.command("survey", answered.survey_id, invited)
    given = [
        Answer(f"{group}_{number}", 6, 6 + gap)
        for group, three in (gaps | {"care": (0, 0, 0), "materials": (0, 1)}).items()
        for number, gap in enumerate(three, 1)
    ]
    line.command("survey", answered.survey_id, AnswerSurvey(at, "clara", tuple(given), answered.recommend, "Thanks"))


def complaint(line: Line) -> None:
    sold(line)
    flagged = sample("accounts.AccountAtRiskFlagged")
    received = ReceiveComplaint(flagged.occurred_at, "clara", "c1", Matter.DELIVERY, "a week late, says Mrs Weber")
    line.command("account", flagged.subject, received)


def lapse(line: Line) -> None:
    sold(line)
    line.tick(sample("accounts.CustomerLapsed").occurred_at)


def comeback(line: Line) -> None:
    lapse(line)
    back, sale = sample("accounts.CustomerReturned"), told("RepeatSale").sale
    sale_id = back.data["sale_id"]
    command = RecordRepeatSale(back.occurred_at, "clara", sale_id, back.subject, sale.net, sale.net, "EUR")
    line.command("sale", sale_id, command)


def farewell(line: Line) -> None:
    sold(line)
    gone = sample("accounts.CustomerChurned")
    left = CustomerLeft(gone.occurred_at, "clara", LeaveReason(gone.data["reason"]), "Mr Weber retires")
    line.command("account", gone.subject, left)


def change(line: Line) -> None:
    sold(line)
    moved = sample("accounts.AccountReassigned")
    manager = moved.actor.person if moved.actor else ""
    line.hears(staff.RoleGranted(person=manager, role="manager", since=told("RepeatSale").sale.sold_at), NEW_YEAR)
    line.hears(staff.StaffHired(person=manager, hired_on=NEW_YEAR.date()), NEW_YEAR)
    until = conveyor_events.open(moved).model_dump()["legacy_until"]
    command = ReassignAccount(moved.occurred_at, manager, moved.data["to"]["person"], MoveReason.LEAVER, until)
    line.command("account", moved.subject, command)


STORIES = {
    "AccountAccepted": sold,
    "AccountRejected": rejection,
    "AccountOfferExpired": expiry,
    "SeatAssigned": sold,
    "RepeatSale": sold,
    "PaymentReceived": sold,
    "PaymentRefunded": refund,
    "CustomerBecameRegular": third_purchase,
    "SurveyAnswered": survey,
    "AccountAtRiskFlagged": complaint,
    "CustomerLapsed": lapse,
    "CustomerReturned": comeback,
    "CustomerChurned": farewell,
    "AccountReassigned": change,
}


def wire(public: Public) -> dict[str, Any]:
    """What of a public event is this station's to say; the belt adds ids and sequence."""
    return {
        "type": wire_type(cast("Event", public.data)),
        "time": instant_text(public.at),
        "subject": public.subject,
        "clientid": public.client_id,
        "journeyid": public.journey_id,
        "variant": public.variant,
        "actor": public.actor,
        "data": public.data.model_dump(mode="json"),
    }


def test_every_event_of_our_topic_has_its_story() -> None:
    assert sorted(STORIES) == sorted(OURS)


@pytest.mark.parametrize("name", sorted(STORIES))
def test_what_is_told_is_the_committed_sample(name: str) -> None:
    line = station()
    STORIES[name](line)
    wanted = sample(f"accounts.{name}")
    (public,) = [p for p in line.told if type(p.data).__name__ == name and p.subject == wanted.subject][-1:]
    assert wire(public) == {
        "type": wanted.type,
        "time": instant_text(wanted.occurred_at),
        "subject": wanted.subject,
        "clientid": wanted.client_id,
        "journeyid": wanted.journey_id,
        "variant": wanted.variant,
        "actor": wanted.actor,
        "data": wanted.data,
    }


def test_a_sale_written_down_later_is_told_at_the_time_it_was_made() -> None:
    line = station()
    sold(line)
    sale = told("RepeatSale").sale
    at = sample("accounts.CustomerBecameRegular").occurred_at
    client = sample("accounts.RepeatSale").subject
    command = RecordRepeatSale(at, "clara", "late", client, sale.net, sale.net, "EUR", sale.sold_at)
    line.command("sale", "late", command)
    late = [p for p in line.told if isinstance(p.data, RepeatSale)][-1]
    assert late.at == sale.sold_at


def test_every_money_fact_carries_its_sale_and_names_no_private_thing() -> None:
    line = station()
    refund(line)
    money = [p.data for p in line.told if isinstance(p.data, RepeatSale | PaymentReceived | PaymentRefunded)]
    assert len(money) == 3
    assert len({fact.sale.model_dump_json() for fact in money}) == 1


def test_the_words_of_a_rejection_stay_inside() -> None:
    line = station()
    refused = sample("accounts.AccountRejected")
    offer_again(line, refused)
    note = "the director's wife knows"
    line.command("offer", refused.data["offer_id"], RejectOffer(refused.occurred_at, "clara", "capacity", note))
    assert note not in "".join(public.data.model_dump_json() for public in line.told)
