"""docs/pictures/*.svg: the pictures of docs/concepts.md. Figures come from a case that the tests compute, days from the
policy and the plan that hold when nobody says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from checks.docs.drawing import Sheet
from conveyor_events.staff import Policy

ROOT = Path(__file__).parents[2]
CASE = "services/compensation/cases/04-paid-in-parts.yaml"
PLAN = "services/compensation/src/compensation/plans/ref-hunter.yaml"


def line() -> Sheet:
    """Three stations, two handovers."""
    sheet = Sheet(
        "The line",
        "A client passes three stations. The scout of lead-gen finds a need and offers the lead to the hunter of "
        "conversion, who makes the first sale and offers the account to the farmer of account-mgmt, who sells again. "
        "Each offer is accepted or comes back. All three tell Kafka what happened; compensation listens.",
        960,
        400,
    )
    stations = (
        ("lead-gen", "scout", "finds a need"),
        ("conversion", "hunter", "makes the first sale"),
        ("account-mgmt", "farmer", "keeps the customer"),
    )
    sheet.words(16, 84, "a client", soft=True)
    sheet.arrow([(16, 95), (88, 95)])
    for number, (name, role, does) in enumerate(stations):
        x = 90 + number * 290
        sheet.box(x, 60, 170, 74, [name, role, does], ("blue", "green", "amber")[number])
        sheet.arrow([(x + 85, 134), (x + 85, 262)])
    for number, (offers, takes, back) in enumerate(
        (("LeadQualified", "LeadAccepted", "LeadRejected"), ("AccountOffered", "AccountAccepted", "AccountRejected"))
    ):
        x = 260 + number * 290
        sheet.words(x + 60, 26, f"handover {number + 1}", strong=True, middle=True)
        sheet.arrow([(x, 80), (x + 118, 80)], offers, (x + 60, 52))
        sheet.words(x + 60, 72, takes, middle=True, soft=True)
        sheet.arrow([(x + 118, 114), (x + 2, 114)], back, (x + 60, 132), dashed=True)
    sheet.arrow([(840, 80), (890, 80), (890, 40), (755, 40), (755, 58)], "repeat sales", (826, 32))
    topics = (
        ("leads, staff", "what was found, who works where"),
        ("deals", "offers, sales, payments"),
        ("accounts", "who serves, repeat sales"),
    )
    for number, (topic, event) in enumerate(topics):
        sheet.words(187 + number * 290, 186, topic, strong=True)
        sheet.words(187 + number * 290, 204, event, soft=True)
    sheet.box(90, 264, 750, 32, ["Kafka: public events, in order for each client"], "grey")
    sheet.arrow([(465, 296), (465, 330)])
    sheet.box(285, 332, 360, 52, ["compensation", "facts + plans = statements that explain themselves"], "rose")
    return sheet


def command() -> Sheet:
    """From the door to the next service."""
    sheet = Sheet(
        "One command's way",
        "A command comes to a door with a token and an idempotency key. The writer decides it together with others and "
        "appends events, public events, lists, timers and the reply in one statement; only then the caller hears 2xx. "
        "The relay carries the public log to Kafka in order. The consumer of the next service takes each event once: "
        "its gate knows the last number of every key.",
        960,
        430,
    )
    sheet.words(20, 28, "the service that is asked", strong=True)
    sheet.words(640, 28, "the service that hears of it", strong=True)
    sheet.rule(612, 16, 612, 414, dashed=True)
    sheet.box(10, 60, 140, 70, ["caller", "POST + token", "+ Idempotency-Key"], "grey")
    sheet.box(210, 60, 130, 70, ["door", "who may?", "is it well-formed?"], "blue")
    sheet.box(400, 60, 180, 70, ["writer", "all that wait, at most 512:", "load, decide"], "blue")
    sheet.arrow([(150, 86), (208, 86)], "1", (179, 80))
    sheet.arrow([(340, 86), (398, 86)], "2", (369, 80))
    sheet.arrow([(490, 130), (490, 178)], "3", (504, 160))
    sheet.box(
        250,
        180,
        330,
        92,
        [
            "one statement in PostgreSQL",
            "events · lists · claims · timers · the reply",
            "and the public log: position, sequence",
            "whole, or not at all",
        ],
        "green",
    )
    sheet.arrow([(250, 226), (85, 226), (85, 132)], "4  2xx: it is durable", (168, 218))
    sheet.arrow([(415, 272), (415, 318)], "5", (429, 300))
    sheet.box(
        300, 320, 230, 70, ["relay", "one leader; follows the public log;", "next batch after the last ack"], "blue"
    )
    sheet.arrow([(530, 355), (658, 355)], "6", (594, 348))
    sheet.box(660, 320, 250, 70, ["Kafka", "key = the client;", "a record may come twice"], "grey")
    sheet.arrow([(785, 320), (785, 274)], "7", (799, 302))
    sheet.box(
        660, 202, 250, 70, ["gate: sequence per key", "known: passed over · next: taken", "gap: fetched first"], "amber"
    )
    sheet.arrow([(785, 202), (785, 154)], "8", (799, 182))
    sheet.box(
        660,
        60,
        250,
        92,
        [
            "reaction",
            "decided as any command;",
            "its key is the event: done once,",
            "in one statement with the gate",
        ],
        "green",
    )
    return sheet


def payslip() -> Sheet:
    """An event becomes a line."""
    case = _read(CASE)
    sale, first, second = (next(iter(fact.values())) for fact in case["facts"])
    march, april, before = case["expect"]
    sheet = Sheet(
        "How an event becomes a line of a statement",
        f"A first sale of {sale['net']} gives a commission of {before['conditional']} that is conditional. Payments of "
        f"{first['net']} and {second['net']} release {march['rules']['H1']} of it, then {april['rules']['H1']}.",
        960,
        390,
    )
    for x, head in (
        (20, "events, as they happened"),
        (360, "the hunter's plan, as data"),
        (690, "lines on statements"),
    ):
        sheet.words(x, 28, head, strong=True)
    sheet.box(20, 48, 230, 72, [f"DealClosed {sale['on']}", f"net {sale['net']} EUR", "converted_by boris"], "green")
    sheet.box(20, 178, 230, 54, [f"PaymentReceived {first['on']}", f"net {first['net']} EUR"], "green")
    sheet.box(20, 290, 230, 54, [f"PaymentReceived {second['on']}", f"net {second['net']} EUR"], "green")
    steps = _read(PLAN)["rules"][0]["bands"]["steps"]
    bands = [f"from {step['from']}: {step['percent']} %" for step in steps]
    sheet.box(350, 48, 230, 108, ["H1: commission", *bands, "by the month's sales, as paid"], "amber")
    low, rest = Decimal(steps[1]["from"]), Decimal(sale["net"]) - Decimal(steps[1]["from"])
    sheet.words(465, 182, f"{low} × {steps[0]['percent']} % + {rest:.0f} × {steps[1]['percent']} %", middle=True)
    sheet.words(465, 200, f"= {before['conditional']}", middle=True, strong=True)
    sheet.box(
        690, 48, 250, 72, ["commission, conditional", f"{before['conditional']} EUR", "cause: the DealClosed"], "grey"
    )
    sheet.box(
        690,
        178,
        250,
        72,
        [
            f"release, {march['month']}",
            f"{march['rules']['H1']} EUR earned",
            f"{before['conditional']} × {first['net']} / {sale['net']}",
        ],
        "rose",
    )
    sheet.box(
        690,
        290,
        250,
        72,
        [f"release, {april['month']}", f"{april['rules']['H1']} EUR earned", "the last one takes the remainder"],
        "rose",
    )
    sheet.arrow([(250, 84), (348, 84)])
    sheet.arrow([(580, 84), (688, 84)])
    sheet.arrow([(250, 214), (688, 214)], "causes: the sale and its payment", (465, 228))
    sheet.arrow([(250, 326), (688, 326)])
    return sheet


def seats() -> Sheet:
    """Who holds which seat when, and for how long what counts."""
    policy, clawback = Policy(), _read(PLAN)["rules"][0]["clawback"]
    full, half = (int(step["days"]) for step in clawback)
    sheet = Sheet(
        "Seats and windows over time",
        "sourced_by and converted_by are stamped and stay; served_by passes from person to person, with a gap that "
        "belongs to the house. The scout's credit runs from the offer of the lead, a clawback from the payment, the "
        "lapse from the last purchase.",
        960,
        470,
    )
    start, days = 190, 2  # two points for each day
    marks = {
        "offered": 20,
        "accepted": 22,
        "sold": 50,
        "paid": 60,
        "served": 52,
        "repeat": 120,
        "gap": 190,
        "next": 205,
    }
    x = {name: start + day * days for name, day in marks.items()}
    end = 910

    def row(y: int, name: str) -> None:
        sheet.words(16, y + 20, name, strong=True)

    for name, text, left, y in (
        ("offered", "lead offered", 0, 32),
        ("sold", "first sale", -64, 52),
        ("paid", "paid", 0, 52),
        ("repeat", "repeat sale, paid", 0, 32),
    ):
        sheet.rule(x[name], y - 10, x[name], 446, dashed=True)
        sheet.words(x[name] + 4 + left, y, text, soft=True)
    row(70, "sourced_by")
    sheet.box(start, 70, end - start, 30, ["ana: from the registration on, whatever comes later"], "blue")
    row(110, "converted_by")
    sheet.box(
        x["accepted"], 110, end - x["accepted"], 30, ["boris: from the accepted lead on; who sells first"], "green"
    )
    row(150, "served_by")
    sheet.box(x["served"], 150, x["gap"] - x["served"], 30, ["clara: what is sold in her time"], "amber")
    sheet.box(x["gap"], 150, x["next"] - x["gap"], 30, ["·"], "grey", corner=0)
    sheet.box(x["next"], 150, end - x["next"], 30, ["gleb, from his acceptance on"], "amber")
    sheet.words(x["gap"] - 6, 196, "a gap: the house, nobody is paid", soft=True)
    row(220, "offers")
    sheet.words(
        start,
        240,
        f"a lead is answered within {policy.accept_within_hours} working hours, an account within "
        f"{policy.account_accept_within_hours}; then it goes to the next, {policy.reroutes} times",
        soft=True,
    )
    row(260, "scout's credit")
    sheet.box(x["offered"], 260, policy.credit_days * days, 30, [f"{policy.credit_days} days from the offer"], "blue")
    row(300, "a refund takes back")
    sheet.box(x["paid"], 300, full * days, 30, [f"{clawback[0]['percent']} % to day {full}"], "rose")
    sheet.box(
        x["paid"] + full * days, 300, (half - full) * days, 30, [f"{clawback[1]['percent']} % to day {half}"], "rose"
    )
    sheet.words(x["paid"] + half * days + 8, 320, "then none", soft=True)
    row(340, "standing")
    bought = x["repeat"]
    sheet.box(bought, 340, policy.lapse_days // 2 * days, 30, ["buyer"], "green")
    sheet.box(
        bought + policy.lapse_days // 2 * days,
        340,
        (policy.lapse_days - policy.lapse_days // 2) * days,
        30,
        ["at risk"],
        "amber",
    )
    sheet.box(bought + policy.lapse_days * days, 340, end - bought - policy.lapse_days * days, 30, ["lapsed"], "grey")
    row(380, "")
    sheet.words(
        start,
        400,
        f"{policy.regular_purchases} purchases in {policy.regular_days} days: a regular customer; "
        f"{policy.lapse_days} days without one: a lapsed one",
        soft=True,
    )
    sheet.rule(start, 446, end, 446)
    for day in range(0, (end - start) // days, 90):
        sheet.words(start + day * days, 462, f"day {day}", soft=True)
    return sheet


PICTURES: dict[str, Callable[[], Sheet]] = {"line": line, "command": command, "payslip": payslip, "seats": seats}


@cache
def _read(place: str) -> Any:
    """A document whose numbers stay the text that was written."""
    return yaml.load((ROOT / place).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
