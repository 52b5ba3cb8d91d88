"""A trace goes with the work: from a command at a door, over relay and Kafka, to every station and into pay."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from journey_firm import Firm, plans
from received_spans import Collector, Received

from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]

AT = "2026-03-10T10:00:00+01:00"


class Caller(Line):
    """A client that traces: every request is a span of its own in the caller's trace. `begun` names them."""

    trace: str
    begun: dict[str, str]
    flags: str

    async def _once(self, method: str, address: str, **rest: Any) -> Any:
        span = secrets.token_hex(8)
        self.begun[span] = f"{method} {address.partition('/v1')[2]}"
        rest["headers"] = {**rest.get("headers", {}), "traceparent": f"00-{self.trace}-{span}-{self.flags}"}
        return await super()._once(method, address, **rest)

    def listens(self, flags: str = "01") -> str:
        """A new trace begins."""
        self.trace, self.begun, self.flags = secrets.token_hex(16), {}, flags
        return self.trace


@pytest.fixture
async def caller(running: Running) -> Any:
    async with Caller.of(running) as line:
        line.listens("00")
        await plans(line)
        yield line


def tree(spans: list[Received]) -> Callable[[Received], list[str]]:
    """The way from the root to a span, by names."""
    by_id = {span.span: span for span in spans}

    def way(span: Received) -> list[str]:
        above = by_id.get(span.parent)
        return [*(way(above) if above else []), f"{span.service}: {span.name}"]

    return way


async def test_one_trace_reaches_every_station_and_the_line_names_it(
    caller: Caller, collector: Collector, running: Running
) -> None:
    firm = Firm(caller, "traced", "hunter")
    await firm.open()
    story = caller.listens()
    _, deal = await firm.deal(AT, "1000.00")
    await firm.paid(deal, AT, "1000.00")
    await caller.drained()
    requests = caller.begun.keys()
    looking = caller.listens()
    lines = (await firm.statement(firm.hunter, "2026-03"))["lines"]
    release = next(line for line in lines if line["kind"] == "release")
    shown = await caller.get("compensation", f"/v1/lines/{release['line_id']}")

    # From the line back: the events it comes from name the trace, and the answer's span points to it.
    paid = next(event for event in shown["events"] if event["type"].endswith("PaymentReceived"))
    assert {event["trace_id"] for event in shown["events"]} == {story}
    about_line = "GET /v1/lines/{line_id}"
    collector.wait(lambda: any(s.name == about_line for s in collector.of(looking)), "the line's span")
    assert next(s for s in collector.of(looking) if s.name == about_line).links == {story}
    folded = next(s for s in collector.of(looking) if s.name == "fold statement")
    assert tree(collector.of(looking))(folded)[0] == "compensation: GET /v1/statements/{person}/{period}"

    # From the commands on: each is where its caller was, and what follows hangs below it.
    def of_event(name: str) -> list[Received]:
        return [
            s for s in collector.of(story) if s.name == name and s.told.get("cloudevents.event_id") == paid["event_id"]
        ]

    def at_doors() -> set[str]:
        return {span.parent for span in collector.of(story) if span.kind == "server"}

    collector.wait(lambda: bool(of_event("fold")) and at_doors() == requests, "all spans have come")
    spans = collector.of(story)
    way = tree(spans)
    payment = ["conversion: POST /v1/deals/{deal}/payments", "conversion: deal RecordPayment"]
    assert way(of_event("fold")[0]) == [*payment, "compensation: fold"]
    assert way(of_event("process conveyor.deals.v1")[0])[:2] == payment
    assert way(of_event("send conveyor.deals.v1")[0]) == [*payment, "conversion: send conveyor.deals.v1"]
    taken = {s.service for s in of_event("process conveyor.deals.v1")}
    assert "compensation" in taken

    # The sale: heard by account management, which opens an account and tells of it in the same trace.
    accepted = [s for s in spans if s.name == "process conveyor.accounts.v1" and "AccountAccepted" in str(s.told)]
    assert {s.service for s in accepted} >= {"compensation"}
    assert way(accepted[0])[:3] == [
        "conversion: POST /v1/opportunities/{opportunity}/close",
        "conversion: opportunity CloseDeal",
        "account-mgmt: process conveyor.deals.v1",
    ]
    # The lead: heard by conversion, which accepts it by itself and tells lead generation, which hands it over.
    handed = [s for s in spans if "LeadHandedOver" in str(s.told) and s.service == "compensation"]
    assert way(handed[0])[:2] == ["lead-gen: POST /v1/prospects/{client}/offer", "lead-gen: prospect OfferLead"]
    assert any(step.startswith("conversion: process conveyor.leads.v1") for step in way(handed[0]))
    assert {s.service for s in spans} == {"lead-gen", "conversion", "account-mgmt", "compensation"}
    assert {s.service for s in spans if s.kind == "producer"} == {"lead-gen", "conversion", "account-mgmt"}
    assert not [s for s in spans if s.failed]
    assert any(s.name == "commit" and story in s.links for s in spans)


async def test_a_trace_that_is_not_recorded_leaves_no_span_and_is_still_named(
    caller: Caller, collector: Collector
) -> None:
    firm = Firm(caller, "untraced", "hunter")
    await firm.open()
    silent = caller.listens("00")
    client = await firm.prospect(AT)
    await caller.drained()
    events = (await caller.get("compensation", f"/v1/journeys/{client}"))["events"]
    assert {event["trace_id"] for event in events} == {silent}
    assert collector.of(silent) == []


async def test_log_lines_name_trace_request_and_client_and_nothing_personal(caller: Caller, running: Running) -> None:
    firm = Firm(caller, "logged", "hunter")
    await firm.open()
    trace = caller.listens()
    _, deal = await firm.deal(AT, "1000.00")
    await firm.paid(deal, AT, "1000.00")
    await caller.drained()
    statement = f"/v1/statements/{firm.hunter}/2026-03"
    await caller.get("compensation", statement, person="auditor-1", roles=("auditor",))
    texts = {path.stem: path.read_text() for path in running.logs.glob("*.log")}
    assert {"lead-gen", "conversion", "account-mgmt", "compensation"} <= texts.keys()
    for text in texts.values():
        for personal in ("Udo Kern", "Client logged", "drills wear out"):
            assert personal not in text
    said = [json.loads(line) for text in texts.values() for line in text.splitlines() if line.startswith("{")]
    read = next(one for one in said if one["event"] == "audit.read" and one.get("trace_id") == trace)
    assert read["request_id"]
    assert read["span_id"]
    assert (read["whose"], read["route"]) == ([firm.hunter], "/v1/statements/{person}/{period}")
    for one in said:
        if one["event"].startswith(("http.", "audit.")):
            assert one["request_id"]
        if one["event"] in ("intake.refused", "intake.parked", "intake.fault"):
            assert one["event_id"]
            assert one["client_id"] or one["subject"]
