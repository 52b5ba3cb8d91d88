"""What must hold of handovers and owners (I5 to I7), from the records in Kafka and the rows of the stations."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator

from evidence import Evidence, Record


def once(found: Evidence, *types: str) -> list[Record]:
    """The first occurrence of every record of these types, in the order of each key."""
    seen: set[str] = set()
    wanted = []
    for record in found.records:
        if record.type in types and record.event_id not in seen:
            seen.add(record.event_id)
            wanted.append(record)
    return wanted


def handovers_have_one_outcome(found: Evidence) -> Iterator[str]:
    """Each lead that was offered is known to the next station, has one outcome at most, one opportunity if taken."""
    offered = [r.data for r in once(found, "conveyor.leads.LeadQualified")]
    outcomes = Counter(
        r.data["offer_id"] for r in once(found, "conveyor.deals.LeadAccepted", "conveyor.deals.LeadRejected")
    )
    taken = {r.data["offer_id"]: r.key for r in once(found, "conveyor.deals.LeadAccepted")}
    opened = Counter(r.key for r in once(found, "conveyor.deals.OpportunityOpened"))
    yield from _known_at(found, "conversion", [one["offer_id"] for one in offered])
    for offer, count in outcomes.items():
        if count > 1:
            yield f"offer {offer} has {count} outcomes"
    for offer, client in taken.items():
        if opened[client] != 1:
            yield f"offer {offer} was taken, and {opened[client]} opportunities were opened for {client}"
    accounts = [r.data["offer_id"] for r in once(found, "conveyor.deals.AccountOffered")]
    yield from _known_at(found, "account-mgmt", accounts)
    asked = {a.path.split("/")[3] for a in found.history if a.outcome == "ok" and a.path.endswith("/accept")
             and a.service == "conversion"}  # fmt: skip
    if "conversion" in found.rows and asked != set(taken):
        yield f"accepted over HTTP: {len(asked)}, told by LeadAccepted: {len(taken)}"


def _known_at(found: Evidence, service: str, offers: list[str]) -> Iterator[str]:
    if service in found.rows:
        streams = Counter(e["stream_id"] for e in found.rows[service].events if e["version"] == 1)
        for offer in offers:
            if streams[f"offer-{offer}"] != 1:
                yield f"{service} does not know offer {offer}"


def one_owner_at_a_time(found: Evidence) -> Iterator[str]:
    """A client is taken into service once; a deal is won once per client; money comes only for what was sold."""
    for kind, what in (
        ("conveyor.accounts.AccountAccepted", "taken into service"),
        ("conveyor.deals.DealClosed", "won"),
        ("conveyor.deals.AccountOffered", "offered to account management"),
        ("conveyor.leads.LeadHandedOver", "handed over"),
    ):
        for client, count in Counter(r.key for r in once(found, kind)).items():
            if count > 1:
                yield f"{client} was {what} {count} times"
    sold = {r.key for r in once(found, "conveyor.deals.DealClosed")}
    for record in once(found, "conveyor.accounts.RepeatSale"):
        if record.key not in sold:
            yield f"{record.key} bought again without having bought"


def one_prospect_per_identity(found: Evidence) -> Iterator[str]:
    """Two who find the same client at the same moment: one of them has it."""
    owners: dict[str, list[str]] = defaultdict(list)
    for asked in found.history:
        if asked.path == "/v1/prospects" and asked.outcome == "ok":
            for key in asked.body.get("identity_keys", ()):
                owners[json.dumps(key, sort_keys=True)].append(str(asked.body["client_id"]))
    for key, clients in owners.items():
        if len(clients) > 1:
            yield f"{key} belongs to {clients}"
    registered = Counter(r.key for r in once(found, "conveyor.leads.ProspectRegistered"))
    for client, count in registered.items():
        if count > 1:
            yield f"{client} was registered {count} times"
