"""Histories and the oracle are written once and used by several tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
