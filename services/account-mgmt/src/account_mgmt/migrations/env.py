"""How this service's migrations run."""

from belt.io.migrate import environment

environment()
