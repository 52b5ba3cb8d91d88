"""The single table of the published language: every event, its topic, and whose history it belongs to."""

from dataclasses import dataclass

from conveyor_events import accounts, deals, leads, pay, staff, surveys
from conveyor_events.words import Event


class UnknownEvent(LookupError):
    """The event's type or version is not known to this release of the library."""


@dataclass(frozen=True)
class Topic:
    """A Kafka topic. Partitions are fixed at creation, because a key must never move."""

    name: str
    short: str
    publisher: str
    subscribers: tuple[str, ...]
    partitions: int
    about: str


@dataclass(frozen=True)
class Entry:
    """One kind of event. `subject` says whose id is the Kafka key."""

    model: type[Event]
    topic: str
    subject: str

    @property
    def wire(self) -> str:
        """The type on the wire, such as conveyor.leads.LeadQualified."""
        return f"conveyor.{TOPICS[self.topic].short}.{self.model.__name__}"


KEPT: dict[str, str] = {
    "cleanup.policy": "delete",
    "compression.type": "uncompressed",
    "retention.bytes": "-1",
    "retention.ms": "-1",
}
"""How Kafka keeps a topic: every record, for ever, in a form that any client can read. A consumer that comes late reads
from the first one.
"""

REPLICAS, MIN_INSYNC_REPLICAS = 3, 2
"""In production: each record on three brokers, acknowledged by at least two of them."""

TOPICS: dict[str, Topic] = {
    topic.name: topic
    for topic in (
        Topic(
            "conveyor.staff.v1",
            "staff",
            "lead-gen",
            ("conversion", "account-mgmt", "compensation"),
            3,
            "Who works where, in which role, under which policy.",
        ),
        Topic(
            "conveyor.leads.v1",
            "leads",
            "lead-gen",
            ("conversion", "account-mgmt", "compensation"),
            12,
            "From a prospect to a lead that is handed over.",
        ),
        Topic(
            "conveyor.deals.v1",
            "deals",
            "conversion",
            ("lead-gen", "account-mgmt", "compensation"),
            12,
            "From an accepted lead to a paid first sale.",
        ),
        Topic(
            "conveyor.accounts.v1",
            "accounts",
            "account-mgmt",
            ("conversion", "compensation"),
            12,
            "From a buyer to a regular customer.",
        ),
        Topic(
            "conveyor.pay.v1",
            "pay",
            "compensation",
            (),
            3,
            "Plans and results of pay; readable by payroll only.",
        ),
    )
}

