"""What is true of a prospect, from the first entry to the handover."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from lead_gen_story import (
    SCOUT,
    Company,
    accepted,
    at,
    call,
    contact,
    last,
    need,
    offer,
    register,
    seat,
    staffed,
    verify,
    withdraw,
)

from belt.core.decider import Refused
from conveyor_events.words import HOUSE, VARIANTS, Role, Station
from lead_gen.identity import IdentityKey
from lead_gen.prospect import commands as c
from lead_gen.prospect import events as e
from lead_gen.prospect.state import Stage, claims
from lead_gen.staffing import Leave


@pytest.fixture
def company() -> Company:
    return Company()


# --- entry ----------------------------------------------------------------------------------------------------------


def test_a_journey_begins_at_registration_and_takes_the_variant_of_that_day(company: Company) -> None:
    company.staff(staffed("hunter", since=at(10)))
    company.registered("old", when=at(9))
    company.to("new", register("new", "boris", at(11), (IdentityKey("domain", "new.example"),)))
    old, new = company.prospect("old"), company.prospect("new")
    assert (old.variant, old.sourced_by) == ("scout-hunter-farmer", seat("ana", SCOUT))
    assert (new.variant, new.sourced_by) == ("hunter", seat("boris"))
    assert old.journey
    assert old.journey != new.journey


def test_only_who_works_at_the_station_registers_there(company: Company) -> None:
    for person in ("boris", "olga", "vera", "nobody"):
        with pytest.raises(Refused, match=r"seat\.not-held"):
            company.to("acme", register(by=person))


def test_a_line_that_is_not_staffed_yet_takes_no_clients(company: Company) -> None:
    with pytest.raises(Refused, match=r"line\.unknown"):
        company.to("acme", register(when=datetime(2025, 12, 1, tzinfo=UTC)))


def test_the_house_holds_what_nobody_is_known_to_have_found(company: Company) -> None:
    company.registered(by=HOUSE)
    assert company.prospect().sourced_by == seat(HOUSE, SCOUT)
    company.to("acme", call(HOUSE))
    assert company.prospect().stage is Stage.CONTACTING


def test_a_client_holds_its_keys_until_it_turns_out_to_be_none(company: Company) -> None:
    company.registered()
    assert ("domain", "acme.example") in set(claims(company.prospect()))
    company.to("acme", c.Invalidate("no_such", "ana", at(2, 12)))
    assert ("domain", "acme.example") not in set(claims(company.prospect()))


def test_an_id_of_a_need_or_an_offer_is_never_used_by_two_clients(company: Company) -> None:
    company.offered()
    assert {("need", "acme-need"), ("offer", "acme-1")} <= set(claims(company.prospect()))


# --- protection -----------------------------------------------------------------------------------------------------


def test_a_second_scout_hears_until_when_the_client_is_protected_and_the_attempt_is_a_fact(company: Company) -> None:
    company.registered()
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ContestClient("tools", "egor", at(5)))
    assert refused.value.code == "client-protected"
    assert refused.value.facts["protected_until"] == "2026-05-31T22:00:00.000000Z"  # day 90 is 31 May, included
    [fact] = refused.value.record
    assert (fact.by, fact.held_by, fact.reason) == (seat("egor", SCOUT), seat("ana", SCOUT), "client-protected")


def test_the_same_entry_under_the_same_id_is_a_repetition_for_one_scout_and_a_rival_s_for_another(
    company: Company,
) -> None:
    company.registered()
    assert company.to("acme", register(when=at(5))) == []
    with pytest.raises(Refused) as refused:
        company.to("acme", register(by="egor", when=at(5)))
    assert (refused.value.code, len(refused.value.record)) == ("client-protected", 1)
    with pytest.raises(Refused, match=r"prospect\.id-taken"):
        company.to("acme", register(keys=(IdentityKey("domain", "other.example"),)))


def test_the_same_scout_is_no_rival(company: Company) -> None:
    company.registered()
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ContestClient("tools", "ana", at(5)))
    assert (refused.value.code, refused.value.record) == ("client-known", ())


def test_a_customer_is_nobody_s_new_client(company: Company) -> None:
    company.converting()
    company.to("acme", c.MakeCustomer(seat("boris"), at(9)))
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ContestClient("tools", "egor", at(10)))
    assert refused.value.code == "existing-customer"
    assert refused.value.record[0].held_by == seat("boris")


def test_protection_ends_with_its_last_day(company: Company) -> None:
    company.registered()
    with pytest.raises(Refused, match="client-protected"):
        company.to("acme", c.ClaimProspect("egor", at(31, 23, 59, month=5)))
    company.to("acme", c.ClaimProspect("egor", at(1, 0, month=6)))
    assert company.names()[-2:] == ["ProspectReleased", "ProspectClaimed"]
    assert company.prospect().sourced_by == seat("egor", SCOUT)


def test_what_is_offered_stays_protected_beyond_that_day(company: Company) -> None:
    company.offered()
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ClaimProspect("egor", at(1, month=7)))
    assert refused.value.code == "client-protected"
    assert "protected_until" not in refused.value.facts


def test_the_house_protects_nobody(company: Company) -> None:
    company.registered(by=HOUSE)
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ContestClient("tools", "egor", at(3)))
    assert (refused.value.code, refused.value.record) == ("client-known", ())
    company.to("acme", c.ClaimProspect("egor", at(3)))
    assert company.prospect().sourced_by == seat("egor", SCOUT)


def test_scenario_10_a_rejected_lead_is_its_scout_s_until_midnight_of_day_14(company: Company) -> None:
    company.rework()  # rejected on 3 March
    with pytest.raises(Refused) as refused:
        company.to("acme", c.ClaimProspect("egor", at(10)))
    assert refused.value.code == "client-protected"
    assert refused.value.facts["protected_until"] == "2026-03-16T23:00:00.000000Z"  # 17 March, 00:00 in Berlin
    company.to("acme", c.ClaimProspect("egor", at(20)))
    assert [type(event).__name__ for event in company.happened[-2:]] == ["ProspectReleased", "ProspectClaimed"]
    assert last(company, e.ProspectReleased).at == at(17, 0)
    assert company.prospect().stage is Stage.CONTACTING


# --- work -----------------------------------------------------------------------------------------------------------


def test_verified_once_it_counts_once(company: Company) -> None:
    company.registered()
    company.to("acme", verify())
    assert company.to("acme", verify(when=at(5))) == []


def test_nobody_works_another_s_prospect_but_a_manager_of_the_line(company: Company) -> None:
    company.registered()
    with pytest.raises(Refused, match=r"prospect\.not-yours"):
        company.to("acme", verify("egor"))
    with pytest.raises(Refused, match=r"prospect\.not-yours"):
        company.to("acme", c.VerifyProspect(("legal_active",), "olga", at(3), manager=True))
    company.to("acme", c.VerifyProspect(("legal_active",), "vera", at(3), manager=True))
    verified = last(company, e.ProspectVerified)
    assert (verified.by, verified.sourced_by) == (seat("vera", Role.MANAGER), seat("ana", SCOUT))


@pytest.mark.parametrize(("budget", "wish"), [("none", "low"), ("unknown", "unknown"), ("some", "high")])
def test_a_known_need_goes_on_whatever_budget_and_wish(company: Company, budget: str, wish: str) -> None:
    company.in_dialogue()
    company.to("acme", need(budget=budget, wish=wish))
    company.to("acme", offer())
    assert company.prospect().stage is Stage.OFFERED


@pytest.mark.parametrize("reason", ["no_budget", "no_intent", "not_ready", "budget"])
def test_nobody_is_given_up_for_want_of_budget(company: Company, reason: str) -> None:
    company.need_known()
    with pytest.raises(Refused, match="budget-is-no-gate"):
        company.to("acme", c.Invalidate(reason, "ana", at(3)))


def test_invalidating_takes_from_the_base_only_what_was_counted_there(company: Company) -> None:
    company.registered("plain")
    company.to("plain", c.Invalidate("no_such", "ana", at(3)))
    assert last(company, e.ProspectInvalidated).verified_at is None
    company.rework()
    company.happened.clear()
    company.registered("counted")
    company.to("counted", verify())
    company.to("counted", c.Invalidate("closed_down", "ana", at(9)))
    gone = last(company, e.ProspectInvalidated)
    assert (gone.verified_at, gone.sourced_by) == (at(2, 11), seat("ana", SCOUT))


def test_whoever_verified_it_loses_it_from_the_base(company: Company) -> None:
    company.registered()
    company.to("acme", verify())
    company.to("acme", call())
    company.to("acme", c.ClaimProspect("egor", at(1, month=6)))
    company.to("acme", c.Invalidate("no_such", "egor", at(2, month=6)))
    gone = last(company, e.ProspectInvalidated)
    assert (gone.sourced_by, gone.by) == (seat("ana", SCOUT), seat("egor", SCOUT))


# --- the handover ---------------------------------------------------------------------------------------------------


def test_deadlines_count_working_hours_across_the_change_to_summer_time(company: Company) -> None:
    """Scenario 12: offered Friday 27 March 16:00, eight working hours."""
    company.need_known()
    company.to("acme", offer(when=at(27, 16)))
    offered = last(company, e.LeadOffered)
    assert offered.accept_due_at == datetime(2026, 3, 30, 13, tzinfo=UTC)
    assert offered.first_touch_due_at == at(31, 14)


def test_a_deadline_that_was_over_when_it_was_stamped_never_runs(company: Company) -> None:
    company.in_dialogue()
    company.to("acme", need(now=at(1, month=6)))
    company.to("acme", offer(now=at(1, month=6)))
    assert last(company, e.NeedIdentified).handover_due_at is None
    offered = last(company, e.LeadOffered)
    assert (offered.accept_due_at, offered.first_touch_due_at) == (None, None)


def test_the_credit_window_includes_day_90(company: Company) -> None:
    company.offered()  # 3 March
    assert last(company, e.LeadOffered).credit_until == at(2, 0, month=6)


def test_a_need_that_nobody_offers_in_time_is_overdue_once(company: Company) -> None:
    company.need_known()  # Monday 15:00
    assert [type(one).__name__ for one in company.tick(at(3, 14))] == ["HandoverOverdue"]
    assert last(company, e.HandoverOverdue).at == at(3, 14)
    assert company.tick(at(20)) == []


def test_where_the_policy_says_so_a_lead_offers_itself() -> None:
    company = Company(auto_offer=True)
    company.need_known()
    assert company.tick(at(3, 13, 59)) == []
    company.tick(at(3, 14))
    offered = last(company, e.LeadOffered)
    assert (offered.at, offered.by, offered.attempt) == (at(3, 14), None, 1)
    assert offered.to is not None
    assert "HandoverOverdue" not in company.names()


@pytest.mark.parametrize("variant", list(VARIANTS))
def test_where_hands_do_not_change_the_same_person_goes_on_and_no_deadline_runs(variant: str) -> None:
    company = Company(variant)
    finder = "ana" if VARIANTS[variant][Station.LEAD_GEN] is Role.SCOUT else "dina"
    company.offered(by=finder)
    offered = last(company, e.LeadOffered)
    if finder == "ana":
        assert offered.mode == "offer"
        assert offered.to == seat("boris")
        assert offered.accept_due_at is not None
    else:
        assert (offered.mode, offered.to) == ("self", seat("dina"))
        assert (offered.accept_due_at, offered.first_touch_due_at) == (None, None)
        assert last(company, e.NeedIdentified).handover_due_at is None
        assert "OfferCounted" not in company.names()


def test_where_the_finder_goes_on_nobody_else_can_be_named() -> None:
    company = Company("hunter")
    company.need_known(by="dina")
    with pytest.raises(Refused, match=r"offer\.stays-with-finder"):
        company.to("acme", offer("dina", to="boris"))


def test_a_lead_that_nobody_found_is_handed_on_even_where_the_finder_would_go_on() -> None:
    company = Company("hunter")
    company.offered(by=HOUSE)
    offered = last(company, e.LeadOffered)
    assert (offered.mode, offered.to) == ("offer", seat("boris"))


def test_a_receiver_can_be_named_if_they_work_there_and_are_there(company: Company) -> None:
    company.need_known()
    for nobody in ("olga", "ana", "house"):
        with pytest.raises(Refused, match=r"offer\.receiver-not-available"):
            company.to("acme", offer(to=nobody))
    company.to("acme", offer(to="dina"))
    assert last(company, e.LeadOffered).to == seat("dina")


def test_a_line_that_wants_receivers_named_puts_the_others_into_the_queue() -> None:
    company = Company(routing="named")
    company.offered()
    assert last(company, e.LeadOffered).to is None


def test_after_a_withdrawal_the_lead_can_be_offered_again_as_the_same_attempt(company: Company) -> None:
    company.offered()
    company.to("acme", withdraw(reason="the client asked for a week"))
    withdrawn = last(company, e.LeadWithdrawn)
    assert (withdrawn.reason, withdrawn.note) == ("other", "the client asked for a week")
    assert company.prospect().stage is Stage.NEED_KNOWN
    company.to("acme", offer(when=at(5)))
    assert last(company, e.LeadOffered).attempt == 1


def test_a_rejected_lead_comes_back_with_new_evidence_only(company: Company) -> None:
    company.rework()
    for evidence in ((), ("saw it drip",)):
        with pytest.raises(Refused, match=r"offer\.no-new-evidence"):
            company.to("acme", offer(evidence=evidence, when=at(5)))
    company.to("acme", offer(evidence=("photographs",), when=at(5)))
    offered = last(company, e.LeadOffered)
    assert (offered.attempt, offered.evidence) == (2, ("photographs",))
    assert company.prospect().needs["acme-need"].evidence == ("saw it drip", "photographs")


def test_the_time_for_rework_is_over_at_its_instant_whoever_looks_first(company: Company) -> None:
    company.rework()
    with pytest.raises(Refused, match=r"prospect\.wrong-stage"):
        company.to("acme", offer(evidence=("photographs",), when=at(17, 0)))
    assert company.prospect().stage is Stage.REWORK  # a refusal changes nothing; the clock will
    company.tick(at(17, 0))
    assert company.prospect().stage is Stage.RELEASED


def test_an_acceptance_wins_over_a_withdrawal(company: Company) -> None:
    company.offered()
    company.to("acme", withdraw())
    company.to("acme", accepted())
    assert company.prospect().stage is Stage.CONVERTING


def test_an_acceptance_voids_the_offer_that_was_made_meanwhile(company: Company) -> None:
    company.offered()
    company.to("acme", withdraw())
    company.to("acme", offer(offer_id="acme-2", when=at(3, 13)))
    company.to("acme", accepted("acme-1"))
    assert company.names()[-2:] == ["LeadWithdrawn", "LeadHandedOver"]
    assert last(company, e.LeadWithdrawn).offer_id == "acme-2"
    assert company.to("acme", accepted("acme-2", "dina")) == []


def test_an_overturned_rejection_hands_over_what_another_scout_has_claimed(company: Company) -> None:
    company.rework()
    company.to("acme", c.ClaimProspect("egor", at(18)))
    company.to("acme", accepted(when=at(19)))
    prospect = company.prospect()
    assert (prospect.stage, prospect.sourced_by) == (Stage.CONVERTING, seat("ana", SCOUT))


def test_a_rejection_of_what_is_no_longer_offered_changes_nothing(company: Company) -> None:
    company.offered()
    company.to("acme", withdraw())
    assert company.to("acme", c.ReturnLead("acme-1", "duplicate", seat("boris"), at(4))) == []


def test_who_is_asked_next_is_known_here_for_the_dossier(company: Company) -> None:
    company.offered()
    company.to("acme", c.MoveOffer("acme-1", seat("dina"), at(4)))
    company.to("acme", c.MoveOffer("acme-1", None, at(5)))
    open_offer = company.prospect().offer
    assert open_offer is not None
    assert open_offer.to is None


def test_who_has_left_works_no_prospect_and_another_s_handover_still_counts(company: Company) -> None:
    company.offered()
    company.staff(Leave("ana", date(2026, 3, 15), "vera", at(14)))
    with pytest.raises(Refused, match=r"seat\.not-held"):
        company.to("acme", withdraw(when=at(16, 0)))
    company.to("acme", accepted(when=at(17)))
    assert last(company, e.LeadHandedOver).sourced_by == seat("ana", SCOUT)


def test_a_need_said_twice_is_one_need(company: Company) -> None:
    company.in_dialogue()
    first = company.to("acme", need(need_id=None))
    assert company.to("acme", need(need_id=None)) == []
    assert company.to("acme", need(need_id=first[0].need_id)) == []


def test_a_contact_said_twice_is_one_contact(company: Company) -> None:
    company.in_dialogue()
    assert company.to("acme", contact()) == []
