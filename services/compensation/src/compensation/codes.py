"""The refusals of this service: code -> (HTTP status, title)."""

from __future__ import annotations

CODES: dict[str, tuple[int, str]] = {
    "plan.invalid": (422, "The plan's document has faults"),
    "plan.unknown": (404, "There is no such version of this plan"),
    "plan.version-approved": (409, "An approved version never changes: write the next one"),
    "plan.version-not-next": (409, "Versions are counted without a gap"),
    "plan.other-role": (409, "A plan keeps the role of its first version"),
    "plan.blocked": (409, "The linter found what forbids to approve the plan"),
    "plan.own-draft": (403, "A plan is approved by somebody else than its author"),
    "assignment.plan-not-approved": (409, "The plan has no approved version"),
    "assignment.other-role": (409, "The plan is for another role"),
    "assignment.ends-before-it-begins": (422, "The assignment ends before it begins"),
    "statement.unknown": (404, "There is no such statement, or it is not yours to see"),
    "statement.too-long": (422, "The statement has too many lines to be printed; take the CSV"),
    "line.unknown": (404, "There is no such line, or it is not yours to see"),
    "journey.unknown": (404, "Nothing is known of this client"),
    "conflict.unknown": (404, "There is no such case"),
    "rate.unknown-currency": (422, "There is no such currency"),
    "rate.same-currency": (422, "A currency is not changed into itself"),
    "rate.id-taken": (409, "Another rate bears this id"),
    "variant.unknown": (422, "There is no such variant"),
    "period.invalid": (422, "A period is a calendar month such as 2026-03"),
}
