"""Lets the stories happen: moves the clocks of all services from one instant to the next, and sends what people do.

The clocks go to the earliest due time or the next act, whichever comes first; then everything drains before anybody
acts on it. So three months run in a minute, and always the same way.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from conveyor.addresses import SERVICES
from conveyor.demo.company import PEOPLE
from conveyor.demo.play import Act, Answer, Play
from conveyor.exits import CheckFailed, Problem
from conveyor.line import Line
from conveyor_events.words import instant_text, parse_instant

Tell = Callable[[datetime], None]
Scene = tuple[datetime, int, Act, Play]
PATIENCE, AGAIN = 60.0, 0.05  # seconds, real ones


@dataclass
class Stage:
    """One run of the stories."""

    line: Line
    tell: Tell
    now: datetime
    moves: int = 0
    acts: int = 0
    refusals: int = 0
    _scenes: list[Scene] = field(default_factory=list)
    _due: datetime | None = None
    _drained: bool = False

    async def set(self, at: datetime) -> None:
        """Sets all clocks before the first story begins."""
        await self._move(at)

    async def run(self, plays: Iterable[Play], until: datetime) -> None:
        """Plays all stories, and everything that falls due, up to an instant."""
        for number, play in enumerate(plays):
            self._go_on(number, play, None)
        await self._move(self.now)
        while True:
            act_at = self._scenes[0][0] if self._scenes else until
            target = min(act_at, self._due or act_at, until)
            if target > self.now:
                await self._move(target)
                continue
            if not self._scenes or self._scenes[0][0] > self.now:
                if self.now >= until:
                    return
                await self._move(self.now)  # what followed from the last move may be due already
                continue
            while self._scenes and self._scenes[0][0] <= self.now:
                await self._together()
            await self._drain()

    async def _move(self, to: datetime) -> None:
        """Sets all clocks. Where something fell due, what followed from it is waited for."""
        at = instant_text(to)
        fires = self._due is not None and self._due <= to
        shown = await asyncio.gather(*(self.line.put(service, "/v1/clock", {"at": at}) for service in SERVICES))
        self.now, self.moves = to, self.moves + 1
        self.tell(to)
        self._read(dict(zip(SERVICES, shown, strict=True)))
        if fires or not self._drained:
            await self._drain()

    async def _drain(self) -> None:
        self._read(await self.line.drained())
        self._drained = True

    def _read(self, clocks: Mapping[str, Mapping[str, Any]]) -> None:
        dues = [parse_instant(clock["next_due"]) for clock in clocks.values() if clock["next_due"]]
        self._due = min(dues, default=None)

    async def _together(self) -> None:
        """All acts of this moment at once; those of one lane one after the other, in the order of the stories."""
        lanes: dict[str, list[Scene]] = defaultdict(list)
        while self._scenes and self._scenes[0][0] <= self.now:
            scene = heapq.heappop(self._scenes)
            lanes[scene[2].lane or f"story {scene[1]}"].append(scene)
        async with asyncio.TaskGroup() as group:
            for scenes in lanes.values():
                group.create_task(self._one_by_one(scenes))

    async def _one_by_one(self, scenes: list[Scene]) -> None:
        for _, number, act, play in scenes:
            self._go_on(number, play, await self._do(act))

    def _go_on(self, number: int, play: Play, answer: Answer | None) -> None:
        """Tells the story what came of its last act, and takes down the next one."""
        try:
            act = next(play) if answer is None else play.send(answer)
        except StopIteration:
            return
        heapq.heappush(self._scenes, (max(act.at, self.now), number, act, play))

    async def _do(self, act: Act) -> Answer:
        roles = act.roles or (PEOPLE[act.who].role,)
        try:
            if act.body is None:
                return await self._asked(act, roles)
            self.acts += 1
            answer = await self.line.post(act.service, act.path, act.body, key=act.key, person=act.who, roles=roles)
        except Problem as problem:
            if problem.code != act.refused:
                raise CheckFailed(
                    f"{act.at} {act.who}: {act.service} {act.path} {dict(act.body or {})}: {problem}"
                ) from problem
            self.refusals += 1
            return problem.body
        if act.refused is not None:
            raise CheckFailed(f"{act.at} {act.who}: {act.service} {act.path} should have been refused: {act.refused}")
        return answer

    async def _asked(self, act: Act, roles: tuple[str, ...]) -> Answer:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    answer = await self.line.get(act.service, act.path, person=act.who, roles=roles)
                    if act.until is None or act.until(answer):
                        return answer
                    await asyncio.sleep(AGAIN)
        except TimeoutError as late:
            raise CheckFailed(f"{act.at} {act.who}: {act.service} {act.path}: not so within {PATIENCE:.0f} s") from late
