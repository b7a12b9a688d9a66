"""A port that was given away belongs to the process that asked, though nothing listens there yet."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from stream.kafka.embedded import process
from stream.kafka.embedded.process import HOST, free_port


def other_process_gives(ports: range) -> str:
    code = f"from stream.kafka.embedded import process; process._PORTS = {ports!r}; print(process.free_port())"
    return subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def two_ports(monkeypatch: pytest.MonkeyPatch) -> Iterator[range]:
    """All that can be given away: two that no other test is given, for they are below the usual ones."""
    held: list[socket.socket] = []
    monkeypatch.setattr(process, "_held", held)
    for first in range(process._PORTS.start - 2, 10_000, -2):
        ports = range(first, first + 2)
        with contextlib.ExitStack() as opened, contextlib.suppress(OSError):
            for port in ports:
                for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                    opened.enter_context(socket.socket(type=kind)).bind((HOST, port))
            break
    else:
        raise AssertionError("no two ports are free")
    monkeypatch.setattr(process, "_PORTS", ports)
    yield ports
    for each in held:
        each.close()


def test_what_one_process_was_given_no_other_is(two_ports: range) -> None:
    mine = free_port()
    left = next(port for port in two_ports if port != mine)
    assert {other_process_gives(two_ports) for _ in range(6)} == {str(left)}
    with socket.socket() as listening:  # and here one may listen
        listening.bind((HOST, mine))


def test_a_process_that_is_given_a_port_is_not_given_it_again(two_ports: range) -> None:
    assert {free_port(), free_port()} == set(two_ports)
