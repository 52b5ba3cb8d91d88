"""A client's way as a band: who held it at each station, how long each handover was open, and every event.

Time runs to the right, long silences drawn shorter (by the square root), so that a busy hour and a quiet month can both
be read. What the viewer may not see is not in the events, and so not in the band.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import sqrt
from typing import Any

from conveyor_events.words import parse_instant

WIDTH, LEFT, RIGHT = 1000.0, 8.0, 16.0
LANE, GAP, TOP = 30.0, 22.0, 20.0
TOPICS = {"leads": 0, "deals": 1, "accounts": 2}
LEAST = 6.0  # between two events, as weight
TICKS = 8

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Stay:
    """Somebody held the client at a station."""

    lane: int
    x: float
    width: float
    person: str
    role: str
    since: str
    until: str | None

    @property
    def y(self) -> float:
        return TOP + self.lane * (LANE + GAP)


@dataclass(frozen=True)
class Handover:
    """An offer from one station to the next, open from `x` to `x + width`."""

    lane: int
    x: float
    width: float
    outcome: str

    @property
    def y(self) -> float:
        return TOP + self.lane * (LANE + GAP) + LANE

    @property
    def height(self) -> float:
        return GAP


@dataclass(frozen=True)
class Mark:
    """One event."""

    lane: int
    x: float
    name: str
    at: str
    event_id: str

    @property
    def y(self) -> float:
        return TOP + self.lane * (LANE + GAP)


@dataclass(frozen=True)
class Band:
    stays: Sequence[Stay]
    handovers: Sequence[Handover]
    marks: Sequence[Mark]
    ticks: Sequence[tuple[float, str]]
    width: float = WIDTH
    height: float = TOP + 3 * LANE + 2 * GAP + 26
    lane: float = LANE

    def y(self, lane: int) -> float:
        return TOP + lane * (LANE + GAP)


@dataclass
class _Drawing:
    """What is open while the events are walked through."""

    scale: Scale
    last: str
    holding: dict[int, tuple[str, str, str]] = field(default_factory=dict)  # lane: person, role, since
    offered: dict[tuple[int, str], str] = field(default_factory=dict)  # lane, offer: since
    stays: list[Stay] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)

    def sits(self, lane: int, seat: Mapping[str, Any] | None, at: str) -> None:
        """Somebody takes the seat; whoever had it leaves it."""
        if seat is None:
            return
        person, role = str(seat.get("person", "")), str(seat.get("role", ""))
        if self.holding.get(lane, ("", "", ""))[:2] == (person, role):
            return
        self.leaves(lane, at)
        self.holding[lane] = person, role, at

    def leaves(self, lane: int, at: str | None) -> None:
        if lane in self.holding:
            person, role, since = self.holding.pop(lane)
            x, end = self.scale.x(since), self.scale.x(at or self.last)
            self.stays.append(Stay(lane, x, max(end - x, 2.0), person, role, since, at))

    def offers(self, lane: int, offer: str, at: str) -> None:
        self.offered[lane, offer] = at

    def decides(self, lane: int, offer: str, at: str, outcome: str) -> None:
        since = self.offered.pop((lane, offer), None)
        if since is not None:
            x = self.scale.x(since)
            self.handovers.append(Handover(lane, x, max(self.scale.x(at) - x, 3.0), outcome))


class Scale:
    """Where an instant stands. Between two events it is linear."""

    def __init__(self, instants: Iterable[datetime]) -> None:
        self._at = sorted(set(instants))
        gaps = [LEAST + sqrt((b - a).total_seconds() / 3_600) for a, b in zip(self._at, self._at[1:], strict=False)]
        whole, room, done = sum(gaps) or 1.0, WIDTH - LEFT - RIGHT, 0.0
        self._x = [LEFT]
        for gap in gaps:
            done += gap
            self._x.append(round(LEFT + room * done / whole, 2))

    def x(self, instant: str) -> float:
        at = parse_instant(instant)
        if not self._at or at <= self._at[0]:
            return LEFT
        for number, (a, b) in enumerate(zip(self._at, self._at[1:], strict=False)):
            if at <= b:
                share = (at - a) / (b - a)
                return round(self._x[number] + (self._x[number + 1] - self._x[number]) * share, 2)
        return self._x[-1]

    def ticks(self) -> list[tuple[float, str]]:
        """Some instants with room between them, to be labelled."""
        found: list[tuple[float, str]] = []
        for at, x in zip(self._at, self._x, strict=True):
            if x <= WIDTH - 70 and (not found or x - found[-1][0] >= WIDTH / TICKS):
                found.append((x, at.isoformat().replace("+00:00", "Z")))
        return found


def band(events: Sequence[Event], now: datetime) -> Band:
    """The band of the events as the API tells them, in their order."""
    instants = [parse_instant(event["occurred_at"]) for event in events]
    end = max([now, *instants])
    drawing = _Drawing(Scale([*instants, end]), end.isoformat().replace("+00:00", "Z"))
    marks = []
    for event in events:
        topic, _, name = event["type"].removeprefix("conveyor.").rpartition(".")
        lane = TOPICS.get(topic)
        if lane is None:
            continue  # what is said of pay stands beside the way, not on it
        marks.append(Mark(lane, drawing.scale.x(event["occurred_at"]), name, event["occurred_at"], event["event_id"]))
        _walk(drawing, name, event["data"], event["occurred_at"])
    for lane in tuple(drawing.holding):
        drawing.leaves(lane, None)
    for lane, offer in tuple(drawing.offered):
        drawing.decides(lane, offer, drawing.last, "open")
    return Band(sorted(drawing.stays, key=lambda s: (s.lane, s.x)), drawing.handovers, marks, drawing.scale.ticks())


ENDS_AT_FIRST = ("LeadHandedOver", "ProspectInvalidated", "ContactForbidden", "ProspectMerged", "ProspectReleased")
DECIDES_LEAD = {
    "LeadAccepted": "accepted",
    "LeadRejected": "rejected",
    "LeadWithdrawn": "withdrawn",
}
DECIDES_BUYER = {"AccountAccepted": "accepted", "AccountRejected": "rejected"}


SITS = {  # an event: on which lane, and who sits there from then on
    "ProspectRegistered": (0, "sourced_by"),
    "ProspectClaimed": (0, "sourced_by"),
    "ProspectReassigned": (0, "sourced_by"),
    "LeadReturned": (0, "sourced_by"),
    "OpportunityRecycled": (0, "sourced_by"),
    "LeadAccepted": (1, "converted_by"),
    "OpportunityOpened": (1, "converted_by"),
    "AccountAccepted": (2, "served_by"),
    "SeatAssigned": (2, "holder"),
}
LEAVES = {
    **dict.fromkeys(ENDS_AT_FIRST, 0),
    **dict.fromkeys(("OpportunityLost", "OpportunityRecycled", "AccountAccepted"), 1),
    "CustomerChurned": 2,
}
OFFERS = {"LeadQualified": 0, "AccountOffered": 1}


def _walk(drawing: _Drawing, name: str, data: Mapping[str, Any], at: str) -> None:
    offer = str(data.get("offer_id", ""))
    if name in DECIDES_LEAD:
        drawing.decides(0, offer, at, DECIDES_LEAD[name])
    if name in DECIDES_BUYER:
        drawing.decides(1, offer, at, DECIDES_BUYER[name])
    if name in OFFERS:
        drawing.offers(OFFERS[name], offer, at)
    if name in LEAVES:
        drawing.leaves(LEAVES[name], at)
    if name in SITS:
        lane, seat = SITS[name]
        drawing.sits(lane, data.get(seat), at)
