"""Plans over HTTP: drafted, looked at, refused while they set roles against each other, approved by somebody else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from journey_firm import Firm, plans, post, simulated
from typer.testing import CliRunner

from conveyor.addresses import variable
from conveyor.exits import Problem
from conveyor.line import Line
from conveyor.main import app
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
        assert (version["stage"], version["findings"]) == ("active", [])


async def test_an_acceptance_that_pays_the_scout_is_not_approved_to_pay_the_hunter_too(running: Running) -> None:
    taken = {"id": "H2", "kind": "bounty", "on": ["LeadAccepted"], "seat": "converted_by", "once_per": ["offer"]}
    path = "/v1/plans/second-price/versions/1"
    paid = SOLD | {"release": "as_paid"}
    async with Line.of(running) as line:
        await plans(line)
        asked = HEAD | {"plan": "second-price", "rules": [paid, taken | {"amount": "20.00"}]}
        await post(line, "compensation", "/v1/plans", asked)
        found = await post(line, "compensation", f"{path}/lint", {})
        # other tests may have approved plans of scouts, too
        assert {(one["code"], one["plan"]) for one in found["findings"]} == {("L2", "second-price")}
        assert any("by ref-scout/S1 and" in one["message"] for one in found["findings"])
        with pytest.raises(Problem) as refused:
            await post(line, "compensation", f"{path}/approve", {}, person="approver")
        assert (refused.value.status, refused.value.code) == (409, "plan.blocked")
        assert {one["code"] for one in refused.value.body["facts"]["findings"]} == {"L2"}


async def test_an_unknown_variant_is_refused_by_name(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        with pytest.raises(Problem) as refused:
            await post(line, "compensation", "/v1/plans/ref-hunter/versions/1/lint", {"variant": "hunters-only"})
        assert (refused.value.status, refused.value.code) == (422, "variant.unknown")
        with pytest.raises(Problem) as approved:
            await post(line, "compensation", "/v1/plans/ref-hunter/versions/1/lint", {})
        assert (approved.value.status, approved.value.code) == (409, "plan.version-approved")


async def test_a_sale_in_another_currency_is_paid_and_taken_back_at_its_own_rate(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "dollars", "scout-hunter-farmer", currency="USD")
        await firm.open()
        _, deal = await firm.deal("2026-03-10T10:00:00+01:00", "10000.00")
        await firm.paid(deal, "2026-03-10T12:00:00+01:00", "10000.00")
        await line.drained()
        before = await firm.statement(firm.hunter, "2026-03")
        assert [one["reason"] for one in before["waiting"]] == ["no rate from USD to EUR on 2026-03-10"]
        for day, rate in (("2026-03-10", "0.9250"), ("2026-04-09", "0.88"), ("2026-05-04", "0.9250")):
            told = {"from": "USD", "to": "EUR", "on": day, "rate": rate}
            assert (await post(line, "compensation", "/v1/fx-rates", told))["rate"] == rate
        await firm.refunded(deal, "2026-04-09T10:00:00+02:00", "10000.00")
        _, other = await firm.deal("2026-05-04T10:00:00+02:00", "1234.56")
        await firm.paid(other, "2026-05-05T10:00:00+02:00", "1234.56")
        await line.drained()
        released = [one for one in (await firm.statement(firm.hunter, "2026-03"))["lines"] if one["kind"] == "release"]
        assert [one["amount"] for one in released] == ["555.00"]
        taken = [one for one in (await firm.statement(firm.hunter, "2026-04"))["lines"] if one["kind"] == "clawback"]
        assert [one["amount"] for one in taken] == ["-555.00"]
        may = (await firm.statement(firm.hunter, "2026-05"))["lines"]
        (sold,) = [one for one in may if one["kind"] == "commission"]
        assert (sold["amount"], sold["calc"]["base"], sold["calc"]["foreign"]) == ("68.52", "1141.97", "1234.56")


async def test_a_rate_that_makes_no_sense_is_refused(running: Running) -> None:
    async with Line.of(running) as line:
        for wrong, code in (
            ({"from": "EUR", "to": "EUR", "rate": "1"}, "rate.same-currency"),
            ({"from": "EUX", "to": "EUR", "rate": "1"}, "rate.unknown-currency"),
            ({"from": "USD", "to": "EUR", "rate": "0"}, "invalid-body"),
        ):
            with pytest.raises(Problem) as refused:
                await post(line, "compensation", "/v1/fx-rates", {"on": "2026-03-10"} | wrong)
            assert (refused.value.status, refused.value.code) == (422, code)


def test_rates_come_from_a_file_and_a_wrong_row_is_named(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service, address in running.addresses.items():
        monkeypatch.setenv(variable(service), address)
    monkeypatch.setenv("CONVEYOR_ISSUER_FOLDER", str(running.issuer))
    file = tmp_path / "rates.csv"
    file.write_text("from,to,on,rate\nGBP,EUR,2026-03-10,1.15\nGBP,EUR,2026-03-11,nothing\nGBP,EUR,2026-03-12,1.16\n")
    for _ in range(2):
        done = CliRunner().invoke(app, ["rates", str(file), "--json"])
        assert done.exit_code == 1
        rows = json.JSONDecoder().raw_decode(done.output)[0]
        assert [(row["row"], (row["refused"] or "")[:16]) for row in rows] == [
            (2, ""),
            (3, "422 invalid-body"),
            (4, ""),
        ]
    file.write_text("from,on\nGBP,2026-03-10\n")
    assert "columns are missing: to, rate" in CliRunner().invoke(app, ["rates", str(file)]).output


FLAT = HEAD | {
    "plan": "flat-hunter",
    "salary": "500.00",
    "rules": [{"id": "H1", "kind": "commission", "sales": "first", "percent": "7", "release": "as_paid"}],
}


async def test_a_flat_plan_is_tried_on_history_and_nobody_is_paid_by_it(running: Running) -> None:
    async with Line.of(running) as line:
        await plans(line)
        firm = Firm(line, "whatif", "scout-hunter-farmer")
        await firm.open()
        for day, net in (("03", "8000.00"), ("12", "15000.00"), ("24", "12000.00")):
            _, deal = await firm.deal(f"2026-03-{day}T10:00:00+01:00", net)
            await firm.paid(deal, f"2026-03-{day}T12:00:00+01:00", net)
        await line.drained()
        before = await firm.statement(firm.hunter, "2026-03")
        asked = {"from": "2026-03", "to": "2026-03", "plans": [{"document": FLAT}]}
        found = await simulated(line, asked)
        (boris,) = [one for one in found["result"]["people"] if one["person"] == firm.hunter]
        sums = [boris[side]["payable"] for side in ("actual", "simulated", "delta")]
        assert sums == ["3200.00", "2950.00", "-250.00"]
        assert found["ledger"][0] == found["ledger"][1]
        path = f"/v1/simulations/{found['simulation_id']}/people/{firm.hunter}"
        pairs = (await line.get("compensation", path))["items"]
        released = [p for p in pairs if p["simulated"]["kind"] == "release"]
        assert {(p["actual"]["amount"], p["simulated"]["amount"]) for p in released} == {
            ("480.00", "560.00"),
            ("1160.00", "1050.00"),
            ("1060.00", "840.00"),
        }
        assert await firm.statement(firm.hunter, "2026-03") == before
        with pytest.raises(Problem) as over:
            await post(line, "compensation", f"/v1/simulations/{found['simulation_id']}/cancel", {})
        assert (over.value.status, over.value.code) == (409, "simulation.wrong-stage")


async def test_a_simulation_of_nothing_says_where_its_faults_are(running: Running) -> None:
    async with Line.of(running) as line:
        for wrong, pointer in (
            ({"from": "2026-13", "to": "2026-03", "plans": [{"document": FLAT}]}, "/from"),
            ({"from": "2026-03", "to": "2026-03"}, "/"),
            ({"from": "2026-03", "to": "2026-03", "variant": "hunters"}, "/variant"),
            (
                {"from": "2026-03", "to": "2026-03", "plans": [{"document": FLAT | {"salary": "much"}}]},
                "/plans[0]/document/salary",
            ),
        ):
            with pytest.raises(Problem) as refused:
                await post(line, "compensation", "/v1/simulations", wrong)
            assert (refused.value.status, refused.value.code) == (422, "simulation.invalid")
            assert pointer in [error["pointer"] for error in refused.value.body["errors"]]
        with pytest.raises(Problem) as unknown:
            await line.get("compensation", "/v1/simulations/no-such")
        assert (unknown.value.status, unknown.value.code) == (404, "simulation.unknown")


async def test_versions_follow_each_other(running: Running) -> None:
    async with Line.of(running) as line:
        first = HEAD | {"plan": "late-hunter", "rules": [SOLD | {"release": "as_paid"}]}
        for document in (first, first | {"version": "2", "effective_from": "2026-02-01", "salary": "700.00"}):
            await post(line, "compensation", "/v1/plans", document)
            path = f"/v1/plans/late-hunter/versions/{document['version']}/approve"
            await post(line, "compensation", path, {}, person="approver")
        listed = await line.get("compensation", "/v1/plans")
        versions = next(plan["versions"] for plan in listed["items"] if plan["plan"] == "late-hunter")
        assert [one["stage"] for one in versions] == ["superseded", "active"]


def test_the_command_draws_what_would_be(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for service, address in running.addresses.items():
        monkeypatch.setenv(variable(service), address)
    monkeypatch.setenv("CONVEYOR_ISSUER_FOLDER", str(running.issuer))
    plan, drawn = tmp_path / "flat.yaml", tmp_path / "flat.svg"
    plan.write_text(json.dumps(FLAT))
    asked = ["whatif", "--from", "2026-03", "--to", "2026-03", "--plan", str(plan), "--svg", str(drawn)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    assert "ledger: unchanged" in done.output
    assert drawn.read_text().startswith("<svg ")
    assert "-250.00 EUR" in drawn.read_text()
