"""Public events → facts, with care: each is examined before it is read, in whatever notation it came."""

from sys import intern

from compensation.facts import Fact, Noted, Staff
from compensation.readers import READERS
from conveyor_events import Envelope, Event, pay, staff
from conveyor_events import open as open_event

OF_NOBODY = (staff.StaffHired, staff.StaffLeft, pay.AdjustmentPosted)


class NoClient(ValueError):
    """A fact about a client does not say which one."""


def examine(envelope: Envelope) -> Event:
    """The event, if pay can be reckoned with it. Raises UnknownEvent where this release cannot read it."""
    event = open_event(envelope)
    kind = type(event)
    if envelope.client_id is None and kind not in OF_NOBODY and kind in READERS:
        raise NoClient(f"{envelope.type} {envelope.id} names no client")
    return event


def fact(envelope: Envelope) -> Fact:
    """The fact an event states. Raises UnknownEvent where this release cannot read the event."""
    event = examine(envelope)
    reader = READERS.get(type(event))
    client, journey = envelope.client_id, envelope.journey_id
    at = envelope.occurred_at
    # A conflict is known since its last event is: when somebody looked does not matter.
    known = event.since if isinstance(event, pay.ConflictDetected) else envelope.recorded_at
    client = intern(client) if client is not None else None
    data = reader(event.model_dump(mode="json")) if reader is not None else Noted()
    return Fact(  # what is equal is held once: there are very many of them
        event_id=str(envelope.id),
        name=intern(type(event).__name__),
        occurred_at=at,
        recorded_at=at if known == at else known,
        client_id=client,
        journey_id=client if journey == client else journey,
        data=data,
        sequence=envelope.sequence if isinstance(data, Staff) else 0,
    )
