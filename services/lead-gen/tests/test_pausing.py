"""Not now, never again, somebody else: parked, recycled, not to be contacted, reassigned."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lead_gen_story import (
    Company,
    accepted,
    at,
    call,
    contact,
    last,
    need,
    offer,
    register,
    sample,
    seat,
    staffed,
)

from belt.core.decider import ERASED, Refused
from belt.io.store.codec import Codec
from conveyor_events import open as open_event
from conveyor_events.leads import ContactForbidden, JourneyMigrated, ProspectReassigned
from lead_gen.main import STREAMS
from lead_gen.prospect import commands as c
from lead_gen.prospect.events import LeadOffered, NeedIdentified
from lead_gen.prospect.state import Stage
from lead_gen.reactions import react

PARK = c.Park(at(20), "on holiday", "ana", at(2, 16))


def code(company: Company, command: Any, client: str = "acme") -> str:
    with pytest.raises(Refused) as refused:
        company.to(client, command)
    return refused.value.code


def parked(until: Any = PARK.until) -> Company:
    company = Company()
    company.in_dialogue()
    company.to("acme", c.Park(until, "on holiday", "ana", at(2, 16)))
    return company


def test_a_parked_client_wakes_at_its_time_and_stays_its_scouts() -> None:
    company = parked()
    company.tick(at(19))
    assert company.prospect().stage is Stage.NURTURE
    company.tick(at(20))
    assert (company.prospect().stage, company.prospect().sourced_by.person) == (Stage.CONTACTING, "ana")
    company.to("acme", contact())


def test_who_comes_too_late_says_first_that_it_woke() -> None:
    company = parked()
    woken = company.to("acme", call(when=at(21)))
    assert [type(event).__name__ for event in woken] == ["ProspectResumed", "CallLogged"]
    assert woken[0].at == at(20)


def test_without_a_date_it_waits_until_somebody_thinks_of_it() -> None:
    company = parked(None)
    company.tick(at(30))
    assert company.prospect().stage is Stage.NURTURE
    company.to("acme", c.Resume("ana", at(30)))
    assert company.prospect().stage is Stage.CONTACTING


def test_a_known_need_is_never_parked_whatever_the_budget() -> None:
    company = Company()
    company.need_known()
    assert code(company, c.Park(at(20), "no_budget", "ana", at(3))) == "prospect.wrong-stage"


def test_nobody_is_parked_until_yesterday() -> None:
    company = Company()
    company.in_dialogue()
    assert code(company, c.Park(at(1), "busy", "ana", at(2, 16))) == "span.empty"


def test_a_client_the_next_station_lost_is_its_finders_again_and_is_called_when_its_time_comes() -> None:
    company = Company()
    company.converting()
    told = sample("OpportunityRecycled", not_before=at(25).isoformat().replace("+00:00", "Z"))
    event = open_event(told)
    company.do(*react(event, told))
    prospect = company.prospect()
    assert (prospect.stage, prospect.sourced_by.person, prospect.converted_by) == (Stage.NURTURE, "ana", None)
    company.tick(at(25))
    company.to("acme", need(need_id="second", when=at(25, 12)))
    assert company.prospect().need_id == "second"


def test_a_client_that_is_still_sold_to_for_another_need_does_not_come_back() -> None:
    company = Company()
    company.converting()
    told = sample("OpportunityRecycled", others_open=True)
    company.do(*react(open_event(told), told))
    assert (company.prospect().stage, company.prospect().converted_by) == (Stage.CONVERTING, seat("boris"))


def test_what_was_sold_meanwhile_is_not_recycled() -> None:
    company = Company()
    company.converting()
    company.to("acme", c.MakeCustomer(seat("boris"), at(5)))
    company.to("acme", c.Recycle("price", None, seat("ana", "scout"), at(6)))
    assert company.prospect().stage is Stage.CUSTOMER


def test_whoever_asked_not_to_be_contacted_is_never_entered_anew() -> None:
    company = Company()
    company.offered()
    company.to("acme", c.ForbidContact("asked us to stop", "ana", at(4)))
    assert company.prospect().stage is Stage.DO_NOT_CONTACT
    assert isinstance(company.told[-1].data, ContactForbidden)
    assert "stop" not in company.told[-1].data.model_dump_json()
    assert code(company, c.ContestClient("tools", "egor", at(25))) == "contact-forbidden"
    assert code(company, c.ClaimProspect("egor", at(25))) == "contact-forbidden"
    assert list(STREAMS["prospect"].claims(company.prospect())), "its keys stay taken"
    company.to("acme", accepted())
    assert company.prospect().stage is Stage.DO_NOT_CONTACT, "an acceptance that comes late changes nothing"


def test_a_manager_gives_a_client_to_another_of_the_team_and_it_is_protected_anew() -> None:
    company = Company()
    company.registered()
    before = company.prospect().protected_until
    company.to("acme", c.Reassign("egor", "leaver", "vera", at(10), manager=True))
    told = company.told[-1].data
    assert isinstance(told, ProspectReassigned)
    assert (told.before.person, told.sourced_by.person) == ("ana", "egor")
    after = company.prospect().protected_until
    assert before is not None
    assert after is not None
    assert after > before
    assert code(company, call()) == "prospect.not-yours"
    company.to("acme", call("egor"))


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (c.Reassign("egor", "leaver", "ana", at(10)), "prospect.needs-manager"),
        (c.Reassign("egor", "leaver", "ana", at(10), manager=True), "prospect.needs-manager"),
        (c.Reassign("boris", "leaver", "vera", at(10), manager=True), "seat.not-held"),
        (c.Reassign("house", "leaver", "vera", at(10), manager=True), "person.reserved"),
    ],
)
def test_only_a_manager_reassigns_and_only_within_the_team(command: c.Reassign, refusal: str) -> None:
    company = Company()
    company.to("acme", register())
    assert code(company, command) == refusal


def sold() -> Company:
    company = Company()
    company.converting()
    company.to("acme", c.MakeCustomer(seat("boris"), at(5)))
    return company


def migrate(variant: str = "hunter-farmer", served_by: str | None = "clara", by: str = "vera", **more: Any) -> Any:
    return c.MigrateJourney(variant, served_by, more.get("until", at(30)), by, at(10), manager=True)


def test_a_migrated_journey_keeps_its_seats_and_gets_its_server() -> None:
    company = sold()
    company.to("acme", migrate())
    told = company.told[-1]
    assert isinstance(told.data, JourneyMigrated)
    assert (told.data.before, told.data.variant, told.variant) == (
        "scout-hunter-farmer",
        "hunter-farmer",
        "hunter-farmer",
    )
    assert told.data.served_by == seat("clara", "farmer")
    assert (company.prospect().sourced_by.person, company.prospect().converted_by) == ("ana", seat("boris"))


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (migrate("five-hands"), "variant.unknown"),
        (migrate(by="ana"), "prospect.needs-manager"),
        (migrate(served_by="ana"), "seat.not-held"),
        (migrate(until=at(9)), "span.empty"),
        (migrate(served_by=None), "span.empty"),
    ],
)
def test_a_migration_that_makes_no_sense_is_refused(command: c.MigrateJourney, refusal: str) -> None:
    assert code(sold(), command) == refusal


def test_who_is_no_customer_yet_is_served_by_nobody() -> None:
    company = Company()
    company.registered()
    assert code(company, migrate()) == "prospect.wrong-stage"
    company.to("acme", migrate(served_by=None, until=None))
    assert company.prospect().variant == "hunter-farmer"


def test_a_parked_event_of_the_first_release_is_still_read_and_a_new_one_seals_its_reason() -> None:
    codec = Codec(STREAMS["prospect"])
    by = {"person": "ana", "role": "scout"}
    old = {"until": None, "reason": "asked to wait", "by": by, "at": "2026-01-02T10:00:00Z"}
    read = codec.read("ProspectParked", 1, json.dumps(old), None, None)
    assert (read.reason, read.client) == ("asked to wait", "")
    key = AESGCM.generate_key(256)
    written = codec.write(replace(read, client="acme"), "acme", key)
    assert "asked to wait" not in written
    assert codec.read("ProspectParked", 2, written, "acme", key).reason == "asked to wait"
    assert codec.read("ProspectParked", 2, written, "acme", None).reason == ERASED


def test_whoever_takes_over_a_client_has_the_seat_of_their_own_role_and_does_not_sell_to_it() -> None:
    company = Company("hunter")
    company.registered(by="boris")
    company.staff(staffed("scout-hunter-farmer", since=at(3)))
    company.to("acme", c.Reassign("ana", "workload", "vera", at(4), manager=True))
    assert company.prospect().sourced_by == seat("ana", "scout")
    for command in (call("ana", at(5)), contact("ana"), need("ana", when=at(5, 15)), offer("ana", when=at(6))):
        company.to("acme", command)
    offered = last(company, LeadOffered)
    assert (offered.mode, offered.to, offered.sourced_by) == ("offer", seat("boris"), seat("ana", "scout"))
    assert offered.accept_due_at is not None
    assert last(company, NeedIdentified).handover_due_at is not None


def test_whoever_claims_a_client_has_the_seat_of_their_own_role() -> None:
    company = Company("hunter")
    company.registered(by="boris")
    company.staff(staffed("scout-hunter-farmer", since=at(3)))
    company.to("acme", c.ClaimProspect("egor", at(1, month=12)))
    assert company.prospect().sourced_by == seat("egor", "scout")


def test_a_lead_that_was_found_before_the_migration_does_not_make_its_scout_a_hunter() -> None:
    company = Company()
    company.need_known()
    company.to("acme", c.MigrateJourney("hunter", None, None, "vera", at(2, 16), manager=True))
    company.to("acme", offer())
    assert (last(company, LeadOffered).mode, last(company, LeadOffered).to) == ("offer", seat("boris"))


def test_who_serves_can_be_said_after_the_variant_was() -> None:
    company = sold()
    company.to("acme", migrate(served_by=None, until=None))
    company.to("acme", migrate())
    told = company.told[-1].data
    assert isinstance(told, JourneyMigrated)
    assert (told.before, told.variant, told.served_by) == ("hunter-farmer", "hunter-farmer", seat("clara", "farmer"))
    assert company.to("acme", migrate()) == [], "said twice"
    assert company.to("acme", migrate(served_by=None, until=None)) == []


def test_whoever_serves_from_now_on_serves_in_their_own_role() -> None:
    company = sold()
    company.to("acme", migrate("scout-hunter"))
    assert company.told[-1].data.served_by == seat("clara", "farmer"), "nobody pays her as a hunter"  # type: ignore[attr-defined]
