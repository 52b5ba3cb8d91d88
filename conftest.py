"""For every test of the workspace: the fixtures on real servers, skips that count as failures, and who runs what."""

import os
from collections.abc import Generator
from typing import Any

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

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


# With `-n` several processes share the tests, file by file; each has servers of its own. But one process has all files
# of these folders that say nothing else below: they share a line of services.
TOGETHER = ("tests/browser", "tests/contract", "tests/faults", "tests/journey")
# What brings its own servers and takes long: begun before all others, in this order.
FIRST = (
    "tests/faults/test_defects.py",
    "tests/journey",
    "tests/browser",
    "tests/faults",
    "tests/contract",
    "tests/alerts/test_provoked.py",
    "libs/belt/tests/kafka/test_reactions.py",
    "tests/rehearsal/test_rehearsal.py",
    "tests/faults/test_under_faults.py",
    "libs/belt/tests/kafka/test_consumer.py",
    "libs/belt/tests/kafka/test_facts.py",
    "tests/journey/test_periods.py",
    "deploy/local/tests/test_stack.py",
    "libs/belt/tests/kafka/test_feed.py",
    "tests/faults/test_closing.py",
    "tests/contract/test_guarded_line.py",
    "tests/journey/test_year.py",
    "tests/journey/test_variants.py",
    "tests/contract/test_kafka_access.py",
)
ROOM = 2 * 2**30  # bytes of memory for each process, with its servers


def _unit(nodeid: str) -> str:
    """What goes to one process as a whole: a file, or a folder's files that share a line."""
    file = nodeid.partition("::")[0]
    folder = file.rpartition("/")[0]
    return folder if folder in TOGETHER and file not in FIRST else file


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        rank = {unit: number for number, unit in enumerate(FIRST)}
        items.sort(key=lambda item: rank.get(_unit(item.nodeid), len(rank)))


class Sharing(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Units in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return _unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_xdist_auto_num_workers() -> int:
    """One more than processors, because much of a test is waiting; fewer where memory is short."""
    return max(1, min((os.cpu_count() or 1) + 1, psutil.virtual_memory().available // ROOM, 6))
