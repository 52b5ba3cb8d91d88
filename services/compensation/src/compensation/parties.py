"""Whose statements a public event can move: everybody whom it names. They are reckoned from their clients alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conveyor_events import HOUSE, Envelope, accounts, wire_type

_NESTED = (dict, list)
_REPEAT = wire_type(accounts.RepeatSale)


def parties(envelope: Envelope) -> set[str]:
    """Everybody named in its data, the house included. A repeat sale that nobody serves is the house's.

    The database says the same in `file_facts`, for facts that other releases write.
    """
    found = set[str]()
    _look(envelope.data, found)
    if envelope.type == _REPEAT and not (envelope.data.get("sale") or {}).get("served_by"):
        found.add(HOUSE)
    return found


def pairs(envelopes: Iterable[Envelope]) -> set[tuple[str, str]]:
    """(person, client) of all of them."""
    return {(person, e.client_id) for e in envelopes if e.client_id is not None for person in parties(e)}


def _look(value: Any, found: set[str]) -> None:
    """Data as JSON gives it: its very types."""
    if type(value) is dict:
        person = value.get("person")
        if type(person) is str:
            found.add(person)
        value = value.values()
    for one in value:
        if type(one) in _NESTED:
            _look(one, found)
