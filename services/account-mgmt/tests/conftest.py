"""The story of one buyer is told once and used by every test."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
