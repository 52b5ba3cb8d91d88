"""The station put together: its streams, its doors, what it hears of. `python -m conversion` runs it."""

from __future__ import annotations

from typing import Any

from belt.core.decider import Stream
from belt.core.erasure import ERASURE
from belt.core.rotation import Rotation
from belt.io.service import Service
from conversion import deal, offer, opportunity, published, reactions, roster, views
from conversion.api import routes
from conversion.codes import CODES
from conversion.deal import routing
from conversion.opportunity import client
from conversion.papers import meeting_plan, negotiation_plan
from conveyor_events.catalog import wire_type
from conveyor_events.leads import PersonalDataErased
from conveyor_events.roster import Roster

_ALL: tuple[Stream[Any, Any, Any], ...] = (
    Stream(roster.CATEGORY, Roster(), (roster.Learned,), roster.decide, roster.evolve),
    Stream(routing.CATEGORY, Rotation(), (routing.Counted,), routing.decide, routing.evolve),
    Stream(client.CATEGORY, client.Client(), client.EVENTS, client.decide, client.evolve, follow=client.follow),
    Stream(
        offer.CATEGORY,
        offer.NEW,
        offer.EVENTS,
        offer.decide,
        offer.evolve,
        reads=offer.reads,
        publish=published.of_offer,
        timers=offer.timers,
        follow=offer.follow,
        view=views.OFFERS,
    ),
    Stream(
        opportunity.CATEGORY,
        opportunity.NEW,
        opportunity.EVENTS,
        opportunity.decide,
        opportunity.evolve,
        reads=opportunity.reads,
        publish=published.of_opportunity,
        timers=opportunity.timers,
        follow=opportunity.follow,
        view=views.OPPORTUNITIES,
    ),
    Stream(
        meeting_plan.CATEGORY,
        meeting_plan.NEW,
        meeting_plan.EVENTS,
        meeting_plan.decide,
        meeting_plan.evolve,
        reads=meeting_plan.reads,
    ),
    Stream(
        negotiation_plan.CATEGORY,
        negotiation_plan.NEW,
        negotiation_plan.EVENTS,
        negotiation_plan.decide,
        negotiation_plan.evolve,
        reads=negotiation_plan.reads,
    ),
    Stream(
        deal.CATEGORY,
        deal.NEW,
        deal.EVENTS,
        deal.decide,
        deal.evolve,
        reads=deal.reads,
        publish=published.of_deal,
        follow=deal.follow,
        view=views.DEALS,
    ),
    ERASURE,
)
STREAMS = {stream.category: stream for stream in _ALL}

SERVICE = Service(
    name="conversion",
    package="conversion",
    about="Station 2: leads are answered, opportunities worked, first sales made and paid.",
    port=8002,
    streams=STREAMS,
    routes=routes,
    topics=reactions.TOPICS,
    react=reactions.react,
    codes=CODES,
    watched=views.WATCHED,
    forgets=(wire_type(PersonalDataErased),),
)
