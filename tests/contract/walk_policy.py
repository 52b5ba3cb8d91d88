"""Who gets what at which door: plain data, written from docs/roles.md and the domain's description, not from the code.

One line a door: what each reader meets there, in the order of READERS.

    K  let in, and shown what is personal       A  let in to do it; whether it fits the stage is another matter
    S  let in, and nothing personal is shown    N  seen, but not theirs to do (403 of the thing, or a conflict)
    L  a list with something in it              X  not there (404)
    0  a list with nothing in it                F  a scope is missing (403)
"""

from __future__ import annotations

READERS = ("owner", "peer", "lead", "other", "stranger", "auditor")
"""Whose it is; somebody of the same team; a manager of the line; a manager of another line; somebody of the owner's
role on the other line; an auditor."""

LEAD_GEN = """
POST /v1/staff                                                        FFAAFF
POST /v1/staff/{person}/roles                                         FFAAFF
POST /v1/staff/{person}/roles/revoke                                  FFAAFF
POST /v1/staff/{person}/absences                                      FFAAFF
POST /v1/staff/{person}/leave                                         FFAAFF
GET /v1/staff                                                         LLLLLL
GET /v1/staff/{person}                                                SSSSSS
POST /v1/lines/{line}/staffing                                        FFANFF
GET /v1/lines                                                         LLLLLL
GET /v1/lines/{line}/staffing                                         SSSSSS
GET /v1/prospects                                                     LLL00F
GET /v1/prospects/calls                                               LLL00F
GET /v1/prospects/counts                                              LLL00F
GET /v1/prospects/{client}                                            KSKXXF
GET /v1/offers/{offer}/dossier                                        KXKXXF
POST /v1/prospects                                                    AANNNF
POST /v1/prospects/bulk                                               AANNNF
POST /v1/prospects/{client}/verify                                    ANAXXF
POST /v1/prospects/{client}/calls                                     ANAXXF
POST /v1/prospects/{client}/gatekeepers                               ANAXXF
POST /v1/prospects/{client}/contacts                                  ANAXXF
POST /v1/prospects/{client}/needs                                     ANAXXF
POST /v1/prospects/{client}/offer                                     ANAXXF
POST /v1/prospects/{client}/withdraw                                  ANAXXF
POST /v1/prospects/{client}/park                                      ANAXXF
POST /v1/prospects/{client}/resume                                    ANAXXF
POST /v1/prospects/{client}/claim                                     AANXXF
POST /v1/prospects/{client}/merge                                     ANAXXF
POST /v1/prospects/{client}/migrate                                   FFAXFF
POST /v1/prospects/{client}/invalidate                                ANAXXF
POST /v1/prospects/{client}/forbid-contact                            ANAXXF
POST /v1/prospects/{client}/reassign                                  FFAXFF
POST /v1/prospects/{client}/erase                                     FFAXFF
POST /v1/competitors                                                  AAAAAF
POST /v1/competitors/{card}/claims                                    AAAAAF
POST /v1/competitors/{card}/claims/{claim}/drop                       AAAAAF
POST /v1/competitors/{card}/publish                                   AAAAAF
POST /v1/competitors/{card}/retire                                    AAAAAF
GET /v1/competitors                                                   LLLLLF
GET /v1/competitors/{card}                                            SSSSSF
GET /v1/waiting                                                       SSSSSS
"""

CONVERSION = """
GET /v1/offers                                                        LLL00F
GET /v1/offers/{refused}                                              KSKXXF
GET /v1/offers-to-answer                                              LLL00F
POST /v1/offers/{refused}/dispute                                     NNAXXF
POST /v1/offers/{refused}/uphold                                      FFAXFF
POST /v1/offers/{refused}/overturn                                    FFAXFF
POST /v1/offers/{offer}/reject                                        ANAXXF
POST /v1/offers/{offer}/accept                                        ANAXXF
GET /v1/opportunities                                                 LLL00F
GET /v1/opportunity-counts                                            LLL00F
GET /v1/opportunities/{opportunity}                                   KSKXXF
POST /v1/opportunities                                                AANNNF
POST /v1/opportunities/{opportunity}/meeting-plans                    ANAXXF
POST /v1/meeting-plans/{meeting_plan}/ready                           ANAXXF
GET /v1/meeting-plans/{meeting_plan}                                  KSKXXF
POST /v1/opportunities/{opportunity}/negotiation-plans                ANAXXF
POST /v1/negotiation-plans/{negotiation_plan}/ready                   ANAXXF
POST /v1/negotiation-plans/{negotiation_plan}/score                   ANAXXF
GET /v1/negotiation-plans/{negotiation_plan}                          KSKXXF
POST /v1/opportunities/{opportunity}/meetings                         ANAXXF
POST /v1/opportunities/{opportunity}/meetings/{meeting}/cancel        ANAXXF
POST /v1/opportunities/{opportunity}/touches                          ANAXXF
POST /v1/opportunities/{opportunity}/presentations                    ANAXXF
POST /v1/opportunities/{opportunity}/proposals                        ANAXXF
POST /v1/opportunities/{opportunity}/objections                       ANAXXF
POST /v1/opportunities/{opportunity}/objections/{objection}/answer    ANAXXF
POST /v1/opportunities/{opportunity}/negotiation                      ANAXXF
POST /v1/opportunities/{opportunity}/concessions                      ANAXXF
POST /v1/opportunities/{opportunity}/close                            ANAXXF
POST /v1/opportunities/{opportunity}/lose                             ANAXXF
POST /v1/opportunities/{opportunity}/reopen                           ANAXXF
POST /v1/opportunities/{opportunity}/recycle                          ANAXXF
GET /v1/deals                                                         LLL00F
GET /v1/deals/{deal}                                                  SSSXXF
POST /v1/deals/{deal}/payments                                        AAAXXF
POST /v1/deals/{deal}/refunds                                         AAAXXF
POST /v1/deals/{deal}/offer                                           ANAXXF
POST /v1/deals/{deal}/cancel                                          ANAXXF
GET /v1/waiting                                                       SSSSSS
"""

