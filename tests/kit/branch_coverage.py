"""``pytest -p tests.kit.branch_coverage``: how much of the product the tests reach, lines and branches.

Each process of pytest-xdist measures itself and hands in what it saw; the one that gave out the tests adds it up and
fails the run below ``--least-reached``. What runs in further processes, as whole workers do, counts as not reached.

SlipCover writes its probes into the code when it is imported. Tracing each line, as coverage.py must before Python
3.14 where branches are wanted, makes these tests take three times as long, some five times.
"""

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage, print_coverage

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

SOURCE = ["stream"]
OMITTED = ["stream/cli/__main__.py"]
"""Runs in processes of its own alone."""

# Before anything of the product is imported, so here and in no hook.
_measured = Slipcover(branch=True, source=SOURCE, omit=OMITTED)
ImportManager(_measured, FileMatcher(sources=SOURCE, omit=OMITTED)).__enter__()


class Reached:
    """Adds up what the processes reached."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._all: dict[str, Any] | None = None
        self._missing: list[str] = []

    @property
    def _percent(self) -> float:
        return self._all["summary"]["percent_covered"] if self._all else 0.0

    def _add(self, seen: dict[str, Any]) -> None:
        if self._all is None:
            self._all = seen
        else:
            merge_coverage(self._all, seen)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: "WorkerController", error: object) -> None:
        """Take what a process saw; one that fell has nothing to hand in."""
        seen = getattr(node, "workeroutput", {}).get("reached")
        if seen is None:
            self._missing.append(f"{node.gateway.id}: {error}")
        else:
            self._add(json.loads(seen))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Let a run fail that reached too little."""
        self._add(_measured.get_coverage())
        if (self._percent < self._least or self._missing) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Show the files that were not reached whole, and what the run is held to."""
        print_coverage(self._all, outfile=terminalreporter, skip_covered=True, missing_width=60)
        verdict = "reached" if self._percent >= self._least else "NOT reached"
        terminalreporter.write_line(
            f"Lines and branches reached: {self._percent:.2f} %; the floor of {self._least:g} % is {verdict}"
        )
        for fallen in self._missing:
            terminalreporter.write_line(f"A process of the tests handed in nothing: {fallen}")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the floor."""
    parser.addoption("--least-reached", type=float, default=0.0, metavar="PERCENT", help="fail where less is reached")


def pytest_configure(config: pytest.Config) -> None:
    """Add up in the process that gives out the tests, or in the only one."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        config.pluginmanager.register(Reached(config.getoption("--least-reached")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand in what this process saw."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        session.config.workeroutput["reached"] = json.dumps(_measured.get_coverage())  # type: ignore[attr-defined]
