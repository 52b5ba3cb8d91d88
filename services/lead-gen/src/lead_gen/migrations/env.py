"""Runs the migrations on the connection that `python -m lead_gen migrate` opened."""

from belt.io.migrate import environment

environment()
