"""The processes of a run, workers and collectors: started, killed, stopped and woken."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_STOP_SECONDS = 20.0
PROCESS = "FAULTS_PROCESS"
"""The variable of the environment that tells a process its name, that of its log without the end."""
COMMAND = (sys.executable, "-m", "stream.cli", "worker")
_SERVED = re.compile(rb"http://127\.0\.0\.1:\d+(?=\D)")


class WorkerProcess:
    """One worker."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, way: int = 0) -> None:
        self.process = process
        self.log = log
        self.way = way
        """Which way to the broker it takes."""
        self.frozen = False
        self.asked = False
        """It was asked to end in order."""
        self._url = ""
        self.fates: list[tuple[str, float]] = [("started", time.time())]
        """What became of it, and when: `frozen`, `thawed`, `killed`, `told`, `ended`; epoch seconds."""

    @property
    def name(self) -> str:
        """As in `PROCESS`."""
        return self.log.stem

    @property
    def url(self) -> str:
        """Where it serves HTTP, as its log says; empty until it does."""
        if not self._url:
            found = _SERVED.search(self.log.read_bytes())
            self._url = "" if found is None else found[0].decode()
        return self._url

    @property
    def runs(self) -> bool:
        """It has not ended."""
        return self.process.returncode is None

    @property
    def was_starting(self) -> bool:
        """It was asked to end before it could handle a signal: Python was still loading."""
        return self.process.returncode == -signal.SIGTERM and not self.log.read_bytes()

    def freeze(self) -> None:
        """SIGSTOP."""
        self._note("frozen")
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self) -> None:
        """SIGCONT."""
        if self.runs and self.frozen:
            self.process.send_signal(signal.SIGCONT)
            self._note("thawed")
        self.frozen = False

    async def kill(self) -> None:
        """`kill -9`."""
        if self.runs:
            self._note("killed")
            self.process.kill()
            await self.process.wait()

    async def end(self, seconds: float) -> None:
        """SIGTERM; killed where it has not ended after so long."""
        self.thaw()
        self.asked = True
        if self.runs:
            self._note("told")
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), seconds)
            except TimeoutError:
                await self.kill()
            self._note("ended")

    def _note(self, fate: str) -> None:
        self.fates.append((fate, time.time()))


class Fleet:
    """Workers with the same settings; all ended with the block.

    A worker that ended though nobody told it to is kept in `fallen`, and a new one takes its place.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        command: Sequence[str] = COMMAND,
        name: str = "worker",
        *,
        ways: Sequence[str] = (),
    ) -> None:
        """`name` is how their logs begin; `ways` are bootstrap servers, which they take in turn."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        self._environment = {**kept, **environment}
        self._folder = folder
        self._command = command
        self._name = name
        self._ways = ways
        self._workers: list[WorkerProcess] = []
        self.lifecycles: str | None = None
        """Files that workers are started with from now on, comma-separated; None: as the environment says."""
        self.every: list[WorkerProcess] = []
        """All that were ever started."""
        self.fallen: list[str] = []
        """What each worker that ended by itself, or not in order, said last."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for worker in self._workers:
            await worker.kill()

    @property
    def started(self) -> int:
        """How many there were."""
        return len(self.every)

    @property
    def workers(self) -> list[WorkerProcess]:
        """Those that run, frozen ones too, and one that is asked to end and has not yet."""
        for worker in [each for each in self._workers if not each.runs and not each.asked]:
            self._workers.remove(worker)
            self._note(worker)
        return self._workers

    async def size(self, count: int) -> None:
        """Start workers, or ask the last ones to end, until there are so many."""
        while len(self.workers) < count:
            await self._start()
        for worker in self.workers[count:]:
            await self.terminate(worker)

    async def kill(self, worker: WorkerProcess) -> None:
        """`kill -9`."""
        self._workers.remove(worker)
        await worker.kill()

    async def terminate(self, worker: WorkerProcess) -> None:
        """SIGTERM; killed, and noted, where it has not ended after twenty seconds."""
        await worker.end(_STOP_SECONDS)
        self._workers.remove(worker)
        if worker.process.returncode != 0 and not worker.was_starting:
            self._note(worker)

    async def stop(self) -> None:
        """Tell all to end."""
        for worker in list(self.workers):
            await self.terminate(worker)

    async def _start(self) -> None:
        log = self._folder / f"{self._name}-{self.started}.log"
        way = self.started % max(1, len(self._ways))
        environment = {**self._environment, PROCESS: log.stem}
        if self._ways:
            environment = {**environment, "LIFECYCLE_BOOTSTRAP": self._ways[way]}
        if self.lifecycles is not None:
            environment = {**environment, "LIFECYCLE_LIFECYCLES": self.lifecycles}
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *self._command, env=environment, cwd=self._folder, stdout=output, stderr=output
            )
        self.every.append(WorkerProcess(process, log, way))
        self._workers.append(self.every[-1])

    def _note(self, worker: WorkerProcess) -> None:
        said = worker.log.read_text(encoding="utf-8", errors="replace")[-2_000:]
        what = "when told to end" if worker.asked else "by itself"
        self.fallen.append(f"{worker.log.name} ended with {worker.process.returncode} {what}:\n{said}")
