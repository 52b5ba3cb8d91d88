"""`python -m conversion api | worker | all | migrate | rebuild | republish | verify`."""

from belt.io.service import run
from conversion.main import SERVICE

run(SERVICE)
