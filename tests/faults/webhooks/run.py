"""One run of webhooks: changes, processes that deliver, faults, a receiver that fails, and the verdict."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.engine.role import beside
from stream.settings import Settings
from stream.webhook_role import NAME
from stream.webhooks.topics import ensure_webhook_topics
from tests.faults.fleet import Fleet
from tests.faults.schedule import KINDS, Fault, Kind, needed, schedule
from tests.faults.stage import Stage, stage_of
from tests.faults.webhooks.changelog import ChangelogReader, changelog_of
from tests.faults.webhooks.endpoints import EndpointFile
from tests.faults.webhooks.harm import NotedInjector, Operators, note_fates
from tests.faults.webhooks.journal import Journal
from tests.faults.webhooks.moods import Moods
from tests.faults.webhooks.receiver import Receiver
from tests.faults.webhooks.verdict import Verdict, judge
from tests.faults.webhooks.writing import changes, write_changes
from tests.kit.webhooks import SECRET, VARIABLE

ROLE: Final = Path(__file__).with_name("role.py")
OF_WEBHOOKS: Final[tuple[Kind, ...]] = tuple(each for each in KINDS if each not in ("edit", "import"))
_PARTITIONS: Final = 4
_SESSION_MS: Final = 2_000
_READY_SECONDS: Final = 90.0
_STUCK_SECONDS: Final = 60.0
"""Without anything that comes to its end, while nothing is harmed any more: nothing ever will."""
_RESUME_AGAIN: Final = 15.0
NEVER: Final = "gone"
"""The endpoint whose changes wait for ever."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run is made of; the same plan gives the same changes and the same schedule."""

    seed: int
    minutes: float
    rate: float = 15.0
    """Changes a second."""
    customers: int = 150
    build: str = "right"
    """Of `role.py`."""
    kinds: Sequence[Kind] | None = None
    """Its faults; None: what is needed of so many minutes."""
    processes: int = 2
    drains: float = 300.0
    """Seconds that there are at the end, until nothing waits any more."""
    bootstrap: str | None = None
    """A broker that others use, too, and that takes no harm; None: one for this run alone."""
    prefix: str = ""
    """Of the names of topics and of the app."""

    @property
    def faults(self) -> list[Fault]:
        """Its schedule."""
        kinds = needed(self.minutes, OF_WEBHOOKS) if self.kinds is None else self.kinds
        return schedule(self.seed, self.minutes, kinds)


@dataclass
class Outcome:
    """What happened."""

    verdict: Verdict
    done: Counter[str]
    """What was done on purpose, by kind."""
    processes: int
    """That were started."""
    fallen: list[str]
    """Processes that ended though nobody told them to, or not in order."""

    @property
    def good(self) -> bool:
        """Nothing differs, and no process fell."""
        return not self.verdict.differences and not self.fallen


