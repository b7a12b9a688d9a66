"""Commands that are asked to stop while they are still loading."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows how far another process has loaded")

_CAUGHT = "SigCgt:"


def listens(process: Path) -> bool:
    """Whether the process has a handler for SIGTERM; Python itself has none."""
    status = (process / "status").read_text()
    (caught,) = (line.split()[1] for line in status.splitlines() if line.startswith(_CAUGHT))
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1))


def has_loaded(process: Path, library: str) -> bool:
    """Whether an extension module of that library is in the process; of none: whether it listens."""
    return listens(process) if not library else f"/{library}/" in (process / "maps").read_text()


async def signalled(folder: Path, library: str, number: signal.Signals, *arguments: str) -> tuple[int | None, str]:
    """Exit code and stderr of a command that gets a signal once it has loaded that library; its files in `folder`."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", *arguments, "--bootstrap", "127.0.0.1:1"),
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(180):
            while not has_loaded(Path(f"/proc/{process.pid}"), library):
                await asyncio.sleep(0.001)
        process.send_signal(number)
        async with asyncio.timeout(180):
            _, complained = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return process.returncode, complained.decode()


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
@pytest.mark.parametrize("library", ["", "orjson", "aiohttp", "aiokafka"])
async def test_a_worker_exits_with_0_however_early_it_is_asked_to_stop(
    tmp_path: Path, number: signal.Signals, library: str
) -> None:
    """Without a stack, and without a file left: from its first line on, and while one library after the other loads."""
    arguments = ("worker", "--web-port", "0", "--lifecycles", "journey")
    code, complained = await signalled(tmp_path, library, number, *arguments)
    assert code == 0, complained
    assert "Traceback" not in complained
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl_c", "sigterm"])
async def test_webhooks_that_are_asked_to_stop_while_they_load_exit_with_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    assert await signalled(tmp_path, "orjson", number, "webhooks") == (0, "")


async def test_another_command_of_webhooks_that_is_interrupted_while_it_loads_exits_with_130(tmp_path: Path) -> None:
    assert await signalled(tmp_path, "orjson", signal.SIGINT, "webhooks", "pause", "crm") == (130, "")


@pytest.mark.parametrize("library", ["orjson", "aiokafka"])
async def test_another_command_that_is_interrupted_while_it_loads_exits_with_130(tmp_path: Path, library: str) -> None:
    assert await signalled(tmp_path, library, signal.SIGINT, "tail") == (130, "")
