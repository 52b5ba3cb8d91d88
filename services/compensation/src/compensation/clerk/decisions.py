"""What compensation itself told: conflicts found and decided, and adjustments, are facts of pay, too. There are few."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from belt.io.http.feed import line as told_line
from compensation.facts import Adjusted, Contested, Fact, Ruled
from compensation.reading import fact
from conveyor_events import Envelope, from_json

HEAD = text("select position from log_head")
OURS = text("""
select * from published where position > :after and position <= :upto
and attributes ~ 'conveyor[.]pay[.](ConflictDetected|ConflictResolved|AdjustmentPosted)"' order by position
""")


class Decisions:
    """All of them, by whom they concern."""

    def __init__(self) -> None:
        self.envelopes: dict[str, Envelope] = {}
        self._read_to = 0
        self._of_client: defaultdict[str, list[Fact]] = defaultdict(list)
        self._of_person: defaultdict[str, list[Fact]] = defaultdict(list)
        self._clients: defaultdict[str, set[str]] = defaultdict(set)

    async def follow(self, connection: AsyncConnection) -> list[Fact]:
        """What was told since the last time."""
        upto = int((await connection.execute(HEAD)).scalar_one())
        if upto == self._read_to:
            return []
        rows = (await connection.execute(OURS, {"after": self._read_to, "upto": upto})).mappings().all()
        self._read_to = upto
        return [self._add(from_json(json.loads(told_line(row)))) for row in rows]

    def _add(self, envelope: Envelope) -> Fact:
        found = fact(envelope)
        self.envelopes[found.event_id] = envelope
        if isinstance(found.data, Adjusted):
            self._of_person[found.data.person].append(found)
        elif found.client_id is not None:
            self._of_client[found.client_id].append(found)
            for person in concerned(found):
                self._clients[person].add(found.client_id)
        return found

    def clients(self, person: str) -> Collection[str]:
        """The clients over whom a case names the person."""
        return self._clients.get(person, ())

    def adjusted(self) -> Collection[str]:
        """Everybody who has an adjustment."""
        return self._of_person.keys()

    def of(self, person: str | None, clients: Collection[str]) -> Iterator[Fact]:
        """Those about these clients, and the person's own."""
        yield from self._of_person.get(person or "", ())
        for client in clients:
            yield from self._of_client.get(client, ())

    def __iter__(self) -> Iterator[Fact]:
        for some in (*self._of_person.values(), *self._of_client.values()):
            yield from some

    def of_client(self, client: str) -> list[Envelope]:
        return [self.envelopes[fact.event_id] for fact in self._of_client.get(client, ())]


def concerned(found: Fact) -> Iterator[str]:
    """Whose pay a decision moves, beside that of whoever its client's facts name."""
    match found.data:
        case Ruled(a=a, b=b):
            yield a.person
            if b is not None:
                yield b.person
        case Adjusted(person=person):
            yield person
        case Contested() | _:
            pass
