"""One client entered twice becomes one; who asks for it is forgotten, everywhere and for good."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lead_gen_office import CALL, PROSPECT, Office
from lead_gen_story import Company, at, register, seat, verify

from belt.core.decider import ERASED, Refused
from belt.io.store.codec import EventType
from belt.io.store.projection import rebuild
from conveyor_events import leads
from lead_gen.identity import IdentityKey
from lead_gen.main import STREAMS
from lead_gen.prospect import commands as c
from lead_gen.prospect.state import Stage

PHONE, TAX = IdentityKey("phone", "+4930123456"), IdentityKey("tax_no", "DE123456789")
MERGE = c.Merge("acme", "vera", at(4), manager=True)


def two() -> Company:
    company = Company()
    company.to("acme", register(keys=(PHONE,)))
    company.to("again", register("again", "egor", keys=(TAX,)))
    return company


def code(company: Company, command: Any, client: str = "again") -> str:
    with pytest.raises(Refused) as refused:
        company.to(client, command)
    return refused.value.code


def test_the_one_that_stays_is_known_by_the_keys_of_both() -> None:
    company = two()
    company.to("again", MERGE)
    assert company.prospect("again").stage is Stage.MERGED
    assert company.prospect("again").merged_into == "acme"
    assert set(company.prospect().keys) == {PHONE, TAX}
    claims = STREAMS["prospect"].claims
    assert list(claims(company.prospect("again"))) == []
    assert set(claims(company.prospect())) == {("phone", PHONE.value), ("tax_no", TAX.value)}


def test_a_client_counted_twice_is_counted_once() -> None:
    company = two()
    company.to("again", verify("egor"))
    company.to("again", MERGE)
    gone, merged = (one.data for one in company.told[-2:])
    assert gone == leads.ProspectInvalidated(
        line="tools",
        sourced_by=seat("egor", "scout"),
        reason="duplicate",
        was_verified=True,
        verified_at=company.prospect("again").verified_at,
    )
    assert merged == leads.ProspectMerged(line="tools", into="acme", sourced_by=seat("egor", "scout"))


def test_only_a_manager_merges_what_belongs_to_two_people() -> None:
    company = two()
    assert code(company, c.Merge("acme", "egor", at(4))) == "prospect.not-yours"
    assert code(company, c.Merge("acme", "ana", at(4))) == "prospect.not-yours"
    company.to("third", register("third", keys=(IdentityKey("domain", "third.example"),)))
    company.to("third", c.Merge("acme", "ana", at(4)))
    assert company.prospect("third").stage is Stage.MERGED


def test_nobody_is_merged_into_nothing() -> None:
    company = two()
    assert code(company, c.Merge("nobody", "vera", at(4), manager=True)) == "prospect.unknown"
    assert code(company, c.Merge("again", "vera", at(4), manager=True)) == "prospect.merged-into-itself"
    company.to("acme", c.Invalidate("no_such", "ana", at(3)))
    assert code(company, MERGE) == "prospect.wrong-stage"


def test_only_a_manager_forgets_a_client() -> None:
    assert code(two(), c.ErasePersonalData("egor", at(4))) == "prospect.needs-manager"


def test_a_forgotten_client_reads_like_one_whose_key_is_gone() -> None:
    """The state kept in memory is the one that comes from the store after the key was destroyed."""
    company = Company()
    company.offered()
    before = company.happened[:]
    company.to("acme", c.ErasePersonalData("vera", at(4), manager=True))
    state = company.prospect()
    assert (state.name, state.keys, state.contacts[0].person) == (ERASED, (), ERASED)
    stream = STREAMS["prospect"]
    erased = [_without_private(event) for event in [*before, company.happened[-1]] if type(event) in stream.events]
    assert stream.fold(erased) == state


def _without_private(event: Any) -> Any:
    kind = EventType(type(event))
    return kind.adapter.validate_python(kind.adapter.dump_python(event, mode="json") | kind.erased)


def test_a_client_is_forgotten_under_every_id_it_was_entered_with() -> None:
    company = two()
    company.to("third", register("third", keys=(IdentityKey("domain", "third.example"),)))
    company.to("third", c.Merge("again", "vera", at(4), manager=True))
    company.to("again", MERGE)
    company.to("acme", c.ErasePersonalData("vera", at(5), manager=True))
    assert [company.prospect(one).erased for one in ("acme", "again", "third")] == [True] * 3
    assert [company.prospect(one).name for one in ("acme", "again", "third")] == [ERASED] * 3
    assert [one.subject for one in company.told[-3:]] == ["acme", "again", "third"]


# --- over HTTP, on PostgreSQL ---------------------------------------------------------------------------------------


async def test_a_key_goes_to_the_client_that_stays(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    twin = {"client_id": "twin", "identity_keys": [{"kind": "domain", "value": "acme-shop.example"}]}
    await office.done("/v1/prospects", PROSPECT | twin)
    merged = await office.done("/v1/prospects/twin/merge", {"into": "acme"})
    assert merged["stage"] == "merged"
    rival = await office.post("/v1/prospects", PROSPECT | twin | {"client_id": "third"}, by="egor")
    assert (rival.status_code, rival.json()["code"]) == (409, "client-protected")
    assert rival.json()["facts"]["client_id"] == "acme"
    assert (await office.told())[-3:] == ["ProspectInvalidated", "ProspectMerged", "RegistrationRefused"]


async def test_a_forgotten_client_cannot_be_read_from_any_table_nor_worked_on(office: Office) -> None:
    await office.opens()
    await office.need_known()
    assert (await office.post("/v1/prospects/acme/erase", by="ana")).status_code == 403
    erased = await office.done("/v1/prospects/acme/erase", by="vera")
    assert erased["stage"] == "need_known"
    shown = (await office.get("/v1/prospects/acme")).text
    assert not re.search(r"Roth|Acme GmbH|4930123456|leaks|Mondays", shown)
    assert await office.query("select wrapped from keys where holder = 'acme'") == [(None,)]
    late = await office.post("/v1/prospects/acme/calls", CALL)
    assert (late.status_code, late.json()["code"]) == (409, "prospect.wrong-stage")
    offer = await office.post("/v1/prospects/acme/offer", {})
    assert (offer.status_code, offer.json()["code"]) == (409, "personal-data-erased")
    assert (await office.done("/v1/prospects/acme/erase", by="vera"))["stage"] == "need_known"
    assert (await office.told()).count("PersonalDataErased") == 1
    assert (await office.post("/v1/prospects", PROSPECT | {"client_id": "anew"}, by="egor")).status_code == 201
    (row,) = await office.query("select stage, handover_due_at from prospects where client_id = 'acme'")
    await office.query("delete from prospects where client_id = 'acme'")
    await rebuild(office.dsn, STREAMS["prospect"], office.parts.desk.writer.vault)
    assert await office.query("select stage, handover_due_at from prospects where client_id = 'acme'") == [row]


async def test_who_was_entered_twice_is_forgotten_twice(office: Office) -> None:
    await office.opens()
    await office.done("/v1/prospects", PROSPECT)
    twin = {"client_id": "twin", "name": "Acme Twin", "identity_keys": [{"kind": "domain", "value": "twin.example"}]}
    await office.done("/v1/prospects", PROSPECT | twin)
    await office.done("/v1/prospects/twin/merge", {"into": "acme"})
    await office.done("/v1/prospects/acme/erase", by="vera")
    assert "Acme Twin" not in (await office.get("/v1/prospects/twin")).text
    assert await office.query("select wrapped from keys where holder in ('acme', 'twin')") == [(None,), (None,)]
    assert (await office.told()).count("PersonalDataErased") == 2
