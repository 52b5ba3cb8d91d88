"""What if: history played again under other plans, another variant or another handover policy. The ledger stays.

Pure: the same facts and the same scenario give the same answer. What a simulation supposes, it says (`assumes`).
"""

from compensation.whatif.differing import Pair, differing
from compensation.whatif.scenario import Draft, Policy, Scenario, document_digest, read_scenario
from compensation.whatif.sides import Basis, Sides, sides
from compensation.whatif.simulate import Outcome, PersonOutcome, Progress, explain, explained, simulate
from compensation.whatif.totals import Sums, sums

__all__ = [
    "Basis",
    "Draft",
    "Outcome",
    "Pair",
    "PersonOutcome",
    "Policy",
    "Progress",
    "Scenario",
    "Sides",
    "Sums",
    "differing",
    "document_digest",
    "explain",
    "explained",
    "read_scenario",
    "sides",
    "simulate",
    "sums",
]
