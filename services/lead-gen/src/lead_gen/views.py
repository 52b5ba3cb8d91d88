"""The read model: one row a client, without personal data. Folded from the client's own events, written with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from sqlalchemy import Column, DateTime, Index, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY

from belt.io.http.waiting import Kind
from belt.io.store.projection import StreamView, version_columns
from belt.io.watching import Deadline, Things, Watched
from lead_gen.papers import competitor
from lead_gen.prospect import events as e
from lead_gen.prospect.evolve import Held
from lead_gen.prospect.state import CATEGORY, FINAL, Stage

Row = Mapping[str, Any]
TABLES = MetaData()
INSTANT = DateTime(timezone=True)

PROSPECTS_TABLE = Table(
    "prospects",
    TABLES,
    Column("client_id", Text, primary_key=True),
    Column("line", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("journey_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("segment", Text),
    Column("country", Text),
    Column("sourced_by", Text, nullable=False),
    Column("converted_by", Text),
    Column("registered_at", INSTANT, nullable=False),
    Column("protected_until", INSTANT),
    Column("verified_at", INSTANT),
    Column("next_call_at", INSTANT),
    Column("need_id", Text),
    Column("handover_due_at", INSTANT),
    Column("overdue", Integer, nullable=False),  # how often a handover was overdue
    Column("offer_id", Text),  # the open offer
    Column("offered_to", Text),  # null: the queue of the team
    Column("accept_due_at", INSTANT),
    Column("rework_until", INSTANT),
    Column("parked_until", INSTANT),
    Column("offers", ARRAY(Text), nullable=False),  # every offer there ever was
    *version_columns(),
    Index("prospects_line", "line", "stage", "client_id"),
    Index("prospects_sourced_by", "sourced_by", "stage", "client_id"),
    Index("prospects_calls", "sourced_by", "next_call_at", "client_id"),
    Index("prospects_offers", "offers", postgresql_using="gin"),
    Index("prospects_rework", "line", "rework_until", postgresql_where=text("stage = 'rework'")),
)

_NO_OFFER = {"offer_id": None, "offered_to": None, "accept_due_at": None}
_NO_DUES = {"handover_due_at": None, "rework_until": None, "parked_until": None}


def prospect(row: Row | None, event: e.Event) -> Row | None:
    if isinstance(event, e.ProspectRegistered):
        return {
            "client_id": event.client,
            "line": event.line,
            "variant": event.variant,
            "journey_id": event.journey,
            "stage": Stage.REGISTERED.value,
            "source": event.source,
            "segment": event.segment,
            "country": event.country,
            "sourced_by": event.by.person,
            "registered_at": event.at,
            "protected_until": event.protected_until,
            "overdue": 0,
            "offers": [],
        }
    return None if row is None else {**row, **_changes(row, event)}


def _changes(row: Row, event: e.Event) -> Row:
    match event:
        case e.LeadOffered() | e.LeadWithdrawn() | e.OfferMoved() | e.LeadReturned() | e.LeadHandedOver():
            return _handed(row, event)
        case e.ProspectVerified(at=at):
            return {"verified_at": at}
        case e.CallLogged(next_call_at=next_call_at):
            return {"stage": Stage.CONTACTING.value, "next_call_at": next_call_at}
        case e.DecisionMakerReached():
            return {"stage": Stage.IN_DIALOGUE.value, "next_call_at": None}
        case e.NeedIdentified(need_id=need_id, handover_due_at=due_at):
            return {
                "stage": Stage.NEED_KNOWN.value,
                "need_id": need_id,
                "handover_due_at": due_at,
                "next_call_at": None,
            }
        case e.HandoverOverdue():
            return {"handover_due_at": None, "overdue": row["overdue"] + 1}
        case e.ProspectParked() | e.ProspectResumed() | e.LeadRecycled():
            return _paused(event)
        case (
            e.ProspectRegistered() | e.GatekeeperMet() | e.GatekeeperPassed() | e.RegistrationRefused() | e.KeysTaken()
        ):
            return {}
        case e.ProspectMerged():
            return {"stage": Stage.MERGED.value}
        case e.PersonalDataErased():
            return {"handover_due_at": None}
        case _:
            return _held(event)


def _held(event: Held) -> Row:
    match event:
        case e.ContactForbidden():
            return {"stage": Stage.DO_NOT_CONTACT.value, "next_call_at": None, **_NO_DUES}
        case e.JourneyMigrated(variant=variant):
            return {"variant": variant}
        case e.ProspectReassigned(to=to, protected_until=until):
            return {"sourced_by": to.person, "protected_until": until}
        case e.ProspectReleased():
            return {"stage": Stage.RELEASED.value, "protected_until": None, **_NO_DUES}
        case e.ProspectClaimed(by=by, protected_until=until):
            return {
                "stage": Stage.CONTACTING.value,
                "sourced_by": by.person,
                "protected_until": until,
                "need_id": None,
            }
        case e.ProspectInvalidated():
            return {"stage": Stage.INVALID.value, **_NO_DUES}
        case e.ProspectBecameCustomer(converted_by=converted_by):
            return {"stage": Stage.CUSTOMER.value, "converted_by": converted_by.person, **_NO_DUES}
        case _:
            assert_never(event)


def _paused(event: e.ProspectParked | e.ProspectResumed | e.LeadRecycled) -> Row:
    match event:
        case e.ProspectParked(until=until):
            return {"stage": Stage.NURTURE.value, "parked_until": until, "next_call_at": until}
        case e.ProspectResumed(at=at):
            return {"stage": Stage.CONTACTING.value, "parked_until": None, "next_call_at": at}
        case e.LeadRecycled(until=until, sourced_by=sourced_by):
            return {
                "stage": Stage.NURTURE.value,
                "parked_until": until,
                "next_call_at": until,
                "sourced_by": sourced_by.person,
                "converted_by": None,
                "need_id": None,
            }
        case _:
            assert_never(event)


def _handed(row: Row, event: e.LeadOffered | e.LeadWithdrawn | e.OfferMoved | e.LeadReturned | e.LeadHandedOver) -> Row:
    match event:
        case e.LeadOffered(offer_id=offer_id, to=to, accept_due_at=due_at):
            return {
                "stage": Stage.OFFERED.value,
                "offer_id": offer_id,
                "offered_to": to.person if to is not None else None,
                "accept_due_at": due_at,
                "offers": [*row["offers"], offer_id],
                **_NO_DUES,
            }
        case e.LeadWithdrawn(handover_due_at=due_at):
            return {"stage": Stage.NEED_KNOWN.value, **_NO_OFFER, "handover_due_at": due_at}
        case e.OfferMoved(to=to):
            return {"offered_to": to.person if to is not None else None, "accept_due_at": None}
        case e.LeadReturned(rework_until=until):
            return {"stage": Stage.REWORK.value, **_NO_OFFER, "rework_until": until}
        case e.LeadHandedOver(sourced_by=sourced_by, converted_by=converted_by):
            return {
                "stage": Stage.CONVERTING.value,
                "sourced_by": sourced_by.person,
                "converted_by": converted_by.person,
                **_NO_OFFER,
                **_NO_DUES,
            }
        case _:
            assert_never(event)


PROSPECTS = StreamView(PROSPECTS_TABLE, shape=2, fold=prospect)

# --- competitor cards -----------------------------------------------------------------------------------------------

COMPETITORS_TABLE = Table(
    "competitors",
    TABLES,
    Column("card_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("claims", Integer, nullable=False),
    Column("stated", ARRAY(Text), nullable=False),
    Column("published_at", INSTANT),
    Column("stale_at", INSTANT),
    *version_columns(),
    Index("competitors_stage", "stage", "card_id"),
)


def competitor_card(row: Row | None, event: competitor.Event) -> Row | None:
    if isinstance(event, competitor.CardOpened):
        return {"card_id": event.card, "name": event.name, "stage": "draft", "claims": 0, "stated": []}
    return None if row is None else {**row, **_card(row, event)}


def _card(row: Row, event: competitor.Event) -> Row:
    match event:
        case competitor.ClaimStated(claim=claim):
            stated = [*row["stated"], *([claim] if claim not in row["stated"] else [])]
            return {"stated": stated, "claims": len(stated)}
        case competitor.ClaimDropped(claim=claim):
            stated = [one for one in row["stated"] if one != claim]
            return {"stated": stated, "claims": len(stated)}
        case competitor.CardPublished(at=at):
            return {"stage": "published", "published_at": at, "stale_at": None}
        case competitor.CardStale(at=at):
            return {"stage": "stale", "stale_at": at}
        case competitor.CardRetired():
            return {"stage": "retired"}
        case competitor.CardOpened():
            return {}
        case _:
            assert_never(event)


COMPETITORS = StreamView(COMPETITORS_TABLE, shape=1, fold=competitor_card)

# --- what is shown of the work --------------------------------------------------------------------------------------

_P = PROSPECTS_TABLE.c
WATCHED = Watched(
    things=(Things("prospect", PROSPECTS_TABLE, frozenset(Stage) - FINAL - {Stage.NONE}),),
    deadlines=(
        Deadline("handover", "handover", CATEGORY, _P.client_id, _P.line, _P.sourced_by),
        Deadline("rework", "rework", CATEGORY, _P.client_id, _P.line, _P.sourced_by),
    ),
)

WAITING = (
    Kind(
        "prospect",
        PROSPECTS_TABLE,
        {
            "working": (Stage.REGISTERED, Stage.CONTACTING, Stage.IN_DIALOGUE),
            "need_known": (Stage.NEED_KNOWN,),
            "rework": (Stage.REWORK,),
            "released": (Stage.RELEASED,),
            "nurture": (Stage.NURTURE,),
        },
        clock=_P.rework_until,
        runs=(Stage.REWORK,),
    ),
)
"""How much of it is told to everybody."""
