"""The command that starts Apache Kafka on a developer's machine, and Kafka's own tools beside it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stream.kafka.embedded.process import free_port
from tests.docs.markdown import PAGES

KAFKA = Path(__file__).parents[2] / "deploy" / "kafka"
START = str(KAFKA / "start.sh")


@contextmanager
def running(*options: str) -> "Iterator[subprocess.Popen[str]]":
    """The command, once Kafka answers; ended with the block at the latest."""
    # As in a terminal: a shell cannot catch what was ignored when it began, as Ctrl-C is behind a shell's &.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen([START, *options], stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout is not None
        try:
            said = []
            for line in process.stdout:
                said.append(line)
                if " answers on " in line:
                    break
            else:
                pytest.fail("".join(said))
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.communicate(timeout=180)


def interrupt(process: "subprocess.Popen[str]") -> int:
    """Press Ctrl-C; returns the exit code."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=180)
    return process.returncode


def lifecycle(port: int, *arguments: str, stdin: str | None = None) -> str:
    """What a command prints with that broker."""
    return subprocess.run(
        [sys.executable, "-m", "stream.cli", *arguments],
        env={**os.environ, "LIFECYCLE_BOOTSTRAP": f"localhost:{port}", "LIFECYCLE_PARTITIONS": "1", "COLUMNS": "120"},
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=120,
    ).stdout


def refused(*options: str) -> str:
    """What the command says before it fails."""
    run = subprocess.run([START, *options], capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode != 0
    return run.stderr


@pytest.mark.kafka
def test_a_second_interrupt_ends_a_kafka_that_does_not_stop(tmp_path: Path) -> None:
    with running("--port", str(free_port()), "--data", str(tmp_path / "data")) as kafka:
        java = int((tmp_path / "data" / "kafka.pid").read_text())
        os.kill(java, signal.SIGSTOP)  # it hears no signal but SIGKILL
        kafka.send_signal(signal.SIGINT)
        assert kafka.stdout is not None
        while not (line := kafka.stdout.readline()).startswith("Stopping"):
            assert line, "it ended without waiting for Kafka"
        kafka.send_signal(signal.SIGINT)
        said, _ = kafka.communicate(timeout=180)
        assert (kafka.returncode, said) == (0, "Ended Apache Kafka by SIGKILL: it was interrupted again.\n")
        with pytest.raises(ProcessLookupError):
            os.kill(java, 0)


@pytest.mark.kafka
def test_topics_and_what_is_on_them_outlive_an_interrupt_and_the_next_start(tmp_path: Path) -> None:
    """On another port, too."""
    first, second = free_port(), free_port()
    data = tmp_path / "däta, of mine"
    with running("--port", str(first), "--data", str(data)) as kafka:
        assert "created" in lifecycle(first, "topics")
        sent = '{"id":"e-1","type":"Order Completed","customer_id":"42","time":"2026-11-22T10:00:00Z"}'
        lifecycle(first, "import", "-", "--as-is", stdin=sent)
        assert "another Kafka runs on folder" in refused("--port", str(second), "--data", str(data))
        assert interrupt(kafka) == 0
    with running("--port", str(second), "--data", str(data)) as kafka:
        shown = lifecycle(second, "topics", "--dry-run")
        assert "good" in shown
        assert "missing" not in shown
        offsets = subprocess.run(
            [KAFKA / "bin" / "kafka-topics.sh", "--bootstrap-server", f"localhost:{second}", "--list"],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        assert "interactions" in offsets.split()
        assert b'"e-1"' in b"".join(each.read_bytes() for each in data.glob("topics/interactions-0/*.log"))
        assert interrupt(kafka) == 0


@pytest.mark.kafka
def test_a_temporary_broker_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running("--port", str(free_port()), "--temporary") as kafka:
        assert len(list(tmp_path.glob("lifecycle-kafka-*"))) == 1
        assert interrupt(kafka) == 0
    assert list(tmp_path.glob("lifecycle-kafka-*")) == []


@pytest.mark.kafka
def test_data_of_another_cluster_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.properties").touch()
    (tmp_path / "topics").mkdir()
    (tmp_path / "topics" / "meta.properties").write_text("version=1\ncluster.id=of-somebody\nnode.id=1\n")
    said = refused("--port", str(free_port()), "--data", str(tmp_path))
    assert f"folder {tmp_path} holds data of another Kafka cluster, of-somebody" in said


def test_a_port_that_is_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert f"port {port} is in use on this machine" in refused("--port", str(port))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--port", "none"], "--port 'none' is no port from 1 to 65534"),
        (["--port"], "--port needs a value"),
        (["--temporary", "--data", "here"], "--temporary keeps no data"),
        (["--prot", "9092"], "unknown option '--prot'"),
    ],
)
def test_a_wrong_option_is_named(options: list[str], problem: str) -> None:
    assert problem in refused(*options)


def test_help_names_every_option() -> None:
    shown = subprocess.run([START, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(option in shown for option in ("--port", "--data", "--temporary", "--help"))


TOOLS = sorted(path.name for path in (KAFKA / "bin").glob("kafka-*.sh"))


@pytest.mark.kafka
@pytest.mark.parametrize("name", TOOLS)
def test_each_of_kafkas_own_tools_runs_by_its_name(name: str) -> None:
    run = subprocess.run([KAFKA / "bin" / name, "--version"], capture_output=True, text=True, check=False, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    assert re.match(r"\d+\.\d+\.\d+", run.stdout)


def test_every_tool_of_kafka_that_a_page_names_is_there() -> None:
    named = {name for path in PAGES for name in re.findall(r"\bkafka-[a-z-]+\.sh", path.read_text(encoding="utf-8"))}
    assert sorted(named - {*TOOLS}) == []
