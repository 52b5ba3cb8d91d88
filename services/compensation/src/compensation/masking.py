"""What is left of a line or an event for a reader who may not see everybody in it.

Names of others become "colleague". Amounts stay only where everybody who earns by them may be seen: in a shared sale
the whole would give away the others' parts by subtraction, so there the reader keeps the own part alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from compensation.line import Line
from conveyor_events import HOUSE, Seat
from conveyor_events.words import COLLEAGUE

AMOUNTS = frozenset(
    {"net", "tax", "amount", "weight", "paid_net_total", "refunded_net_total", "payment_schedule", "lines"}
)
"""Every field of a public event that says how much."""
PARTS = frozenset({"splits", "co_sell"})
WHOLE = frozenset({"of_base", "of_weights", "of_money", "moved", "flat", "foreign"})
"""What a line's calculation says of a whole sale, not of its payee's part."""
_KEPT = frozenset({"client_id", "journey_id", "event_id", "type", "variant"})

Sees = Callable[[str], bool]


def masked_line(line: Line, earners: Collection[str], sees: Sees) -> Line:
    """The line with the payee's own part alone, if somebody else earns by the same sale."""
    if all(sees(person) for person in earners):
        return line
    nothing: dict[str, Any] = dict.fromkeys(WHOLE)
    return replace(line, calc=replace(line.calc, **nothing))


def masked_told(line: Mapping[str, Any], earners: Collection[str], sees: Sees) -> Mapping[str, Any]:
    """The same of a line as it was told."""
    if all(sees(person) for person in earners):
        return line
    return {**line, "calc": {name: value for name, value in line["calc"].items() if name not in WHOLE}}


def masked_event(
    told: Mapping[str, Any], people: Collection[str], earners: Collection[str], sees: Sees
) -> dict[str, Any]:
    """An event as told, with the others' names and amounts taken out; clients stay.

    `earners`: who is paid for its sale, if that is known; else those whom the event itself names, else who acted.
    """
    named = {*people, *_seated(told["data"])}
    hidden = frozenset(person for person in named if person != HOUSE and not sees(person))
    actor = told.get("actor")
    paid = earners or _earners(told["data"]) or ({actor["person"]} if actor else {COLLEAGUE})
    amounts = all(sees(person) for person in paid)
    return {key: value if key in _KEPT else _without(value, hidden, sees, amounts) for key, value in told.items()}


def people_of(actor: Seat | None, data: Any) -> set[str]:
    """Everybody an event names in a seat or a part, without the house."""
    return (({actor.person} if actor else set()) | _seated(data)) - {HOUSE}


def _seated(value: Any) -> set[str]:
    match value:
        case Mapping():
            inner = set().union(*(_seated(one) for one in value.values())) if value else set()
            return inner | ({value["person"]} if isinstance(value.get("person"), str) else set())
        case list():
            return set().union(*(_seated(one) for one in value)) if value else set()
        case _:
            return set()


def _earners(data: Any) -> set[str]:
    """Who is paid by the sale that the event is about."""
    sale = data.get("sale") if isinstance(data, Mapping) else None
    if not isinstance(sale, Mapping):
        return set()
    holder = sale.get("converted_by") if sale.get("kind") == "first" else sale.get("served_by")
    found = {part["person"] for part in sale.get("splits") or ([holder] if holder else [])}
    legacy = data.get("legacy")
    return found | ({legacy["person"]} if isinstance(legacy, Mapping) else set()) or {COLLEAGUE}


def _without(value: Any, hidden: frozenset[str], sees: Sees, amounts: bool) -> Any:
    match value:
        case Mapping():
            return {
                key: _parts(inner, sees)
                if key in PARTS
                else COLLEAGUE
                if _names(key, inner, sees)
                else _without(inner, hidden, sees, amounts)
                for key, inner in value.items()
                if amounts or key not in AMOUNTS
            }
        case list():
            return [_without(inner, hidden, sees, amounts) for inner in value]
        case str() if value in hidden:
            return COLLEAGUE
        case _:
            return value


def _names(key: str, value: Any, sees: Sees) -> bool:
    """Whether it is the name of somebody who may not be seen, known or not."""
    return key == "person" and isinstance(value, str) and value != HOUSE and not sees(value)


def _mine(part: Mapping[str, Any], sees: Sees) -> bool:
    person = part.get("person")
    return isinstance(person, str) and person != HOUSE and sees(person)


def _parts(parts: Any, sees: Sees) -> Any:
    """Of agreed parts, those that may be seen."""
    if not isinstance(parts, list):
        return parts
    return [part for part in parts if isinstance(part, Mapping) and _mine(part, sees)]
