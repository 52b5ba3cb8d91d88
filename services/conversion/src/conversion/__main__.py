"""`python -m conversion api | worker | all | migrate | rebuild`."""

from belt.io.service import run
from conversion.main import SERVICE

run(SERVICE)
