"""Every error a caller can meet: its stable code, its HTTP status, its title. One table; a service adds its own rows.

The code is the promise; a title may be reworded. `docs/errors.md` is written from this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Code(NamedTuple):
    status: int
    title: str


CODES: dict[str, Code] = {
    # the request itself
    "invalid-json": Code(400, "The body is not strict JSON"),
    "invalid-body": Code(422, "The body does not fit"),
    "invalid-parameter": Code(422, "A parameter in the path or query does not fit"),
    "invalid-cursor": Code(422, "The cursor is not one of ours"),
    "invalid-idempotency-key": Code(400, "The Idempotency-Key is not 1 to 255 visible characters"),
    "invalid-if-match": Code(400, "If-Match does not name one version"),
    "bad-request": Code(400, "The request cannot be understood"),
    "unsupported-media-type": Code(415, "The body is of a media type that is not taken here"),
    "head-too-large": Code(431, "The address and the headers together are too large"),
    "body-too-large": Code(413, "The body is too large"),
    "future-date": Code(422, "The business time lies in the future"),
    # who asks
    "missing-token": Code(401, "A bearer token is needed"),
    "invalid-token": Code(401, "The token is not valid here"),
    "missing-scope": Code(403, "The token lacks a scope"),
    # what is asked for
    "not-found": Code(404, "There is no such thing, or it is not yours to see"),
    "method-not-allowed": Code(405, "This method is not for this address"),
    "version-conflict": Code(412, "The version in If-Match is not the current one"),
    "taken": Code(409, "What must be unique is already held"),
    "idempotency-key-reused": Code(422, "The Idempotency-Key was used for another request"),
    "event-too-large": Code(413, "What would be recorded is too large"),
    "personal-data-erased": Code(409, "The personal data of this client was erased"),
    "clock.not-driven": Code(409, "This service follows the system's clock"),
    # the handover
    "handover.unknown": Code(404, "Nothing was offered under this id"),
    "handover.exists": Code(409, "Something else was offered under this id"),
    "handover.wrong-stage": Code(409, "The handover is past this"),
    "handover.expired": Code(409, "The offer was not answered in time and has moved on"),
    "handover.not-receiver": Code(409, "The offer is somebody else's to answer"),
    "handover.not-sender": Code(409, "Only the sender or a manager may do this"),
    "handover.not-manager": Code(409, "Only a manager of the line may do this"),
    "handover.not-in-team": Code(409, "The named receiver does not work in the receiving team"),
    "handover.receiver-needed": Code(422, "Name the receiver whose it becomes"),
    "handover.reason-not-allowed": Code(422, "This is no reason to reject"),
    "handover.dispute-over": Code(409, "The time to dispute the rejection is over"),
    # what is parked
    "parked.not-first": Code(409, "Another parked event of the key stands in front of this one"),
    "parked.gap": Code(409, "Events in front of this one are missing and not parked: redrive first"),
    # the service's own state
    "storage-low": Code(503, "There is too little room for further commands"),
    "audit-unavailable": Code(503, "The read cannot be written down, so it is not answered"),
    "too-many-streams": Code(429, "This subject follows the feed as often as it may"),
    "streams-full": Code(503, "As many follow the feed here as can be served"),
    "too-many-requests": Code(429, "Too many requests of this subject"),
    "overloaded": Code(503, "More work waits than can be done now"),
    "unavailable": Code(503, "The service cannot reach what it needs"),
    "deadline-exceeded": Code(503, "The answer took too long; the same Idempotency-Key may be sent again"),
    "not-ready": Code(503, "The service is not ready"),
    "internal": Code(500, "A fault of ours"),
}

RETRY_AFTER = {
    "overloaded": 1,
    "unavailable": 2,
    "deadline-exceeded": 1,
    "not-ready": 2,
    "too-many-requests": 1,
    "audit-unavailable": 2,
    "too-many-streams": 5,
    "streams-full": 5,
    "storage-low": 30,
}
"""Seconds after which a retry makes sense, unless the refusal says so itself (`retry_after`)."""


def urn(code: str) -> str:
    """The `type` of a problem: stable, and no address that must resolve."""
    return f"urn:conveyor:error:{code}"


def extended(more: Mapping[str, tuple[int, str]]) -> dict[str, Code]:
    """The table with a service's own rows. A row may be added, never contradicted."""
    table = dict(CODES)
    for code, (status, title) in more.items():
        if table.setdefault(code, Code(status, title)) != (status, title):
            raise ValueError(f"{code} already stands in the table with another meaning")
    return table
