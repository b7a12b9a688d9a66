"""Samples of a running worker's stacks, by py-spy, counted by the part of the worker that they were in."""

import asyncio
import contextlib
import re
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Self

RATE = 200
"""Samples a second."""
_END_SECONDS = 30.0
_WAITING = re.compile(r"^(epoll_wait|poll|select|pthread_cond_\w*wait|futex\w*|sem_\w*wait)\b")
"""For the network, or for the interpreter's lock: no processor time, though it looks busy to py-spy."""
OWN = {
    "other": ("metrics", "web"),
    "fetch": (
        "kafka/partition_reader",
        "kafka/kept_batches",
        "kafka/block_reader",
        "codec/record_batch",
        "codec/record_block",
        "codec/record_cursor",
    ),
    "machine": ("core", "codec", "machine"),
    "produce": (
        "engine/delivery",
        "kafka/batch_header",
        "kafka/batch_sender",
        "kafka/exactly_once",
        "kafka/packed_batch",
    ),
    "loop": ("engine", "kafka"),
}
"""The product's folders and modules below `stream` by part; a part's are without those of the parts before it."""
_LIBRARIES = {
    "other": r"gc_collect|prometheus_client|aiohttp/",
    "machine": "mypyc",
    "fetch": "aiokafka/consumer",
    "produce": "aiokafka/producer",
    "loop": r"asyncio/|selectors\.py|aiokafka/(?!record/)|mode/|faust/|concurrent/",
}
_RULES = tuple((part, re.compile(rf"{_LIBRARIES[part]}|stream/({'|'.join(OWN[part])})\b")) for part in OWN)
"""Part and what a frame of it looks like; a stack belongs to the innermost frame that any rule fits.

What reads and writes batches of records, aiokafka/record, belongs to whom it works for.
"""


class Sampler:
    """Samples a process from `start` to the end of the block; without py-spy, or without its right to look, nothing."""

    def __init__(self, pid: int, file: Path) -> None:
        self._pid, self._file = pid, file
        self._process: asyncio.subprocess.Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self.samples: dict[str, int] = {}
        """After the block: samples by part, `machine`, `fetch`, `produce`, `loop` and `other`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._starting is not None:
            await asyncio.wait([self._starting])
        process = self._process
        if process is None:
            return
        try:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)  # writes what it has
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _END_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if self._file.exists():
            self.samples = parts_of(self._file.read_text(encoding="utf-8").splitlines())

    def start(self) -> None:
        """Begin to sample."""
        self._starting = asyncio.create_task(self._start())

    async def _start(self) -> None:
        beside = Path(sys.executable).with_name("py-spy")
        program = str(beside) if beside.exists() else shutil.which("py-spy")
        if program is None:
            return
        options = ("--native", "--full-filenames", "--format", "raw", "--rate", str(RATE), "--output", str(self._file))
        self._process = await asyncio.create_subprocess_exec(
            *(program, "record", *options, "--pid", str(self._pid)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )


def parts_of(lines: Iterable[str]) -> dict[str, int]:
    """Samples by part, of py-spy's raw lines: frames from the outermost in, separated by semicolons, and a count.

    Those of a thread that waits are left out; the innermost frames may have no name.
    """
    samples = Counter[str]()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        named = [frame for frame in frames if not frame.startswith("0x")]
        if named and not _WAITING.search(named[-1]):
            samples[_part(frames)] += int(count)
    return dict(samples)


def _part(stack: list[str]) -> str:
    for frame in reversed(stack):
        for part, looks in _RULES:
            if looks.search(frame):
                return part
    return "other"
