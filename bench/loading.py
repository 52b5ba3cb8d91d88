"""Large stores in a short time: what the product wrote for one client, written again for very many.

The rows are those of real commands to the real service. Each copy has its own ids, its own key, its sealed parts sealed
anew, its own place in the public log, and the hash chain is reckoned as the append function does it, so `verify` and
every command take the copies for what they would be. What is not copied: idempotency keys (`commands`), which the
service itself removes after some days.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from belt.io.store.codec import SEALED
from belt.io.store.seal import Vault, seal, unseal

AT_ONCE = 5_000
# One link per so many positions, of the same bytes as in append.sql.
CHAIN = r"""
do $$
declare head log_head; upto bigint; link bytea;
begin
    select * into head from log_head;
    loop
        select max(position) into upto from
            (select position from published where position > head.position order by position limit 20000) batch;
        exit when upto is null;
        select sha256(head.hash || convert_to(string_agg(
                   concat_ws(e'\x1f', position, topic, key, sequence, attributes, value,
                             extract(epoch from recorded_at)), e'\x1e' order by position), 'UTF8'))
        into link from published where position > head.position and position <= upto;
        insert into log_chain (position, hash) values (upto, link);
        update log_head set position = upto, hash = link,
            recorded_at = greatest(recorded_at, (select recorded_at from published where position = upto));
        select * into head from log_head;
    end loop;
end $$
"""


class Life:
    """Everything that a service wrote for one client."""

    def __init__(self, client: str, tables: Mapping[str, list[asyncpg.Record]], vault: Vault) -> None:
        self.client, self.tables, self._vault = client, tables, vault
        wrapped = next((row["wrapped"] for row in tables["keys"]), None)
        self._key = vault.unwrap(client, wrapped) if wrapped is not None else None
        self._events = [self._opened(dict(row)) for row in tables["events"]]

    @classmethod
    async def read(cls, connection: Any, client: str, view: str, vault: Vault) -> Life:
        asked = {
            "events": "select * from events where holder = $1 or stream_id like '%' || $1 order by stream_id, version",
            "published": "select * from published where key = $1 order by position",
            "keys": "select * from keys where holder = $1",
            view: f"select * from {view} where client_id = $1",
        }
        return cls(client, {name: await connection.fetch(sql, client) for name, sql in asked.items()}, vault)

    @property
    def events(self) -> int:
        return len(self._events)

    def _opened(self, event: dict[str, Any]) -> dict[str, Any]:
        data = json.loads(event["data"])
        sealed = data.pop(SEALED, None)
        private = unseal(self._key, self.client, sealed) if sealed and self._key else None
        return event | {"data": json.dumps(data), "private": private}

    def copy(self, number: int, position: int) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of another client, its first public event at this position."""
        client, later = client_of(number), timedelta(microseconds=100 * number)
        key, wrapped = self._vault.new_key(client)

        def own(text: str) -> str:
            return text.replace(self.client, client)

        found: dict[str, list[tuple[Any, ...]]] = {"keys": [(client, wrapped)]}
        found["events"] = []
        for e in self._events:
            data = own(e["data"])
            if e["private"] is not None:
                data = f'{data[:-1]}, "{SEALED}": "{seal(key, client, e["private"])}"}}'
            where = own(e["stream_id"]), e["version"], e["type"], e["schema"], e["holder"] and client
            found["events"].append((*where, data, own(e["meta"]), e["recorded_at"] + later))
        found["published"] = []
        for place, p in enumerate(self.tables["published"]):
            event = UUID(int=UUID(client).int + place + 1)
            attributes = own(p["attributes"]).replace(str(p["event_id"]), str(event))
            named = position + place, p["topic"], client, p["sequence"], event
            found["published"].append((*named, attributes, own(p["value"]), p["recorded_at"] + later))
        for table in self.tables.keys() - found.keys():
            rows = [tuple(own(v) if isinstance(v, str) else v for v in row.values()) for row in self.tables[table]]
            found[table] = rows
        return found


def client_of(number: int) -> str:
    """An id that grows with time, as the service makes them; apart from its neighbours by a thousand."""
    return str(UUID(int=(0x0190_0000_0000 + number) << 80 | 0x7 << 76 | 0x8 << 60 | number * 1_000))


async def load(connection: Any, life: Life, copies: int, told: Callable[[int], None] = lambda _done: None) -> None:
    """So many copies of the life, behind what stands in the log."""
    position = 1 + await connection.fetchval("select position from log_head")
    public, done = len(life.tables["published"]), 0
    for some in _chunks(range(copies)):
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for number in some:
            for table, more in life.copy(number, position + number * public).items():
                rows.setdefault(table, []).extend(more)
        async with connection.transaction():
            for table, records in rows.items():
                await connection.copy_records_to_table(table, records=records)
        done += len(some)
        told(done * life.events)
    await connection.execute(CHAIN)


def _chunks(numbers: range) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), AT_ONCE):
        yield numbers[start : start + AT_ONCE]


# Facts are copied in the database: every event of a small company again, with people, clients and ids of its own.
# The copies of one event lie side by side: the facts of one person are as scattered as in a real large company.
COPIES = r"""
with base as materialized (select * from facts where taken > $1 and taken <= $2 order by taken),
made as (
    select lpad(to_hex(k), 8, '0') || substr(b.event_id::text, 9) as event_id, b.type,
           lpad(to_hex(k), 8, '0') || substr(b.client_id, 9) as client_id, b.occurred_at,
           replace(replace(replace(b.envelope, '"person":"', '"person":"k' || k || '-'),
                           b.event_id::text, lpad(to_hex(k), 8, '0') || substr(b.event_id::text, 9)),
                   b.client_id, lpad(to_hex(k), 8, '0') || substr(b.client_id, 9)) as envelope
    from base b cross join generate_series(1, $3::int) k order by b.taken, k
)
insert into facts (event_id, type, client_id, occurred_at, envelope)
select event_id::uuid, type, client_id, occurred_at, envelope from made
"""
PARTIES = """
insert into parties (person, client_id)
select 'k' || k || '-' || person, lpad(to_hex(k), 8, '0') || substr(client_id, 9)
from (select * from parties where person !~ '^k[0-9]') base cross join generate_series(1, $1::int) k
"""


async def load_facts(connection: Any, copies: int, told: Callable[[int], None] = lambda _done: None) -> None:
    """So many companies more, each like the one whose facts stand there."""
    base: int = await connection.fetchval("select max(taken) from facts")
    step = max(AT_ONCE // max(copies, 1), 10) * 10
    for after in range(0, base, step):
        async with connection.transaction():
            await connection.execute(
                "select set_config('conveyor.filed', 'yes', true), set_config('work_mem', '256MB', true)"
            )
            await connection.execute(COPIES, after, min(after + step, base), copies)
        told(min(after + step, base) * (copies + 1))
    await connection.execute(PARTIES, copies)
