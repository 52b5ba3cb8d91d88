"""For every test of the workspace: the fixtures on real servers, and skips that count as failures where asked."""

import os
from collections.abc import Generator

import pytest

pytest_plugins = ["conveyor_local.fixtures"]

# With CONVEYOR_NO_SKIP=1 (as in CI) a skip is a failure, unless its reason begins with one of these.
MAY_SKIP = ("shared data absent", "mounting is not permitted", "no browser")


def _forbidden_skip(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """The reason of a skip that counts as a failure here; None for everything else."""
    if os.environ.get("CONVEYOR_NO_SKIP") != "1" or not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
    reason = reason.removeprefix("Skipped: ")
    return None if reason.startswith(MAY_SKIP) else reason


def _fail(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = _forbidden_skip(report)
    if reason is not None:
        report.outcome = "failed"
        report.longrepr = f"skipped where no skip is allowed (CONVEYOR_NO_SKIP=1): {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail(report)
    return report
