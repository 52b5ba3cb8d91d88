"""The subscribers' side of every topic: each of ours takes every sample of every version, or takes no notice of it.

`WANTED` says what each subscriber acts upon, and with which command, or as which fact; of all else it takes no notice.
What decides in a stream may refuse a command about a client it does not know; nothing else may be raised.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from account_mgmt.main import SERVICE as ACCOUNT_MGMT
from belt.core.decider import Refused
from belt.io.service import Service
from belt.io.store.migrate import upgrade
from checks.compatible import releases
from compensation import intake
from compensation.facts import Noted
from compensation.main import SERVICE as COMPENSATION
from compensation.reading import fact
from conversion.main import SERVICE as CONVERSION
from conveyor_events import CATALOG, TOPICS, Envelope, Event, UnknownEvent, entry, from_json, topic_of
from conveyor_events import open as open_event
from conveyor_events.deals import LeadAccepted
from conveyor_events.generate import CHECKOUT, SAMPLES
from conveyor_events.upcast import UPCASTERS
from lead_gen.main import SERVICE as LEAD_GEN

pytestmark = pytest.mark.contract

SERVICES = {service.name: service for service in (LEAD_GEN, CONVERSION, ACCOUNT_MGMT, COMPENSATION)}
ROSTER: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("StaffHired", "RoleGranted", "RoleRevoked", "AbsenceSet", "StaffLeft", "LineStaffed"), ("Learn",)
)
WANTED: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {
    "lead-gen": {
        "deals": {
            "LeadAccepted": ("HandOver",),
            "LeadRejected": ("ReturnLead",),
            "LeadOfferRerouted": ("MoveOffer",),
            "LeadOfferEscalated": ("MoveOffer",),
            "OpportunityRecycled": ("Recycle",),
            "DealClosed": ("MakeCustomer",),
        },
    },
    "conversion": {
        "staff": ROSTER,
        "leads": {
            "LeadQualified": ("ReceiveLead",),
            "LeadWithdrawn": ("WithdrawLead",),
            "JourneyMigrated": ("NoteMigrated",),
            "PersonalDataErased": ("Erase",),
        },
        "accounts": {
            "AccountAccepted": ("NoteAnswer",),
            "AccountRejected": ("NoteAnswer",),
            "SeatAssigned": ("NoteServed",),
        },
    },
    "account-mgmt": {
        "staff": ROSTER,
        "leads": {"JourneyMigrated": ("MigrateAccount",), "PersonalDataErased": ("Erase",)},
        "deals": {
            "DealClosed": ("NotePurchase",),
            "PaymentReceived": ("CountPurchase",),
            "PaymentRefunded": ("CountPurchase",),
            "DealCancelled": ("CountPurchase",),
            "AccountOffered": ("OpenAccount", "ReceiveOffer"),
        },
    },
    "compensation": {
        "staff": {"StaffHired": ("Hired",), "StaffLeft": ("Left",)},
        "leads": {
            "ProspectRegistered": ("Milestone",),
            "ProspectVerified": ("Milestone",),
            "ProspectInvalidated": ("Invalidated",),
            "NeedIdentified": ("Milestone",),
            "LeadQualified": ("Milestone",),
        },
        "deals": {
            "LeadAccepted": ("Milestone",),
            "LeadRejected": ("Rejected",),
            "LeadOfferExpired": ("Milestone",),
            "MeetingHeld": ("Milestone",),
            "DealClosed": ("Sold",),
            "PaymentReceived": ("Paid",),
            "PaymentRefunded": ("Refunded",),
            "DealCancelled": ("Cancelled",),
            "AccountOffered": ("Offered",),
        },
        "accounts": {
            "AccountAccepted": ("Milestone",),
            "SeatAssigned": ("Seated",),
            "RepeatSale": ("Sold",),
            "PaymentReceived": ("Paid",),
            "PaymentRefunded": ("Refunded",),
            "CustomerBecameRegular": ("Milestone",),
            "CustomerChurned": ("Churned",),
        },
    },
}


def samples() -> list[Path]:
    """Every sample there ever was: the present ones, and those that were released and are no longer the same."""
    folders = [CHECKOUT / SAMPLES, *(folder / "samples" for folder in releases(CHECKOUT))]
    found = {path.read_bytes(): path for folder in reversed(folders) for path in sorted(folder.glob("*.json"))}
    return sorted(found.values())


def read(path: Path) -> Envelope:
    return from_json(json.loads(path.read_text(encoding="utf-8")))


def topic(envelope: Envelope) -> str:
    return next(one.topic for one in CATALOG if one.wire == envelope.type)


HEARD = [
    pytest.param(service, read(path), id=f"{name}-{path.relative_to(CHECKOUT / 'libs/events')}")
    for name, service in SERVICES.items()
    for path in samples()
    if topic(read(path)) in service.topics
]


def heard(service: Service, envelope: Envelope) -> tuple[str, ...]:
    """What the service makes of the event: its commands, or the fact; nothing where it does not care."""
    event = open_event(envelope)
    if service.react is None:
        data = fact(envelope).data
        return () if isinstance(data, Noted) else (type(data).__name__,)
    return tuple(_decided(service, step) for step in service.react(event, envelope))


def _decided(service: Service, step: Any) -> str:
    """The command, put to the stream it is for as one that has no history yet."""
    stream = service.streams[step.category]
    read_too = [service.streams[name].initial for name, _ in stream.reads(step.id, step.command, stream.initial)]
    try:
        for event in stream.decide(step.command, stream.initial, *read_too):
            stream.evolve(stream.initial, event)
    except Refused as refused:
        if refused.code not in service.codes:
            raise
    return type(step.command).__name__


def wanted(service: Service, envelope: Envelope) -> tuple[str, ...]:
    _, short, name = envelope.type.split(".")
    return WANTED[service.name].get(short, {}).get(name, ())


@pytest.mark.parametrize(("service", "envelope"), HEARD)
def test_a_subscriber_takes_every_sample_of_every_version(service: Service, envelope: Envelope) -> None:
    assert heard(service, envelope) == wanted(service, envelope)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_subscribes_to_what_the_catalog_says(name: str) -> None:
    assert set(SERVICES[name].topics) == {one.name for one in TOPICS.values() if name in one.subscribers}
    assert set(WANTED[name]) == {TOPICS[one].short for one in SERVICES[name].topics}
    known = {tuple(one.wire.split(".")[1:]) for one in CATALOG}
    assert all((short, event) in known for short, events in WANTED[name].items() for event in events)


async def test_pay_takes_every_sample_in_once(database: str) -> None:
    """Through the intake itself, on a database, in one batch and again."""
    await upgrade(database, COMPENSATION.package)
    envelopes = [read(path) for path in samples() if topic(read(path)) in COMPENSATION.topics]
    connection = await asyncpg.connect(database)
    for _ in range(2):
        async with connection.transaction():
            await intake.take(connection, envelopes)
    kept = await connection.fetch("select event_id, type from facts")
    await connection.close()
    assert {(str(row["event_id"]), row["type"]) for row in kept} == {(str(env.id), env.type) for env in envelopes}
    assert len(kept) == len({env.id for env in envelopes})


# --- older versions, and seeds --------------------------------------------------------------------------------------


@pytest.fixture
def older() -> Envelope:
    """LeadAccepted as an earlier language might have had it: one name for the finder, instead of a seat."""
    present = read(CHECKOUT / SAMPLES / "deals.LeadAccepted.v1.json")
    data = {name: value for name, value in present.data.items() if name != "sourced_by"} | {"scout": "ana"}
    return replace(present, data=data)


@pytest.fixture
def second_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The present LeadAccepted as if it were the second version."""
    monkeypatch.setattr(LeadAccepted, "VERSION", 2)


