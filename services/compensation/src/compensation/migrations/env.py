"""Where alembic begins: on the connection that the service opened."""

from belt.io.store.migrate import environment

environment()
