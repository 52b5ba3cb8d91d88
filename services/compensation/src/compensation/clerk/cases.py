"""The conflicts that the facts show: looked for at the clients of whom something was heard, and nowhere else.

The worker says up to where it has recorded every case. Whoever begins looks at the clients with a recorded case, and at
those of whom something came since.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select, text

from belt.io.http.desk import Desk
from compensation.clerk import archive
from compensation.clerk.books import Books, of
from compensation.conflict import Case, conflicts
from compensation.line import Line
from compensation.months import Month
from compensation.office.views import CONFLICTS
from conveyor_events import HOUSE

NAME = "conflicts"
CLIENTS_AT_ONCE = 500
RECORDED = text("select position from checkpoints where name = :name")
RECORD = text("""
insert into checkpoints (name, position) values (:name, :position)
on conflict (name) do update set position = greatest(checkpoints.position, excluded.position)
""")


class Cases:
    """One per process."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._cases: dict[str, list[Case]] = {}
        self._looking = asyncio.Lock()
        self._recorded = 0
        self.looked: int | None = None
        """Up to which fact."""

    async def all(self) -> list[Case]:
        """Every case that the facts taken in so far show, oldest first."""
        async with self._looking:
            await self._books.current()
            upto, looked = self._books.read_to, self.looked
            if looked is None or upto > looked:
                for some in await self._touched(upto):
                    await self._look(some)
                self.looked = upto
        return sorted((c for found in self._cases.values() for c in found), key=lambda c: (c.at, c.case_id))

    async def find(self, case_id: str) -> Case | None:
        return next((case for case in await self.all() if case.case_id == case_id), None)

    async def record(self, upto: int) -> None:
        """Every case up to this fact stands in the table."""
        if upto > self._recorded:
            async with self._books.engine.begin() as connection:
                await connection.execute(RECORD, {"name": NAME, "position": upto})
            self._recorded = upto

    async def at_stake(self, cases: Iterable[Case], through: Month) -> Mapping[tuple[str, str], list[Line]]:
        """By person and client: the lines that are paid for it, up to and including a month."""
        lines: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for person in sorted({person for case in cases for person in case.people} - {HOUSE}):
            months = await self._books.all_months(person, through)
            for by in (await self._books.stated(person, months)).values():
                for line in by.lines:
                    if line.client_id is not None and line.kind in ("bounty", "commission"):
                        lines[person, line.client_id].append(line)
        return lines

    async def _touched(self, upto: int) -> list[list[str]]:
        async with self._books.engine.connect() as connection:
            looked, clients = self.looked, set[str]()
            if looked is None:
                looked = (await connection.execute(RECORDED, {"name": NAME})).scalar() or 0
                clients |= set((await connection.execute(select(CONFLICTS.c.client).distinct())).scalars())
            if upto > looked:
                new = await connection.execute(archive.TOUCHED, {"above": looked, "upto": upto})
                clients |= set(new.scalars())
        everyone = sorted(clients)
        return [everyone[start : start + CLIENTS_AT_ONCE] for start in range(0, len(everyone), CLIENTS_AT_ONCE)]

    async def _look(self, clients: list[str]) -> None:
        async with self._books.engine.connect() as connection:
            rows = await archive.of_clients(connection, clients)
        found: dict[str, list[Case]] = {}
        for case in await self._books.by_clerk(_found, rows):
            found.setdefault(case.client, []).append(case)
        for client in clients:
            self._cases.pop(client, None)
        self._cases |= found


def _found(rows: Any) -> list[Case]:
    return conflicts(archive.read(rows))


_OPEN: WeakKeyDictionary[Desk, Cases] = WeakKeyDictionary()


def cases_of(desk: Desk) -> Cases:
    """Those of this process."""
    if desk not in _OPEN:
        _OPEN[desk] = Cases(of(desk))
    return _OPEN[desk]