def lift(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "sourced_by": {"person": data.pop("scout"), "role": "scout"}}


@pytest.mark.usefixtures("second_version")
@pytest.mark.parametrize("name", [name for name, service in SERVICES.items() if "conveyor.deals.v1" in service.topics])
def test_a_subscriber_takes_an_older_version(monkeypatch: pytest.MonkeyPatch, older: Envelope, name: str) -> None:
    monkeypatch.setitem(UPCASTERS, (older.type, 1), lift)
    assert heard(SERVICES[name], older) == wanted(SERVICES[name], older)


@pytest.mark.usefixtures("second_version")
def test_an_older_version_without_an_upcaster_is_seen(older: Envelope) -> None:
    with pytest.raises(UnknownEvent):
        heard(LEAD_GEN, older)


def test_a_subscriber_that_forgets_an_event_or_breaks_on_it_is_seen() -> None:
    accepted = read(CHECKOUT / SAMPLES / "deals.LeadAccepted.v1.json")
    assert heard(replace(LEAD_GEN, react=lambda _event, _envelope: ()), accepted) != wanted(LEAD_GEN, accepted)

    def breaks(event: Event, _envelope: Envelope) -> Any:
        return [event.no_such_field]  # type: ignore[attr-defined]

    with pytest.raises(AttributeError):
        heard(replace(LEAD_GEN, react=breaks), accepted)


def test_a_sample_that_lacks_a_field_that_pay_needs_is_seen() -> None:
    accepted = read(CHECKOUT / SAMPLES / "deals.LeadAccepted.v1.json")
    with pytest.raises(ValueError, match="sourced_by"):
        heard(COMPENSATION, replace(accepted, data=accepted.data | {"sourced_by": None}))
    assert topic_of(open_event(accepted)) == entry(accepted.type, 1).topic