ACCOUNT_MGMT = """
GET /v1/offers                                                        LLL00F
GET /v1/offers/{offer}                                                SSSXXF
POST /v1/offers/{offer}/accept                                        ANAXXF
POST /v1/offers/{offer}/reject                                        ANAXXF
GET /v1/accounts                                                      LLL00F
GET /v1/accounts/{client}                                             SSSXXF
POST /v1/accounts/{client}/contacts                                   AAAXXF
GET /v1/accounts/{client}/contacts                                    KSKXXF
POST /v1/accounts/{client}/complaints                                 AAAXXF
GET /v1/accounts/{client}/complaints                                  KSKXXF
POST /v1/accounts/{client}/complaints/{complaint}/resolve             AAAXXF
POST /v1/accounts/{client}/clear-risk                                 AAAXXF
POST /v1/accounts/{client}/repeat-sales                               AAAXXF
POST /v1/repeat-sales/bulk                                            AAAXXF
GET /v1/sales                                                         LLL00F
GET /v1/sales/{sale}                                                  SSSXXF
POST /v1/sales/{sale}/payments                                        AAAXXF
POST /v1/sales/{sale}/refunds                                         AAAXXF
GET /v1/self-tests                                                    LLLLLF
GET /v1/self-tests/{test}                                             SSSSSF
GET /v1/self-test-attempts                                            L0000F
GET /v1/self-test-attempts/{attempt}                                  SXXXXF
GET /v1/self-test-profile                                             SSSSSF
POST /v1/self-tests/{test}/attempts                                   AAAAAF
GET /v1/questionnaire                                                 SSSSSF
GET /v1/surveys                                                       LLL00F
GET /v1/surveys/{survey}                                              KSKXXF
GET /v1/accounts/{client}/surveys                                     SSSXXF
POST /v1/accounts/{client}/surveys                                    AAAXXF
POST /v1/surveys/{survey}/answers                                     AAAXXF
POST /v1/surveys/{survey}/consent                                     AAAXXF
POST /v1/accounts/{client}/reassign                                   FFAXFF
POST /v1/accounts/{client}/left                                       AAAXXF
GET /v1/waiting                                                       SSSSSS
"""

COMPENSATION = """
POST /v1/assignments                                                  FFFFFF
POST /v1/plans                                                        FFFFFF
POST /v1/plans/{plan}/versions/{number}/lint                          FFFFFF
POST /v1/plans/{plan}/versions/{number}/approve                       FFFFFF
POST /v1/fx-rates                                                     FFFFFF
POST /v1/fx-rates/bulk                                                FFFFFF
POST /v1/conflicts/{case_id}/invite                                   FFFFFF
POST /v1/conflicts/{case_id}/claims                                   XXXXAF
POST /v1/conflicts/{case_id}/resolve                                  FFFFFF
POST /v1/statements/{person}/{period}/acknowledge                     AXXXXF
POST /v1/statements/{person}/{period}/finalize                        FFFFFF
POST /v1/periods/{period}/publish                                     FFFFFF
POST /v1/periods/{period}/finalize                                    FFFFFF
POST /v1/periods/{period}/close                                       FFFFFF
POST /v1/disputes                                                     AAXXAF
POST /v1/disputes/{dispute_id}/answer                                 AXXXXF
POST /v1/disputes/{dispute_id}/review                                 FFFFFF
POST /v1/disputes/{dispute_id}/ask                                    FFFFFF
POST /v1/disputes/{dispute_id}/decide                                 FFFFFF
POST /v1/disputes/{dispute_id}/close                                  FFFFFF
POST /v1/adjustments                                                  FFFFFF
POST /v1/adjustments/{adjustment_id}/approve                          FFFFFF
POST /v1/adjustments/{adjustment_id}/reject                           FFFFFF
POST /v1/payouts                                                      FFFFFF
POST /v1/simulations                                                  FFFFFF
POST /v1/simulations/{simulation_id}/cancel                           FFFFFF
"""
"""What is shown of pay is walked in services/compensation/tests/test_access.py, door by door, against a table there."""

EVERYWHERE = """
GET /v1/clock                                                         FFFFFS
PUT /v1/clock                                                         FFFFFF
GET /v1/events                                                        FFFFFS
POST /v1/events/seal                                                  FFFFFA
GET /v1/audit                                                         FFFFFS
GET /v1/parked                                                        FFFFFF
GET /v1/parked/skipped                                                FFFFFF
GET /v1/parked/{parked_id}                                            FFFFFF
POST /v1/parked/{parked_id}/redrive                                   FFFFFF
POST /v1/parked/{parked_id}/skip                                      FFFFFF
"""
"""The doors of the belt, at every service."""

OPEN = {"GET /livez", "GET /readyz", "GET /metrics", "GET /openapi.json", "GET /docs", "GET /docs/{file}"}
"""What needs no token, and tells of nobody."""

SHOWN_ELSEWHERE = "compensation"
POLICY = {
    "lead-gen": LEAD_GEN,
    "conversion": CONVERSION,
    "account-mgmt": ACCOUNT_MGMT,
    "compensation": COMPENSATION,
}


def table(service: str) -> dict[str, str]:
    """Door to cells."""
    rows = (line.rsplit(maxsplit=1) for line in (POLICY[service] + EVERYWHERE).splitlines() if line)
    return {door.strip(): cells for door, cells in rows}
