"""The half of the belt that touches PostgreSQL, Kafka and HTTP."""
