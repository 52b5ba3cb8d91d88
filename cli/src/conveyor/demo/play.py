"""What a story is made of. A story is a generator: it says who does what when, is told the answer, and goes on.

Pure: the same seed and the same answers give the same story. The stage (stage.py) sends the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any, TypeAlias
from uuid import UUID, uuid5

from conveyor.demo.slots import at_work, gone, slots

NAMESPACE = UUID("0d5a7c7e-64c5-5f0e-9d33-6d3a3b8a1f60")

Answer: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Act:
    """One request. Without a body it is a question. `lane`: acts of one lane at the same instant go one by one.

    `refused` names the code with which the service must refuse; the answer is then the problem. `until`: the question
    is asked until the answer is so, while all clocks stand still.
    """

    at: datetime
    who: str
    service: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str = ""
    lane: str | None = None
    refused: str | None = None
    roles: tuple[str, ...] = ()
    until: Callable[[Answer], bool] | None = None


Play: TypeAlias = Generator[Act, Answer, None]


class Over(Exception):
    """The three months are over, or who should act has left: the story ends here, unfinished."""


@dataclass
class Teller:
    """Where one story is: the slot it has reached, its dice, and the ids it gives."""

    seed: str
    name: str
    slot: int
    dice: Random
    _numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, name: str, slot: int) -> Teller:
        return cls(str(seed), name, slot, Random(f"{seed}/{name}"))  # noqa: S311 (a story, not a secret)

    def id(self, kind: str) -> str:
        """An id of this story: the first of a kind, the second, …, always the same for the same seed."""
        number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return str(uuid5(NAMESPACE, f"{self.seed}/{self.name}/{kind}/{number}"))

    def between(self, least: int, most: int) -> int:
        return self.dice.randint(least, most)

    def likely(self, chance: float) -> bool:
        return self.dice.random() < chance

    def wait(self, least: int, most: int | None = None) -> None:
        """Lets so many slots pass."""
        self.slot += self.between(least, most if most is not None else least)

    def here(self, who: str) -> bool:
        """Whether the person is at work in the present slot."""
        return self.slot < len(slots()) and at_work(who, slots()[self.slot])

    def somebody(self, team: Iterable[str], *, but: str | None = None) -> str:
        """One of those who are at work now; if nobody is, it takes until somebody comes."""
        people = [one for one in team if one != but]
        while self.slot < len(slots()):
            present = [one for one in people if self.here(one)]
            if present:
                return self.dice.choice(present)
            self.slot += 1
        raise Over("the three months are over")

    def _moment(self, who: str) -> datetime:
        """The first slot from here on at which the person is at work."""
        while self.slot < len(slots()):
            at = slots()[self.slot]
            if gone(who, at):
                raise Over(f"{who} has left")
            if at_work(who, at):
                return at
            self.slot += 1
        raise Over("the three months are over")

    def act(
        self,
        who: str,
        service: str,
        path: str,
        body: Mapping[str, Any],
        *,
        lane: str | None = None,
        refused: str | None = None,
        roles: tuple[str, ...] = (),
    ) -> Generator[Act, Answer, Answer]:
        """The person does something at the first moment they can, and is told what came of it."""
        at = self._moment(who)
        return (yield Act(at, who, service, path, body, self.id("key"), lane, refused, roles))

    def ask(
        self,
        who: str,
        service: str,
        path: str,
        roles: tuple[str, ...] = (),
        until: Callable[[Answer], bool] | None = None,
    ) -> Generator[Act, Answer, Answer]:
        """The person looks something up, now; `until` it is so."""
        return (yield Act(self._moment(who), who, service, path, roles=roles, until=until))