class _Run:
    def __init__(self, plan: Plan, folder: Path, say: Say, stage: Stage) -> None:
        self.plan, self.say, self.stage = plan, say, stage
        self.settings = Settings(
            bootstrap=stage.bootstrap,
            app=f"{plan.prefix}faults",
            topic_prefix=plan.prefix,
            partitions=_PARTITIONS,
            replication=stage.replication,
            session_timeout=_SESSION_MS,
        )
        self.role = beside(self.settings, NAME)
        self.journal = Journal(folder / "journal.jsonl")
        self.moods = Moods(plan.seed)
        self.steady, self.rough = Receiver(self.moods, self.journal), Receiver(self.moods, self.journal)
        self.file = EndpointFile(folder, plan.seed, calm_port=self.steady.port, rough_port=self.rough.port)
        environment = {
            "LIFECYCLE_BOOTSTRAP": stage.for_workers[0],
            "LIFECYCLE_APP": self.settings.app,
            "LIFECYCLE_TOPIC_PREFIX": plan.prefix,
            "LIFECYCLE_PARTITIONS": str(_PARTITIONS),
            "LIFECYCLE_RETENTION": "unlimited",
            "LIFECYCLE_SESSION_TIMEOUT": f"{_SESSION_MS}ms",
            "LIFECYCLE_WEBHOOKS": str(self.file.path),
            "LIFECYCLE_WEBHOOK_ALLOWED_HOSTS": "127.0.0.1",
            "LIFECYCLE_WEBHOOKS_PORT": "0",
            VARIABLE: SECRET,
        }
        command = (sys.executable, str(ROLE), plan.build, "webhooks")
        self._ends: dict[int, int] = {}
        self.fleet = Fleet(environment, folder, command, "webhooks", ways=stage.for_workers)

    async def play(self) -> Outcome:
        plan = self.plan
        await ensure_webhook_topics(self.settings)
        self.file.write()
        await self.fleet.size(plan.processes)
        await self._begun()
        self.say("every partition has begun")
        injector = NotedInjector(
            self.role,
            self.fleet,
            self.say,
            kafka=self.stage.kafka,
            proxies=self.stage.proxies,
            source=self.settings.webhook_topics.source,
        )
        injector.journal = self.journal
        seconds = plan.minutes * 60
        operators = Operators(
            self.role, self.file, self.rough, self.moods, self.journal, seed=plan.seed, seconds=seconds
        )
        over = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            sent = changes(plan.seed, plan.customers)
            group.create_task(write_changes(self.settings, sent, plan.rate, over))
            group.create_task(operators.run(over))
            await asyncio.gather(injector.run(plan.faults), asyncio.sleep(seconds))
            over.set()
        self.say("faults and changes are over; what waits is delivered")
        async with changelog_of(self.settings) as changelog:
            left = await self._drained(changelog, operators)
            await self.fleet.stop()
            note_fates(self.journal, self.fleet)
            self.journal.write()
            self.say("reading the topics, and comparing them with what arrived")
            verdict = await judge(self.settings, self.journal, await changelog.read())
        verdict.differences += left
        return Outcome(verdict, injector.done + operators.done, self.fleet.started, self.fleet.fallen)

    async def _begun(self) -> None:
        """Return once each partition has a position: what is written from now on is to be delivered."""
        topic = self.settings.webhook_topics.source
        partitions = [TopicPartition(topic, number) for number in range(_PARTITIONS)]
        async with (
            asyncio.timeout(_READY_SECONDS),
            AIOKafkaConsumer(
                bootstrap_servers=self.settings.bootstrap, group_id=self.role.group, enable_auto_commit=False
            ) as group,
        ):
            group.assign(partitions)
            while any([await group.committed(each) is None for each in partitions]):
                await asyncio.sleep(0.2)

    async def _drained(self, changelog: ChangelogReader, operators: Operators) -> list[str]:
        """Return when nothing waits any more but for whom it waits for ever; else a line for what is left."""
        began = progressed = resumed = time.monotonic()
        before: tuple[object, ...] = ()
        while True:
            await self.fleet.size(max(1, len(self.fleet.workers)))
            found = await changelog.read()
            left = [place for place in found.waits if place[0] != NEVER]
            behind = [n for n in range(_PARTITIONS) if found.read_up_to.get(n, 0) < await self._end(n)]
            if not left and not behind:
                return []
            now, state = time.monotonic(), (left, dict(found.read_up_to), len(self.journal.arrivals))
            if state != before:
                before, progressed = state, now
            ends = now - progressed > _STUCK_SECONDS or now - began > self.plan.drains
            if ends or len(self.fleet.fallen) > len(self.fleet.every) // 2:
                counts = Counter(endpoint for endpoint, _ in left)
                return [f"left waiting: {dict(counts)}; partitions that are not read to their end: {behind}"]
            if found.closed_now - {NEVER} and now - resumed > _RESUME_AGAIN:
                resumed = now  # what was answered before the resumption was told after it
                operators.done["resumed again"] += 1
                await operators.bring_back()

    async def _end(self, partition: int) -> int:
        if not self._ends:
            topic = self.settings.webhook_topics.source
            partitions = [TopicPartition(topic, number) for number in range(_PARTITIONS)]
            async with AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap) as consumer:
                ends = await consumer.end_offsets(partitions)
            self._ends = {each.partition: end for each, end in ends.items()}
        return self._ends[partition]


@asynccontextmanager
async def _running(plan: Plan, folder: Path, say: Say) -> AsyncIterator[_Run]:
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(stage_of(plan.bootstrap, embedded=False, cluster=False))
        made = _Run(plan, folder, say, stage)
        stack.callback(made.file.close)
        for each in (made.steady, made.rough, made.fleet):
            await stack.enter_async_context(each)
        yield made


async def run(plan: Plan, folder: Path, say: Say) -> Outcome:
    """The whole run."""
    async with _running(plan, folder, say) as made:
        return await made.play()
