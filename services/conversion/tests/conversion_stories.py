"""The station in memory: its real streams, decided as the belt decides them, and the people of the stories."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from belt.core.decider import Public, Refused, Step
from belt.core.ids import derived
from belt.io.store.codec import Codec
from belt.io.store.decision import Decision, Missing, decide
from belt.io.store.unit import Entry, Meta, Unit
from conversion.deal.terms import Line
from conversion.main import STREAMS
from conversion.offer import AcceptLead, Lead, ReceiveLead
from conversion.opportunity import CloseDeal, OpenOpportunity, RecordMeeting, SendProposal
from conversion.papers import negotiation_plan
from conversion.papers.meeting_plan import Attendee, Paper, Question, ReadyMeetingPlan, WriteMeetingPlan
from conversion.papers.negotiation_plan import Alternative, Issue, ReadyNegotiationPlan, WriteNegotiationPlan
from conversion.roster import Learn
from conveyor_events import Event, staff
from conveyor_events.words import VARIANTS, Seat, Station

HIRED = datetime(2026, 1, 1, tzinfo=UTC)
FRIDAY = datetime(2026, 3, 27, 15, tzinfo=UTC)  # 16:00 in Berlin
DUE = datetime(2026, 3, 30, 13, tzinfo=UTC)  # 8 working hours later, summer time began in between
MONDAY = datetime(2026, 3, 30, 8, tzinfo=UTC)
SOLD = datetime(2026, 4, 1, 10, tzinfo=UTC)
LATER = datetime(2026, 4, 20, 10, tzinfo=UTC)

LINE, CLIENT, JOURNEY, NEED, OFFER = "berlin", "client-1", "journey-1", "need-1", "offer-1"
OPPORTUNITY = derived(OFFER, "opportunity")
DEAL = derived(OPPORTUNITY, "deal")
CLASSIC = "scout-hunter-farmer"
KEY = b"k" * 32
CODECS = {name: Codec(stream) for name, stream in STREAMS.items()}
TEAMS = {
    Station.LEAD_GEN: ["ana", "egor"],
    Station.CONVERSION: ["boris", "dina", "gleb"],
    Station.ACCOUNT_MGMT: ["clara", "felix"],
}


def seat(person: str, role: str = "hunter") -> Seat:
    return Seat(person=person, role=role)


ANA, BORIS, DINA, GLEB = seat("ana", "scout"), seat("boris"), seat("dina"), seat("gleb")
CLARA, MARIA = seat("clara", "farmer"), seat("maria", "manager")


def staffing(variant: str = CLASSIC, line: str = LINE, **policy: Any) -> list[Event]:
    """Everybody holds every role that the variant needs where they work."""
    events: list[Event] = []
    teams = {}
    for station, members in TEAMS.items():
        teams[station.value] = staff.StationTeam(team=f"{line}-{station.value}", members=members)
        events += [staff.StaffHired(person=one, hired_on=HIRED.date()) for one in members]
        role = VARIANTS[variant][station].value
        events += [staff.RoleGranted(person=one, role=role, since=HIRED) for one in members]
    events += [
        staff.StaffHired(person="maria", hired_on=HIRED.date()),
        staff.RoleGranted(person="maria", role="manager", since=HIRED),
        staff.LineStaffed(
            line=line,
            variant=variant,
            since=HIRED,
            zone="Europe/Berlin",
            currency="EUR",
            teams=teams,
            managers=["maria"],
            policy=staff.Policy.model_validate(policy),
        ),
    ]
    return events


def lead(offer: str = OFFER, client: str = CLIENT, **changes: Any) -> Lead:
    given: dict[str, Any] = {
        "offer": offer,
        "client": client,
        "journey": JOURNEY,
        "variant": CLASSIC,
        "line": LINE,
        "need": NEED,
        "attempt": 1,
        "sourced_by": ANA,
        "team": "berlin-conversion",
        "first_touch_due_at": None,
        "credit_until": FRIDAY + timedelta(days=90),
    }
    return Lead(**(given | changes))


def received(to: Seat | None = BORIS, due: datetime | None = DUE, mode: Any = "offer", **about: Any) -> Step:
    told = lead(**about)
    return Step("offer", told.offer, ReceiveLead(FRIDAY, told, to, mode, due))


def accept(by: str = "boris", at: datetime = MONDAY, to: str | None = None, offer: str = OFFER) -> Step:
    return Step("offer", offer, AcceptLead(at, by, to))


def on(opportunity: str, command: Any) -> Step:
    return Step("opportunity", opportunity, command)


def found(by: str = "boris", opportunity: str = "own-1", client: str = CLIENT, **more: Any) -> Step:
    return on(opportunity, OpenOpportunity(MONDAY, by, opportunity, client, LINE, **more))


PAPER = Paper(
    goal="an order for six drills",
    fallback="a trial of one",
    theirs=(Attendee("Mrs Weber", "buyer", "decides", 1, "fewer failures"),),
    questions=(
        Question("situation", "How many drills run?"),
        Question("problem", "How often do they fail?"),
        Question("effect", "What does a stop cost?"),
    ),
    next_step="a date for the trial",
)


def planned(plan: str = "plan-1", by: str = "boris", opportunity: str | None = None) -> list[Step]:
    """A meeting plan that is ready."""
    written = WriteMeetingPlan(MONDAY, by, plan, opportunity or OPPORTUNITY, PAPER)
    return [Step("meetingplan", plan, written), Step("meetingplan", plan, ReadyMeetingPlan(MONDAY, by))]


BARGAIN = negotiation_plan.Paper(
    issues=(
        Issue("price", Decimal(60), Decimal(10_000), Decimal(11_000), Decimal(9_000), alternative=Decimal(8_500)),
        Issue("days to pay", Decimal(40), Decimal(14), Decimal(7), Decimal(30), alternative=Decimal(45)),
    ),
    ours=Alternative("sell to Huber", Decimal(8_500)),
    exit_sentence="Then we had better part as friends.",
)


def negotiation_planned(plan: str, by: str = "boris") -> list[Step]:
    """A negotiation plan that is ready."""
    written = WriteNegotiationPlan(MONDAY, by, plan, OPPORTUNITY, BARGAIN)
    return [Step("negotiationplan", plan, written), Step("negotiationplan", plan, ReadyNegotiationPlan(MONDAY, by))]


def meeting(by: str = "boris", at: datetime = MONDAY) -> RecordMeeting:
    return RecordMeeting(at, by, "meeting-1", "full", ("they decide in May",))


def proposal(by: str = "boris", net: str | None = "10000.00", lines: Sequence[Line] = (), **more: Any) -> SendProposal:
    price = Decimal(net) if net is not None else None
    given: dict[str, Any] = {"at": MONDAY, "proposal": "proposal-1", "tax": Decimal("2000.00"), "currency": "EUR"}
    return SendProposal(by=by, lines=tuple(lines), net=price, **(given | more))


def close(by: str = "boris", net: str = "10000.00", deal: str = DEAL, at: datetime = SOLD, **more: Any) -> CloseDeal:
    given: dict[str, Any] = {"now": at, "tax": Decimal("2000.00"), "currency": "EUR"}
    return CloseDeal(at=at, by=by, deal=deal, net=Decimal(net), **(given | more))


class Bench:
    """Does units as the belt does, keeps what they left, and makes sure that each event can be stored and read."""

    def __init__(self, *staff_events: Event) -> None:
        self.entries: dict[str, Entry] = {}
        self.told: list[Public] = []
        for told in staff_events:
            self.do(Step("roster", "company", Learn(HIRED, told)))

    def do(self, *steps: Step) -> list[Any]:
        unit = Unit(steps, "key", True, None, None, Meta(), None, None, None, asyncio.Future(loop=_LOOP))
        decision = self._decided(unit)
        self.entries |= decision.after
        for happened in decision.happened:
            codec = CODECS[happened.stream.category]
            text = codec.write(happened.event, "client-1", KEY)
            kind = codec.type_of(happened.event)
            assert codec.read(kind.name, kind.schema, text, "client-1", KEY) == happened.event
            self.told += happened.publics
        if decision.refused is not None:
            raise decision.refused
        return [happened.event for happened in decision.happened]

    def _decided(self, unit: Unit) -> Decision:
        try:
            return decide(unit, self.entries, STREAMS)
        except Missing as missing:
            for stream_id in missing.streams:
                self.entries[stream_id] = Entry(0, STREAMS[stream_id.partition("-")[0]].initial)
            return self._decided(unit)

    def refusal(self, *steps: Step) -> str:
        with pytest.raises(Refused) as refused:
            self.do(*steps)
        return refused.value.code

    def state(self, category: str, key: str) -> Any:
        entry = self.entries.get(f"{category}-{key}")
        return entry.state if entry else STREAMS[category].initial

    def row(self, category: str, key: str) -> Any:
        return self.entries[f"{category}-{key}"].row

    def fire(self, category: str, key: str, upto: datetime) -> list[Any]:
        """The clock: every timer of the stream that is due by then."""
        events: list[Any] = []
        while due := [d for d in STREAMS[category].timers(self.state(category, key)) if d.at <= upto]:
            events += self.do(Step(category, key, due[0].command))
        return events

    @property
    def public(self) -> list[str]:
        """The names of all that was told."""
        return [type(told.data).__name__ for told in self.told]

    def last(self, name: str) -> Any:
        return next(told.data for told in reversed(self.told) if type(told.data).__name__ == name)

    def won(self, by: str = "boris") -> None:
        """A lead all the way to its first sale."""
        self.do(received(seat(by)))
        self.do(accept(by))
        self.do(on(OPPORTUNITY, meeting(by)))
        self.do(on(OPPORTUNITY, proposal(by)))
        self.do(on(OPPORTUNITY, close(by)))


_LOOP = asyncio.new_event_loop()


def bench(variant: str = CLASSIC, **policy: Any) -> Bench:
    return Bench(*staffing(variant, **policy))


def names(events: Sequence[Any]) -> list[str]:
    return [type(event).__name__ for event in events]


def rows_of(table: str) -> dict[str, dict[str, str]]:
    """A table as text: {stage: {command: what follows}}."""
    head, *lines = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return {line[0]: dict(zip(head[1:], line[1:], strict=True)) for line in lines}


def outcome(there: Bench, step: Step) -> str:
    """What follows: the events of the step's own stream, `.` for nothing new, `!` and the code of a refusal."""
    before = there.entries.get(step.stream_id, Entry(0, None)).version
    try:
        events = there.do(step)
    except Refused as refused:
        return f"!{refused.code.partition('.')[2] or refused.code}"
    own = there.entries[step.stream_id].version - before
    return " ".join(names(events[:own])) or "."
