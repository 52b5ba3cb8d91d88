"""What this station's doors ask for: `access.authorize`, with the prospect and the roster found among the streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from belt.io.http.desk import Desk
from belt.io.http.sight import Sights
from belt.io.store.unit import Reads
from conveyor_events.nearness import Matter
from conveyor_events.roster import Roster
from lead_gen import access
from lead_gen.prospect.state import CATEGORY, Prospect
from lead_gen.staffing import CATEGORY as STAFFING
from lead_gen.staffing import COMPANY, Staffing

Seen = Sights[access.Thing]


def sights(desk: Desk) -> Seen:
    return Sights(desk, access.authorize, roster)


def roster(read: Reads) -> Roster:
    staffing: Staffing = read(STAFFING, COMPANY)
    return staffing.roster


def prospect(client: str) -> Callable[[Reads, datetime], Matter | None]:
    """The prospect of this client."""

    def find(read: Reads, now: datetime) -> Matter | None:
        state: Prospect = read(CATEGORY, client)
        return access.matter(state, roster(read), now)

    return find


def staffed(line: str, since: datetime, people: Iterable[str]) -> Callable[[Reads, datetime], access.Staffed]:
    """A line, to be staffed with these people from then on."""
    thing = access.Staffed(line, since, frozenset(people))
    return lambda _read, _now: thing
