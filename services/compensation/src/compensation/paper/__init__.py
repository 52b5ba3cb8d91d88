"""Statements on paper: as a PDF for people, as CSV for spreadsheets. Pure: the same statement gives the same bytes."""

from compensation.paper.pdf import pdf
from compensation.paper.sheet import sheet
from compensation.paper.wording import Language

__all__ = ["Language", "pdf", "sheet"]
