"""A company in memory: streams decided, folded, followed and published as the belt does it, without a store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import conveyor_events
from belt.core.decider import Public, Step
from conveyor_events import Envelope, from_json
from conveyor_events.staff import Policy, StationTeam
from conveyor_events.words import Seat, Station
from lead_gen import staffing as s
from lead_gen.identity import IdentityKey
from lead_gen.main import STREAMS
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import Prospect

SAMPLES = Path(conveyor_events.__file__).parents[2] / "samples"
CLIENT = "acme"
BERLIN = ZoneInfo("Europe/Berlin")
SCOUT, HUNTER = "scout", "hunter"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PEOPLE = {
    "ana": ("scout",),
    "egor": ("scout",),
    "boris": ("hunter",),
    "dina": ("hunter",),
    "clara": ("farmer",),
    "vera": ("manager",),
    "olga": ("hunter",),  # works nowhere
}


def at(day: int, hour: int = 10, minute: int = 0, month: int = 3) -> datetime:
    """An instant in Berlin, 2026."""
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN).astimezone(UTC)


class Company:
    """States by stream, everything that happened, and everything that was told."""

    def __init__(self, variant: str = "scout-hunter-farmer", **policy: Any) -> None:
        self.states: dict[str, Any] = {}
        self.happened: list[Any] = []
        self.told: list[Public] = []
        for person, roles in PEOPLE.items():
            self.staff(s.Hire(person, person.title(), date(2026, 1, 1), "vera", SINCE))
            for role in roles:
                self.staff(s.GrantRole(person, role, SINCE, None, "vera", SINCE))
        self.staff(staffed(variant, **policy))
        self.happened.clear()
        self.told.clear()

    def do(self, *steps: Step) -> list[Any]:
        """All or none, as a unit of the belt."""
        states, happened, told, todo = dict(self.states), list[Any](), list[Public](), list(steps)
        while todo:
            step = todo.pop(0)
            stream = STREAMS[step.category]
            state = states.get(step.stream_id, stream.initial)
            read = [
                states.get(f"{name}-{key}", STREAMS[name].initial)
                for name, key in stream.reads(step.id, step.command, state)
            ]
            for event in stream.decide(step.command, state, *read):
                state = stream.evolve(state, event)
                happened.append(event)
                told += stream.publish(event, state)
                todo += stream.follow(event, state)
            states[step.stream_id] = state
        self.states = states
        self.happened += happened
        self.told += told
        return happened

    def staff(self, command: Any) -> list[Any]:
        return self.do(Step(s.CATEGORY, s.COMPANY, command))

    def to(self, client: str, command: Any) -> list[Any]:
        return self.do(Step("prospect", client, command))

    def prospect(self, client: str = "acme") -> Prospect:
        state: Prospect = self.states.get(f"prospect-{client}", Prospect())
        return state

    def tick(self, upto: datetime, client: str = "acme") -> list[Any]:
        """Fires what is due by then, in order."""
        happened: list[Any] = []
        while due := [one for one in STREAMS["prospect"].timers(self.prospect(client)) if one.at <= upto]:
            happened += self.to(client, min(due, key=lambda one: one.at).command)
        return happened

    def names(self) -> list[str]:
        return [type(event).__name__ for event in self.happened]

    # -- the way of a client -----------------------------------------------------------------------------------

    def registered(self, client: str = "acme", by: str = "ana", when: datetime | None = None) -> None:
        self.to(client, register(client, by, when or at(2)))

    def in_dialogue(self, client: str = "acme", by: str = "ana") -> None:
        self.registered(client, by)
        self.to(client, call(by))
        self.to(client, contact(by))

    def need_known(self, client: str = "acme", by: str = "ana") -> None:
        self.in_dialogue(client, by)
        self.to(client, need(by, client))

    def offered(self, client: str = "acme", by: str = "ana", to: str | None = None) -> None:
        self.need_known(client, by)
        self.to(client, offer(by, to=to, offer_id=f"{client}-1"))

    def rework(self, client: str = "acme") -> None:
        self.offered(client)
        self.to(client, c.ReturnLead(f"{client}-1", "no_need_evidence", seat("boris"), at(3, 15)))

    def converting(self, client: str = "acme") -> None:
        self.offered(client)
        self.to(client, accepted(f"{client}-1"))


def staffed(variant: str, since: datetime = SINCE, **policy: Any) -> s.StaffLine:
    hunters = ["boris", "dina"]
    scouts = ["ana", "egor"] if variant.startswith("scout") else hunters
    farmers = ["clara"] if variant.endswith("farmer") else hunters
    teams: Mapping[str, StationTeam] = {
        Station.LEAD_GEN: StationTeam(team="finders", members=scouts),
        Station.CONVERSION: StationTeam(team="closers", members=hunters),
        Station.ACCOUNT_MGMT: StationTeam(team="keepers", members=farmers),
    }
    rules = Policy.model_validate(policy)
    return s.StaffLine("tools", variant, since, "Europe/Berlin", "EUR", teams, ("vera",), rules, "vera", since)


def seat(person: str, role: str = HUNTER) -> Seat:
    return Seat(person=person, role=role)


def register(
    client: str = "acme",
    by: str = "ana",
    when: datetime | None = None,
    keys: tuple[IdentityKey, ...] = (IdentityKey("domain", "https://www.acme.example/"),),
) -> c.RegisterProspect:
    return c.RegisterProspect(client, "tools", "Acme GmbH", "DE", keys, "trade-fair", None, by, when or at(2))


def verify(by: str = "ana", when: datetime | None = None) -> c.VerifyProspect:
    return c.VerifyProspect(("reachable_phone", "legal_active"), by, when or at(2, 11))


def call(by: str = "ana", when: datetime | None = None) -> c.LogCall:
    return c.LogCall("gatekeeper_passed", when or at(2, 12), 90, None, "rings back", by, when or at(2, 12))


def gatekeeper(by: str = "ana") -> c.RecordGatekeeper:
    return c.RecordGatekeeper("secretary", 1, "mornings", "topic", 2, by, at(2, 13))


def contact(by: str = "ana") -> c.RecordContactReached:
    return c.RecordContactReached("Eva Roth", "purchasing", "phone", "decides", by, at(2, 14))


def need(by: str = "ana", client: str = "acme", when: datetime | None = None, **known: Any) -> c.IdentifyNeed:
    told = {"need_id": f"{client}-need", "budget": "none", "wish": "low"} | known
    when = when or at(2, 15)
    return c.IdentifyNeed(
        category="pumps",
        statement="the old pump leaks",
        evidence=("saw it drip",),
        current_supplier=None,
        competitor_id=None,
        by=by,
        at=when,
        now=told.pop("now", when),
        **told,
    )


def offer(
    by: str = "ana",
    *,
    to: str | None = None,
    offer_id: str | None = None,
    evidence: tuple[str, ...] = (),
    when: datetime | None = None,
    now: datetime | None = None,
    manager: bool = False,
) -> c.OfferLead:
    when = when or at(3)
    return c.OfferLead(offer_id, to, evidence, by, when, now or when, manager)


def withdraw(by: str = "ana", reason: str | None = None, when: datetime | None = None) -> c.WithdrawOffer:
    when = when or at(3, 12)
    return c.WithdrawOffer(reason, by, when, when)


def accepted(
    offer_id: str = "acme-1", by: str = "boris", when: datetime | None = None, scout: str = "ana"
) -> c.HandOver:
    return c.HandOver(offer_id, "acme-need", seat(scout, SCOUT), seat(by), when or at(4))


def sample(name: str, **data: Any) -> Envelope:
    """The committed sample of a deals event, about our client."""
    envelope = from_json(json.loads((SAMPLES / f"deals.{name}.v1.json").read_text()))
    offer = {"offer_id": "acme-1", "need_id": "acme-need"} if "offer_id" in envelope.data else {}
    sourced = {"sourced_by": {"person": "ana", "role": "scout"}} if "sourced_by" in envelope.data else {}
    return replace(envelope, subject=CLIENT, occurred_at=at(4), data=envelope.data | offer | sourced | data)


def last(company: Company, kind: type) -> Any:
    """The latest event of this kind."""
    return [event for event in company.happened if isinstance(event, kind)][-1]
