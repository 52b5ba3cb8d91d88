"""What a conflict does to pay, from the public events to the statement; and the looks beside a slow reckoning."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from pay_stories import (
    BORIS,
    CLARA,
    DINA,
    DORA,
    HOUSE,
    VERA,
    accepted_after,
    closed,
    day,
    offered,
    rejected,
    repeat,
    said,
    seated,
)

from compensation.conflict import conflicts
from compensation.decisions import found
from compensation.history import History
from compensation.months import Month
from compensation.plan import Assignment, PlanVersion, shipped
from compensation.reading import fact
from compensation.statement import Totals, statement
from conveyor_events import Envelope, Seat, accounts, deals
from conveyor_events import open as open_event

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)


def paid(sold: Envelope, at: float) -> Envelope:
    """All of it."""
    event = open_event(sold)
    assert isinstance(event, deals.DealClosed | accounts.RepeatSale)
    sale, topic = event.sale, deals if isinstance(event, deals.DealClosed) else accounts
    money = {"sale": sale, "net": sale.net, "currency": sale.currency, "paid_net_total": sale.net}
    return said(topic.PaymentReceived.model_validate({"payment_id": "p", **money}), day(at))


def pay(
    events: Sequence[Envelope], seat: Seat, month: Month, known_at: datetime | None = None
) -> tuple[list[str], Totals]:
    """The cases that the events show, and what the month says of the person under the plan of the role."""
    cases = conflicts(events)
    recorded = {str(one.id): one.recorded_at for one in events}
    history = History([*map(fact, events), *(found(case, recorded) for case in cases)], zone="Europe/Berlin")
    plan = PlanVersion(shipped(f"ref-{seat.role}"), BEGUN)
    work = Assignment(seat.person, plan.plan.plan, str(seat.role), date(2026, 1, 1), BEGUN)
    return [case.kind for case in cases], statement(history, [plan], [work], seat.person, month, known_at).total


def test_who_rejected_again_and_sold_is_not_paid_before_the_case_is_decided() -> None:
    sold = closed(100)
    story = [offered("o1", 1, 91), rejected("o1", 2), offered("o2", 60, 150), rejected("o2", 61), sold, paid(sold, 101)]
    for events in (story, story[::-1] * 3):
        cases, month = pay(events, BORIS, Month(2026, 6))
        assert cases == ["C7", "C8"]
        assert (month.conditional, month.variable) == (Decimal(300), Decimal(0))


def test_who_served_is_paid_for_the_sale_that_the_successor_enters() -> None:
    sold = repeat(10, DORA, written=12)
    story = [seated(1, CLARA), seated(11, DORA), sold, paid(sold, 12.5)]
    for events in (story, story[::-1] * 3):
        assert pay(events, CLARA, Month(2026, 3))[0] == []
        assert pay(events, CLARA, Month(2026, 3))[1].variable == Decimal(40)
        assert pay(events, DORA, Month(2026, 3))[1].variable == 0


def test_who_served_as_far_as_anybody_knew_may_enter_a_sale_whatever_is_said_of_that_day_later() -> None:
    """Dora serves from day 8 on, and enters a sale of day 5; on day 40 Boris is said to have served since day 9."""
    sold = repeat(5, DORA, written=10)
    story = [seated(1, CLARA), seated(8, DORA), sold, paid(sold, 10.5), seated(9, BORIS, written=40)]
    for events in (story, story[::-1] * 3):
        assert pay(events, CLARA, Month(2026, 3))[0] == []
        assert pay(events, CLARA, Month(2026, 3))[1].variable == Decimal(40)


def test_a_case_that_shows_by_what_is_said_of_a_seat_later_is_not_known_before() -> None:
    """Boris enters a sale on day 10. On day 20 he is said to serve since day 8; on day 40, Dora since day 9."""
    sold = repeat(5, BORIS, written=10)
    then = [seated(1, CLARA), seated(8, BORIS, written=20), sold, paid(sold, 10.5)]
    assert pay(then, CLARA, Month(2026, 3))[0] == []
    story = [*then, seated(9, DORA, written=40)]
    for events in (story, story[::-1] * 3):
        cases, month = pay(events, CLARA, Month(2026, 3))
        assert (cases, month.conditional, month.variable) == (["C4"], Decimal(40), Decimal(0))
        assert pay(events, CLARA, Month(2026, 3), day(39))[1].variable == Decimal(40)


# --- beside a slow reckoning: each sale is held against everything that was said of the client -----------------------

PEOPLE = (BORIS, DINA, CLARA, DORA, VERA)


def life(seed: int) -> list[Envelope]:
    """What may happen to one client, at instants of its own."""
    rnd = Random(seed)
    times = sorted(rnd.sample(range(400), 24))
    events = [offered(f"o{n}", at=n - 20, credit=n + rnd.randint(1, 100)) for n in times if rnd.random() < 0.7]
    for n in times:
        match rnd.randrange(6):
            case 0 | 1:
                events.append(rejected(f"o{n}", n, rnd.choice([BORIS, DINA])))
            case 2 if rnd.random() < 0.4:
                events.append(accepted_after(n, mode=rnd.choice(["accepted", "overturned"])))
            case 3:
                events.append(closed(n, rnd.choice([BORIS, DINA]), HOUSE, f"d{n}", rnd.choice(["j1", "j2"])))
            case 4:
                events.append(seated(n, rnd.choice([*PEOPLE[:4], Seat(person="house", role="farmer")])))
            case _:
                parts = rnd.sample([BORIS, CLARA, DORA], 2) if rnd.random() < 0.2 else []
                late = rnd.choice([0, 0.5, rnd.randint(0, 80) + 0.5])
                events.append(repeat(n, rnd.choice(PEOPLE), *parts, written=n + late, sale_id=f"r{n}"))
    return events


def person(envelope: Envelope, seat: str) -> str:
    return str(envelope.data[seat]["person"])


def stolen(sold: Envelope, events: Sequence[Envelope]) -> list[str]:
    """C8: the newest rejection by the seller that was not mended before the sale, and whose scout has credit still."""
    seller, at = sold.data["sale"]["converted_by"]["person"], sold.occurred_at
    for one in sorted(events, key=lambda one: one.occurred_at, reverse=True):
        if one.type != "conveyor.deals.LeadRejected" or person(one, "rejected_by") != seller or one.occurred_at > at:
            continue
        taken = [e for e in events if e.type == "conveyor.deals.LeadAccepted" and person(e, "converted_by") == seller]
        if any(one.occurred_at < e.occurred_at < at for e in taken):
            continue
        offers = [e for e in events if e.type == "conveyor.leads.LeadQualified"]
        windows = [e.data["credit_until"] for e in offers if e.data["offer_id"] == one.data["offer_id"]]
        ends = datetime.fromisoformat(windows[0]) if windows else one.occurred_at + timedelta(days=90)
        if at < ends and sold.data["sale"]["sourced_by"]["person"] != person(one, "sourced_by"):
            return [str(one.id), str(sold.id)]
    return []


def entered(sold: Envelope, events: Sequence[Envelope]) -> list[str]:
    """C4: whoever entered it served neither at the sale nor when it was entered, and has no part in it."""

    def serving(at: datetime) -> Envelope | None:
        seats = [e for e in events if e.type == "conveyor.accounts.SeatAssigned" and e.occurred_at <= at]
        return max(seats, key=lambda e: e.occurred_at, default=None)

    assert sold.actor is not None
    by, then, by_now = sold.actor.person, serving(sold.occurred_at), serving(sold.recorded_at)
    mine = {person(one, "holder") for one in (then, by_now) if one is not None}
    mine |= {part["person"] for part in sold.data["sale"]["splits"]}
    if then is None or person(then, "holder") == "house" or by in mine or sold.actor.role == "manager":
        return []
    return [str(then.id), str(sold.id)]


def again(sold: Envelope, events: Sequence[Envelope]) -> list[str]:
    """C6: another first sale was made before on the same journey."""
    same = [e for e in events if e.type == sold.type and e.journey_id == sold.journey_id]
    first = min(same, key=lambda e: e.occurred_at)
    return [] if first is sold else [str(first.id), str(sold.id)]


@pytest.mark.parametrize("seed", range(150))
def test_every_sale_is_judged_as_by_the_slow_reckoning(seed: int) -> None:
    events = life(seed)
    expected = set()
    for one in events:
        looks = {"DealClosed": [("C8", stolen), ("C6", again)], "RepeatSale": [("C4", entered)]}
        for kind, look in looks.get(one.type.rpartition(".")[2], []):
            if rests_on := look(one, events):
                expected.add((kind, *rests_on))
    arrived = events * 2
    Random(seed).shuffle(arrived)
    assert {(c.kind, *c.events) for c in conflicts(arrived) if c.kind in ("C4", "C6", "C8")} == expected


def test_the_lives_that_are_reckoned_have_conflicts_of_each_kind() -> None:
    kinds = [case.kind for seed in range(150) for case in conflicts(life(seed))]
    assert min(kinds.count(kind) for kind in ("C4", "C6", "C8")) > 20
