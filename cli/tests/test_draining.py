"""The line is at rest when counts agree, or when two looks find the same."""

from typing import Any

from conveyor.draining import quiet

LEADS, DEALS, ACCOUNTS, STAFF = (f"conveyor.{name}.v1" for name in ("leads", "deals", "accounts", "staff"))


def clocks(**changes: int | bool) -> dict[str, dict[str, Any]]:
    """7 staff events, 20 of leads, 10 of deals, 4 of accounts, 1 of pay: all taken in."""
    seen = {
        "lead-gen": {"published": 27, "taken_in": {DEALS: 10}},
        "conversion": {"published": 10, "taken_in": {LEADS: 20, STAFF: 7, ACCOUNTS: 4}},
        "account-mgmt": {"published": 4, "taken_in": {DEALS: 10, STAFF: 7}},
        "compensation": {"published": 1, "taken_in": {LEADS: 20, STAFF: 7, DEALS: 10, ACCOUNTS: 4}},
    }
    found: dict[str, dict[str, Any]] = {name: dict(clock) | {"drained": True} for name, clock in seen.items()}
    for name, value in changes.items():
        found[name.replace("_", "-")]["drained" if isinstance(value, bool) else "published"] = value
    return found


def test_one_look_is_enough_when_all_counts_agree() -> None:
    assert quiet(clocks(), None)


def test_who_is_not_drained_is_not_at_rest() -> None:
    assert not quiet(clocks(conversion=False), clocks())


def test_an_event_published_after_its_reader_was_asked_is_found() -> None:
    assert not quiet(clocks(conversion=11), None)


def test_a_reader_that_is_behind_the_others_is_found() -> None:
    behind = clocks()
    behind["account-mgmt"]["taken_in"] = {DEALS: 10, STAFF: 6}
    assert not quiet(behind, None)


def test_records_sent_twice_need_two_looks_that_find_the_same() -> None:
    twice = clocks(conversion=9)
    assert not quiet(twice, None)
    assert quiet(twice, twice)


def test_two_looks_with_something_new_between_them_are_not_enough() -> None:
    assert not quiet(clocks(conversion=9), clocks(conversion=8))


def test_a_busy_look_before_proves_nothing() -> None:
    assert not quiet(clocks(conversion=9), clocks(conversion=9) | {"lead-gen": clocks(lead_gen=False)["lead-gen"]})
