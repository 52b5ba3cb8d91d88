"""What the members' own tests tell of their services, importable here."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, *(HERE.parents[1] / "services").glob("*/tests")):
    sys.path.insert(0, str(folder))
