"""`python -m board api | worker | all | migrate | rebuild | redrive`."""

from board.main import run

run()
