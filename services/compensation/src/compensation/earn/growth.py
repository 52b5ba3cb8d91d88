"""An amount for each unit by which a base grew in a month.

A client enters the prospect base once, for who verified it, and leaves it in the month it turns out to be none. It
enters the buyer base with its first payment, for those who have a seat on its way, and leaves it when it churns. A
month never pays less than nothing: what is below zero is carried, in units, into the next months. It never pays more
than the rule's cap either: what is above that is lost, and sets off no later loss. Whoever was put on another plan
meanwhile loses a client there: each plan counts what happens in its days.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from compensation.earn.tally import Tally
from compensation.facts import Fact, Invalidated, Milestone, Paid, Seat
from compensation.known import Known
from compensation.line import Calc, Line, line_id
from compensation.months import Month
from compensation.plan import Plan
from compensation.post import Post
from compensation.rules import Growth


@dataclass(slots=True)
class _Segment:
    """The units of one month that fall under one plan version."""

    plan: Plan
    rule: Growth
    gained: list[Fact] = field(default_factory=list)
    lost: list[Fact] = field(default_factory=list)

    @property
    def units(self) -> int:
        return len(self.gained) - len(self.lost)


def growth(post: Post, known: Known) -> Iterator[Line]:
    """One line for each month and plan version in which the base moved."""
    months: defaultdict[tuple[str, Month], dict[int, _Segment]] = defaultdict(dict)
    for metric, base in BASES.items():
        for line, gained, lost in base(post, known):
            for fact, is_gain in _counted(post, line, gained, lost):
                for plan, rule in _rules(post, fact, metric):
                    segments = months[rule.id, post.month(fact.occurred_at)]
                    segment = segments.setdefault(plan.version, _Segment(plan, rule))
                    (segment.gained if is_gain else segment.lost).append(fact)
    carried: defaultdict[str, int] = defaultdict(int)
    capped = Tally()
    for (rule_id, month), segments in sorted(months.items()):
        carry_in = carried[rule_id]
        # Losses are set off against gains, the earliest version of the month first.
        deficit = carry_in + sum(min(s.units, 0) for s in segments.values())
        for segment in sorted(segments.values(), key=lambda s: s.plan.effective_from):
            paid = max(max(segment.units, 0) + deficit, 0)
            deficit = min(max(segment.units, 0) + deficit, 0)
            yield _line(post, segment, month, paid, carry_in, capped)
        carried[rule_id] = deficit


def _counted(post: Post, line: str, gained: Fact, lost: Fact | None) -> Iterator[tuple[Fact, bool]]:
    """What of a client's coming and going falls under this post; True is the coming.

    Only who came under one of the person's posts goes under one: under that of the day, or else where it came.
    """
    mine = post.covers_at(line, gained.occurred_at)
    if mine:
        yield gained, True
    if lost is None:
        return
    at = lost.occurred_at
    if post.covers_at(line, at):
        goes = mine or any(other.covers_at(line, gained.occurred_at) for other in post.others)
    else:
        goes = mine and not any(other.covers_at(line, at) for other in post.others)
    if goes:
        yield lost, False


Moved = tuple[str, Fact, Fact | None]
"""The line of a client, how it entered the base, and how it left, if it did."""


def _prospects(post: Post, known: Known) -> Iterator[Moved]:
    """Clients that entered the base by this person's work in the role."""
    seat = Seat(post.person, post.role)
    for fact in known.of(known.history.milestones_of.get((post.person, "sourced_by"), ())):
        if fact.name != "ProspectVerified" or not isinstance(fact.data, Milestone):
            continue
        client = fact.client_id or ""
        first = known.first(f for f in known.history.milestones[client] if f.name == "ProspectVerified")
        if first is fact and fact.data.seats["sourced_by"] == seat:
            lost = known.first(known.history.invalidations.get(client, ()))
            was = lost is not None and isinstance(lost.data, Invalidated) and lost.data.was_verified
            yield fact.data.line, fact, lost if was else None


def _buyers(post: Post, known: Known) -> Iterator[Moved]:
    """Clients that paid for the first time and on whose way the person has a seat in the role."""
    seat, history = Seat(post.person, post.role), known.history
    served = [client for client, name in history.seats_held.get(post.person, ()) if name == "served_by"]
    for client in dict.fromkeys([*history.clients_of.get(post.person, ()), *served]):
        moved = (fact for key in history.firsts_of_client.get(client, ()) for fact in known.money(key))
        paid = min((fact for fact in moved if isinstance(fact.data, Paid)), key=lambda fact: fact.order, default=None)
        if paid is None or not isinstance(paid.data, Paid):
            continue
        sale = paid.data.sale
        seats = (sale.sourced_by, sale.converted_by, known.holder(client, "served_by", paid.occurred_at))
        if seat in seats:
            gone = known.first(f for f in history.churns.get(client, ()) if f.occurred_at >= paid.occurred_at)
            yield sale.line, paid, gone


BASES: dict[str, Callable[[Post, Known], Iterator[Moved]]] = {
    "prospect_base": _prospects,
    "buyer_base": _buyers,
}


def _rules(post: Post, fact: Fact, metric: str) -> Iterator[tuple[Plan, Growth]]:
    day = post.calendar.day(fact.occurred_at)
    if plan := post.version(day):
        for rule in plan.rules:
            if isinstance(rule, Growth) and rule.metric == metric and rule.valid.covers(day):
                yield plan, rule


def _line(post: Post, segment: _Segment, month: Month, paid: int, carry_in: int, capped: Tally) -> Line:
    plan, rule = segment.plan, segment.rule
    full = rule.amount * paid
    amount = capped.within(rule.cap, rule.id, month, full)
    facts = sorted([*segment.gained, *segment.lost], key=lambda fact: fact.order)
    return Line(
        line_id=line_id(str(month), rule.id, plan.plan, plan.version, post.person, post.leg),
        person=post.person,
        period=month,
        kind="growth",
        amount=amount,
        currency=plan.currency,
        state="earned",
        plan=plan.plan,
        version=plan.version,
        rule=rule.id,
        causes=tuple(fact.event_id for fact in facts),
        calc=Calc(
            exact=full,
            each=rule.amount,
            units=paid,
            gained=len(segment.gained),
            lost=len(segment.lost),
            carried=carry_in or None,
            uncapped=full if amount != full else None,
        ),
        at=facts[-1].occurred_at,
        on_line=post.line,
    )
