"""The real command in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import Run
from tests.cli.verifying import Verify, verifying


@pytest.fixture
def lifecycle(tmp_path: Path) -> Run:
    """Run `lifecycle` with these arguments in the test's own folder, without any settings around it."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    around |= {"COLUMNS": "120"}

    def run(
        *arguments: str, stdin: str | None = None, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "stream.cli", *arguments],
            cwd=tmp_path,
            env=around | (environment or {}),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )

    return run


@pytest.fixture
def verify(lifecycle: Run) -> Verify:
    """Run `lifecycle verify --json` with settings, further arguments and environment."""
    return verifying(lifecycle)
