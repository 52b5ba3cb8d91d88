"""What the demo's company does: always the same for the same seed, within working hours, and of every kind."""

from collections import Counter

import pytest
from puppets import played

from compensation.plan import parse
from conveyor.demo.company import LINES, PEOPLE, PLANS, plan_document
from conveyor.demo.fates import SHARES, Fate, clients, deck
from conveyor.demo.play import Act
from conveyor.demo.slots import at_work, slots
from conveyor.demo.stories import stories
from conveyor_events.words import HOUSE, VARIANTS, Station, role_at

SEED = 2026


def all_acts(seed: int) -> list[list[Act]]:
    return [played(client, play) for client, play in stories(seed)]


@pytest.fixture(scope="module")
def acts() -> list[list[Act]]:
    return all_acts(SEED)


def test_the_same_seed_tells_the_same_stories(acts: list[list[Act]]) -> None:
    assert all_acts(SEED) == acts


def test_another_seed_tells_others(acts: list[list[Act]]) -> None:
    assert all_acts(SEED + 1) != acts


def test_nobody_acts_while_away_or_after_leaving(acts: list[list[Act]]) -> None:
    assert [act for story in acts for act in story if not at_work(act.who, act.at)] == []


def test_everything_happens_at_a_slot_of_a_working_day(acts: list[list[Act]]) -> None:
    assert {act.at for story in acts for act in story} <= set(slots())


def test_no_story_goes_back_in_time(acts: list[list[Act]]) -> None:
    for story in acts:
        assert [act.at for act in story] == sorted(act.at for act in story)


def test_every_command_has_a_key_of_its_own(acts: list[list[Act]]) -> None:
    keys = Counter(act.key for story in acts for act in story if act.body is not None)
    assert set(keys.values()) == {1}


def test_every_fate_happens_on_every_line() -> None:
    for line in LINES:
        found = {client.fate for client in clients(SEED) if client.line == line}
        assert found == {*SHARES, Fate.SMOOTH}


def test_a_deck_has_a_card_for_each_client() -> None:
    assert [len(deck(size)) for size in (20, 28, 60)] == [20, 28, 60]


def test_there_are_four_lines_one_for_each_variant() -> None:
    assert Counter(line.variant for line in LINES) == dict.fromkeys(VARIANTS, 1)


def test_teams_hold_the_role_that_the_variant_asks_for() -> None:
    for line in LINES:
        for station in Station:
            assert {PEOPLE[person].role for person in line.teams[station]} == {role_at(line.variant, station)}


def test_clients_are_found_by_people_who_work_there_or_by_nobody() -> None:
    for client in clients(SEED):
        assert client.finder == HOUSE or PEOPLE[client.finder].line == client.line.id


def test_the_company_has_the_size_of_a_small_firm() -> None:
    assert 120 <= len(clients(SEED)) <= 200
    assert 18 <= len(PEOPLE) <= 24


@pytest.mark.parametrize("plan", PLANS)
def test_every_plan_is_one_that_compensation_can_read(plan: str) -> None:
    assert parse(plan_document(plan)).plan == plan


def test_everybody_has_a_plan_of_their_role() -> None:
    for person in PEOPLE.values():
        assert plan_document(person.plan)["role"] == person.role


def test_most_acts_of_a_quarter_are_told(acts: list[list[Act]]) -> None:
    assert 1_500 <= sum(map(len, acts)) <= 4_500
