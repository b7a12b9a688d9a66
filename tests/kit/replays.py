"""The whole job on a real broker: import, workers that may be killed, and `simulate` as the oracle.

    python -m tests.kit.replays [--kills N] [--lifecycles metrics,journey] [DATA…]

replays whole data sets (cdnow, complete_journey, shop) through a worker on Apache Kafka and compares
the stage changes on the topic, change by change, with those of `simulate`.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp
import orjson

from stream.demo.shop import shop_interactions
from stream.kafka.embedded.process import free_port
from stream.settings import Settings
from tests.kit import datasets
from tests.kit.kafka import KafkaBroker
from tests.kit.times import DAY
from tests.kit.topics import read_all

SAME = (
    "customer_id", "anonymous_id", "identified", "lifecycle", "version", "sequence", "final", "from", "to", "at",
    "entered", "trigger", "transition", "scores", "contributions", "facts", "channels", "actions",
)  # fmt: skip
"""What a change on the topic has in common with one of `simulate`; `born` and `source` name other places."""

Changes = dict[tuple[str, str, str], list[dict[str, Any]]]
"""The changes of each life's subject and lifecycle, in order."""


@dataclass
class Replay:
    """One data set, through a worker and through `simulate`."""

    bootstrap: str
    prefix: str
    data: Path
    until: int
    lifecycles: tuple[str, ...] = ("metrics",)
    partitions: int = 4
    delivery: str = "auto"
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = Settings(
            bootstrap=self.bootstrap,
            topic_prefix=self.prefix,
            app=f"{self.prefix}app",
            partitions=self.partitions,
            lifecycles=self.lifecycles,
            clock="stream",
            session_timeout=2_000,
            web_port=free_port(),
        )

    @property
    def environment(self) -> dict[str, str]:
        """The settings as a command reads them."""
        named = {
            "BOOTSTRAP": self.bootstrap,
            "TOPIC_PREFIX": self.prefix,
            "APP": self.settings.app,
            "PARTITIONS": str(self.partitions),
            "LIFECYCLES": ",".join(self.lifecycles),
            "CLOCK": "stream",
            "DELIVERY": self.delivery,
            "SESSION_TIMEOUT": "2s",
            "WEB_PORT": str(self.settings.web_port),
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        return {**kept, **{f"LIFECYCLE_{name}": value for name, value in named.items()}}

    async def command(self, *arguments: str) -> None:
        """Run a command to its end. Raises RuntimeError with its words where it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", *arguments),
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"lifecycle {' '.join(arguments)} exited {process.returncode}:\n{said.decode()}")

    async def load(self) -> None:
        """Import the data, which ends with a tick at `until`."""
        await self.command("import", str(self.data), "--until", str(self.until))

    async def expected(self, folder: Path) -> Changes:
        """The changes of `simulate`."""
        out = folder / "changes.jsonl"
        chosen = [part for each in self.lifecycles for part in ("--lifecycle", each)]
        await self.command(
            "simulate", *chosen, "--input", str(self.data), "--changes", str(out), "--until", str(self.until)
        )
        return by_life(orjson.loads(line) for line in out.read_bytes().splitlines())

    async def published(self) -> Changes:
        """The changes on the topic, as a subscriber with read_committed finds them."""
        topic = await read_all(self.bootstrap, self.settings.topics.stage_changes, seconds=120)
        return by_life(orjson.loads(record.value or b"") for records in topic.values() for record in records)


class Worker:
    """A worker process of a replay; ended with the block, killed if need be."""

    def __init__(self, replay: Replay, log: Path) -> None:
        self.replay = replay
        self.log = log

    async def __aenter__(self) -> Self:
        with self.log.open("ab") as output:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "stream.cli", "worker"),
                env=self.replay.environment,
                stdout=output,
                stderr=output,
            )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self.process.wait(), 20)
            except TimeoutError:
                self.kill()
                await self.process.wait()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()

    async def health(self) -> Mapping[str, Any] | None:
        """The body of /readyz; None while nothing answers."""
        url = f"http://127.0.0.1:{self.replay.settings.web_port}/readyz"
        try:
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                body: Mapping[str, Any] = await response.json()
                return body
        except aiohttp.ClientError:
            return None

    async def taken(self) -> tuple[int, int | None]:
        """How many interactions were taken so far, and how many are left (None: unknown)."""
        body = await self.health()
        if body is None or body["status"] != "ready" or not body["partitions"]:
            return 0, None
        lags = [each["lag"] for each in body["partitions"]]
        left = None if None in lags else sum(lags)
        return sum(each["position"] or 0 for each in body["partitions"]), left

    async def until(self, taken: int | None = None, *, seconds: float = 300) -> None:
        """Return when that many interactions were taken, or all. Raises RuntimeError where the worker ended."""
        async with asyncio.timeout(seconds):
            while True:
                if self.process.returncode is not None:
                    raise RuntimeError(f"worker exited {self.process.returncode}:\n{self.log.read_text()[-4_000:]}")
                done, left = await self.taken()
                if left == 0 or (taken is not None and done >= taken):
                    return
                await asyncio.sleep(0.05)

    async def until_alone(self, *, seconds: float = 120) -> None:
        """Return when this worker owns every partition and has taken all interactions."""
        async with asyncio.timeout(seconds):
            while True:
                body = await self.health()
                owned = len(body["partitions"]) if body is not None else 0
                if owned == self.replay.partitions and (await self.taken())[1] == 0:
                    return
                await asyncio.sleep(0.05)


def by_life(changes: Any) -> Changes:
    """Group changes by subject and lifecycle, keeping what both sides have in common."""
    lives: Changes = {}
    for change in changes:
        kind = "customer_id" if "customer_id" in change else "anonymous_id"
        kept = {name: change[name] for name in SAME if name in change}
        lives.setdefault((kind, change[kind], change["lifecycle"]), []).append(kept)
    return lives


def differences(found: Changes, expected: Changes) -> list[str]:
    """What is missing, extra or other, a line each."""
    lines = []
    for life in sorted(found.keys() | expected.keys()):
        one, two = found.get(life, []), expected.get(life, [])
        if one != two:
            place = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
            here = slice(place, place + 1)
            lines.append(f"{life}: {len(one)} changes for {len(two)}; at {place}: {one[here]} for {two[here]}")
    return lines


async def replay_all(replay: Replay, folder: Path, *, kills: Sequence[int] = ()) -> tuple[Changes, float]:
    """Load the data, let workers take all of it, killing one when each number of interactions was taken.

    Returns the published changes, and the seconds from the last start to the end.
    """
    await replay.load()
    for at in kills:
        async with Worker(replay, folder / "worker.log") as worker:
            await worker.until(at)
            worker.kill()
            await worker.process.wait()
    async with Worker(replay, folder / "worker.log") as worker:
        while await worker.health() is None:
            await asyncio.sleep(0.05)
        began = time.monotonic()
        await worker.until()
        seconds = time.monotonic() - began
    return await replay.published(), seconds


def simulated_shop(path: Path) -> int:
    """Write what the demonstration's 2,000 people do at their shop; return how many interactions that is."""
    return datasets.write_native(path, shop_interactions())


SETS: dict[str, Callable[[Path], int]] = {
    "cdnow": datasets.cdnow,
    "complete_journey": datasets.complete_journey,
    "shop": simulated_shop,
}


def end_of(data: Path, afterwards: int = 120 * DAY) -> int:
    """A time some months after the last interaction of a file."""
    with data.open("rb") as lines:
        latest: int = max(orjson.loads(line)["time"] for line in lines)
    return latest + afterwards


async def _main(bootstrap: str, names: Sequence[str], lifecycles: tuple[str, ...], kills: int, seed: int) -> int:
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for number, name in enumerate(names):
            folder = Path(temporary) / name
            folder.mkdir()
            data = folder / "interactions.jsonl"
            count = SETS[name](data)
            replay = Replay(bootstrap, f"r{number}-", data, end_of(data), lifecycles)
            chance = random.Random(seed)
            at = sorted(chance.sample(range(1, count), kills))
            found, seconds = await replay_all(replay, folder, kills=at)
            expected = await replay.expected(folder)
            different = differences(found, expected)
            failed += 1 if different else 0
            print(  # noqa: T201
                f"{name}: {count:,} interactions, {sum(map(len, expected.values())):,} changes, "
                f"{len(different)} lives differ, killed at {at}, last worker {seconds:.1f} s"
            )
            for line in different[:5]:
                print("  ", line[:2_000])  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Replay data sets through a worker on Kafka and through simulate.")
    parser.add_argument("data", nargs="*", default=[*SETS])
    parser.add_argument("--lifecycles", default="metrics,journey")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chosen = tuple(given.lifecycles.split(","))
    with KafkaBroker() as broker:
        sys.exit(asyncio.run(_main(broker.bootstrap, given.data, chosen, given.kills, given.seed)))
