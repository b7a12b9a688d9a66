"""A worker that stands still says so and ends; one whose broker is away waits."""

import asyncio
import contextlib
import os
import signal
import sys
import textwrap
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from stream.engine.watchdog import MAX_LOOKS, Stalls
from stream.kafka.embedded.process import free_port
from tests.engine.stuck_worker import STUCK
from tests.kit.kafka import KafkaBroker, SharedKafka

STUCK_WORKER = Path(__file__).with_name("stuck_worker.py")
NOTICED_WITHIN = 60.0
"""Of its group alone; everything else within thirty seconds."""
SLACK = 90.0
"""For the start of the process on a machine that does other things."""
SAID = {
    "loop": "its event loop has not answered",
    "fetch": "stands still though Kafka answers",
    "producer": "stands still though Kafka answers",
    "recovery": "(recovering, next offset None) stands still though Kafka answers",
    "group": "has not got into its group, though Kafka answers",
}


def looks(*tokens: int, max_looks: int = 2, counts: bool = True) -> list[list[str]]:
    """What each look at these tokens finds."""
    stalls = Stalls[str](max_looks)
    return [stalls.look({"it": token}, counts=counts) for token in tokens]


def test_what_moves_is_not_stuck() -> None:
    assert looks(1, 2, 3, 4, 5) == [[]] * 5


def test_what_has_not_moved_for_so_many_looks_is_stuck() -> None:
    assert looks(1, 1, 1, 1) == [[], [], ["it"], ["it"]]


def test_a_move_begins_the_count_anew() -> None:
    assert looks(1, 1, 2, 2, 2) == [[], [], [], [], ["it"]]


def test_standing_still_does_not_count_while_kafka_is_away() -> None:
    assert looks(1, 1, 1, 1, counts=False) == [[]] * 4
    stalls = Stalls[str](2)
    found = [stalls.look({"it": 1}, counts=counts) for counts in (True, True, False, True, True)]
    assert found == [[]] * 4 + [["it"]]


def test_what_was_gone_in_between_begins_anew() -> None:
    stalls = Stalls[str](1)
    assert [stalls.look(tokens, counts=True) for tokens in ({"it": 1}, {}, {"it": 1})] == [[]] * 3


HUNG = """
    import logging, time
    from stream.engine.watchdog import LoopGuard
    logging.basicConfig()
    with LoopGuard(every=0.05, max_looks=10) as guard:
        guard.alive()
        def hangs_here(): time.sleep(60)
        hangs_here()
"""
ALIVE = """
    import time
    from stream.engine.watchdog import LoopGuard
    with LoopGuard(every=0.05, max_looks=10) as guard:
        for _ in range(30):
            guard.alive()
            time.sleep(0.05)
"""


async def test_a_loop_that_hangs_ends_the_process_and_tells_where() -> None:
    code, said = await run_script(HUNG)
    assert code == 1
    assert "its event loop has not answered" in said
    assert "in hangs_here" in said


async def test_a_loop_that_runs_is_left_alone() -> None:
    assert await run_script(ALIVE) == (0, "")


async def test_a_process_that_was_frozen_is_not_taken_for_one_that_hangs() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(ALIVE), env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    await asyncio.sleep(0.5)
    process.send_signal(signal.SIGSTOP)
    await asyncio.sleep(2)
    process.send_signal(signal.SIGCONT)
    assert await asyncio.wait_for(process.wait(), 180) == 0


async def run_script(script: str) -> tuple[int | None, str]:
    """Exit code and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(script),
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    _, said = await asyncio.wait_for(process.communicate(), 180)
    return process.returncode, said.decode()


class Stuck:
    """A worker process, and where it is served."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log

    async def lives(self) -> bool:
        """`/livez` answers, and says so."""
        with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session,
                session.get(f"http://127.0.0.1:{self.port}/livez") as response,
            ):
                return response.status == 200
        return False

    async def until_not_live(self) -> float:
        """Wait for it to be live, then for the contrary; returns the seconds in between."""
        async with asyncio.timeout(SLACK):
            while not await self.lives():
                await asyncio.sleep(0.1)
        began = time.monotonic()
        async with asyncio.timeout(NOTICED_WITHIN + SLACK):
            while await self.lives():
                await asyncio.sleep(0.2)
        return time.monotonic() - began


