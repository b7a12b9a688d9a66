"""Real imports that are killed half-way and begun again; what the files held is compared with what was counted.

The core decides nothing here: a customer's rows are counted in the file, and in the fact that counts them.
"""

import asyncio
import contextlib
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.import_rows import HEADER
from stream.settings import Settings
from tests.faults.traffic import END, SPAN

LIFECYCLE = Path(__file__).with_name("lifecycles") / "counted.yaml"
"""Counts rows in its first fact, and weighs items that were posted in its second one."""
NAME = "counted"
_EVENT = "imported_row"
_ROWS = 3_000
_OWN = 200
"""Customers of an import whom the traffic does not have; every second row is of one of these."""
_RATE = 1_500
"""Rows a second, until it is killed."""
_HALF_WAY = _ROWS // 4
"""So many rows are seen on the topic before it is killed: by then there are more."""
_SECONDS = 240.0

Say = Callable[[str], None]


class Imports:
    """The imports of a run."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], folder: Path, customers: int, seed: int, say: Say
    ) -> None:
        """`customers`: of the traffic, who are among those of the files."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        self.rows: Counter[str] = Counter()
        """Of all files, by customer."""
        self.killed = 0
        """Imports that were killed before they had come to their end."""
        self.failed: list[str] = []
        """What each import said that did not come to its end when it was begun again."""
        self._settings = settings
        self._environment = {**kept, **environment}
        self._folder = folder
        self._customers = customers
        self._chance = random.Random(seed)
        self._say = say
        self._count = 0

    async def run(self, which: int) -> None:
        """Import a file, kill that half-way, and begin again; `which`: odd numbers send all rows again."""
        self._count += 1
        name = f"file-{self._count}"
        file = self._write(name)
        topic = self._settings.topics.interactions
        async with AIOKafkaConsumer(bootstrap_servers=self._settings.bootstrap, enable_auto_commit=False) as consumer:
            consumer.assign([TopicPartition(topic, number) for number in range(self._settings.partitions)])
            await consumer.seek_to_end()
            process = await self._start(name, file, "--rate", str(_RATE))
            seen = await _rows_seen(consumer, name, process)
        if process.returncode is None:
            process.kill()
            self.killed += 1
            self._say(f"  killed after {seen:,} of {_ROWS:,} rows were there")
        await process.wait()
        again = await self._start(name, file, *(["--no-resume"] if which % 2 else []))
        try:
            await asyncio.wait_for(again.wait(), _SECONDS)
        except TimeoutError:
            again.kill()
            await again.wait()
        if again.returncode != 0:
            said = self._log(name).read_text(encoding="utf-8", errors="replace")[-2_000:]
            self.failed.append(f"import {name}, begun again, ended with {again.returncode}: {said}")

    def _write(self, name: str) -> Path:
        """A file whose times are before those of the traffic's present; in `wall` clock it is of now."""
        begin = int(time.time() * 1_000) - _ROWS if self._settings.clock == "wall" else END - SPAN
        path = self._folder / f"{name}.csv"
        with path.open("w", encoding="utf-8") as file:
            file.write("customer_id,type,time\n")
            for number in range(_ROWS):
                own = number % 2
                who = f"b-{self._chance.randrange(_OWN)}" if own else f"c-{self._chance.randrange(self._customers)}"
                self.rows[who] += 1
                file.write(f"{who},{_EVENT},{begin + number}\n")
        return path

    async def _start(self, name: str, file: Path, *options: str) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "stream.cli", "import", str(file), "--name", name, *options)
        with self._log(name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *command, env=self._environment, cwd=self._folder, stdout=log, stderr=log
            )

    def _log(self, name: str) -> Path:
        return self._folder / f"import-{name}.log"


async def _rows_seen(consumer: AIOKafkaConsumer, name: str, process: asyncio.subprocess.Process) -> int:
    """Return when enough rows are on the topic, or the process has ended; how many there are."""
    seen = 0
    ended = asyncio.create_task(process.wait())
    while seen < _HALF_WAY and not ended.done():
        with contextlib.suppress(KafkaError):
            for records in (await consumer.getmany(timeout_ms=100)).values():
                seen += sum(
                    header == HEADER and value.startswith(f"{name}:".encode())
                    for record in records
                    for header, value in record.headers
                )
    ended.cancel()
    return seen


def compare_rows(found: Mapping[str, int], wanted: Mapping[str, int]) -> list[str]:
    """A line for each customer whose rows were not counted once each."""
    return [
        f"{found.get(who, 0)} rows of imports were counted for {who}, of {wanted.get(who, 0)} in the files"
        for who in sorted(found.keys() | wanted.keys())
        if found.get(who, 0) != wanted.get(who, 0)
    ]
