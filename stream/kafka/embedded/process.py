"""A Kafka broker run as a child process on this machine, that never outlives its parent.

The broker runs in a session of its own: Ctrl-C in the terminal reaches the parent alone, which then stops
the broker in its own order. So that a parent that was killed leaves nothing behind, a guard kills the broker then.
"""

import asyncio
import contextlib
import random
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from stream.errors import BrokerError
from stream.kafka.embedded.child_guard import ChildGuard

HOST = "127.0.0.1"

# Below the ports that Linux and macOS give to outgoing connections: a client that keeps dialling a broker
# that is down could otherwise be given that very port, connect to itself and take it.
_PORTS = range(20_000, 32_000)

_held: list[socket.socket] = []
"""By each port that was given the UDP socket of its number: as long as this process lives, no other gives it away."""

_LINES_SHOWN = 60


def free_port() -> int:
    """A TCP port of 127.0.0.1 on which nothing listens, outside the range for outgoing connections.

    Never one that a process that still lives was given before: nothing may listen there yet, or not just now.
    """
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - no secret
        hold = socket.socket(type=socket.SOCK_DGRAM)
        with socket.socket() as candidate, contextlib.suppress(OSError):
            hold.bind((HOST, port))
            candidate.bind((HOST, port))
            _held.append(hold)
            return port
        hold.close()


class BrokerProcess:
    """One running broker that listens on 127.0.0.1; whatever it prints is appended to a log file.

    Started by the constructor. All methods block the calling thread: from a coroutine, call them by
    `asyncio.to_thread`.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        log: Path,
        environment: Mapping[str, str] | None = None,
        guard: ChildGuard | None = None,
    ) -> None:
        """Start `command`, which will listen on `port`; `environment` replaces the parent's.

        A `guard` that is handed in is open, and left open at the end, for whoever has its folder.
        """
        self._port = port
        self._log = log
        self._own_guard = ChildGuard("lifecycle-guard-")
        if guard is None:
            self._own_guard.open()
        self._guard = guard or self._own_guard
        with log.open("ab") as printed:
            self._process = subprocess.Popen(
                self._guard.command(command),
                stdin=self._guard.fd,
                stdout=printed,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id of the broker."""
        return self._process.pid

    @property
    def bootstrap(self) -> str:
        """`host:port`, as Kafka clients take it."""
        return f"{HOST}:{self._port}"

    def wait_until_answering(self, seconds: float) -> None:
        """Return once the broker answers a client.

        Raises BrokerError, with the end of the log, where it ends before that or takes longer than `seconds`;
        it is killed then.
        """
        deadline = time.monotonic() + seconds
        while (code := self._process.poll()) is None and time.monotonic() < deadline:
            if self._listens() and _answers(self.bootstrap):
                return
            time.sleep(0.02)
        self.kill()
        problem = f"gave no answer within {seconds:g} s" if code is None else f"ended with exit code {code}"
        raise BrokerError(f"the broker on {self.bootstrap} {problem}; {self._log} ends with:\n{self._end_of_log()}")

    def stop(self, seconds: float) -> None:
        """Ask the broker to end (SIGTERM), and kill it where it still runs after `seconds`."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """End the broker at once (SIGKILL); nothing where it has ended."""
        self._process.kill()
        self._process.wait()
        self._guard.ended()
        self._own_guard.close()

    def _listens(self) -> bool:
        # aiokafka logs an error for each refused connection, so a bare socket dials first.
        with contextlib.suppress(OSError), socket.create_connection((HOST, self._port), timeout=1):
            return True
        return False

    def _end_of_log(self) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:])


def _answers(bootstrap: str) -> bool:
    # Not asyncio.run: it would leave this thread without an event loop, and Faust asks the thread for one.
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_has_a_broker(bootstrap))
    finally:
        loop.close()


async def _has_a_broker(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except KafkaError:
        return False
    finally:
        await admin.close()
