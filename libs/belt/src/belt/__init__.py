"""The machinery that moves work between stations."""
