"""Looking after the client: contacts, complaints, the risk of losing it, and that it left."""

from __future__ import annotations

from datetime import datetime

from account_mgmt.account.commands import (
    ClearRisk,
    CustomerLeft,
    FlagRisk,
    LogContact,
    ReceiveComplaint,
    ResolveComplaint,
)
from account_mgmt.account.events import (
    AccountAtRiskFlagged,
    AccountRiskCleared,
    ComplaintReceived,
    ComplaintResolved,
    CustomerChurned,
    Event,
    ServiceContactLogged,
)
from account_mgmt.account.seats import seat_of
from account_mgmt.account.state import Account
from account_mgmt.account.words import ACTIVE, RiskCause, Status
from belt.core.decider import Refused
from conveyor_events.roster import Roster
from conveyor_events.words import Seat


def log_contact(command: LogContact, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    known = next((one for one in account.contacts if one.contact_id == command.contact_id), None)
    said = (command.channel, command.person, command.summary, command.next_at)
    if known is not None:
        if (known.channel, known.person, known.summary, known.next_at) != said:
            raise Refused("contact.id-taken", contact_id=command.contact_id)
        return []
    if command.next_at is not None and command.next_at <= command.at:
        raise Refused("contact.next-in-the-past", next_at=command.next_at)
    logged = ServiceContactLogged(
        command.at,
        account.client,
        by,
        command.contact_id,
        command.channel,
        command.next_at,
        command.person,
        command.summary,
    )
    return [logged]


def receive(command: ReceiveComplaint, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    known = account.complaint(command.complaint_id)
    if known is not None:
        if (known.received.about, known.received.text) != (command.about, command.text):
            raise Refused("complaint.id-taken", complaint_id=command.complaint_id)
        return []
    return [ComplaintReceived(command.at, account.client, by, command.complaint_id, command.about, command.text)]


def resolve(command: ResolveComplaint, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    known = account.complaint(command.complaint_id)
    if known is None:
        raise Refused("complaint.unknown", complaint_id=command.complaint_id)
    if known.resolved is not None:
        if known.resolved.remedy is not command.remedy:
            raise Refused("complaint.resolved-otherwise", remedy=known.resolved.remedy)
        return []
    resolved = ComplaintResolved(command.at, account.client, by, command.complaint_id, command.remedy, command.note)
    return [resolved]


def flag(command: FlagRisk, account: Account) -> list[Event]:
    """Of a client that is not served, or gone already, nobody needs to be warned."""
    if account.status is Status.NONE:
        raise Refused("account.unknown")
    known = any((risk.cause, risk.ref) == (command.cause, command.ref) for risk in account.risks)
    if known or account.status not in ACTIVE:
        return []
    return [AccountAtRiskFlagged(command.at, command.cause, command.ref, account.holder_at(command.at))]


def clear(command: ClearRisk, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    _need_active(account)
    unheard = next((risk.ref for risk in account.risks if risk.cause is RiskCause.COMPLAINT), None)
    if unheard is not None:
        raise Refused("account.complaint-open", complaint_id=unheard)
    return [AccountRiskCleared(command.at, risk.cause, risk.ref, by) for risk in account.risks]


def leave(command: CustomerLeft, account: Account, roster: Roster) -> list[Event]:
    by = seat_of(account, roster, command.by, command.at)
    if account.status is Status.CHURNED and account.left is command.reason:
        return []
    _need_active(account)
    served_by = account.holder_at(command.at)
    return [CustomerChurned(command.at, account.client, by, served_by, command.reason, command.note)]


def complaints(at: datetime, by: Seat | None, account: Account) -> list[Event]:
    """An open complaint is a risk for as long as the client is served; a resolved one is none."""
    unheard = {one.received.complaint_id for one in account.open_complaints}
    flagged = {risk.ref for risk in account.risks if risk.cause is RiskCause.COMPLAINT}
    cause, holder = RiskCause.COMPLAINT, account.holder_at(at)
    return [
        *(AccountAtRiskFlagged(at, cause, ref, holder) for ref in sorted(unheard - flagged)),
        *(AccountRiskCleared(at, cause, ref, by) for ref in sorted(flagged - unheard)),
    ]


def _need_active(account: Account) -> None:
    if account.status not in ACTIVE:
        raise Refused("account.wrong-stage", stage=account.status)
