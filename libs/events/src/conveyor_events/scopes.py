"""What a token may open. Scopes are the rights, roles are bundles of them for tokens that people hold.

A scope opens the door; whether this person may do this to that client is decided inside, by roster and ownership.
"""

from __future__ import annotations

from collections.abc import Iterable

SCOPES: dict[str, str] = {
    "leads:read": "see prospects and offers of the first station",
    "leads:write": "register prospects and work them",
    "handoffs:decide": "accept, reject or dispute what is offered",
    "deals:read": "see opportunities, deals and payments",
    "deals:write": "work opportunities, close deals, record payments",
    "accounts:read": "see accounts and repeat sales",
    "accounts:write": "serve accounts, record repeat sales and payments",
    "staff:read": "see people, roles, how lines are staffed and how much waits on them",
    "staff:write": "hire, grant roles, set absences, staff lines",
    "plans:write": "draft compensation plans",
    "plans:approve": "approve compensation plans that somebody else drafted",
    "assignments:write": "assign people to plans, post adjustments",
    "periods:close": "close periods, publish statements and make them final, export payouts",
    "conflicts:resolve": "decide conflicts and disputes",
    "pay:read:own": "see one's own statements",
    "pay:read:team": "see the statements of the teams one manages",
    "pay:read:all": "see all statements",
    "pay:read:totals": "see the sums of all statements, without their lines",
    "pay:audit": "see all pay as an auditor: each read is logged",
    "audit:read": "see who has read whose pay and personal data; looking is logged, too",
    "events:read": "follow the feed of public events",
    "parked:write": "see what is parked and redrive it",
    "clock:drive": "move a driven clock",
    "self-tests": "take self-tests and see one's own results; nobody sees those of others",
    "act_for": "act for another person (`by`)",
    "backdate": "record what happened earlier (`occurred_at` in the past)",
    "pii:read": "see personal data: names, phones, notes",
    "manager": "assign, escalate, overturn, approve discounts on lines one manages",
}

_SCOUT = ("leads:read", "leads:write", "pii:read", "pay:read:own", "staff:read", "self-tests")
_FARMER = (
    "handoffs:decide",
    "deals:read",
    "accounts:read",
    "accounts:write",
    "pii:read",
    "pay:read:own",
    "staff:read",
    "self-tests",
)
_HUNTER = (*_SCOUT, "deals:write", *_FARMER)  # works at every station that has no seat of its own in the variant

ROLES: dict[str, frozenset[str]] = {
    "scout": frozenset(_SCOUT),
    "hunter": frozenset(_HUNTER),
    "farmer": frozenset(_FARMER),
    "manager": frozenset((*_HUNTER, "manager", "staff:write", "pay:read:team")),
    "payroll": frozenset(
        (
            "plans:write",
            "plans:approve",
            "assignments:write",
            "periods:close",
            "conflicts:resolve",
            "pay:read:all",
            "staff:read",
            "events:read",
        )
    ),
    "finance": frozenset(("plans:approve", "pay:read:totals", "staff:read")),
    "auditor": frozenset(("pay:audit", "audit:read", "staff:read", "events:read")),
    "integration": frozenset(
        (*_HUNTER, "staff:write", "events:read", "act_for", "backdate", "manager")  # speaks for people, sees no pay
    )
    - {"pay:read:own", "pii:read", "self-tests"},
    "operator": frozenset(("events:read", "parked:write", "staff:read")),
    "driver": frozenset(SCOPES),  # demo and simulation only: plays everybody and moves the clock
}
"""Bundles. Nobody but the driver holds both pay and the rights of an operator."""


NEVER_GRANTED = frozenset({"driver"})
"""Bundles that no claim of an issuer stands for, whatever it calls its own roles."""


class UnknownScope(ValueError):
    """Neither a scope nor a role of ours."""


def scopes_of(*names: str) -> frozenset[str]:
    """The scopes that these roles and scopes stand for."""
    found: set[str] = set()
    for name in names:
        if name in ROLES:
            found |= ROLES[name]
        elif name in SCOPES:
            found.add(name)
        else:
            raise UnknownScope(f"{name!r} is neither a role nor a scope")
    return frozenset(found)


def granted(roles: Iterable[str]) -> frozenset[str]:
    """The scopes of those roles that are bundles of ours. An issuer has others as well: they grant nothing here."""
    found = (ROLES[role] for role in roles if role in ROLES and role not in NEVER_GRANTED)
    return frozenset().union(*found)
