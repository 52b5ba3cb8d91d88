"""Ten thousand requests that cannot be valid: each is refused as described, and nothing is written anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from http_forged import forged
from http_garbage import Garbage, Wanted, operations
from http_line import HttpLine
from multidict import CIMultiDict
from yarl import URL

from conveyor.addresses import SERVICES

pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

COUNT = 10_000
SIDE_BY_SIDE, BULK_SIDE_BY_SIDE = 24, 2  # of the latter one subject may have four
SEED = int(os.environ.get("CONVEYOR_SEED", "20260302"))
PROBLEM = "application/problem+json"
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
}
Document = Mapping[str, Any]


async def document(http: aiohttp.ClientSession, address: str) -> Document:
    async with http.get(f"{address}/openapi.json") as answer:
        found: Document = await answer.json()
        return found


def codes(described: Document) -> set[tuple[int, str]]:
    """Every status with each of its codes."""
    found = {(405, "method-not-allowed")}
    for response in described["components"]["responses"].values():
        shape = response["content"][PROBLEM]["schema"]["allOf"][1]["properties"]
        found |= {(shape["status"]["const"], code) for code in shape["code"]["x-extensible-enum"]}
    return found


def faults(wanted: Wanted, answer: aiohttp.ClientResponse, text: str, known: set[tuple[int, str]]) -> list[str]:
    """What is not as it should be."""
    status, kind = answer.status, answer.headers.get("content-type", "")
    found = [] if status in wanted.right else [f"answered {status}, right is {sorted(wanted.right)}"]
    if wanted.operation is not None and status != 405 and str(status) not in wanted.operation["responses"]:
        found.append(f"{status} is not described")
    if status >= 400:
        found += [] if kind == PROBLEM else [f"the refusal is {kind}"]
        code = json_code(text)
        found += [] if (status, code) in known else [f"{code} is no code of {status}"]
    if wanted.refused_lines:
        outcomes = [json.loads(line) for line in text.splitlines()]
        found += [f"a line was taken: {one}" for one in outcomes if one["status"] not in (400, 413, 422)]
        found += [] if outcomes or not (wanted.body or b"").strip() else ["no line was answered"]
    found += [f"{name} is missing" for name, value in EVERYWHERE.items() if answer.headers.get(name) != value]
    found += [] if "x-request-id" in answer.headers else ["x-request-id is missing"]
    if status in (429, 503) and "retry-after" not in answer.headers:
        found.append("retry-after is missing")
    return found


def json_code(text: str) -> str:
    """The code of a problem; what is none has none."""
    try:
        told = json.loads(text)
    except ValueError:
        return "(no JSON)"
    return str(told.get("code")) if isinstance(told, dict) else "(no object)"


async def sent(
    http: aiohttp.ClientSession, address: str, garbage: list[Wanted], known: set[tuple[int, str]], seen: Counter[str]
) -> list[str]:
    """Sends them side by side; one line for each fault."""
    waiting = iter(garbage)
    told: list[str] = []
    bulk = asyncio.Semaphore(BULK_SIDE_BY_SIDE)

    async def worker() -> None:
        for wanted in waiting:
            url = URL(address + wanted.path, encoded=True)
            headers = CIMultiDict(wanted.headers)
            turn = bulk if wanted.path.endswith("/bulk") else contextlib.nullcontext()
            async with (
                turn,
                http.request(wanted.method, url, headers=headers, data=wanted.body, allow_redirects=False) as answer,
            ):
                text = await answer.text(errors="replace")
            seen[f"{wanted.defect.partition(':')[0]} {answer.status}"] += 1
            at = f"{wanted.method} {wanted.path[:120]} ({wanted.defect})"
            told.extend(f"{at}: {fault}: {text[:300]}" for fault in faults(wanted, answer, text, known))

    async with asyncio.TaskGroup() as workers:
        for _ in range(SIDE_BY_SIDE):
            workers.create_task(worker())
    return told


async def test_ten_thousand_requests_that_cannot_be_valid_change_nothing(http_served: HttpLine) -> None:
    print(f"seed {SEED}: CONVEYOR_SEED={SEED} sends the same")
    await http_served.rest()
    before, seen, told = await http_served.counts(), Counter[str](), list[str]()
    timeout = aiohttp.ClientTimeout(total=30)
    auto = ("Content-Type", "Accept")
    async with aiohttp.ClientSession(timeout=timeout, skip_auto_headers=auto) as http:
        for number, service in enumerate(SERVICES):
            address = http_served.address(service)
            described = await document(http, address)
            garbage = Garbage(
                SEED + number,
                operations(described),
                http_served.token("ana"),
                f"Bearer {http_served.token('ana', role='')}",
                forged(http_served),
            )
            wanted = list(garbage.requests(COUNT // len(SERVICES)))
            told += [f"{service}: {line}" for line in await sent(http, address, wanted, codes(described), seen)]
    print("\n".join(f"{count:6} {kind}" for kind, count in sorted(seen.items())))
    assert not told, f"seed {SEED}, {len(told)} faults:\n" + "\n".join(told[:20])
    assert sum(seen.values()) == COUNT
    assert await http_served.counts() == before


async def test_a_contested_registration_is_a_fact_and_leaves_one_entry(http_served: HttpLine) -> None:
    """So the count above would have seen an entry; this refusal is one of the two that are meant to leave one."""
    await http_served.rest()
    before = await http_served.counts()
    body = {
        "line": "north",
        "name": "Rival Ltd",
        "source": "fair",
        "identity_keys": [{"kind": "tax_no", "value": "DE987654321"}],
    }
    address = http_served.address("lead-gen") + "/v1/prospects"
    statuses = []
    async with aiohttp.ClientSession() as http:
        for person in ("ana", "north-scout"):
            headers = {"Authorization": f"Bearer {http_served.token(person)}"}
            async with http.post(address, json=body, headers=headers) as answer:
                statuses.append((answer.status, (await answer.json()).get("code")))
    assert statuses == [(201, None), (409, "client-protected")]
    await http_served.rest()
    after = await http_served.counts()
    assert after["lead-gen"] == {table: count + 2 for table, count in before["lead-gen"].items()}
