"""A real PostgreSQL and a real Kafka on this machine, without containers."""

from conveyor_local.stack import Stack
from conveyor_local.trouble import LocalStackError

__all__ = ["LocalStackError", "Stack"]
