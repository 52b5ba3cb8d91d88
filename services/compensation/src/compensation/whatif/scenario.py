"""What is asked: which months, and what is to be otherwise in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compensation.documents import Fault, FaultyDocument
from compensation.months import Month
from compensation.plan import Plan, parse
from conveyor_events.words import VARIANTS

MOST_MONTHS = 60


@dataclass(frozen=True, slots=True)
class Scenario:
    """`plans` stand in for those in force for their roles, from the first month on."""

    first: Month
    last: Month
    plans: tuple[Plan, ...] = ()
    variant: str | None = None
    accept_within_hours: int | None = None

    @property
    def months(self) -> list[Month]:
        return list(self.first.through(self.last))

    @property
    def assumes(self) -> list[str]:
        """What no history can tell, and is taken to be so."""
        found = []
        if self.plans:
            found.append("a plan of a new name stands in for every plan of its role")
        if self.variant is not None:
            found += [
                "where hands no longer change, whoever had the client before keeps it",
                "where hands change anew, the same person goes on, in the role of the station",
                "who works in a role that the variant lacks is paid by the plan of the role that takes it over",
            ]
        if self.accept_within_hours is not None:
            found += [
                "an answer that came too late is silence, which pays the finder at the due time",
                "whoever answered late is not replaced: nobody knows who would have been next",
            ]
        return found


def read_scenario(
    first: str,
    last: str,
    plans: Sequence[Mapping[str, Any]],
    variant: str | None = None,
    accept_within_hours: int | None = None,
) -> Scenario:
    """Raises FaultyDocument, which names the place of each fault."""
    months, faults = [], []
    for name, text in (("from", first), ("to", last)):
        try:
            months.append(Month.parse(text))
        except ValueError as wrong:
            faults.append(Fault(name, str(wrong)))
    if len(months) == 2 and not months[0] <= months[1] < months[0].plus(MOST_MONTHS):
        faults.append(Fault("to", f"the range ends before it begins, or is longer than {MOST_MONTHS} months"))
    if variant is not None and variant not in VARIANTS:
        faults.append(Fault("variant", f"there is no variant {variant!r}; there are {', '.join(VARIANTS)}"))
    read: list[Plan] = []
    for number, document in enumerate(plans):
        try:
            read.append(parse(document))
        except FaultyDocument as wrong:
            faults += [Fault(f"plans[{number}].{fault.path}".rstrip("."), fault.message) for fault in wrong.faults]
    if not plans and variant is None and accept_within_hours is None:
        faults.append(Fault("", "nothing is to be otherwise: give plans, a variant or accept_within_hours"))
    if faults:
        raise FaultyDocument(faults)
    return Scenario(months[0], months[1], tuple(read), variant, accept_within_hours)


def document_digest(document: Mapping[str, Any] | str) -> str:
    """The same plan text gives the same digest, whatever the order of its keys."""
    content = json.loads(document) if isinstance(document, str) else document
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
