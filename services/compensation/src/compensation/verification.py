"""Whether what was frozen is still what was frozen: the digest chain, a full replay, and the laws. Pure.

Faults are named from the first month on, each by its statement and, where one can tell, by its line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compensation import digest
from compensation.office.ledger import PeriodClosed


@dataclass(frozen=True)
class Kept:
    """A frozen statement as it stands in the table."""

    period: str
    person: str
    lines: Sequence[Mapping[str, Any]]
    totals: Sequence[Mapping[str, Any]]
    digest: str


@dataclass(frozen=True)
class Broken:
    """What does not hold, and where. `line`: the id of the first line that differs."""

    what: str
    period: str
    person: str | None = None
    line: str | None = None


Replayed = Mapping[tuple[str, str], tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]]
"""Lines and totals by (period, person), as a full replay gives them."""


def verify(months: Iterable[PeriodClosed], kept: Iterable[Kept], replayed: Replayed) -> Iterator[Broken]:
    """Every fault of the closed months, in their order."""
    by_month: defaultdict[str, list[Kept]] = defaultdict(list)
    for one in kept:
        by_month[one.period].append(one)
    previous: str | None = None
    for month in months:
        mine = sorted(by_month[month.period], key=lambda one: one.person)
        for one in mine:
            yield from _statement(one, replayed.get((one.period, one.person)))
        for period, person in sorted(replayed):
            if period == month.period and all(one.person != person for one in mine):
                yield Broken("the replay has a statement that was not frozen", period, person)
        if month.previous != previous:
            yield Broken("the chain is broken: it does not follow the digest of the month before", month.period)
        if digest.of_month(previous, month.period, [(one.person, one.digest) for one in mine]) != month.digest:
            yield Broken("the digests of the statements are not those that the month was closed with", month.period)
        previous = month.digest


def _statement(kept: Kept, again: tuple[Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]] | None) -> Any:
    intact = digest.of_statement(kept.period, kept.person, kept.lines, kept.totals) == kept.digest
    if again is None:
        yield Broken("the replay does not have this statement", kept.period, kept.person)
        return
    same = digest.of_statement(kept.period, kept.person, *again) == kept.digest
    if intact and same:
        return
    where = _first_difference(kept.lines, again[0])
    if not intact:
        yield Broken("the statement was changed after it was frozen", kept.period, kept.person, where)
    if not same:
        yield Broken("a full replay gives another statement", kept.period, kept.person, where)


def _first_difference(kept: Sequence[Mapping[str, Any]], again: Sequence[Mapping[str, Any]]) -> str | None:
    wanted = {line["line_id"]: dict(line) for line in again}
    for line in kept:
        if wanted.pop(line["line_id"], None) != dict(line):
            return str(line["line_id"])
    return next(iter(wanted), None)
