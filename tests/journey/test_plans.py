"""Plans over HTTP: drafted, looked at, refused while they set roles against each other, approved by somebody else."""

from __future__ import annotations

import pytest
from journey_firm import plans, post

from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.running import Running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(60)]

HEAD = {"plan": "early-bird", "version": "1", "role": "hunter", "currency": "EUR", "effective_from": "2026-01-01"}
SOLD = {"id": "H1", "kind": "commission", "sales": "first", "percent": "6", "release": "at_sale"}
PATH = "/v1/plans/early-bird/versions/1"


async def test_a_plan_that_pays_before_the_client_does_is_not_approved_until_it_is_mended(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        await post(line, "compensation", "/v1/plans", HEAD | {"salary": "500.00", "rules": [SOLD]})
        found = await post(line, "compensation", f"{PATH}/lint", {})
        assert [one["code"] for one in found["findings"]] == ["L9"]
        assert found["findings"][0]["example"] == "a sale of 10000 that is never paid costs 600.00 EUR"
        with pytest.raises(Problem) as refused:
            await post(line, "compensation", f"{PATH}/approve", {}, person="approver")
        assert (refused.value.status, refused.value.code) == (409, "plan.blocked")
        assert [one["code"] for one in refused.value.body["facts"]["findings"]] == ["L9"]
        mended = SOLD | {"clawback": [{"days": 90, "percent": "100"}]}
        await post(line, "compensation", "/v1/plans", HEAD | {"salary": "500.00", "rules": [mended]})
        assert (await post(line, "compensation", f"{PATH}/lint", {}))["findings"] == []
        approved = await post(line, "compensation", f"{PATH}/approve", {}, person="approver")
        assert approved["stage"] == "approved"
        listed = await line.get("compensation", "/v1/plans")
        (version,) = next(plan["versions"] for plan in listed["items"] if plan["plan"] == "early-bird")
        assert (version["stage"], version["findings"]) == ("approved", [])


async def test_an_unknown_variant_is_refused_by_name(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        with pytest.raises(Problem) as refused:
            await post(line, "compensation", "/v1/plans/ref-hunter/versions/1/lint", {"variant": "hunters-only"})
        assert (refused.value.status, refused.value.code) == (422, "variant.unknown")
        with pytest.raises(Problem) as approved:
            await post(line, "compensation", "/v1/plans/ref-hunter/versions/1/lint", {})
        assert (approved.value.status, approved.value.code) == (409, "plan.version-approved")
