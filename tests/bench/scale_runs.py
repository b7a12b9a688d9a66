"""One run of the scale benchmark: workers that know all customers already, a backlog, and what taking it costs."""

import asyncio
import contextlib
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.model import model_of
from stream.kafka.partitioner import partition_of
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.bench.broker_logs import BrokerLogs
from tests.bench.builds import THIS, Build
from tests.bench.ours import WrongResult
from tests.bench.worker import BenchWorker, cpu_seconds
from tests.bench.workload import UNTIL, WEEK, Continuing, Record, produce, workload
from tests.kit import machines
from tests.kit.kafka import KafkaBroker

TRIVIAL = Path(__file__).with_name("lifecycles") / "trivial.yaml"
_POLL = 0.05
_BALANCE_SECONDS = 60.0
_SETTLE_SECONDS = 10.0

Say = Callable[[str], None]


class Scenario(NamedTuple):
    """What one run has of everything."""

    workers: int = 1
    partitions: int = 4
    customers: int = 100_000
    lifecycles: int = 1
    """Copies of the trivial one under other ids."""


class Bench:
    """A broker's runs, each with topics of its own, whose names begin with `prefix`."""

    def __init__(self, kafka: KafkaBroker, folder: Path, prefix: str = "") -> None:
        self.kafka, self.folder, self._prefix = kafka, folder, prefix
        self._runs = 0

    @asynccontextmanager
    async def run(self, scenario: Scenario, lifecycle: str | None = None, build: Build = THIS) -> AsyncIterator["Run"]:
        """Workers that share the partitions and have a record of every customer, until the block ends.

        They run the scenario's copies of the trivial lifecycle, or the one that is named.
        """
        self._runs += 1
        prefix = f"{self._prefix}run{self._runs}-"
        settings = Settings(
            bootstrap=self.kafka.bootstrap, topic_prefix=prefix, partitions=scenario.partitions, app=f"{prefix}app"
        )
        await ensure_topics(settings)
        await _until_led(settings)
        run = Run(self.kafka, settings, scenario)
        await run.produce(first_of_each(scenario.customers), scenario.customers)
        options = {
            "LIFECYCLES": lifecycle or ",".join(map(str, self._copies(scenario.lifecycles))),
            "CLOCK": "stream",
            "DELIVERY": "exactly_once",
            "SESSION_TIMEOUT": "60s",  # they are stopped for a while
            "LOG_LEVEL": "warning",
        }
        async with AsyncExitStack() as stack:
            for number in range(scenario.workers):
                log = self.folder / f"{prefix}{number}.log"
                worker = BenchWorker(self.kafka.bootstrap, prefix, log, options, build)
                run.workers.append(await stack.enter_async_context(worker))
            await run.until_taken()
            await run.until_balanced()
            yield run

    def _copies(self, count: int) -> Sequence[Path]:
        text = TRIVIAL.read_text(encoding="utf-8")
        paths = [self.folder / f"copy{number}.yaml" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_text(text.replace("lifecycle: trivial", f"lifecycle: copy{number}"), encoding="utf-8")
        return paths


class Run:
    """Workers on their topics, from `Bench.run`."""

    def __init__(self, kafka: KafkaBroker, settings: Settings, scenario: Scenario) -> None:
        self._kafka, self._settings, self._scenario = kafka, settings, scenario
        self.workers: list[BenchWorker] = []
        self._produced = 0
        self._coming = Continuing(scenario.customers)

    async def produce(self, records: Iterator[Record], count: int) -> None:
        """Write so many interactions."""
        topic = self._settings.topics.interactions
        await produce(self._settings.bootstrap, topic, self._scenario.partitions, records)
        self._produced += count

    async def until_taken(self, seconds: float = 600) -> None:
        """Wait until everything that was produced is taken. Raises TimeoutError, RuntimeError where a worker ended."""
        async with asyncio.timeout(seconds):
            while sum([await each.taken() for each in self.workers]) < self._produced:
                await asyncio.sleep(_POLL)

    async def check_applied(self) -> None:
        """Raises WrongResult unless every interaction that was produced was applied, by the workers' own count."""
        found = Counter[str]()
        deadline = time.monotonic() + _SETTLE_SECONDS
        while found.total() < self._produced and time.monotonic() < deadline:
            found = Counter[str]()
            for worker in self.workers:
                found.update(await worker.processed())
            await asyncio.sleep(_POLL)
        if found != Counter(applied=self._produced):
            raise WrongResult(
                f"{self._produced:,} new interactions were produced, and the workers counted {dict(found)}: "
                "what was measured was not applying them"
            )

    async def until_balanced(self) -> None:
        """Wait until every worker is ready and has its share of the partitions."""
        share = self._scenario.partitions // len(self.workers)
        async with asyncio.timeout(_BALANCE_SECONDS):
            while True:
                healths = [await each.health() for each in self.workers]
                if all(body and body["status"] == "ready" and len(body["partitions"]) == share for body in healths):
                    return
                await asyncio.sleep(_POLL)

    async def backlog(self, count: int, started: Callable[[], None] = lambda: None) -> dict[str, float]:
        """Events a second while so many new ones are waiting, and microseconds of processor time per event.

        The workers stand still while the interactions are written, so that producing takes nothing from them;
        `started` is called when they go on. Raises WrongResult unless each of them was applied.
        """
        with standing_still(self.workers):
            await self.produce(self._coming.next(count), count)
            began, workers, broker = time.perf_counter(), self._worker_cpu(), self._broker_cpu()
        started()
        await self.until_taken()
        seconds = time.perf_counter() - began
        workers, broker = self._worker_cpu() - workers, self._broker_cpu() - broker
        await self.check_applied()
        return {"rate": count / seconds, "worker_us": workers / count * 1e6, "broker_us": broker / count * 1e6}

    async def changes(self) -> int:
        """Stage changes that the workers told of so far."""
        return int(await self._counted("lifecycle_stage_changes_published_total"))

    async def idle(self, seconds: int) -> dict[str, float]:
        """Cores that worker and broker take while nothing happens."""
        workers, broker = self._worker_cpu(), self._broker_cpu()
        await asyncio.sleep(seconds)
        return {
            "idle_worker_cores": (self._worker_cpu() - workers) / seconds,
            "idle_broker_cores": (self._broker_cpu() - broker) / seconds,
        }

    async def quiet(self, rate: int, seconds: int) -> dict[str, Any]:
        """What a low rate costs: cores of worker and broker, transactions a second, and bytes written per topic."""
        count, partitions = rate * seconds, self._scenario.partitions
        logs = BrokerLogs(self._kafka.log.parent / "data")
        logs.grown()
        transactions = await self._transactions()
        began, workers, broker = time.perf_counter(), self._worker_cpu(), self._broker_cpu()
        async with AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap) as producer:
            for number, (key, value) in enumerate(self._coming.next(count)):
                await asyncio.sleep(began + number / rate - time.perf_counter())
                partition = partition_of(key, partitions)
                await producer.send(self._settings.topics.interactions, value, key=key, partition=partition)
            await producer.flush()
        self._produced += count
        await self.until_taken()
        took = time.perf_counter() - began
        transactions = await self._transactions() - transactions
        await self.check_applied()
        prefix = self._settings.topic_prefix
        return {
            "rate": count / took,
            "worker_cores": (self._worker_cpu() - workers) / took,
            "broker_cores": (self._broker_cpu() - broker) / took,
            "transactions_per_second": transactions / took,
            "position_bytes_per_event": transactions * _position_bytes(self._settings) / count,
            "bytes_per_event": {
                name.removeprefix(prefix): {"total": each.total / count, "markers": each.markers / count}
                for name, each in sorted(logs.grown().items())
            },
        }

    def _worker_cpu(self) -> float:
        return sum(each.cpu_seconds for each in self.workers)

    def _broker_cpu(self) -> float:
        return cpu_seconds(self._kafka.pid)

    async def _transactions(self) -> float:
        return await self._counted("lifecycle_transaction_seconds_count")

    async def _counted(self, name: str) -> float:
        """The sum of a metric over all workers and labels."""
        total = 0.0
        for worker in self.workers:
            for family in text_string_to_metric_families(await worker.metrics()):
                total += sum(each.value for each in family.samples if each.name == name)
        return total


