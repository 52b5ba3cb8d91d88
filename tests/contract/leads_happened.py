"""conveyor.leads.v1: what happened to a prospect before lead generation tells each sample."""

from __future__ import annotations

from typing import Any

from happened import Cases, Happened, by, client, journey, variant

from conveyor_events import Envelope, leads
from lead_gen.prospect import events as e
from lead_gen.prospect.state import CATEGORY, NOBODY, Prospect

SECRET = "never told"


def prospect(event: e.Event, data: Any, told: Envelope) -> Happened:
    sourced_by = getattr(data, "sourced_by", NOBODY)
    stands = Prospect(
        client=client(told), journey=journey(told), line=data.line, variant=variant(told), sourced_by=sourced_by
    )
    return Happened(CATEGORY, event, stands)


def registered(d: leads.ProspectRegistered, t: Envelope) -> Happened:
    event = e.ProspectRegistered(
        client=client(t),
        journey=journey(t),
        line=d.line,
        variant=variant(t),
        source=d.source,
        segment=d.segment,
        country=d.country,
        name=SECRET,
        keys=(),
        protected_until=t.occurred_at,
        by=d.sourced_by,
        at=t.occurred_at,
    )
    return prospect(event, d, t)


def need(d: leads.NeedIdentified, t: Envelope) -> Happened:
    event = e.NeedIdentified(
        client=client(t),
        need_id=d.need_id,
        category=d.category,
        statement=SECRET,
        evidence=(SECRET,),
        current_supplier=SECRET,
        competitor_id=d.competitor_id,
        budget=d.budget,
        wish=d.wish,
        handover_due_at=None,
        sourced_by=d.sourced_by,
        by=by(t),
        at=t.occurred_at,
    )
    return prospect(event, d, t)


def offered(d: leads.LeadQualified, t: Envelope) -> Happened:
    event = e.LeadOffered(
        client=client(t),
        offer_id=d.offer_id,
        need_id=d.need_id,
        attempt=d.attempt,
        evidence=(SECRET,),
        to=d.to,
        team=d.team,
        mode=d.mode,
        among=(),
        counts=False,
        accept_due_at=d.accept_due_at,
        first_touch_due_at=d.first_touch_due_at,
        credit_until=d.credit_until,
        sourced_by=d.sourced_by,
        by=t.actor,
        at=t.occurred_at,
    )
    return prospect(event, d, t)


def withdrawn(d: leads.LeadWithdrawn, t: Envelope) -> Happened:
    event = e.LeadWithdrawn(client(t), d.offer_id, d.need_id, d.reason, SECRET, None, None, t.actor, t.occurred_at)
    return prospect(event, d, t)


def returned(d: leads.LeadReturned, t: Envelope) -> Happened:
    event = e.LeadReturned(d.offer_id, d.need_id, d.reason, d.rework_until, None, d.sourced_by, by(t), t.occurred_at)
    return prospect(event, d, t)


def handed_over(d: leads.LeadHandedOver, t: Envelope) -> Happened:
    event = e.LeadHandedOver(d.offer_id, d.need_id, None, d.sourced_by, d.converted_by, t.occurred_at)
    return prospect(event, d, t)


def migrated(d: leads.JourneyMigrated, t: Envelope) -> Happened:
    event = e.JourneyMigrated(d.before, d.variant, d.served_by, d.legacy_until, by(t), t.occurred_at)
    return prospect(event, d, t)


def refused(d: leads.RegistrationRefused, t: Envelope) -> Happened:
    event = e.RegistrationRefused(d.line, d.attempted_by, d.held_by, d.reason, d.protected_until, t.occurred_at)
    return prospect(event, d, t)


def reassigned(d: leads.ProspectReassigned, t: Envelope) -> Happened:
    event = e.ProspectReassigned(d.before, d.sourced_by, d.reason, t.occurred_at, by(t), t.occurred_at)
    return prospect(event, d, t)


def invalidated(d: leads.ProspectInvalidated, t: Envelope) -> Happened:
    event = e.ProspectInvalidated(d.reason, d.verified_at, d.sourced_by, by(t), t.occurred_at)
    return prospect(event, d, t)


CASES: Cases = {
    leads.ProspectRegistered: registered,
    leads.ProspectVerified: lambda d, t: prospect(
        e.ProspectVerified(tuple(d.checks), d.sourced_by, by(t), t.occurred_at), d, t
    ),
    leads.ProspectInvalidated: invalidated,
    leads.NeedIdentified: need,
    leads.LeadQualified: offered,
    leads.LeadWithdrawn: withdrawn,
    leads.LeadReturned: returned,
    leads.LeadHandedOver: handed_over,
    leads.HandoverOverdue: lambda d, t: prospect(e.HandoverOverdue(d.need_id, d.sourced_by, t.occurred_at), d, t),
    leads.ProspectReleased: lambda d, t: prospect(e.ProspectReleased(d.sourced_by, t.occurred_at), d, t),
    leads.ProspectClaimed: lambda d, t: prospect(
        e.ProspectClaimed(d.before, t.occurred_at, by(t), t.occurred_at), d, t
    ),
    leads.ProspectReassigned: reassigned,
    leads.ContactForbidden: lambda d, t: prospect(e.ContactForbidden(client(t), SECRET, by(t), t.occurred_at), d, t),
    leads.ProspectMerged: lambda d, t: prospect(
        e.ProspectMerged(client(t), d.into, d.sourced_by, by(t), t.occurred_at), d, t
    ),
    leads.PersonalDataErased: lambda d, t: prospect(e.PersonalDataErased(client(t), by(t), t.occurred_at), d, t),
    leads.JourneyMigrated: migrated,
    leads.RegistrationRefused: refused,
}
