"""Commands that bring an account to a stage, and the account as they leave it."""

from functools import reduce
from typing import Any

from account_story import ANA, BORIS, CLARA, CLIENT, JOURNEY, LINE, NEXT_DAY, ROSTER, VARIANT, WON, at

from account_mgmt.account import (
    Account,
    Command,
    Matter,
    NotePurchase,
    OpenAccount,
    ReceiveComplaint,
    TakeAccount,
    decide,
    evolve,
)
from conveyor_events.words import Seat

OPEN = OpenAccount(WON, CLIENT, JOURNEY, VARIANT, LINE, ANA, BORIS)
FIRST = NotePurchase(WON, CLIENT, "deal-1", WON)
TAKE = TakeAccount(NEXT_DAY, "offer-1", CLARA, CLARA, WON)
COMPLAIN = ReceiveComplaint(at(5, 2), "clara", "c1", Matter.DELIVERY, "a week late")


def bought(sale: str, when: Any, by: Seat | None = CLARA) -> NotePurchase:
    return NotePurchase(when, CLIENT, sale, when, by)


def after(*commands: Command, start: Account | None = None) -> Account:
    """The account as these commands leave it."""
    state = start or Account()
    for command in commands:
        state = reduce(evolve, decide(command, state, ROSTER), state)
    return state


AWAITING: list[Command] = [FIRST, OPEN]
BUYER: list[Command] = [*AWAITING, TAKE]
REGULAR: list[Command] = [*BUYER, bought("b", at(4, 1)), bought("c", at(5, 1))]
