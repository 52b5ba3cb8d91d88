"""schemathesis at the four running services: no fault, no answer that is not described, along the links.

`make fuzz SECONDS=600 SEED=7` goes on for longer.
"""

from __future__ import annotations

import os

import pytest
from http_line import HttpLine
from http_schemathesis import followed, tried_each

from conveyor.addresses import SERVICES

pytestmark = [pytest.mark.contract, pytest.mark.timeout(600)]

TIMES, WALKS = 3, 12
SEED = int(os.environ.get("CONVEYOR_SEED", "20260302"))


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_answers_as_it_describes_itself(http_served: HttpLine, service: str) -> None:
    found = tried_each(http_served, service, TIMES, SEED)
    print(f"{service}: seed {SEED}, {found.cases} requests, {found.operations} operations")
    assert found.ok, f"seed {SEED}\n{found.told}"
    assert found.operations == found.described > 40


@pytest.mark.parametrize("service", SERVICES)
def test_what_an_answer_names_is_found_along_the_links(http_served: HttpLine, service: str) -> None:
    found = followed(http_served, service, WALKS, SEED)
    print(f"{service}: seed {SEED}, {found.cases} requests, {found.links} links followed")
    assert found.ok, f"seed {SEED}\n{found.told}"
    assert found.links > 0, found.told
