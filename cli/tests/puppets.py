"""A world that answers stories without servers: whoever is asked first is the receiver, nobody is ever refused."""

from collections.abc import Mapping
from typing import Any

from conveyor.demo.company import line_of
from conveyor.demo.fates import Client
from conveyor.demo.play import Act, Play
from conveyor_events.words import Station, changes_hands

PROBLEM = {"code": "refused", "status": 409}


class World:
    """Answers as the services would if every receiver accepted what it is offered."""

    def __init__(self, client: Client) -> None:
        self.line = line_of(client.line.id)
        self.client = client
        self.silent_until_asked = 0

    def answer(self, act: Act) -> Mapping[str, Any]:
        if act.refused is not None:
            return PROBLEM
        if act.body is None:
            return self._shown(act)
        known = {name: value for name, value in act.body.items() if name.endswith("_id")}
        return {
            "offer_id": "offer-2",
            "mode": "self" if self._itself(Station.LEAD_GEN, Station.CONVERSION) else "offer",
            "opportunity_id": "opportunity-1",
            "account_offer_id": "offer-3",
            "served_by": {"person": self.line.teams[Station.ACCOUNT_MGMT][0], "role": "any"},
        } | known

    def _shown(self, act: Act) -> Mapping[str, Any]:
        if act.path.startswith("/v1/opportunities"):
            return {"converted_by": self.line.teams[Station.CONVERSION][0]}
        here, after = (
            (Station.LEAD_GEN, Station.CONVERSION)
            if act.service == "conversion"
            else (Station.CONVERSION, Station.ACCOUNT_MGMT)
        )
        team = self.line.teams[after]
        return {
            "stage": "accepted" if self._itself(here, after) else "offered",
            "to": {"person": team[0], "role": "any"},
            "opportunity_id": "opportunity-1",
            "served_by": {"person": team[0], "role": "any"},
        }

    def _itself(self, here: Station, after: Station) -> bool:
        return not changes_hands(self.line.variant, here, after)


def played(client: Client, play: Play) -> list[Act]:
    """The acts of one story, from its first to its last."""
    world, acts = World(client), []
    try:
        act = next(play)
        while True:
            acts.append(act)
            act = play.send(world.answer(act))
    except StopIteration:
        return acts
