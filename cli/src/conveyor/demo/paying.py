"""The pay office in the demo: a plan that the linter stops, two months closed and one paid out, a conflict decided."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from conveyor.demo.company import APPROVES, DRAFTS, MONTHS
from conveyor.demo.play import Act, Answer, Over, Play, Teller
from conveyor.demo.slots import first_slot_of, instant
from conveyor_events.words import instant_text

SERVICE = "compensation"
ROLES = ("payroll",)
CLOSE_ON_DAY = 5
OBJECTION_DAYS = 10
DECIDED_ON = date(2026, 3, 16)
EAGER: dict[str, Any] = {
    "plan": "demo-eager-hunter",
    "version": "1",
    "role": "hunter",
    "currency": "EUR",
    "effective_from": "2026-02-01",
    "title": "Paid the day the ink is dry",
    "salary": "500.00",
    "rules": [{"id": "first", "kind": "commission", "sales": "first", "percent": "9", "release": "at_sale"}],
}


def office(seed: int) -> Iterator[Play]:
    """What payroll does beside the stories."""
    yield _ends_early(_plan_that_is_stopped(Teller.of(seed, "plan", first_slot_of(date(2026, 1, 19)))))
    yield _ends_early(_closes(Teller.of(seed, "close", first_slot_of(_close_day(MONTHS[0])))))
    yield _ends_early(_decides(Teller.of(seed, "decide", first_slot_of(DECIDED_ON))))


def _ends_early(play: Play) -> Play:
    try:
        yield from play
    except Over:
        return


def _says(
    teller: Teller, who: str, path: str, body: dict[str, Any], refused: str | None = None
) -> Generator[Act, Answer, Answer]:
    return (yield from teller.act(who, SERVICE, path, body, refused=refused, roles=ROLES, lane="office"))


def _plan_that_is_stopped(teller: Teller) -> Play:
    """Commission before any money, and none of it taken back: the linter says what that costs, and it is no plan."""
    yield from _says(teller, DRAFTS, "/v1/plans", EAGER)
    path = f"/v1/plans/{EAGER['plan']}/versions/1"
    yield from _says(teller, DRAFTS, f"{path}/lint", {"variant": "scout-hunter-farmer"})
    yield from _says(teller, APPROVES, f"{path}/approve", {}, refused="plan.blocked")


def _closes(teller: Teller) -> Play:
    """January and February, each some days after its end. January is paid out once nobody objects any more."""
    for month in MONTHS[:2]:
        teller.slot = max(teller.slot, first_slot_of(_close_day(month)))
        cutoff = instant_text(instant(_close_day(month), 0))
        yield from _says(teller, DRAFTS, f"/v1/periods/{month}/close", {"cutoff": cutoff})
        yield from teller.ask(DRAFTS, SERVICE, "/v1/periods", ROLES, until=lambda shown: shown["closing"] is None)
        yield from _says(teller, DRAFTS, f"/v1/periods/{month}/publish", {"objection_days": OBJECTION_DAYS})
        if month == MONTHS[0]:
            teller.slot = max(teller.slot, first_slot_of(_close_day(month) + timedelta(days=OBJECTION_DAYS + 7)))
            yield from _says(teller, APPROVES, f"/v1/periods/{month}/finalize", {})
            yield from _says(teller, APPROVES, "/v1/payouts", {"period": month, "run_id": f"run-{month}"})


def _decides(teller: Teller) -> Play:
    """The oldest conflict that two people have stays with the older claim."""
    page, open_cases = "/v1/conflicts?limit=200", list[Mapping[str, Any]]()
    while page and not open_cases:
        shown = yield from teller.ask(APPROVES, SERVICE, page, roles=ROLES)
        open_cases = [case for case in shown["items"] if case["b"] is not None and case["outcome"] is None]
        page = shown["next"] and f"/v1/conflicts?limit=200&cursor={shown['next']}"
    if open_cases:
        decided = {"outcome": "credit_a", "reason": "they had the client first"}
        yield from _says(teller, APPROVES, f"/v1/conflicts/{open_cases[0]['case_id']}/resolve", decided)


def _close_day(month: str) -> date:
    """The day of the next month on which this one is closed."""
    first = date.fromisoformat(f"{month}-01")
    return (first + timedelta(days=32)).replace(day=CLOSE_ON_DAY)
