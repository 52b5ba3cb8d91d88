"""Where the parts of a rehearsal lie, and those that it takes from other tests."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / other) for other in ("faults", "contract", "journey"))]
