"""Each client's way, from the first call on. The same story runs in all four variants: it asks who holds the client."""

from __future__ import annotations

from collections.abc import Iterator

from conveyor.demo import fates, handing, selling, serving, sourcing
from conveyor.demo.company import line_of
from conveyor.demo.fates import Client, Fate
from conveyor.demo.play import Over, Play, Teller
from conveyor.demo.sourcing import Prospect
from conveyor_events.words import Station


def stories(seed: int) -> Iterator[tuple[Client, Play]]:
    """All of them, in the order of their beginning."""
    for client in fates.clients(seed):
        yield client, story(seed, client)


def story(seed: int, client: Client) -> Play:
    """One client's way; it ends early where the quarter ends or the person who should act has left."""
    teller = Teller.of(seed, f"{client.line.id}-{client.number}", client.start)
    prospect = Prospect(client, teller.id("client"), teller, client.finder)
    try:
        yield from _told(prospect)
    except Over:
        return


def _told(prospect: Prospect) -> Play:
    fate = prospect.client.fate
    if fate is Fate.OWN_FIND:
        opportunity = yield from selling.own_find(prospect)
        prospect.teller.wait(1)
    else:
        if not (yield from sourcing.find(prospect)):
            return
        opportunity = yield from handing.hand_over(prospect)
        prospect.teller.wait(1)
    won = yield from selling.sell(prospect, opportunity)
    if won is None:
        return
    hunter = prospect.holder
    server = yield from handing.serve(prospect, won.deal, won.account_offer)
    if fate is Fate.POACHED:
        yield from _poach(prospect, hunter)
    yield from selling.collect(prospect, won)
    prospect.holder = server
    yield from serving.keep(prospect)


def _poach(prospect: Prospect, hunter: str) -> Play:
    """Another hunter tries to make a first sale to somebody's customer. The attempt is refused, and is a fact."""
    line = line_of(prospect.client.line.id)
    teller = prospect.teller
    teller.wait(2, 6)
    other = teller.somebody(line.teams[Station.CONVERSION], but=hunter)
    body = {"opportunity_id": teller.id("opportunity"), "client_id": prospect.id, "line": line.id, "need_ids": []}
    opened = yield from teller.act(other, "conversion", "/v1/opportunities", body)
    lines = selling.price(teller, line.typical)
    closed = {"lines": lines, **selling.amounts(selling.net_of(lines))}
    path = f"/v1/opportunities/{opened['opportunity_id']}"
    yield from teller.act(other, "conversion", f"{path}/proposals", closed)
    teller.wait(1)
    yield from teller.act(other, "conversion", f"{path}/close", closed, refused="existing-customer")
