"""What if: the same history under another plan, another variant, or another handover policy. The ledger is not touched.

Both sides are folded as if no month had been closed, from what was known at one instant: so a difference comes from the
change that was asked for, and from nothing else.
"""

from compensation.whatif.compared import Compared, Difference, Folded, compared, differences, prepared
from compensation.whatif.scenario import Scenario, document_digest, read_scenario

__all__ = [
    "Compared",
    "Difference",
    "Folded",
    "Scenario",
    "compared",
    "differences",
    "document_digest",
    "prepared",
    "read_scenario",
]
