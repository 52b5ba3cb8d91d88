"""`python -m compensation api | worker | all | migrate | rebuild | republish | verify`."""

from belt.io.service import run
from compensation.main import SERVICE

run(SERVICE)
