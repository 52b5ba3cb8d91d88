"""`python -m account_mgmt`."""

from account_mgmt.main import SERVICE
from belt.io.service import run

run(SERVICE)