@asynccontextmanager
async def stuck_worker(kind: str, bootstrap: str, prefix: str, folder: Path) -> AsyncIterator[Stuck]:
    """A worker that gets stuck in this way."""
    port, log = free_port(), folder / f"{kind}.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")} | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LIFECYCLE_BOOTSTRAP": bootstrap,
        "LIFECYCLE_APP": f"{prefix}{kind}",
        "LIFECYCLE_TOPIC_PREFIX": f"{prefix}{kind}-",
        "LIFECYCLE_PARTITIONS": "2",
        "LIFECYCLE_LIFECYCLES": "metrics",
        "LIFECYCLE_WEB_PORT": str(port),
    }
    with log.open("w") as said:
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(STUCK_WORKER), kind, "worker", env=environment, stderr=said, stdout=said, cwd=folder
        )
    try:
        yield Stuck(process, port, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.slow
async def test_a_worker_that_cannot_go_on_is_not_live_soon_and_exits_with_1(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """All kinds at once, so that the test waits once."""

    async def one(kind: str) -> tuple[int, str]:
        async with stuck_worker(kind, kafka.bootstrap, topic_prefix, tmp_path) as worker:
            await worker.until_not_live()
            code = await asyncio.wait_for(worker.process.wait(), SLACK)
            return code, worker.log.read_text()

    for kind, (code, said) in zip(STUCK, await asyncio.gather(*map(one, STUCK)), strict=True):
        assert code == 1, said
        assert SAID[kind] in said, said


@pytest.mark.slow
async def test_a_worker_whose_broker_is_away_waits(tmp_path: Path) -> None:
    """For longer than it would take to be thought stuck; then it goes on."""
    broker = KafkaBroker()
    try:
        await asyncio.to_thread(broker.start)
        async with stuck_worker("none", broker.bootstrap, "", tmp_path) as worker:
            await until_ready(worker)
            await asyncio.to_thread(broker.stop)
            await asyncio.sleep(MAX_LOOKS + 10)
            assert await worker.lives()
            await asyncio.to_thread(broker.restart)
            await until_ready(worker)
            worker.process.terminate()
            assert await asyncio.wait_for(worker.process.wait(), SLACK) == 0
    finally:
        await asyncio.to_thread(broker.__exit__)


async def test_partitions_that_the_leader_did_not_know_are_assigned_once_it_does(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Aiokafka would look again after five minutes, and until then the group would have nothing to do."""
    async with stuck_worker("blind", kafka.bootstrap, topic_prefix, tmp_path) as worker:
        await until_ready(worker, partitions=2)
        assert "Ignoring missing topic" in worker.log.read_text()


async def test_a_broker_that_goes_away_while_a_worker_starts_is_waited_for(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    async with stuck_worker("late", kafka.bootstrap, topic_prefix, tmp_path) as worker:
        await until_ready(worker, partitions=2)
        assert "Kafka went away while we started" in worker.log.read_text()
        worker.process.terminate()
        assert await asyncio.wait_for(worker.process.wait(), SLACK) == 0


async def test_a_worker_that_ends_though_nobody_told_it_to_exits_with_1(
    kafka: SharedKafka, topic_prefix: str, tmp_path: Path
) -> None:
    """Else whoever supervises it would not start another."""
    async with stuck_worker("lost", kafka.bootstrap, topic_prefix, tmp_path) as worker:
        assert await asyncio.wait_for(worker.process.wait(), NOTICED_WITHIN) == 1
        assert "the worker did not leave its group in time" in worker.log.read_text()


async def until_ready(worker: Stuck, partitions: int = 0) -> None:
    """Until `/readyz` says so, with so many partitions at least."""
    async with asyncio.timeout(90), aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session:
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with session.get(f"http://127.0.0.1:{worker.port}/readyz") as response:
                    if response.status == 200 and len((await response.json())["partitions"]) >= partitions:
                        return
            await asyncio.sleep(0.2)
