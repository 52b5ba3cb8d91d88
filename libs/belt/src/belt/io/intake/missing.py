"""Fetches the events of a key that never came, from the feed of the service that published them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlencode
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

from conveyor_events.envelope import Envelope, from_json

MAX_BYTES = 32 * 1024 * 1024
AT_ONCE = 200

Fetch = Callable[[str, str, int, int], Awaitable[list[Envelope]]]
"""(topic, key, after, upto) -> the key's events with after < sequence <= upto, in order: all, or the first of them."""


class PublisherAway(Exception):
    """The publisher's feed gave no answer that can be used. Nothing is known; ask again."""


class PublisherFeed:
    """The feeds of other services. `publishers` names the address of each topic's publisher, `token` a bearer token."""

    def __init__(self, publishers: Mapping[str, str], token: Callable[[], str], *, deadline: float = 5.0) -> None:
        self._publishers, self._token, self._deadline = publishers, token, deadline

    async def __call__(self, topic: str, key: str, after: int, upto: int) -> list[Envelope]:
        limit = min(upto - after, AT_ONCE)
        query = urlencode({"topic": topic, "key": key, "after_sequence": after, "limit": limit})
        try:
            address = f"{self._publishers[topic].rstrip('/')}/v1/events?{query}"
            async with asyncio.timeout(self._deadline * 2):
                raw = await asyncio.to_thread(read_from, address, self._token(), self._deadline)
            found = [from_json(json.loads(line)) for line in raw.splitlines() if line]
        except KeyError:
            raise PublisherAway(f"nobody is known to publish {topic}") from None
        except (OSError, TimeoutError, ValueError) as away:
            raise PublisherAway(f"the feed of {topic} gave no answer: {away!r}") from away
        return [envelope for envelope in found if after < envelope.sequence <= upto]


def read_from(address: str, token: str, deadline: float, method: str = "GET") -> bytes:
    """Runs in a thread. Only http(s), no redirects, no endless answers."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPSHandler()):
        opener.add_handler(handler)
    headers = {"accept": "application/x-ndjson", "authorization": f"Bearer {token}"}
    with opener.open(Request(address, headers=headers, method=method), timeout=deadline) as answer:  # noqa: S310
        if answer.status != 200:
            raise OSError(f"status {answer.status}")
        raw: bytes = answer.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise OSError("the answer is too large")
    return raw
