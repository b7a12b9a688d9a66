"""Commands against a broker: their settings, and one that runs while the test goes on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream.settings import Settings

PARTITIONS = 4


def settings_of(bootstrap: str, prefix: str) -> Settings:
    """Settings with topics and a group that belong to one test."""
    return Settings(bootstrap=bootstrap, topic_prefix=prefix, app="app", partitions=PARTITIONS)


def environment_of(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables of a command."""
    return {
        "LIFECYCLE_BOOTSTRAP": settings.bootstrap,
        "LIFECYCLE_TOPIC_PREFIX": settings.topic_prefix,
        "LIFECYCLE_APP": settings.app,
        "LIFECYCLE_PARTITIONS": str(settings.partitions),
        **({"LIFECYCLE_LIFECYCLES": ",".join(settings.lifecycles)} if settings.lifecycles else {}),
    }


@asynccontextmanager
async def started(settings: Settings, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs until the end of the block at the latest; its output is read from pipes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", *arguments),
        env={**os.environ, **environment_of(settings), "COLUMNS": "120"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def interrupt(process: asyncio.subprocess.Process) -> tuple[str, str]:
    """Press Ctrl-C and return what was printed from then on, on stdout and stderr."""
    process.send_signal(signal.SIGINT)
    printed, complained = await asyncio.wait_for(process.communicate(), 180)
    return printed.decode(), complained.decode()