CATALOG: list[Entry] = [
    Entry(staff.StaffHired, "conveyor.staff.v1", "person"),
    Entry(staff.RoleGranted, "conveyor.staff.v1", "person"),
    Entry(staff.RoleRevoked, "conveyor.staff.v1", "person"),
    Entry(staff.AbsenceSet, "conveyor.staff.v1", "person"),
    Entry(staff.StaffLeft, "conveyor.staff.v1", "person"),
    Entry(staff.LineStaffed, "conveyor.staff.v1", "line"),
    Entry(leads.ProspectRegistered, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectVerified, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectInvalidated, "conveyor.leads.v1", "client"),
    Entry(leads.NeedIdentified, "conveyor.leads.v1", "client"),
    Entry(leads.LeadQualified, "conveyor.leads.v1", "client"),
    Entry(leads.LeadWithdrawn, "conveyor.leads.v1", "client"),
    Entry(leads.LeadReturned, "conveyor.leads.v1", "client"),
    Entry(leads.LeadHandedOver, "conveyor.leads.v1", "client"),
    Entry(leads.HandoverOverdue, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectReleased, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectClaimed, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectReassigned, "conveyor.leads.v1", "client"),
    Entry(leads.ContactForbidden, "conveyor.leads.v1", "client"),
    Entry(leads.ProspectMerged, "conveyor.leads.v1", "client"),
    Entry(leads.PersonalDataErased, "conveyor.leads.v1", "client"),
    Entry(leads.JourneyMigrated, "conveyor.leads.v1", "client"),
    Entry(leads.RegistrationRefused, "conveyor.leads.v1", "client"),
    Entry(deals.LeadAccepted, "conveyor.deals.v1", "client"),
    Entry(deals.LeadRejected, "conveyor.deals.v1", "client"),
    Entry(deals.LeadOfferExpired, "conveyor.deals.v1", "client"),
    Entry(deals.LeadOfferRerouted, "conveyor.deals.v1", "client"),
    Entry(deals.LeadOfferEscalated, "conveyor.deals.v1", "client"),
    Entry(deals.RejectionDisputed, "conveyor.deals.v1", "client"),
    Entry(deals.RejectionUpheld, "conveyor.deals.v1", "client"),
    Entry(deals.RejectionOverturned, "conveyor.deals.v1", "client"),
    Entry(deals.FirstTouchMade, "conveyor.deals.v1", "client"),
    Entry(deals.FirstTouchMissed, "conveyor.deals.v1", "client"),
    Entry(deals.OpportunityOpened, "conveyor.deals.v1", "client"),
    Entry(deals.MeetingHeld, "conveyor.deals.v1", "client"),
    Entry(deals.ProposalSent, "conveyor.deals.v1", "client"),
    Entry(deals.DealClosed, "conveyor.deals.v1", "client"),
    Entry(deals.OpportunityLost, "conveyor.deals.v1", "client"),
    Entry(deals.OpportunityRecycled, "conveyor.deals.v1", "client"),
    Entry(deals.PaymentReceived, "conveyor.deals.v1", "client"),
    Entry(deals.PaymentRefunded, "conveyor.deals.v1", "client"),
    Entry(deals.DealCancelled, "conveyor.deals.v1", "client"),
    Entry(deals.DealRefused, "conveyor.deals.v1", "client"),
    Entry(deals.AccountOffered, "conveyor.deals.v1", "client"),
    Entry(accounts.AccountAccepted, "conveyor.accounts.v1", "client"),
    Entry(accounts.AccountRejected, "conveyor.accounts.v1", "client"),
    Entry(accounts.AccountOfferExpired, "conveyor.accounts.v1", "client"),
    Entry(accounts.SeatAssigned, "conveyor.accounts.v1", "client"),
    Entry(accounts.RepeatSale, "conveyor.accounts.v1", "client"),
    Entry(accounts.PaymentReceived, "conveyor.accounts.v1", "client"),
    Entry(accounts.PaymentRefunded, "conveyor.accounts.v1", "client"),
    Entry(accounts.CustomerBecameRegular, "conveyor.accounts.v1", "client"),
    Entry(surveys.SurveyAnswered, "conveyor.accounts.v1", "client"),
    Entry(accounts.AccountAtRiskFlagged, "conveyor.accounts.v1", "client"),
    Entry(accounts.CustomerLapsed, "conveyor.accounts.v1", "client"),
    Entry(accounts.CustomerReturned, "conveyor.accounts.v1", "client"),
    Entry(accounts.CustomerChurned, "conveyor.accounts.v1", "client"),
    Entry(accounts.AccountReassigned, "conveyor.accounts.v1", "client"),
    Entry(pay.PlanActivated, "conveyor.pay.v1", "plan"),
    Entry(pay.PeriodClosed, "conveyor.pay.v1", "period"),
    Entry(pay.StatementPublished, "conveyor.pay.v1", "person"),
    Entry(pay.ConflictDetected, "conveyor.pay.v1", "person"),
    Entry(pay.ConflictResolved, "conveyor.pay.v1", "person"),
    Entry(pay.AdjustmentPosted, "conveyor.pay.v1", "person"),
    Entry(pay.DisputeResolved, "conveyor.pay.v1", "person"),
    Entry(pay.PayoutExported, "conveyor.pay.v1", "run"),
]

_BY_WIRE: dict[str, Entry] = {entry.wire: entry for entry in CATALOG}
_BY_MODEL: dict[type[Event], Entry] = {entry.model: entry for entry in CATALOG}


def entry(wire: str, version: int) -> Entry:
    """The entry that reads this type and version; older versions are lifted to the entry's own."""
    found = _BY_WIRE.get(wire)
    if found is None:
        raise UnknownEvent(f"{wire} is not in the catalog")
    if not 1 <= version <= found.model.VERSION:
        raise UnknownEvent(f"{wire} is known up to version {found.model.VERSION}, not {version}")
    return found


def entry_of(event: Event | type[Event]) -> Entry:
    """The entry of an event or of its model."""
    model = event if isinstance(event, type) else type(event)
    found = _BY_MODEL.get(model)
    if found is None:
        raise UnknownEvent(f"{model.__name__} is not in the catalog")
    return found


def wire_type(event: Event | type[Event]) -> str:
    """The type on the wire, such as conveyor.leads.LeadQualified."""
    return entry_of(event).wire


def topic_of(event: Event | type[Event]) -> str:
    """The topic on which the event is published."""
    return entry_of(event).topic
