"""An independent reckoning of pay, written from the domain's text alone: slow, plain, in fractions.

It shares no code with the service. It walks every day and every event for every person, keeps no index, and knows
plans only as the documents they are written in.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

from conveyor_events import Envelope

Pay = dict[tuple[str, str], dict[str, Any]]


def cents(x: Fraction) -> Fraction:
    """Half up, away from zero."""
    sign = -1 if x < 0 else 1
    return sign * Fraction(floor(abs(x) * 100 + Fraction(1, 2)), 100)


def shares(base: Fraction, weights: list[Fraction]) -> list[Fraction]:
    units, whole = int(base * 100), sum(weights)
    ideal = [units * w / whole for w in weights]
    parts = [floor(i) for i in ideal]
    order = sorted(range(len(weights)), key=lambda n: (-(ideal[n] - parts[n]), n))
    for n in order[: units - sum(parts)]:
        parts[n] += 1
    return [Fraction(p, 100) for p in parts]


class Oracle:
    def __init__(self, company: Any, zone: str, known_at: datetime | None = None) -> None:
        def seen(at: datetime) -> bool:
            return known_at is None or at <= known_at

        self.zone = ZoneInfo(zone)
        self.company = company
        self.events = list({e.id: e for e in company.envelopes if seen(e.recorded_at)}.values())
        self.plans = [doc for doc, at in company.plans if seen(at)]
        latest: dict[Any, dict[str, Any]] = {}
        for a in sorted(company.assignments, key=lambda a: a["recorded_at"]):
            if seen(a["recorded_at"]):
                latest[a["person"], a["plan"], a["role"], a["line"], a["since"]] = a
        self.assignments = list(latest.values())
        self.rates = {r["day"]: Fraction(r["rate"]) for r in company.rates if seen(r["recorded_at"])}

    # -- who, when, by which version

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def named(self, *names: str) -> list[Envelope]:
        return [e for e in self.events if e.type.split(".")[-1] in names]

    def employed(self, person: str, day: date) -> bool:
        hired = [date.fromisoformat(e.data["hired_on"]) for e in self.named("StaffHired") if e.data["person"] == person]
        left = [date.fromisoformat(e.data["last_day"]) for e in self.named("StaffLeft") if e.data["person"] == person]
        return all(h <= day for h in hired) and all(day <= last for last in left)

    def works(self, a: dict[str, Any], day: date) -> bool:
        begun, over = a["since"] <= day, a["until"] is not None and a["until"] < day
        return self.employed(a["person"], day) and bool(begun and not over)

    def version(self, plan: str, day: date) -> dict[str, Any] | None:
        found = [p for p in self.plans if p["plan"] == plan and date.fromisoformat(p["effective_from"]) <= day]
        return max(found, key=lambda p: int(p["version"])) if found else None

    def holder(self, client: str | None, at: datetime) -> tuple[str, str] | None:
        seats = [e for e in self.named("SeatAssigned") if e.client_id == client and self.instant(e.data["since"]) <= at]
        if not seats:
            return None
        last = max(seats, key=lambda e: (self.instant(e.data["since"]), e.recorded_at, str(e.id)))
        return last.data["holder"]["person"], last.data["holder"]["role"]

    @staticmethod
    def instant(text: str) -> datetime:
        return datetime.fromisoformat(text).astimezone(UTC)

    @staticmethod
    def runs(rule: dict[str, Any], day: date) -> bool:
        valid = rule.get("valid") or {}
        begin, end = str(valid.get("from", "0001-01-01")), str(valid.get("until", "9999-12-31"))
        return begin <= day.isoformat() <= end

    # -- the reckoning

    def pay(self, last: date) -> Pay:
        out: Pay = defaultdict(
            lambda: {"fixed": Fraction(0), "rules": defaultdict(Fraction), "conditional": Fraction(0)}
        )
        for a in self.assignments:
            self.salary(a, last, out)
            self.bounty(a, out)
            self.growth(a, out)
            self.commission(a, out)
        found = {}
        for person in self.company.people:
            owed = advanced = Fraction(0)
            day = date(2026, 1, 1)
            while day <= last:
                month = f"{day:%Y-%m}"
                pay = out[person, month]
                variable = sum(pay["rules"].values(), Fraction(0)) + owed
                owed, variable = min(variable, Fraction(0)), max(variable, Fraction(0))
                added, advanced = self.guarantee(person, day, variable, advanced)
                pay["rules"]["G"] += added
                found[person, month] = {**pay, "payable": pay["fixed"] + variable + added, "owed": owed}
                day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
        return found

    def salary(self, a: dict[str, Any], last: date, out: Pay) -> None:
        counted: dict[tuple[str, str], int] = defaultdict(int)
        lengths: dict[str, int] = defaultdict(int)
        day = date(2026, 1, 1)
        while day <= last:
            month = f"{day:%Y-%m}"
            lengths[month] += 1
            plan = self.version(a["plan"], day)
            if plan and self.works(a, day):
                counted[month, plan["version"]] += 1
            day += timedelta(days=1)
        for (month, version), days in counted.items():
            plan = next(p for p in self.plans if p["plan"] == a["plan"] and p["version"] == version)
            out[a["person"], month]["fixed"] += cents(Fraction(plan["salary"]) * days / lengths[month])

    def guarantee(self, person: str, first: date, pay: Fraction, advanced: Fraction) -> tuple[Fraction, Fraction]:
        """(what is added to the month's variable pay or taken from it, what is still to come back afterwards)

        Where two versions share a month, each guarantees its own days; pay fills the earlier one's first.
        """
        month = [first + timedelta(days=n) for n in range(31) if (first + timedelta(days=n)).month == first.month]
        added = Fraction(0)
        for a in (a for a in self.assignments if a["person"] == person):
            mine = [p for p in self.plans if p["plan"] == a["plan"]]
            for plan in sorted(mine, key=lambda p: (p["effective_from"], int(p["version"]))):
                rule = next((r for r in plan["rules"] if r["kind"] == "guarantee"), None)
                begun = self.first_day(a)
                if rule is None or begun is None:
                    continue
                service = (first.year - begun.year) * 12 + first.month - begun.month + 1
                if service > int(rule.get("months", 10**6)):
                    continue
                ramp = [s["amount"] for s in rule.get("ramp", []) if int(s["from_month"]) <= service]
                days = [d for d in month if self.works(a, d) and self.version(a["plan"], d) is plan]
                days = [d for d in days if self.runs(rule, d)]
                least = cents(Fraction([rule["amount"], *ramp][-1]) * len(days) / len(month))
                short = max(least - pay, Fraction(0))
                pay = max(pay - least, Fraction(0))
                added += short
                advanced += short if rule["recoverable"] else 0
        back = min(pay, advanced)
        return added - back, advanced - back

    def first_day(self, a: dict[str, Any]) -> date | None:
        """The first day at work under the assignment."""
        days = (a["since"] + timedelta(days=n) for n in range(400))
        return next((day for day in days if self.works(a, day)), None)

    def bounty(self, a: dict[str, Any], out: Pay) -> None:
        steps = [(self.counts_at(e), str(e.id), e) for e in self.events if self.named_milestone(e)]
        spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for at, _, e in sorted(steps, key=lambda s: s[:2]):
            day = self.day(at)
            plan = self.version(a["plan"], day)
            if plan is None or (a["line"] and e.data["line"] != a["line"]):
                continue
            if not self.still(a, plan, day, e.data["line"]):
                continue
            for rule in plan["rules"]:
                if rule["kind"] != "bounty" or e.type.split(".")[-1] not in rule["on"]:
                    continue
                if self.seat(e, rule["seat"], at) != (a["person"], a["role"]) or not self.first(e, rule, a["role"]):
                    continue
                amount = self.within(rule, spent, self.windows(day), Fraction(rule["amount"]))
                out[a["person"], f"{day:%Y-%m}"]["rules"][rule["id"]] += amount

    @staticmethod
    def windows(day: date) -> dict[str, str]:
        """The month, quarter and year of a day."""
        return {"month": f"{day:%Y-%m}", "quarter": f"{day:%Y}-Q{(day.month + 2) // 3}", "year": f"{day:%Y}"}

    @staticmethod
    def within(
        rule: dict[str, Any], spent: dict[tuple[str, str], Fraction], windows: dict[str, str], full: Fraction
    ) -> Fraction:
        """As much as the cap has left, which is spent by it. The rest is gone."""
        if "cap" in rule:
            room = Fraction(rule["cap"]["amount"]) - spent[rule["id"], windows[rule["cap"]["per"]]]
            full = min(full, max(room, Fraction(0)))
        for window in windows.values():
            spent[rule["id"], window] += full
        return full

    @staticmethod
    def named_milestone(e: Envelope) -> bool:
        return e.type.split(".")[-1] in ("LeadAccepted", "LeadOfferExpired", "CustomerBecameRegular")

    def still(self, a: dict[str, Any], plan: dict[str, Any], day: date, line: str) -> bool:
        """At work, or not gone for longer than the tail, and on no other plan since."""
        back = day
        for _ in range(int(plan["tail"]["days"]) + 1):
            if self.works(a, back):
                return True
            if self.elsewhere(a, line, back):
                return False
            back -= timedelta(days=1)
        return False

    def elsewhere(self, a: dict[str, Any], line: str, day: date) -> bool:
        """Whether another assignment pays the person in the same role for that day of the line."""
        who = a["person"], a["role"]
        others = [b for b in self.assignments if b is not a and (b["person"], b["role"]) == who]
        return any(self.works(b, day) and b["line"] in (None, line) for b in others)

    def counts_at(self, e: Envelope) -> datetime:
        if e.data.get("mode") == "overturned":
            for r in self.named("LeadRejected"):
                if r.data["offer_id"] == e.data["offer_id"]:
                    return r.occurred_at
        return e.occurred_at

    def seat(self, e: Envelope, seat: str, at: datetime) -> tuple[str, str] | None:
        if seat == "served_by":
            return self.holder(e.client_id, at)
        return e.data[seat]["person"], e.data[seat]["role"]

    def first(self, event: Envelope, rule: dict[str, Any], role: str) -> bool:
        def key(e: Envelope) -> list[Any]:
            return [e.client_id if part == "client" else e.data.get("need_id") for part in rule["once_per"]]

        rivals = []
        for e in self.events:
            if e.type.split(".")[-1] in rule["on"] and key(e) == key(event):
                at = self.counts_at(e)
                who = self.seat(e, rule["seat"], at)
                if who and who[0] != "house" and who[1] == role:
                    rivals.append((at, str(e.id)))
        paid: list[date] = []
        for at, event_id in sorted(rivals):
            again = rule.get("again_after_days")
            ok = not paid or (again is not None and self.day(at) >= paid[-1] + timedelta(days=int(again)))
            if ok:
                paid.append(self.day(at))
            if event_id == str(event.id):
                return ok
        return False

    def growth(self, a: dict[str, Any], out: Pay) -> None:
        moves: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        entered = [("prospect_base", *found) for found in self.prospects(a)]
        entered += [("buyer_base", *found) for found in self.buyers(a)]
        for metric, line, came, gone in entered:
            if a["line"] and a["line"] != line:
                continue
            entry = self.day(came.occurred_at)
            here = self.works(a, entry)
            for moved, by in [(came, 1), *((g, -1) for g in gone)]:
                day = self.day(moved.occurred_at)
                if by > 0:
                    counts = here
                elif self.works(a, day):
                    counts = here or self.elsewhere(a, line, entry)
                else:
                    counts = here and not self.elsewhere(a, line, day)
                if not counts:
                    continue
                plan = self.version(a["plan"], day)
                for rule in plan["rules"] if plan else ():
                    if rule["kind"] == "growth" and rule["metric"] == metric:
                        moves[rule["id"], f"{day:%Y-%m}"][plan["version"] if plan else ""] += by
        spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        debt, last = 0, ""
        for (rule_id, month), versions in sorted(moves.items()):
            debt, last = debt if rule_id == last else 0, rule_id
            debt += sum(n for n in versions.values() if n < 0)
            for version in sorted(versions, key=lambda v: self.begin(a["plan"], v)):
                gain = max(versions[version], 0)
                used = min(gain, -debt)
                debt += used
                plan = next(p for p in self.plans if p["plan"] == a["plan"] and p["version"] == version)
                rule = next(r for r in plan["rules"] if r["id"] == rule_id)
                full = Fraction(rule["amount"]) * (gain - used)
                windows = self.windows(date.fromisoformat(f"{month}-01"))
                out[a["person"], month]["rules"][rule_id] += self.within(rule, spent, windows, full)

    def prospects(self, a: dict[str, Any]) -> Iterator[tuple[str, Envelope, list[Envelope]]]:
        """(line, when the client entered the base by this person's work, when it turned out to be none)"""
        for e in self.named("ProspectVerified"):
            seat = e.data["sourced_by"]
            if (seat["person"], seat["role"]) == (a["person"], a["role"]):
                gone = self.named("ProspectInvalidated")
                yield e.data["line"], e, [g for g in gone if g.client_id == e.client_id and g.data["was_verified"]]

    def buyers(self, a: dict[str, Any]) -> Iterator[tuple[str, Envelope, list[Envelope]]]:
        """(line, the client's first payment for its first sale if this person has a seat then, its leaving after it)"""
        first: dict[str | None, Envelope] = {}
        for e in self.events:
            if e.type == "conveyor.deals.PaymentReceived":
                known = first.get(e.client_id, e)
                first[e.client_id] = min(known, e, key=lambda e: (e.occurred_at, str(e.id)))
        for client, e in first.items():
            sale = e.data["sale"]
            stamped = [(sale[seat]["person"], sale[seat]["role"]) for seat in ("sourced_by", "converted_by")]
            if (a["person"], a["role"]) in (*stamped, self.holder(client, e.occurred_at)):
                left = [g for g in self.named("CustomerChurned") if g.client_id == client]
                later = [g for g in left if g.occurred_at >= e.occurred_at]
                yield sale["line"], e, sorted(later, key=lambda g: (g.occurred_at, str(g.id)))[:1]

    def begin(self, plan: str, version: str) -> str:
        return next(str(p["effective_from"]) for p in self.plans if p["plan"] == plan and p["version"] == version)

    def commission(self, a: dict[str, Any], out: Pay) -> None:
        before: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        spent: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for e in sorted(
            self.named("DealClosed", "RepeatSale"),
            key=lambda e: (self.instant(e.data["sale"]["sold_at"]), e.data["sale"]["sale_id"]),
        ):
            sale = e.data["sale"]
            sold = self.instant(sale["sold_at"])
            day = self.day(sold)
            plan = self.version(a["plan"], day)
            if plan is None or not self.works(a, day) or (a["line"] and a["line"] != sale["line"]):
                continue
            for kind, base, weights, n in self.mine(a, e, sold):
                for rule in plan["rules"]:
                    if rule["kind"] != "commission" or not self.runs(rule, day):
                        continue
                    if rule["sales"] != kind and not (kind == "co_sell" and rule.get("co_sell")):
                        continue
                    windows = self.windows(day)
                    over = windows[rule.get("bands", {}).get("over", "month")]
                    full = cents(self.rated(rule, before[rule["id"], over], base, weights, n))
                    for window in windows.values():
                        before[rule["id"], window] += base
                    full = self.within(rule, spent, windows, full)
                    self.settle(a, plan, rule, sale, full, windows["month"], out)

    def mine(self, a: dict[str, Any], e: Envelope, sold: datetime) -> list[tuple[str, Fraction, list[Fraction], int]]:
        """(first, repeat, co_sell or legacy; my base; all weights; which of them is mine)"""
        sale, before = e.data["sale"], e.data.get("legacy")
        first = sale["kind"] == "first"
        net = Fraction(sale["net"])
        if sale["currency"] == "USD":
            rate = self.rates.get(self.day(sold))
            if rate is None:
                return []
            net = cents(net * rate)
        serving = None if first else self.holder(e.client_id, sold)
        if serving and serving[0] == "house":
            serving = None
        me = (a["person"], a["role"])
        found = []
        if before and before["person"] == a["person"] and sold < self.instant(before["until"]):
            found.append(("legacy", net, [Fraction(1)], 0))
        if not sale["splits"]:
            seat = (sale["converted_by"]["person"], sale["converted_by"]["role"]) if first else serving
            return [*found, ("first" if first else "repeat", net, [Fraction(1)], 0)] if seat == me else found
        weights = [Fraction(p["weight"]) for p in sale["splits"]]
        role = serving[1] if serving else (sale["served_by"] or {}).get("role")
        for n, p in enumerate(sale["splits"]):
            if (p["person"], p["role"]) == me:
                kind = "first" if first else "repeat" if role in (None, p["role"]) else "co_sell"
                found.append((kind, shares(net, weights)[n], weights, n))
        return found

    @staticmethod
    def rated(rule: dict[str, Any], before: Fraction, base: Fraction, weights: list[Fraction], n: int) -> Fraction:
        if "flat" in rule:
            return shares(Fraction(rule["flat"]), weights)[n]
        if "percent" in rule:
            return base * Fraction(rule["percent"]) / 100

        def worth(total: Fraction) -> Fraction:
            unit = Fraction(rule["bands"].get("quota", 100)) / 100  # steps of a quota are percentages of it
            steps = [(Fraction(s["from"]) * unit, Fraction(s["percent"]) / 100) for s in rule["bands"]["steps"]]
            if rule["bands"]["mode"] == "whole":
                return total * next(rate for start, rate in reversed(steps) if start <= total)
            ends = [start for start, _ in steps[1:]] + [max(total, Fraction(10**12))]
            return sum(
                (
                    max(min(total, end) - start, Fraction(0)) * rate
                    for (start, rate), end in zip(steps, ends, strict=True)
                ),
                Fraction(0),
            )

        return worth(before + base) - worth(before)

    def settle(
        self,
        a: dict[str, Any],
        plan: dict[str, Any],
        rule: dict[str, Any],
        sale: Any,
        full: Fraction,
        month: str,
        out: Pay,
    ) -> None:
        as_paid = rule["release"] == "as_paid"
        mine = out[a["person"], month]
        if as_paid:
            mine["conditional"] += full
        else:
            mine["rules"][rule["id"]] += full
        net = Fraction(sale["net"])
        flow = []
        for e in self.named("PaymentReceived", "PaymentRefunded"):
            if e.data["sale"]["sale_id"] == sale["sale_id"]:
                back = "refund_id" in e.data
                at = max(e.occurred_at, self.instant(e.data["payment_at"])) if back else e.occurred_at
                flow.append((at, back, str(e.id), e))
        off = [e for e in self.named("DealCancelled") if e.data["sale"]["sale_id"] == sale["sale_id"]]
        flow += [(e.occurred_at, True, str(e.id), e) for e in off]
        held: dict[str, dict[str, Any]] = {}
        paid = lost = Fraction(0)
        void = False
        for _, back, _, e in sorted(flow, key=lambda f: f[:3]):
            if e.type.endswith("DealCancelled"):
                if as_paid and not void:
                    void = True
                    released = sum((h["part"] for h in held.values()), Fraction(0))
                    out[a["person"], f"{self.day(e.occurred_at):%Y-%m}"]["conditional"] -= full - released
                continue
            amount, rules = Fraction(e.data["net"]), out[a["person"], f"{self.day(e.occurred_at):%Y-%m}"]["rules"]
            if not back:
                paid += amount
                left = full - sum((h["part"] - h["taken"] for h in held.values()), Fraction(0))
                part = left if paid >= net else min(cents(full * amount / net), left)
                if as_paid and plan["tail"]["after"] == "forfeit" and self.gone(a, plan, self.day(e.occurred_at)):
                    part = Fraction(0)
                if void:
                    part = Fraction(0)
                held[e.data["payment_id"]] = {
                    "part": part, "money": amount, "taken": Fraction(0), "exact": Fraction(0),
                    "back": Fraction(0), "day": self.day(e.occurred_at),
                }  # fmt: skip
                if as_paid:
                    rules[rule["id"]] += part
                else:
                    active = sum((h["part"] - h["taken"] for h in held.values()), Fraction(0))
                    again = max(active - (full - lost), Fraction(0))
                    rules[rule["id"]] += again
                    lost -= again
            elif e.data["payment_id"] in held:
                h = held[e.data["payment_id"]]
                paid -= amount
                h["back"] += amount
                day = (self.day(e.occurred_at) - h["day"]).days
                step = next((Fraction(s["percent"]) for s in rule["clawback"] if day <= int(s["days"])), Fraction(0))
                exact = h["part"] * amount / h["money"] * step / 100
                h["exact"] += exact
                take = cents(h["exact"]) - h["taken"] if h["back"] == h["money"] else cents(exact)
                take = max(min(take, h["part"] - h["taken"]), Fraction(0))
                h["taken"] += take
                lost += take
                rules[rule["id"]] -= take

    def gone(self, a: dict[str, Any], plan: dict[str, Any], day: date) -> bool:
        left = [
            date.fromisoformat(e.data["last_day"]) for e in self.named("StaffLeft") if e.data["person"] == a["person"]
        ]
        return bool(left) and (day - max(left)).days > int(plan["tail"]["days"])


def as_decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)
