"""The published language of the conveyor: its words, its events, their envelope, and money."""

from conveyor_events.catalog import CATALOG, TOPICS, Entry, UnknownEvent, entry, entry_of, topic_of, wire_type
from conveyor_events.envelope import Envelope, Malformed, from_json, from_kafka, open, to_json, to_kafka  # noqa: A004
from conveyor_events.money import MINOR_UNITS, Amount, Money, round_half_up, split
from conveyor_events.roster import Roster
from conveyor_events.sale import Sale
from conveyor_events.words import HOUSE, VARIANTS, Event, Role, Seat, Station, changes_hands, role_at

__all__ = [
    "CATALOG",
    "HOUSE",
    "MINOR_UNITS",
    "TOPICS",
    "VARIANTS",
    "Amount",
    "Entry",
    "Envelope",
    "Event",
    "Malformed",
    "Money",
    "Role",
    "Roster",
    "Sale",
    "Seat",
    "Station",
    "UnknownEvent",
    "changes_hands",
    "entry",
    "entry_of",
    "from_json",
    "from_kafka",
    "open",
    "role_at",
    "round_half_up",
    "split",
    "to_json",
    "to_kafka",
    "topic_of",
    "wire_type",
]
