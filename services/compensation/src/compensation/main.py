"""The composition root: which streams, which doors, which topics."""

from __future__ import annotations

from typing import Any

from belt.core.decider import Stream
from belt.io.service import Service
from belt.io.store.grants import APPEND_ONLY, PASSING
from compensation import api, approval, assignment, exchange, intake
from compensation.approval import PlanBook
from compensation.assignment import Assignments
from compensation.clerk.chores import clerk
from compensation.clerk.gauges import WATCHED
from compensation.clerk.simulating import simulator
from compensation.codes import CODES
from compensation.exchange import Pair
from compensation.office import adjustment, dispute, ledger, payout, resolution, sheet, simulation, views
from compensation.views import ASSIGNMENT_VIEW, PLAN_VIEW, RATE_VIEW
from conveyor_events.catalog import TOPICS, wire_type
from conveyor_events.leads import PersonalDataErased

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
LEDGER: Stream[Any, Any, ledger.Ledger] = Stream(
    ledger.CATEGORY,
    initial=ledger.Ledger(),
    events=ledger.EVENTS,
    decide=ledger.decide,
    evolve=ledger.evolve,
    publish=ledger.publish,
    view=views.LEDGER_VIEW,
)
STATEMENT: Stream[Any, Any, sheet.Sheet] = Stream(
    sheet.CATEGORY,
    initial=sheet.Sheet(),
    events=sheet.EVENTS,
    decide=sheet.decide,
    evolve=sheet.evolve,
    publish=sheet.publish,
    view=views.STATEMENT_VIEW,
)
CONFLICT: Stream[Any, Any, resolution.Conflict] = Stream(
    resolution.CATEGORY,
    initial=resolution.Conflict(),
    events=resolution.EVENTS,
    decide=resolution.decide,
    evolve=resolution.evolve,
    publish=resolution.publish,
    view=views.CONFLICT_VIEW,
)
ADJUSTMENT: Stream[Any, Any, adjustment.Adjustment] = Stream(
    adjustment.CATEGORY,
    initial=adjustment.Adjustment(),
    events=adjustment.EVENTS,
    decide=adjustment.decide,
    evolve=adjustment.evolve,
    publish=adjustment.publish,
    view=views.ADJUSTMENT_VIEW,
)
DISPUTE: Stream[Any, Any, dispute.Dispute] = Stream(
    dispute.CATEGORY,
    initial=dispute.Dispute(),
    events=dispute.EVENTS,
    decide=dispute.decide,
    evolve=dispute.evolve,
    publish=dispute.publish,
    follow=dispute.follow,
    timers=dispute.timers,
    holder=dispute.holder,
    view=views.DISPUTE_VIEW,
)
PAYOUT: Stream[Any, Any, payout.Payout] = Stream(
    payout.CATEGORY,
    initial=payout.Payout(),
    events=payout.EVENTS,
    decide=payout.decide,
    evolve=payout.evolve,
    publish=payout.publish,
    follow=payout.follow,
    view=views.PAYOUT_VIEW,
)
SIMULATION: Stream[Any, Any, simulation.Simulation] = Stream(
    simulation.CATEGORY,
    initial=simulation.Simulation(),
    events=simulation.EVENTS,
    decide=simulation.decide,
    evolve=simulation.evolve,
    view=views.SIMULATION_VIEW,
)
STREAMS = (PLAN, ASSIGNMENT, EXCHANGE, LEDGER, STATEMENT, CONFLICT, ADJUSTMENT, DISPUTE, PAYOUT, SIMULATION)
SERVICE = Service(
    name="compensation",
    package="compensation",
    about="From facts to statements: plans, closed months, disputes, payouts, and what if.",
    port=8004,
    streams={stream.category: stream for stream in STREAMS},
    routes=api.routes,
    topics=tuple(topic for topic in TOPICS if topic != "conveyor.pay.v1"),
    take=intake.take,
    codes=CODES,
    tables={
        **dict.fromkeys(("facts", "parties", "kinds"), APPEND_ONLY),
        **dict.fromkeys(("closing_waits", "simulation_progress"), PASSING),
    },
    forgets=(wire_type(PersonalDataErased),),
    chores=(clerk, simulator),
    watched=WATCHED,
)
