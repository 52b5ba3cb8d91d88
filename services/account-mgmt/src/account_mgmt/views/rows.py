"""What the tables share: one schema for all read models, a row as a mapping, and how an instant is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import DateTime, MetaData

Row = Mapping[str, Any]
TABLES = MetaData()
INSTANT = DateTime(timezone=True)
