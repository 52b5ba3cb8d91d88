"""Every law of the verdict is broken here once, in otherwise honest evidence, and says so."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid5

import pytest
from evidence import TOPICS, Evidence, Record, Rows
from talk import Asked
from verdict import LAWS, NAMESPACE, violations

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
SEATS = {"sourced_by": {"person": "ana"}, "converted_by": {"person": "boris"}, "served_by": {"person": "dina"}}
LIFE: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("conveyor.leads.v1", "prospect-c1", "leads.ProspectRegistered", {}),
    ("conveyor.leads.v1", "prospect-c1", "leads.LeadQualified", {"offer_id": "o1"}),
    ("conveyor.deals.v1", "offer-o1", "deals.LeadAccepted", {"offer_id": "o1", "need_id": "n1", **SEATS}),
    ("conveyor.deals.v1", "opportunity-p1", "deals.OpportunityOpened", {}),
    ("conveyor.deals.v1", "opportunity-p1", "deals.DealClosed", {"sale": {"sale_id": "s1", **SEATS}}),
    ("conveyor.deals.v1", "deal-d1", "deals.PaymentReceived", {"net": "1000.00", "sale": {"sale_id": "s1", **SEATS}}),
    ("conveyor.deals.v1", "deal-d1", "deals.AccountOffered", {"offer_id": "a1"}),
    ("conveyor.accounts.v1", "offer-a1", "accounts.AccountAccepted", {"offer_id": "a1"}),
    ("conveyor.accounts.v1", "account-c1", "accounts.RepeatSale", {}),
)


def honest() -> Evidence:
    """One client from the first call to a repeat sale, as every place has it."""
    rows = {
        service: Rows([], [], [], {}, 0, 0) for service in ("lead-gen", "conversion", "account-mgmt", "compensation")
    }
    records: list[Record] = []
    versions: dict[tuple[str, str], int] = {}
    history = [
        Asked(1, "lead-gen", "POST", "/v1/prospects", {"client_id": "c1", "identity_keys": [{"kind": "domain"}]}, "k1",
              "ana", (), "ok", 201, {"client_id": "c1"}, [{"client_id": "c1"}], [(0.0, 0.1, "201")]),
        Asked(2, "conversion", "POST", "/v1/offers/o1/accept", {}, "k2", "boris", (), "ok", 200, {}, [{}]),
    ]  # fmt: skip
    for n, (topic, stream, kind, data) in enumerate(LIFE):
        service = TOPICS[topic]
        version = versions[service, stream] = versions.get((service, stream), 0) + 1
        command = "k1" if kind.endswith("Registered") else "k2" if kind.endswith("LeadAccepted") else f"x{n}"
        rows[service].events.append(_event(stream, version, kind, command))
        _publish(rows[service], records, topic, str(uuid5(NAMESPACE, f"{stream}\x1f{version}\x1f0")), kind, data)
    for has in rows.values():
        has.relayed = len(has.published)
        has.chain = _chain(has)
        for topic in TOPICS:
            count = len([r for r in records if r.topic == topic])
            if count:
                has.gates[topic, "c1"] = count
    rows["compensation"].facts = [record.event_id for record in records]
    found = Evidence(rows, records, history)
    cause = records[5].event_id
    found.statements = {
        ("ana", "2026-03"): _statement("ana", [("bounty", "20.00", records[2].event_id, None)]),
        ("boris", "2026-03"): _statement("boris", [("release", "60.00", cause, "s1")]),
    }
    found.frozen = {("boris", "2026-03"): json.loads(json.dumps(found.statements["boris", "2026-03"]))}
    found.verification = {"ok": True, "faults": [], "laws": []}
    found.answered_again = [(history[0], 201, {"client_id": "c1"})]
    found.counts_before = found.counts_after = {"lead-gen.events": 2}
    found.denied = [("a look", 404)]
    found.metrics = {
        service: {"conveyor_published_position": float(len(has.published))} for service, has in rows.items()
    }
    return found


def _event(stream: str, version: int, kind: str, command: str) -> dict[str, Any]:
    meta = json.dumps({"command": command})
    at = AT + timedelta(seconds=version)
    return {"stream_id": stream, "version": version, "type": kind, "meta": meta, "recorded_at": at}


def _publish(rows: Rows, records: list[Record], topic: str, event_id: str, kind: str, data: dict[str, Any]) -> None:
    sequence = 1 + len([row for row in rows.published if row["topic"] == topic])
    position = len(rows.published) + 1
    value = json.dumps(data)
    row: dict[str, Any] = {
        "position": position,
        "topic": topic,
        "key": "c1",
        "sequence": sequence,
        "event_id": event_id,
        "attributes": "{}",
        "value": value,
        "recorded_at": AT + timedelta(seconds=position),
        "epoch": str(position),
    }
    rows.published.append(row)
    records.append(Record(topic, "c1", event_id, sequence, f"conveyor.{kind}", value, (0, len(records))))


def _chain(rows: Rows) -> list[dict[str, Any]]:
    held = hashlib.sha256(b"").digest()
    links = []
    for row in rows.published:
        parts = (row[name] for name in ("position", "topic", "key", "sequence", "attributes", "value", "epoch"))
        held = hashlib.sha256(held + "\x1f".join(str(part) for part in parts).encode()).digest()
        links.append({"position": row["position"], "hash": held})
    return links


def _statement(person: str, lines: list[tuple[str, str, str, str | None]]) -> dict[str, Any]:
    def line(name: str, kind: str, amount: str, causes: list[str], sale: str | None) -> dict[str, Any]:
        told = {"line_id": f"{person}-{name}", "person": person, "kind": kind, "amount": amount, "currency": "EUR"}
        return told | {"state": "earned", "rule": kind, "causes": causes, "sale_id": sale, "reverses": None}

    fixed = line("fixed", "fixed", "100.00", [], None)
    shown = [line(str(n), kind, amount, [cause], sale) for n, (kind, amount, cause, sale) in enumerate(lines)]
    total = f"{sum(float(amount) for _, amount, _, _ in lines) + 100:.2f}"
    return {"digest": "d", "lines": [fixed, *shown], "totals": [{"currency": "EUR", "payable": total, "earned": total}]}


def test_honest_evidence_breaks_no_law() -> None:
    assert violations(honest()) == {}


# -- one violation each ----------------------------------------------------------------------------------------------

Tamper = Callable[[Evidence], Any]


def _as_if_refused(found: Evidence) -> None:
    found.history[0].outcome, found.history[0].status = "refused", 422


def _set(owner: Any, name: Any, value: Any) -> None:
    owner[name] = value


def _again(found: Evidence, n: int) -> None:
    """The same thing happens once more, as another event."""
    topic, stream, kind, data = LIFE[n]
    rows = found.rows[TOPICS[topic]]
    version = 1 + len([event for event in rows.events if event["stream_id"] == stream])
    rows.events.append(_event(stream, version, kind, "another"))
    event_id = str(uuid5(NAMESPACE, f"{stream}\x1f{version}\x1f0"))
    _publish(rows, found.records, topic, event_id, kind, data)
    rows.relayed, rows.chain = len(rows.published), _chain(rows)
    for has in found.rows.values():
        has.gates[topic, "c1"] += 1
    assert found.rows["compensation"].facts is not None
    found.rows["compensation"].facts.append(event_id)
    found.metrics[TOPICS[topic]]["conveyor_published_position"] += 1


BROKEN: tuple[tuple[str, Tamper], ...] = (
    ("nothing_is_left_open", lambda f: setattr(f.history[1], "outcome", "unknown")),
    ("answers_are_true", lambda f: setattr(f.history[0], "key", "never stored")),
    ("answers_are_true", lambda f: f.history[0].replies.append({"client_id": "c2"})),
    ("answers_are_true", _as_if_refused),
    ("answers_are_true", lambda f: _set(f.rows["lead-gen"].events[1], "meta", json.dumps({"command": "k1"}))),
    ("refusals_are_refusals", lambda f: f.history[0].attempts.append((1.0, 0.1, "500"))),
    ("resends_change_nothing", lambda f: f.answered_again.append((f.history[0], 200, {"client_id": "c1"}))),
    ("resends_change_nothing", lambda f: setattr(f, "counts_after", {"lead-gen.events": 3})),
    ("streams_are_whole", lambda f: f.rows["account-mgmt"].events.append(_event("account-c9", 2, "x", "x"))),
    ("the_log_is_whole", lambda f: _set(f.rows["lead-gen"].published[1], "recorded_at", AT)),
    ("the_log_is_whole", lambda f: _set(f.rows["lead-gen"].published[1], "attributes", "{ }")),
    ("the_log_is_whole", lambda f: _set(f.rows["lead-gen"].chain[1], "hash", b"")),
    ("what_is_public_was_decided", lambda f: f.rows["conversion"].events.pop(3)),
    ("kafka_has_what_is_public", lambda f: f.records.pop(8)),
    ("kafka_has_what_is_public", lambda f: f.records.insert(0, f.records.pop(1))),
    ("kafka_has_what_is_public", lambda f: f.records.append(f.records[8].__class__(
        "conveyor.leads.v1", "c1", "phantom", 3, "conveyor.leads.X", "{}", (0, 99)))),
    ("kafka_has_what_is_public", lambda f: f.records.append(f.records[8].__class__(
        *(f.records[8].topic, "c1", f.records[8].event_id, 2, f.records[8].type, f.records[8].value, (1, 99))))),
    ("everybody_has_heard_everything", lambda f: setattr(f.rows["conversion"], "parked", 1)),
    ("everybody_has_heard_everything", lambda f: setattr(f.rows["conversion"], "relayed", 1)),
    ("everybody_has_heard_everything", lambda f: _set(f.rows["conversion"].gates, ("conveyor.leads.v1", "c1"), 1)),
    ("facts_are_a_set", lambda f: f.rows["compensation"].facts.pop()),  # type: ignore[union-attr]
    ("facts_are_a_set", lambda f: f.rows["compensation"].facts.append("unknown")),  # type: ignore[union-attr]
    ("handovers_have_one_outcome", lambda f: _again(f, 3)),
    ("handovers_have_one_outcome", lambda f: _set(f.rows["conversion"].events[0], "stream_id", "offer-o2")),
    ("one_owner_at_a_time", lambda f: _again(f, 7)),
    ("one_owner_at_a_time", lambda f: _again(f, 4)),
    ("one_prospect_per_identity", lambda f: _again(f, 0)),
    ("pay_is_what_was_agreed", lambda f: _again(f, 5)),
    ("sums_are_sums", lambda f: _set(f.statements["ana", "2026-03"]["totals"][0], "earned", "120.01")),
    ("every_line_names_its_cause", lambda f: _set(f.statements["ana", "2026-03"]["lines"][1], "causes", ["nothing"])),
    ("closed_months_did_not_change", lambda f: _set(f.frozen["boris", "2026-03"], "digest", "e")),
    ("verified_by_its_own_means", lambda f: setattr(f, "verification", {"ok": False, "faults": ["x"], "laws": []})),
    ("metrics_tell_the_truth", lambda f: _set(f.metrics["conversion"], "conveyor_parked_keys", 1.0)),
    ("metrics_tell_the_truth", lambda f: _set(f.metrics["conversion"], "conveyor_published_position", 1.0)),
    ("nobody_saw_what_is_hidden", lambda f: f.denied.append(("a look", 200))),
)  # fmt: skip


@pytest.mark.parametrize(("law", "tamper"), BROKEN, ids=[f"{n}-{law}" for n, (law, _) in enumerate(BROKEN)])
def test_the_law_says_so_when_it_is_broken(law: str, tamper: Tamper) -> None:
    found = honest()
    tamper(found)
    assert law in violations(found)


def test_every_law_is_broken_here_once() -> None:
    assert {law for law, _ in BROKEN} == {law.__name__ for law in LAWS}
