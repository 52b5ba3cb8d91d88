"""Competitor cards: what is believed of a rival, and until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from lead_gen_office import Office

from belt.core.decider import Refused
from lead_gen.papers import competitor as k

ZONE = "Europe/Berlin"
SEEN = date(2026, 3, 2)
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
PRICE = k.Claim("price-1", "price", "Huber asks 900", "a client", 3, SEEN)
PEOPLE = k.Claim("people-1", "people", "Mr Huber retires", "the newspaper", 5, SEEN)
PRICE_OVER = datetime(2026, 5, 1, 22, tzinfo=UTC)  # 60 days, the last one included; summer time by then
OPEN = k.OpenCard("huber", "Huber KG", "ana", AT)


def state(claim: k.Claim = PRICE, at: datetime = AT) -> k.StateClaim:
    return k.StateClaim(claim, ZONE, "ana", at)


def card(*commands: Any) -> k.Card:
    found = k.NEW
    for command in commands:
        found = reduce(k.evolve, k.decide(command, found), found)
    return found


PUBLISH = k.PublishCard("ana", AT)
STAGES: dict[str, k.Card] = {
    "none": k.NEW,
    "draft": card(OPEN, state()),
    "published": card(OPEN, state(), PUBLISH),
    "stale": card(OPEN, state(), PUBLISH, k.AgeCard(PRICE_OVER)),
    "retired": card(OPEN, k.RetireCard("ana", AT)),
}
COMMANDS: dict[str, Any] = {
    "open": OPEN,
    "state": state(PEOPLE),
    "drop": k.DropClaim("price-1", "ana", AT),
    "publish": PUBLISH,
    "retire": k.RetireCard("ana", AT),
    "age": k.AgeCard(PRICE_OVER),
}
WRONG, UNKNOWN = "!competitor.wrong-stage", "!competitor.unknown"
TABLE: dict[str, list[str]] = {  # none, draft, published, stale, retired
    "open": ["CardOpened", "", "", "", ""],
    "state": [UNKNOWN, "ClaimStated", "ClaimStated", "ClaimStated", WRONG],
    "drop": [UNKNOWN, "ClaimDropped", "ClaimDropped", "ClaimDropped", WRONG],
    "publish": [UNKNOWN, "CardPublished", "", "CardPublished", WRONG],
    "retire": [UNKNOWN, "CardRetired", "CardRetired", "CardRetired", ""],
    "age": [UNKNOWN, "", "CardStale", "", ""],
}


def outcome(command: Any, found: k.Card) -> str:
    try:
        return " ".join(type(event).__name__ for event in k.decide(command, found))
    except Refused as refused:
        return f"!{refused.code}"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_does_in_each_stage_what_the_table_says(name: str) -> None:
    assert [found.stage for found in STAGES.values()] == list(STAGES)
    assert [outcome(COMMANDS[name], found) for found in STAGES.values()] == TABLE[name]


def test_a_price_is_believed_for_sixty_days_and_all_else_for_a_hundred_and_eighty() -> None:
    found = card(OPEN, state(PRICE), state(PEOPLE))
    assert found.claims["price-1"].over_at == PRICE_OVER
    assert found.claims["people-1"].over_at == datetime(2026, 8, 29, 22, tzinfo=UTC)
    assert [due.at for due in k.timers(card(OPEN, state(PRICE), state(PEOPLE), PUBLISH))] == [PRICE_OVER]


def test_who_looks_late_finds_the_card_stale_since_its_instant() -> None:
    late = k.DropClaim("price-1", "ana", PRICE_OVER + timedelta(days=3))
    events = k.decide(late, STAGES["published"])
    assert events[0] == k.CardStale(PRICE_OVER)


def test_a_stale_card_is_published_anew_when_what_is_over_was_seen_again_or_dropped() -> None:
    later = PRICE_OVER + timedelta(days=1)
    again = k.PublishCard("ana", later)
    assert outcome(again, STAGES["stale"]) == "!competitor.not-believed"
    seen = replace(PRICE, seen_on=date(2026, 5, 3))
    for mend in (state(seen, later), k.DropClaim("price-1", "ana", later)):
        mended = card(OPEN, state(), state(PEOPLE), PUBLISH, k.AgeCard(PRICE_OVER), mend)
        assert outcome(again, mended) == "CardPublished"


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (state(replace(PRICE, topic="gossip")), "!competitor.topic-unknown"),
        (state(replace(PRICE, seen_on=date(2026, 3, 3))), "!competitor.not-seen-yet"),
        (k.OpenCard("huber", "Another", "ana", AT), "!competitor.id-taken"),
    ],
)
def test_what_cannot_be_is_refused(command: Any, refusal: str) -> None:
    assert outcome(command, STAGES["draft"]) == refusal


def test_an_empty_card_is_not_published() -> None:
    assert outcome(PUBLISH, card(OPEN)) == "!competitor.not-believed"


async def test_a_card_over_its_doors_goes_stale_by_the_clock(office: Office) -> None:
    await office.opens()
    await office.done("/v1/competitors", {"card_id": "huber", "name": "Huber KG"})
    claim = {"topic": "price", "text": "Roth says 900", "source": "a client", "confidence": 3, "seen_on": "2026-03-01"}
    await office.done("/v1/competitors/huber/claims", claim | {"claim_id": "c1"})
    assert (await office.done("/v1/competitors/huber/publish"))["stage"] == "published"
    await office.tick(datetime(2026, 5, 2, tzinfo=UTC))
    stale = (await office.get("/v1/competitors", stage="stale")).json()["items"]
    assert [(row["card_id"], row["claims"]) for row in stale] == [("huber", 1)]
    shown = (await office.get("/v1/competitors/huber")).json()
    assert (shown["stage"], shown["claims"][0]["text"]) == ("stale", "Roth says 900")
    for (name,) in await office.query("select tablename from pg_tables where schemaname = 'public'"):
        assert not [row for row in await office.query(f"select t::text from {name} t") if "Roth" in row[0]], name
    odd = await office.post("/v1/competitors/huber/claims", claim | {"confidence": 6})
    assert odd.status_code == 422
