"""The station put together: its streams, what it hears, its routes."""

from __future__ import annotations

from typing import Any

from belt.core.decider import Stream
from belt.io.service import Service
from conveyor_events.catalog import wire_type
from conveyor_events.leads import PersonalDataErased
from lead_gen import api, published, reactions, routing, staffing, views
from lead_gen.codes import CODES
from lead_gen.papers import competitor
from lead_gen.prospect import state as prospects
from lead_gen.prospect.decide import decide, follow, reads
from lead_gen.prospect.events import EVENTS, UPCAST, erases
from lead_gen.prospect.evolve import evolve, timers
from lead_gen.routing import Routing
from lead_gen.staffing import Staffing

PROSPECT: Stream[Any, Any, Any] = Stream(
    category=prospects.CATEGORY,
    initial=prospects.Prospect(),
    events=EVENTS,
    decide=decide,
    evolve=evolve,
    reads=reads,
    publish=published.prospect,
    timers=timers,
    claims=prospects.claims,
    follow=follow,
    erases=erases,
    upcast=UPCAST,
    view=views.PROSPECTS,
)
STAFFING: Stream[Any, Any, Any] = Stream(
    category=staffing.CATEGORY,
    initial=Staffing(),
    events=staffing.EVENTS,
    decide=staffing.decide,
    evolve=staffing.evolve,
    publish=published.staffing,
    holder=staffing.holder,
)
ROUTING: Stream[Any, Any, Any] = Stream(
    category=routing.CATEGORY,
    initial=Routing(),
    events=routing.EVENTS,
    decide=routing.decide,
    evolve=routing.evolve,
)
COMPETITOR: Stream[Any, Any, Any] = Stream(
    category=competitor.CATEGORY,
    initial=competitor.NEW,
    events=competitor.EVENTS,
    decide=competitor.decide,
    evolve=competitor.evolve,
    timers=competitor.timers,
    holder=competitor.holder,
    view=views.COMPETITORS,
)
STREAMS = {stream.category: stream for stream in (PROSPECT, STAFFING, ROUTING, COMPETITOR)}

SERVICE = Service(
    name="lead-gen",
    package="lead_gen",
    about="Station 1: prospects from the first call to the lead that is handed on, and who works where.",
    port=8001,
    streams=STREAMS,
    routes=api.routes,
    topics=reactions.TOPICS,
    react=reactions.react,
    codes=CODES,
    watched=views.WATCHED,
    forgets=(wire_type(PersonalDataErased),),
)
