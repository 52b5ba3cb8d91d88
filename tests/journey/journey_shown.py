"""What each door of the stations shows, written by hand."""

from __future__ import annotations

# Every door that shows something, by hand: whose personal data a reader with `pii:read` is shown there, or nobody's.
SHOWS: dict[str, dict[str, str | None]] = {
    "lead-gen": {
        "/v1/staff": "staff", "/v1/staff/{person}": "staff",
        "/v1/lines": None, "/v1/lines/{line}/staffing": None, "/v1/waiting": None,
        "/v1/prospects": None, "/v1/prospects/calls": None, "/v1/prospects/counts": None,
        "/v1/prospects/{client}": "client", "/v1/offers/{offer}/dossier": "client",
        "/v1/competitors": None, "/v1/competitors/{card}": "card",
    },
    "conversion": {
        "/v1/offers": None, "/v1/offers-to-answer": None, "/v1/offers/{offer}": "client",
        "/v1/opportunities": None, "/v1/opportunity-counts": None, "/v1/opportunities/{opportunity}": "client",
        "/v1/meeting-plans/{plan}": "client", "/v1/negotiation-plans/{plan}": "client",
        "/v1/deals": None, "/v1/deals/{deal}": None, "/v1/waiting": None,
    },
    "account-mgmt": {
        "/v1/offers": None, "/v1/offers/{offer}": "client",
        "/v1/accounts": None, "/v1/accounts/{client}": None,
        "/v1/accounts/{client}/contacts": "client", "/v1/accounts/{client}/complaints": "client",
        "/v1/accounts/{client}/surveys": None, "/v1/surveys": None, "/v1/surveys/{survey}": "client",
        "/v1/questionnaire": None, "/v1/waiting": None, "/v1/sales": None, "/v1/sales/{sale}": None,
        # One's own, which nobody else can see, whoever they are.
        "/v1/self-tests": None, "/v1/self-tests/{test}": None, "/v1/self-test-attempts": None,
        "/v1/self-test-attempts/{attempt}": None, "/v1/self-test-profile": None,
    },
}  # fmt: skip
