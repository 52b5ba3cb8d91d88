"""A real PostgreSQL and a real Kafka on this machine, without containers."""
