"""An amount for an event, once for each key: who took the lead first, which buyer became a regular."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from compensation.earn.tally import Tally
from compensation.facts import Fact, Milestone, Seat
from compensation.known import Known
from compensation.line import Calc, Line, line_id
from compensation.plan import Plan
from compensation.post import Post
from compensation.rules import Bounty
from conveyor_events import HOUSE, split


def bounties(post: Post, known: Known) -> Iterator[Line]:
    """The post's bounties in business order. Who left still gets those of the plan's tail.

    Who was put on another plan is paid by that one from its first day on: a tail is for what nobody pays any more.
    """
    names = {name for plan in post.versions for rule in plan.rules if isinstance(rule, Bounty) for name in rule.on}
    seats = {rule.seat for plan in post.versions for rule in plan.rules if isinstance(rule, Bounty)}
    capped = Tally()
    found = {fact.event_id: fact for seat in seats for fact in _touching(post.person, seat, known)}
    timed = [(counted_at(fact, known), fact) for fact in found.values() if fact.name in names]
    for at, fact in sorted(timed, key=lambda pair: (pair[0], pair[1].event_id)):
        if not isinstance(fact.data, Milestone) or not post.concerns(fact.data.line):
            continue
        plan = _plan(post, fact.data.line, at)
        if plan is None:
            continue
        for rule in plan.rules:
            if isinstance(rule, Bounty) and fact.name in rule.on and rule.valid.covers(post.calendar.day(at)):
                holder = _holder(fact, rule.seat, at, known)
                if holder == Seat(post.person, post.role) and _counts(fact, at, rule, post, known):
                    yield _line(post, plan, rule, fact, at, known, capped)


def counted_at(fact: Fact, known: Known) -> datetime:
    """The instant a milestone counts for pay: silence at its due time, an overturned rejection when it was rejected."""
    data = fact.data
    if isinstance(data, Milestone):
        if fact.name == "LeadOfferExpired" and data.due_at is not None:
            return data.due_at
        if data.mode == "overturned" and data.offer_id is not None:
            rejection = known.first(known.history.rejections.get(data.offer_id, ()))
            if rejection is not None:
                return rejection.occurred_at
    return fact.occurred_at


def _plan(post: Post, line: str, at: datetime) -> Plan | None:
    day = post.calendar.day(at)
    plan = post.version(day)
    if plan is None or post.covers_at(line, at):
        return plan
    ended = post.days_since_end(day)
    return plan if ended is not None and ended <= plan.tail.days and not post.followed(line, at) else None


def _touching(person: str, seat: str, known: Known) -> Iterator[Fact]:
    """Milestones that name the person in the seat, or of clients whose seat the person ever held."""
    yield from known.of(known.history.milestones_of.get((person, seat), ()))
    if seat == "served_by":
        for client, held in known.history.seats_held.get(person, ()):
            if held == seat:
                yield from known.of(known.history.milestones.get(client, ()))


def _holder(fact: Fact, seat: str, at: datetime, known: Known) -> Seat | None:
    """Finders and closers are paid as stamped, who serves by the interval that holds at the instant."""
    if not isinstance(fact.data, Milestone):
        return None
    if seat == "served_by":
        return known.holder(fact.client_id or "", seat, at)
    return fact.data.seats.get(seat)


def _key(fact: Fact, rule: Bounty) -> tuple[str | None, ...]:
    data = fact.data
    if not isinstance(data, Milestone):
        return ()
    values = {"client": fact.client_id, "need": data.need_id, "offer": data.offer_id}
    return tuple(values[part] for part in rule.once_per)


def _counts(fact: Fact, at: datetime, rule: Bounty, post: Post, known: Known) -> bool:
    """Whether the event is the first with its key, or comes long enough after the last that was."""
    rivals = []
    for other in known.of(known.history.milestones.get(fact.client_id or "", ())):
        if other.name in rule.on and _key(other, rule) == _key(fact, rule):
            when = counted_at(other, known)
            holder = _holder(other, rule.seat, when, known)
            if holder is not None and holder.person != HOUSE and holder.role == post.role:
                rivals.append((when, other.event_id))
    last = None
    for when, event_id in sorted(rivals):
        day = post.calendar.day(when)
        if last is None or (rule.again_after_days is not None and (day - last).days >= rule.again_after_days):
            last = day
            if event_id == fact.event_id:
                return True
        if (when, event_id) >= (at, fact.event_id):
            return False
    return False


def _line(post: Post, plan: Plan, rule: Bounty, fact: Fact, at: datetime, known: Known, capped: Tally) -> Line:
    month = post.month(at)
    halved = isinstance(fact.data, Milestone) and fact.data.halved
    full = split(rule.amount, (Decimal(1), Decimal(1)), plan.currency)[0] if halved else rule.amount
    amount = capped.within(rule.cap, rule.id, month, full)
    case = known.contested(fact.event_id)
    causes = [fact.event_id]
    if isinstance(fact.data, Milestone) and fact.data.mode == "overturned" and fact.data.offer_id is not None:
        rejection = known.first(known.history.rejections.get(fact.data.offer_id, ()))
        causes += [rejection.event_id] if rejection else []
    return Line(
        line_id=line_id(fact.event_id, rule.id, plan.plan, plan.version, post.person, post.leg),
        person=post.person,
        period=month,
        kind="bounty",
        amount=amount,
        currency=plan.currency,
        state="earned" if case is None else "conditional",
        plan=plan.plan,
        version=plan.version,
        rule=rule.id,
        causes=tuple(causes),
        calc=Calc(
            exact=full,
            each=rule.amount,
            units=1,
            note=fact.name,
            uncapped=full if amount != full else None,
            case=case,
            days=post.days_since_end(post.calendar.day(at)) if not post.covers(post.calendar.day(at)) else None,
        ),
        at=at,
        on_line=fact.data.line if isinstance(fact.data, Milestone) else None,
        client_id=fact.client_id,
    )
