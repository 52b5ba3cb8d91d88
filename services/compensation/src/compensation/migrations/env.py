"""Where alembic begins: on the connection that the service opened."""

from belt.io.migrate import environment

environment()
