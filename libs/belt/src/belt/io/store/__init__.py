"""Streams, the public log and what else lives in PostgreSQL: every write is an append unit."""