@contextlib.contextmanager
def standing_still(workers: Sequence[BenchWorker]) -> Iterator[None]:
    """Stop these workers while the block lasts."""
    _signal(workers, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(workers, signal.SIGCONT)


def _signal(workers: Sequence[BenchWorker], number: signal.Signals) -> None:
    for each in workers:
        if each.process.returncode is None:
            each.process.send_signal(number)


def _position_bytes(settings: Settings) -> int:
    """Key and value of the position record, which every transaction writes."""
    model = model_of([load_all([str(TRIVIAL)])[0].lifecycle])
    record = machines.Record(1_000_000, UNTIL, *next(workload(1, 1)))
    [batch] = machines.run_all(machines.machine(model, settings), [record])
    position = batch.state[-1]
    return len(position.key or b"") + len(position.value or b"")


async def _until_led(settings: Settings) -> None:
    """Wait until the broker really leads the new partitions, a while after it says so."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.bootstrap) as consumer:
        await consumer.end_offsets(
            [TopicPartition(settings.topics.interactions, number) for number in range(settings.partitions)]
        )


def first_of_each(customers: int) -> Iterator[Record]:
    """One interaction of every customer, before the workload begins."""
    before = UNTIL - 8 * WEEK
    for number in range(customers):
        key = f"c-{number:07d}"
        value = f'{{"id":"f-{number}","type":"page_view","customer_id":"{key}","time":{before},"properties":{{}}}}'
        yield Record(key.encode(), value.encode())
