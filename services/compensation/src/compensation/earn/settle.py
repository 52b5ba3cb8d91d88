"""What the client's money makes of an entitlement: releases as it is paid, and their mirror as it is given back.

Each payment carries a portion of the entitlement pro rata; the payment that completes the price takes what is left.
A refund takes back the portion of the payment it names, by the step of the day after that payment; the refund that
empties a payment takes what is left of it. Released at the sale, the portions are not paid again, only taken back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from compensation.earn.waiting import Waiting
from compensation.facts import Cancelled, Fact, Paid, Refunded, Sale
from compensation.known import Known
from compensation.line import Calc, Line, line_id
from compensation.plan import Plan
from compensation.post import Post
from compensation.rules import Commission
from conveyor_events import round_half_up

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """The commission on one person's part of a sale."""

    line: Line
    sale: Sale
    leg: str

    def contested(self, case: str) -> Line:
        """The line while a conflict over the sale is open."""
        return replace(self.line, state="conditional", calc=replace(self.line.calc, case=case))


@dataclass(slots=True)
class Portion:
    """The part of the entitlement that one payment carries, and what was taken back of it."""

    fact: Fact
    payment_id: str
    money: Decimal
    amount: Decimal
    line: Line
    given_back: Decimal = _ZERO
    weighed: Decimal = _ZERO  # money given back times the percentage of its step
    taken: Decimal = _ZERO


def settle(
    post: Post, plan: Plan, rule: Commission, entitlement: Entitlement, known: Known
) -> Iterator[Line | Waiting]:
    """Releases and clawbacks in business order."""
    flow = _Flow(post, plan, rule, entitlement)
    for fact in known.money(entitlement.sale.key):
        match fact.data:
            case Paid():
                yield from flow.pay(fact, fact.data)
            case Refunded():
                yield from flow.refund(fact, fact.data)
            case Cancelled():
                yield from flow.cancel(fact)
            case _:
                pass


