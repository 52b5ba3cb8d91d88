"""A month of which nothing is left to be made final: told so, and headers and keys count as ever."""

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


async def test_the_same_key_gets_the_same_answer_though_something_is_left_by_then(office: Office) -> None:
    async def finalize(key: str) -> tuple[dict[str, object], str | None]:
        told = await office.http.post(
            "/v1/periods/2026-03/finalize", json={}, headers=office.token("pia") | {"idempotency-key": key}
        )
        assert told.status_code == 200
        return told.json(), told.headers.get("idempotency-replayed")

    nobody, _ = await finalize("early")
    await office.post("/v1/statements/ana/2026-03/acknowledge", {}, "ana")
    assert await finalize("early") == (nobody, "true")
    done, _ = await finalize("later")
    assert (nobody["final"], done["final"]) == (0, 1)
    assert await finalize("later") == (done, "true")
