"""What becomes of the clients: a deck for each line, shuffled by the seed, so that every kind of story happens."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from conveyor.demo.company import LINES, PEOPLE, SalesLine
from conveyor.demo.slots import first_slot_of, slots
from conveyor_events.words import HOUSE, Station


class Fate(StrEnum):
    """The turn a story takes. Where hands do not change, nobody can reject or stay silent: then all goes smoothly."""

    SMOOTH = "smooth"
    INSTALMENTS = "instalments"  # paid in parts
    PARTLY_REFUNDED = "partly refunded"
    REFUNDED = "refunded"
    SHARED = "shared"  # two hunters make the sale and split it
    LOST = "lost"
    REJECTED = "rejected"  # the scout mends the lead, the second attempt is taken
    RELEASED = "released"  # the scout does nothing, another one claims the prospect
    SILENT = "silent"  # the first receiver lets the offer expire, the next takes it
    ESCALATED = "escalated"  # nobody takes it, a manager decides whose it is
    WITHDRAWN = "withdrawn"  # taken back and offered again
    LATE = "late"  # the need is known, and the scout keeps it too long
    INVALID = "invalid"  # counted for the base, then found to be none
    COLD = "cold"  # nobody was reached
    CONTESTED = "contested"  # a second person tries to register the same client
    POACHED = "poached"  # a hunter tries to sell to somebody's customer
    UNSERVED = "unserved"  # the account waits until its offer has moved on
    OWN_FIND = "own find"  # a hunter found the client without a scout
    HOUSE = "house"  # the client came by itself: nobody is paid for the lead


SHARES: dict[Fate, float] = {
    Fate.INSTALMENTS: 0.12,
    Fate.LOST: 0.09,
    Fate.COLD: 0.09,
    Fate.REJECTED: 0.07,
    Fate.SILENT: 0.07,
    Fate.INVALID: 0.05,
    Fate.REFUNDED: 0.04,
    Fate.PARTLY_REFUNDED: 0.04,
    Fate.SHARED: 0.04,
    Fate.HOUSE: 0.04,
    Fate.OWN_FIND: 0.04,
    Fate.RELEASED: 0.03,
    Fate.ESCALATED: 0.02,
    Fate.WITHDRAWN: 0.02,
    Fate.LATE: 0.02,
    Fate.CONTESTED: 0.02,
    Fate.POACHED: 0.02,
    Fate.UNSERVED: 0.02,
}
"""At least one of each on every line; the rest goes smoothly."""

EARLY = frozenset({Fate.RELEASED, Fate.ESCALATED, Fate.REFUNDED, Fate.PARTLY_REFUNDED, Fate.POACHED, Fate.UNSERVED})
"""Stories that need time: they begin in the first weeks."""


@dataclass(frozen=True)
class Client:
    """One client of the demo: on which line, found by whom, when, and what becomes of it."""

    number: int
    line: SalesLine
    finder: str
    start: int
    fate: Fate
    name: str
    country: str
    source: str


def clients(seed: int) -> list[Client]:
    """All clients in the order of their first day. The same seed gives the same ones."""
    found: list[Client] = []
    for line in LINES:
        dice = Random(f"{seed}/{line.id}")  # noqa: S311 (a story, not a secret)
        fates = deck(line.clients)
        dice.shuffle(fates)
        for index, fate in enumerate(fates):
            start = _start(dice, fate)
            finder = _finder(line, start, index, fate)
            name, country, source = _name(dice), dice.choice(_COUNTRIES), dice.choice(_SOURCES)
            found.append(Client(len(found) + 1, line, finder, start, fate, name, country, source))
    return sorted(found, key=lambda client: (client.start, client.number))


def deck(size: int) -> list[Fate]:
    """As many fates as there are clients, by their shares."""
    cards = [fate for fate, share in SHARES.items() for _ in range(max(1, round(share * size)))]
    return cards[:size] + [Fate.SMOOTH] * (size - len(cards))


def _start(dice: Random, fate: Fate) -> int:
    """Early in the quarter more often than late: a sale takes weeks."""
    last = len(slots()) * (0.3 if fate in EARLY else 0.72)
    return int(last * dice.random() ** 1.3)


def _finder(line: SalesLine, start: int, index: int, fate: Fate) -> str:
    """Who works there on that day and will for a while, in turn."""
    if fate is Fate.HOUSE:
        return HOUSE
    station = Station.CONVERSION if fate is Fate.OWN_FIND else Station.LEAD_GEN
    there = [person for person in line.teams[station] if _works(person, start)]
    return there[index % len(there)]


def _works(person: str, slot: int) -> bool:
    known = PEOPLE[person]
    stays = known.last_day is None or slot < first_slot_of(known.last_day) - 6
    return first_slot_of(known.hired) <= slot and stays


_COUNTRIES = ("DE", "DE", "DE", "AT", "CH", "NL", "PL")
_SOURCES = ("trade fair", "register", "referral", "web search", "branch list")
_FIRST = ("Adler", "Brandt", "Castor", "Dorn", "Elbe", "Falk", "Gerber", "Hafen", "Isar", "Kessel", "Lippe", "Mosel")
_SECOND = ("technik", "werk", "bau", "form", "metall", "plan", "druck", "holz", "glas", "guss", "stahl", "optik")
_LEGAL = ("GmbH", "AG", "KG", "GmbH & Co. KG")


def _name(dice: Random) -> str:
    return f"{dice.choice(_FIRST)}{dice.choice(_SECOND)} {dice.choice(_LEGAL)}"
