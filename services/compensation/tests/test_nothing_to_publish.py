"""A month of which nothing is left to be made final: told so, and headers are read as ever."""

from __future__ import annotations

import pytest
from pay_office import Office


@pytest.mark.parametrize(
    ("header", "value", "answer"),
    [
        ("if-match", "", (400, "invalid-if-match")),
        ("if-match", '"7"', (412, "version-conflict")),
        ("idempotency-key", '""', (400, "invalid-idempotency-key")),
        ("if-match", "*", (200, None)),
    ],
)
async def test_nothing_to_do_is_no_reason_to_overlook_a_header(
    office: Office, header: str, value: str, answer: tuple[int, str | None]
) -> None:
    done = await office.http.post(
        "/v1/periods/2020-01/finalize", json={}, headers=office.token("pia") | {header: value}
    )
    assert (done.status_code, done.json().get("code")) == answer
