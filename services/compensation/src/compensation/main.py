"""The composition root: which streams, which doors, which topics."""

from __future__ import annotations

from typing import Any

from belt.core.decider import Stream
from belt.io.service import Service
from compensation import api, approval, assignment, exchange, intake
from compensation.approval import PlanBook
from compensation.assignment import Assignments
from compensation.codes import CODES
from compensation.exchange import Pair
from compensation.views import ASSIGNMENT_VIEW, PLAN_VIEW, RATE_VIEW
from conveyor_events.catalog import TOPICS

PLAN: Stream[Any, Any, PlanBook] = Stream(
    "plan",
    initial=PlanBook(),
    events=approval.EVENTS,
    decide=approval.decide,
    evolve=approval.evolve,
    publish=approval.publish,
    view=PLAN_VIEW,
)
ASSIGNMENT: Stream[Any, Any, Assignments] = Stream(
    "assignment",
    initial=Assignments(),
    events=assignment.EVENTS,
    decide=assignment.decide,
    evolve=assignment.evolve,
    reads=assignment.reads,
    view=ASSIGNMENT_VIEW,
)
EXCHANGE: Stream[Any, Any, Pair] = Stream(
    "exchange",
    initial=Pair(),
    events=exchange.EVENTS,
    decide=exchange.decide,
    evolve=exchange.evolve,
    view=RATE_VIEW,
)
SERVICE = Service(
    name="compensation",
    package="compensation",
    port=8004,
    streams={stream.category: stream for stream in (PLAN, ASSIGNMENT, EXCHANGE)},
    routes=api.routes,
    topics=tuple(topic for topic in TOPICS if topic != "conveyor.pay.v1"),
    take=intake.take,
    codes=CODES,
)
