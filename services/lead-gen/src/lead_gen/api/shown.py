"""A prospect as it is shown: to everybody who may look, and with its personal part to who may know it (access.py)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from lead_gen.prospect.state import Need, Offer, Prospect


def prospect_shown(prospect: Prospect, version: int, *, knowing: bool) -> dict[str, Any]:
    need, offer = prospect.need, prospect.offer
    return {
        "client_id": prospect.client,
        "line": prospect.line,
        "variant": prospect.variant,
        "journey_id": prospect.journey,
        "stage": prospect.stage,
        "source": prospect.source,
        "segment": prospect.segment,
        "country": prospect.country,
        "sourced_by": prospect.sourced_by,
        "converted_by": prospect.converted_by,
        "registered_at": prospect.registered_at,
        "verified_at": prospect.verified_at,
        "protected_until": prospect.protected_until,
        "handover_due_at": prospect.handover_due_at,
        "rework_until": prospect.rework_until,
        "parked_until": prospect.parked_until,
        "need": need_shown(need, knowing=knowing) if need is not None else None,
        "offer": _offer(offer) if offer is not None else None,
        "personal": personal(prospect) if knowing else None,
        "version": version,
    }


def need_shown(need: Need, *, knowing: bool) -> dict[str, Any]:
    shown = {
        "need_id": need.need_id,
        "category": need.category,
        "budget": need.budget,
        "wish": need.wish,
        "competitor_id": need.competitor_id,
    }
    if not knowing:
        return shown
    return shown | {
        "statement": need.statement,
        "evidence": list(need.evidence),
        "current_supplier": need.current_supplier,
    }


def _offer(offer: Offer) -> dict[str, Any]:
    shown = asdict(offer)
    del shown["counts"], shown["sourced_by"]
    return shown


def personal(prospect: Prospect) -> dict[str, Any]:
    return {
        "name": prospect.name,
        "identity_keys": [asdict(key) for key in prospect.keys],
        "contacts": [asdict(contact) for contact in prospect.contacts],
        "gatekeepers": [asdict(met) for met in prospect.gatekeepers],
        "calls": [asdict(call) for call in prospect.calls],
    }
