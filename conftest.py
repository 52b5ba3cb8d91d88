"""For every test of the workspace: the fixtures on real servers, skips that count as failures, and who runs what."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = ["conveyor_local.fixtures"]

# With CONVEYOR_NO_SKIP=1 (as in CI) a skip is a failure, unless its reason begins with one of these.
MAY_SKIP = ("shared data absent", "mounting is not permitted")


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


# With `-n` several processes share the tests, file by file; each has servers of its own. But one process has all files
# of these folders that say nothing else below: they share a line of services.
TOGETHER = ("tests/contract", "tests/faults", "tests/journey")
# What brings its own servers and takes long: begun before all others, in this order.
FIRST = (
)
GIGABYTES = 2 * 2**30  # for each process, with its servers


class Sharing(LoadScopeScheduling):
    """A file, or the files of a folder that share a line, go to one process as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in TOGETHER and file not in FIRST else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """One more than processors, because much of a test is waiting; fewer where memory is short."""
    return max(1, min((os.cpu_count() or 1) + 1, psutil.virtual_memory().available // GIGABYTES, 6))
