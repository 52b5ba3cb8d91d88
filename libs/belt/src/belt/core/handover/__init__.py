"""A handover: work goes from a sender to a receiver, with an owner and a clock at every instant.

    offered -> accepted | rejected | withdrawn | expired
    expired -> offered to the next of the team (a few times) -> escalated -> accepted
    rejected -> disputed by the sender -> upheld | overturned -> accepted

The receiver owns it while it is open. Silence is an answer too: at the due instant the offer expires, whoever looks.
A stream embeds this: its events include EVENTS, its state holds a `Handover`, its decide hands COMMANDS on:

    handover.decide(command, state.handover, rules, team)
"""

from __future__ import annotations

from belt.core.handover.commands import (
    COMMANDS,
    Accept,
    Command,
    Dispute,
    Expire,
    Offer,
    Overturn,
    Reject,
    Uphold,
    Withdraw,
)
from belt.core.handover.decide import NOBODY, Rules, Team, decide, overdue
from belt.core.handover.events import (
    EVENTS,
    Accepted,
    Disputed,
    Escalated,
    Event,
    Expired,
    Mode,
    Offered,
    Overturned,
    Rejected,
    Rerouted,
    Upheld,
    Withdrawn,
)
from belt.core.handover.state import UNDECIDED, Handover, Stage, evolve, fold, timers

__all__ = [
    "COMMANDS",
    "EVENTS",
    "NOBODY",
    "UNDECIDED",
    "Accept",
    "Accepted",
    "Command",
    "Dispute",
    "Disputed",
    "Escalated",
    "Event",
    "Expire",
    "Expired",
    "Handover",
    "Mode",
    "Offer",
    "Offered",
    "Overturn",
    "Overturned",
    "Reject",
    "Rejected",
    "Rerouted",
    "Rules",
    "Stage",
    "Team",
    "Upheld",
    "Uphold",
    "Withdraw",
    "Withdrawn",
    "decide",
    "evolve",
    "fold",
    "overdue",
    "timers",
]
