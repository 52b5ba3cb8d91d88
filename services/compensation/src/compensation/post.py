"""A person's place under a plan: on which days, under which version, in which role, on which line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from compensation.facts import Hired, Left
from compensation.known import Known
from compensation.months import Calendar, Month, Span, calendar, joined
from compensation.plan import Assignment, Plan, PlanVersion, known_assignments

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Post:
    """Days are those on which the assignment holds and the person is employed, joined and in order.

    `others`: the person's other posts in the role.
    """

    person: str
    role: str
    line: str | None
    versions: tuple[Plan, ...]
    spans: tuple[Span, ...]
    employed: tuple[Span, ...]
    calendar: Calendar
    staff_causes: tuple[tuple[date, str], ...] = ()
    others: tuple[Post, ...] = ()

    @property
    def leg(self) -> str:
        """Tells apart two posts of one person under one plan."""
        return f"{self.role}@{self.line or '*'}"

    def covers(self, day: date) -> bool:
        return any(span.covers(day) for span in self.spans)

    def version(self, day: date) -> Plan | None:
        """The version in force on a day: the highest of those that have taken effect."""
        return next((plan for plan in self.versions if plan.effective_from <= day), None)

    def version_spans(self) -> list[tuple[Plan, Span]]:
        """From which day to which day each version is in force; superseded versions have none."""
        spans: list[tuple[Plan, Span]] = []
        end: date | None = None
        for plan in self.versions:  # highest first: a version is in force until a higher one begins
            if end is None or plan.effective_from < end:
                spans.append((plan, Span(plan.effective_from, end - _ONE if end else None)))
                end = plan.effective_from
        return spans[::-1]

    def days_since_end(self, day: date) -> int | None:
        """How many days ago the post ended; None while it never began."""
        ends = [span.until for span in self.spans if span.until is not None and span.until < day]
        return (day - max(ends)).days if ends else None

    def days_since_leaving(self, day: date) -> int | None:
        """How many days ago the person left the company; None for somebody who works there."""
        if any(span.covers(day) for span in self.employed):
            return None
        ends = [span.until for span in self.employed if span.until is not None and span.until < day]
        return (day - max(ends)).days if ends else None

    def concerns(self, line: str) -> bool:
        return self.line is None or self.line == line

    def covers_at(self, line: str, at: datetime) -> bool:
        """Whether what happens on the line at that instant falls under this post.

        Where the next post counts its days in another zone, they overlap for some hours, which are the next one's, or
        there are hours between them, which are still this one's.
        """
        if not self.concerns(line):
            return False
        day = self.calendar.day(at)
        elsewhere = [o for o in self.others if o.calendar != self.calendar and o.concerns(line)]
        if not elsewhere:
            return self.covers(day)
        theirs = [(span, other.calendar.day(at)) for other in elsewhere for span in other.spans]
        held = [span for span, today in theirs if span.covers(today)]
        mine = next((span for span in self.spans if span.covers(day)), None)
        if mine is not None:
            return all(span.since <= mine.since for span in held)
        ended = any(span.until == day - _ONE for span in self.spans)
        return ended and not held and any(span.since == day == today + _ONE for span, today in theirs)

    def followed(self, line: str, at: datetime) -> bool:
        """Whether this post is over by then, and another one in the role goes on, or ended after it."""
        ended = self._over_for(at)
        later = (other._over_for(at) for other in self.others if other.concerns(line))
        return ended is not None and any(over is not None and over < ended for over in later)

    def _over_for(self, at: datetime) -> int | None:
        """For how many days it is over; 0 while it holds, None before it begins."""
        day = self.calendar.day(at)
        return 0 if self.covers(day) else self.days_since_end(day)

    def month(self, at: datetime) -> Month:
        return self.calendar.month(at)


def posts(known: Known, versions: Iterable[PlanVersion], assignments: Iterable[Assignment], person: str) -> list[Post]:
    """The person's posts as they were known. Assignments of one plan, role and line are one post."""
    by_plan = plans_known(versions, known.known_at)
    mine = known_assignments((a for a in assignments if a.person == person), known.known_at)
    grouped: defaultdict[tuple[str, str, str | None], list[Span]] = defaultdict(list)
    for assignment in mine:
        if assignment.span is not None:
            grouped[assignment.plan, assignment.role, assignment.line].append(assignment.span)
    employed, causes = _employment(known, person)
    found = []
    for (plan_id, role, line), spans in sorted(grouped.items(), key=lambda item: (*item[0][:2], item[0][2] or "")):
        plans = tuple(plan for plan in by_plan.get(plan_id, ()) if plan.role == role)
        if plans:
            days = joined([both for a in spans for b in employed if (both := a.meet(b))])
            zone = plans[-1].zone or known.history.zone  # of the earliest version: a later one moves no past month
            found.append(Post(person, role, line, plans, tuple(days), employed, calendar(zone), causes))
    return [replace(p, others=tuple(o for o in found if o is not p and o.role == p.role)) for p in found]


def plans_known(versions: Iterable[PlanVersion], known_at: datetime | None) -> dict[str, Sequence[Plan]]:
    """The versions of each plan that were known, the highest first."""
    found: defaultdict[str, list[Plan]] = defaultdict(list)
    for version in versions:
        if known_at is None or version.recorded_at <= known_at:
            found[version.plan.plan].append(version.plan)
    return {plan: sorted(known, key=lambda p: -p.version) for plan, known in found.items()}


def _employment(known: Known, person: str) -> tuple[tuple[Span, ...], tuple[tuple[date, str], ...]]:
    """The days on which somebody works here. Who was never said to be hired works here all the time until they leave.

    Told in the order of the person's log: a hire while employed corrects the first day, a leave said again the last.
    """
    spans: list[Span] = []
    causes: list[dict[str, tuple[date, str]]] = []
    facts = known.of(known.history.staff.get(person, ()))
    for fact in sorted(facts, key=lambda f: (f.recorded_at, f.sequence, f.event_id)):
        match fact.data:
            case Hired(on=on):
                if spans and (spans[-1].until is None or on <= spans[-1].until):
                    spans[-1] = Span(on, spans[-1].until)
                    causes[-1]["hired"] = (on, fact.event_id)
                else:
                    spans.append(Span(on))
                    causes.append({"hired": (on, fact.event_id)})
            case Left(last_day=day):
                if not spans:
                    spans, causes = [Span(date.min)], [{}]
                spans[-1] = Span(min(spans[-1].since, day), day)
                causes[-1]["left"] = (day, fact.event_id)
            case _:
                pass
    if not spans:
        return (Span(date.min),), ()
    return tuple(spans), tuple(cause for found in causes for cause in found.values())
