"""Called by alembic on the connection that the service's `migrate` opened."""

from belt.io.store.migrate import environment

environment()
