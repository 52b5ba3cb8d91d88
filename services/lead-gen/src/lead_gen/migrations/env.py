"""Runs the migrations on the connection that `python -m lead_gen migrate` opened."""

from belt.io.store.migrate import environment

environment()
