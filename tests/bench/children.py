"""Programs that a benchmark runs to their end, each in a process group of its own that never outlives the call."""

import asyncio
import contextlib
import os
import re
import resource
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Ended(NamedTuple):
    """A program that ended."""

    code: int
    output: str
    errors: str
    """What it wrote on stderr."""
    seconds: float
    """From its start to its end."""
    cpu_seconds: float
    """Its processor time, user and system."""

    @property
    def why(self) -> str:
        """The line that most likely says why it failed; the exit code where it said nothing."""
        said = (_COLOURS.sub("", line).strip() for line in (self.errors + self.output).splitlines())
        lines = [line for line in said if line]
        named = [line for line in lines if "error" in line.lower()]
        chosen = (named[:1] or lines[-1:] or [f"exit code {self.code}"])[0]
        return re.sub(r"^\[?ERROR[]:]*\s*", "", chosen)[:200]


async def run(
    command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None, *, seconds: float = 600
) -> Ended:
    """Run a command in a folder; `environment` adds to this process's own.

    Processor time is told apart by what this process's ended children used, so one at a time.
    Raises TimeoutError where it takes longer than `seconds`; it is killed then, as when this is cancelled.
    """
    started, cpu = time.perf_counter(), _cpu_of_children()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = await process.wait()
    return Ended(
        code,
        output.decode(errors="replace"),
        errors.decode(errors="replace"),
        time.perf_counter() - started,
        _cpu_of_children() - cpu,
    )


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
