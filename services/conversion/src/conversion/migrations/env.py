"""Called by alembic on the connection that the service's `migrate` opened."""

from belt.io.migrate import environment

environment()
