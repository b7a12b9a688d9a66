"""The guard of a child and its folder; what it does when its parent is killed is in `tests/cli/test_demo.py`."""

import signal
import subprocess
from pathlib import Path

import pytest

from stream.errors import BrokerError
from stream.kafka.embedded.child_guard import ChildGuard


def start(guard: ChildGuard, script: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(guard.command(["/bin/sh", "-c", script]), stdin=guard.fd, stdout=subprocess.PIPE)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders are made."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_a_child_that_still_runs_at_the_end_is_killed_and_its_folder_removed(temporary: Path) -> None:
    with ChildGuard("lifecycle-test-") as guard:
        child = start(guard, "echo begun; exec sleep 600")
        child.stdout.readline()
        (guard.folder / "written").write_text("something")
    assert list(temporary.iterdir()) == []
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()


def test_a_guard_that_was_killed_itself_leaves_no_folder(temporary: Path) -> None:
    with ChildGuard("lifecycle-test-") as guard:
        child = start(guard, "exit 3")
        child.stdout.close()
        assert child.wait(10) == 3
        guard._process.kill()
        guard._process.wait()
        guard.ended()
    assert list(temporary.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it_and_the_way_out(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(temporary / "nowhere"))
    with pytest.raises(BrokerError, match=r"nowhere/lifecycle-test-\w+ cannot be made: .*TMPDIR"):
        ChildGuard("lifecycle-test-").open()