class _Flow:
    def __init__(self, post: Post, plan: Plan, rule: Commission, entitlement: Entitlement) -> None:
        self.post, self.plan, self.rule, self.entitlement = post, plan, rule, entitlement
        self.portions: list[Portion] = []
        self.paid = _ZERO
        self.lost = _ZERO
        self.forfeited = _ZERO
        self.void = False

    @property
    def left(self) -> Decimal:
        """What of the entitlement no payment carries at present. What was forfeited nobody gets any more."""
        carried = sum((p.amount - p.taken for p in self.portions), _ZERO)
        return self.entitlement.line.amount - self.forfeited - carried

    def pay(self, fact: Fact, payment: Paid) -> Iterator[Line]:
        net, whole = self.entitlement.sale.net, self.entitlement.line.amount
        self.paid += payment.net
        completes = self.paid >= net
        exact = whole * payment.net / net if net else whole
        amount = self.left if completes else min(round_half_up(exact, self.plan.currency), self.left)
        forfeited = self._forfeited(fact)
        if forfeited and not self.void:
            self.forfeited += amount
        portion = Portion(fact, payment.payment_id, payment.net, _ZERO if forfeited else amount, self.entitlement.line)
        self.portions.append(portion)
        if self.void:
            portion.amount = _ZERO
            return
        if self.rule.release == "at_sale":
            # Earned in full already: a payment only gives back what an earlier refund took.
            kept = whole - self.lost
            again = max(whole - self.left - kept, _ZERO)
            if again:
                self.lost -= again
                calc = Calc(exact=again, entitlement=whole, moved=payment.net, of_money=net, note="paid again")
                yield self._line(fact, "release", again, calc, fact.event_id)
        elif amount or forfeited:
            calc = Calc(
                exact=exact, entitlement=whole, moved=payment.net, of_money=net, remainder=completes or None,
                note="forfeited" if forfeited else None,
            )  # fmt: skip
            portion.line = self._line(fact, "release", portion.amount, calc, fact.event_id)
            yield portion.line

    def cancel(self, fact: Fact) -> Iterator[Line]:
        """Voids what was not released. What was, stays: only a refund takes it back."""
        if self.void or self.rule.release == "at_sale":
            return
        self.void = True
        whole = self.entitlement.line.amount
        rest = whole - sum((portion.amount for portion in self.portions), _ZERO)
        if rest:
            calc = Calc(exact=-rest, entitlement=whole, note="cancelled")
            line = self._line(fact, "release", -rest, calc, fact.event_id, self.entitlement.line)
            yield replace(line, kind="commission", state="conditional")

    def _forfeited(self, fact: Fact) -> bool:
        """Whether the payee left longer ago than the plan goes on paying releases."""
        if self.plan.tail.after != "forfeit" or self.rule.release != "as_paid":
            return False
        gone = self.post.days_since_leaving(self.post.calendar.day(fact.occurred_at))
        return gone is not None and gone > self.plan.tail.days

    def refund(self, fact: Fact, refund: Refunded) -> Iterator[Line | Waiting]:
        named = [p for p in self.portions if p.payment_id == refund.payment_id]
        if not named:
            yield Waiting(fact.event_id, f"payment {refund.payment_id} is not known")
            return
        self.paid -= refund.net
        rest = refund.net
        # More than the named payment holds comes out of the oldest others.
        for portion in [*named, *(p for p in self.portions if p.payment_id != refund.payment_id)]:
            moved = min(rest, portion.money - portion.given_back)
            if moved > 0:
                rest -= moved
                yield from self._take_back(fact, portion, moved)

    def _take_back(self, fact: Fact, portion: Portion, moved: Decimal) -> Iterator[Line]:
        if not self.rule.clawback:
            portion.given_back += moved
            return
        paid_on = self.post.calendar.day(portion.fact.occurred_at)
        day = (self.post.calendar.day(fact.occurred_at) - paid_on).days
        step = self.rule.taken_back(day)
        exact = portion.amount * moved * step / (portion.money * _HUNDRED)
        portion.given_back += moved
        portion.weighed += moved * step
        empties = portion.given_back == portion.money
        share = portion.amount * portion.weighed / (portion.money * _HUNDRED) if empties else exact
        share = round_half_up(share, self.plan.currency) - (portion.taken if empties else _ZERO)
        amount = max(min(share, portion.amount - portion.taken), _ZERO)
        portion.taken += amount
        self.lost += amount
        if portion.amount:
            calc = Calc(
                exact=-exact, entitlement=portion.amount, moved=moved, of_money=portion.money,
                remainder=empties or None, paid_on=paid_on, day=day, step=step,
            )  # fmt: skip
            yield self._line(fact, "clawback", -amount, calc, portion.fact.event_id, portion.line)

    def _line(
        self,
        fact: Fact,
        kind: Literal["release", "clawback"],
        amount: Decimal,
        calc: Calc,
        payment: str,
        reverses: Line | None = None,
    ) -> Line:
        origin, month = self.entitlement.line, self.post.month(fact.occurred_at)
        leg = f"{self.entitlement.leg}:{origin.causes[0]}:{payment}"
        causes = (fact.event_id, *((payment,) if payment != fact.event_id else ()), *origin.causes)
        return Line(
            line_id=line_id(fact.event_id, origin.rule, origin.plan, origin.version, origin.person, leg),
            person=origin.person,
            period=month,
            kind=kind,
            amount=amount,
            currency=origin.currency,
            state="earned",
            plan=origin.plan,
            version=origin.version,
            rule=origin.rule,
            causes=causes,
            calc=calc,
            at=fact.occurred_at,
            on_line=origin.on_line,
            client_id=origin.client_id,
            sale_id=origin.sale_id,
            reverses=reverses.line_id if reverses else None,
            relates_to=reverses.period if reverses and reverses.period != month else None,
        )
