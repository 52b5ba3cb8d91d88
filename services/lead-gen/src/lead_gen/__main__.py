"""`python -m lead_gen api | worker | all | migrate | rebuild | republish | verify`"""

from belt.io.service import run
from lead_gen.main import SERVICE

if __name__ == "__main__":
    run(SERVICE)
