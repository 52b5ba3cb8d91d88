"""What compensation tells the payroll."""

from datetime import date
from typing import Annotated

from pydantic import Field

from conveyor_events.sale import Currency
from conveyor_events.words import Event


class PlanActivated(Event):
    """A version of a pay plan takes effect."""

    plan: str
    version: int
    role: str
    effective_from: Annotated[date, Field(description="first day on which the version pays")]
    currency: Currency
