"""How this service's migrations run."""

from belt.io.store.migrate import environment

environment()
