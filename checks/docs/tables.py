"""A stream's table of commands and stages, and the diagram of its stages: by trying every command in every stage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from belt.core.decider import Refused

NOTHING = "·"


@dataclass
class Trial:
    """A stream brought to a stage, and one command for it."""

    stage: Callable[[], str]
    do: Callable[[], Iterable[Any]]
    own: tuple[type, ...] | None = None


@dataclass(frozen=True)
class Table:
    """One stream: its commands, its stages, and a trial for each pair (by the names in the test)."""

    title: str
    about: str
    decider: str
    test: str | None
    commands: dict[str, str]
    stages: Sequence[str]
    trial: Callable[[str, str], Trial]

    def text(self) -> str:
        lines = [f"| command | {' | '.join(self.stages)} |\n|---|{'---|' * len(self.stages)}"]
        arrows: dict[tuple[str, str], list[str]] = {}
        for key, command in self.commands.items():
            cells = []
            for stage in self.stages:
                trial = self.trial(key, stage)
                before = trial.stage()
                cells.append(_outcome(trial))
                if trial.stage() != before:
                    ways = arrows.setdefault((before, trial.stage()), [])
                    ways += [command] if command not in ways else []
            lines.append(f"| {command} | {' | '.join(cells)} |")
        lines.insert(0, f"## {self.title}\n\n{self.about}\n\n{_diagram(arrows)}\n")
        tested = f", tested in {link(self.test)}" if self.test else ""
        lines.append(f"\nDecided in {link(self.decider)}{tested}.\n")
        return "\n".join(lines)


def link(place: str) -> str:
    return f"[{Path(place).name}](../{place})"


def _diagram(arrows: Mapping[tuple[str, str], Sequence[str]]) -> str:
    """A state diagram in Mermaid. What leaves a stage as it is has no arrow; a stage that nothing leaves is final."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR"]
    for (before, after), commands in arrows.items():
        ways = ", ".join(command.replace("(", "- ").replace(")", "") for command in commands)
        lines.append(f"    {'[*]' if before == 'none' else before} --> {after}: {ways}")
    left = {before for before, _ in arrows}
    lines += [f"    {stage} --> [*]" for stage in dict.fromkeys(after for _, after in arrows) if stage not in left]
    return "\n".join([*lines, "```"])


def stage_of(state: Any) -> str:
    """The word for where a state stands."""
    stage = getattr(state, "status", None) or getattr(state, "stage", None) or state.handover.stage
    return str(getattr(stage, "value", stage))


def _outcome(trial: Trial) -> str:
    """What follows, as a cell. Of other streams in the same append unit nothing is shown."""
    try:
        own = trial.own
        events = [type(event).__name__ for event in trial.do() if own is None or isinstance(event, own)]
    except Refused as refused:
        thing, _, what = refused.code.partition(".")
        short = {"wrong-stage": "✕", "unknown": "?"}.get(what)
        return (short or f"*{refused.code if what else thing}*") + (" !" if refused.record else "")
    return f"`{' '.join(events)}`" if events else NOTHING


class Folded:
    """A state in memory, and one command for it."""

    def __init__(self, state: Any, decide: Callable[[Any], Sequence[Any]], evolve: Callable[[Any, Any], Any]) -> None:
        self.state, self._decide, self._evolve = state, decide, evolve

    def do(self) -> Sequence[Any]:
        events = self._decide(self.state)
        self.state = reduce(self._evolve, events, self.state)
        return events

    def trial(self) -> Trial:
        return Trial(lambda: stage_of(self.state), self.do)
