"""Station 3 in the stories: the buyer is taken into service and buys again."""

from __future__ import annotations

from collections.abc import Generator
from decimal import Decimal

from conveyor.demo import selling
from conveyor.demo.company import CURRENCY
from conveyor.demo.fates import Fate
from conveyor.demo.play import Act, Answer
from conveyor.demo.sourcing import Prospect
from conveyor_events.money import round_half_up

SERVICE = "account-mgmt"
REPEATS = (0, 1, 1, 2, 2, 3)


def keep(prospect: Prospect) -> Generator[Act, Answer, None]:
    """Repeat sales, as many as the quarter holds. Every now and then one goes back."""
    teller, line = prospect.teller, prospect.client.line
    if prospect.client.fate is Fate.REFUNDED:
        return
    for _ in range(teller.dice.choice(REPEATS)):
        teller.wait(5, 17)
        net = round_half_up(Decimal(str(line.typical)) * Decimal(str(teller.dice.uniform(0.08, 0.5))), CURRENCY)
        sale = teller.id("sale")
        body = {"sale_id": sale, **selling.amounts(net)}
        yield from teller.act(prospect.holder, SERVICE, f"/v1/accounts/{prospect.id}/repeat-sales", body)
        yield from selling.pay(prospect, SERVICE, f"/v1/sales/{sale}", net, 2 if teller.likely(0.2) else 1)
        if teller.likely(0.07):
            yield from selling.refund(prospect, SERVICE, f"/v1/sales/{sale}", net)
