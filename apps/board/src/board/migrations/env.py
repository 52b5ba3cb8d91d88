"""Where alembic begins: on the connection that the board opened."""

from belt.io.store.migrate import environment

environment()
