"""The account: one client in service. Who serves it at which instant, and where it stands.

    none -> awaiting -> buyer -> regular
    buyer, regular <-> at_risk -> lapsed | churned -> buyer, on a new journey

The money of its sales lives in streams of their own (sale/); here a sale is only a purchase that counts or not.
Read words, commands, events, state, then decide with what it is made of: seats, care, standing.
"""

from account_mgmt.account.commands import (
    ClearRisk,
    Command,
    CountPurchase,
    CustomerLeft,
    FlagRisk,
    LogContact,
    MeetDeadline,
    MigrateAccount,
    NotePurchase,
    OpenAccount,
    ReassignAccount,
    ReceiveComplaint,
    ResolveComplaint,
    TakeAccount,
)
from account_mgmt.account.decide import decide, reads, timers
from account_mgmt.account.events import (
    EVENTS,
    AccountAtRiskFlagged,
    AccountOpened,
    AccountReassigned,
    AccountRiskCleared,
    BecameRegular,
    ComplaintReceived,
    ComplaintResolved,
    CustomerChurned,
    CustomerLapsed,
    CustomerReturned,
    DeadlinesStamped,
    Event,
    JourneyMigrated,
    MigrationNoted,
    PurchaseCounted,
    PurchaseNoted,
    SeatTaken,
    ServiceContactLogged,
)
from account_mgmt.account.seats import seat_of
from account_mgmt.account.state import HERE, Account, evolve, fold
from account_mgmt.account.words import (
    ACTIVE,
    GONE,
    SELLING,
    Channel,
    LeaveReason,
    Matter,
    MoveReason,
    Remedy,
    RiskCause,
    Status,
)

CATEGORY = "account"

__all__ = [
    "ACTIVE",
    "CATEGORY",
    "EVENTS",
    "GONE",
    "HERE",
    "SELLING",
    "Account",
    "AccountAtRiskFlagged",
    "AccountOpened",
    "AccountReassigned",
    "AccountRiskCleared",
    "BecameRegular",
    "Channel",
    "ClearRisk",
    "Command",
    "ComplaintReceived",
    "ComplaintResolved",
    "CountPurchase",
    "CustomerChurned",
    "CustomerLapsed",
    "CustomerLeft",
    "CustomerReturned",
    "DeadlinesStamped",
    "Event",
    "FlagRisk",
    "JourneyMigrated",
    "LeaveReason",
    "LogContact",
    "Matter",
    "MeetDeadline",
    "MigrateAccount",
    "MigrationNoted",
    "MoveReason",
    "NotePurchase",
    "OpenAccount",
    "PurchaseCounted",
    "PurchaseNoted",
    "ReassignAccount",
    "ReceiveComplaint",
    "Remedy",
    "ResolveComplaint",
    "RiskCause",
    "SeatTaken",
    "ServiceContactLogged",
    "Status",
    "TakeAccount",
    "decide",
    "evolve",
    "fold",
    "reads",
    "seat_of",
    "timers",
]
