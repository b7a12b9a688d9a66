"""One run: traffic, workers and faults at once, and the verdict."""

import asyncio
import contextlib
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream.codec.controls import tick
from stream.kafka.topics import ensure_topics
from stream.settings import Clock, Settings
from tests.faults.codecs import Pace, create_compressed_topics, send
from tests.faults.collectors import COLLECTOR_FAULTS, CollectorFault
from tests.faults.collectors import COMMAND as COLLECTOR
from tests.faults.edits import versions
from tests.faults.fleet import COMMAND, Fleet
from tests.faults.gathering import SOURCES, compare_gathered
from tests.faults.importing import Imports
from tests.faults.inject import Injector
from tests.faults.over_http import OverHttp, over_http
from tests.faults.schedule import KINDS, OF_CLUSTER, OF_WORKERS, Fault, Kind, needed, schedule
from tests.faults.stage import stage_of
from tests.faults.stints import Versions
from tests.faults.traffic import END, traffic
from tests.faults.verdict import Verdict, judge
from tests.kit.times import DAY
from tests.kit.topics import read_all

LIFECYCLES: dict[Clock, tuple[str, ...]] = {
    "stream": ("metrics", "nurture"),
    "wall": (str(Path(__file__).with_name("hurried.yaml")),),
}
_FORGET_AFTER: dict[Clock, int] = {"stream": 90 * DAY, "wall": 15_000}
AFTERWARDS = 60 * DAY
"""How far time goes on after the last interaction."""
_PARTITIONS = 4
_SESSION_MS = 2_000
_CATCH_UP_SECONDS = 240.0
_STUCK_SECONDS = 40.0
"""Without any progress, while nothing is harmed any more: there will be none."""
_SETTLE_SECONDS = 2.0
_SLOWEST = 0.02
"""Of the even pace, where interactions are to last."""
_HOPELESS = 5
"""Workers that fell, one after the other, while others should catch up: none of them ever will."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What a run is made of; the same plan gives the same traffic and the same schedule."""

    seed: int
    minutes: float
    interactions: int
    customers: int = 5_000
    command: Sequence[str] = COMMAND
    kinds: Sequence[Kind] | None = None
    """Its faults; None: what is needed of so many minutes."""
    embedded: bool = False
    """On the embedded broker, at least once: only workers fail."""
    cluster: bool = False
    """On three brokers, of which one is lost at a time."""
    patient: bool = False
    """No fault comes before workers have got on since the one before, and interactions last until the last fault.

    So each fault hits workers at work, however slow a machine is: what is wrong on purpose shows.
    """
    clock: Clock = "stream"
    """What fires deadlines; in `wall` clock they come within seconds."""
    topics: int = 1
    """Of interactions; those of several are gathered."""
    http: bool = False
    """Senders post to collectors, and workers are asked for customers, all the while."""
    collector_faults: Sequence[CollectorFault] = COLLECTOR_FAULTS
    collector_command: Sequence[str] = COLLECTOR
    bootstrap: str | None = None
    """A broker that others use, too, and that takes no harm; None: one for this run alone."""
    prefix: str = ""
    """Of the names of topics and of the app, where others use the broker, too."""

    @property
    def faults(self) -> list[Fault]:
        """Its schedule."""
        kinds = self.kinds
        if kinds is None:
            kinds = needed(self.minutes, OF_WORKERS if self.embedded else OF_CLUSTER if self.cluster else KINDS)
        return schedule(self.seed, self.minutes, kinds)

    def pace(self, injector: Injector) -> Pace:
        """Interactions a second, by how many there were: even, or slower the fewer are left, until faults are over."""
        rate = self.interactions / (self.minutes * 60)
        if not self.patient:
            return lambda _: rate
        return lambda count: math.inf if injector.over else rate * max(_SLOWEST, 1 - count / self.interactions)


@dataclass
class Outcome:
    """What happened."""

    verdict: Verdict
    faults: Counter[str]
    workers: int
    """Processes that were started."""
    seconds: float
    codecs: Counter[str] = field(default_factory=Counter)
    """Interactions by the codec of the producer that wrote them."""
    topics: dict[str, str] = field(default_factory=dict)
    """The codec of each of our topics that has one of its own."""
    imports_killed: int = 0
    """Imports that were killed before they had come to their end, and begun again."""
    fallen: list[str] = field(default_factory=list)
    """Workers and collectors that ended though nobody told them to, or not in order."""

    @property
    def good(self) -> bool:
        """Nothing is missing, extra or other, and no worker fell."""
        return not self.verdict.differences and not self.fallen


async def run(plan: Plan, folder: Path, say: Say) -> Outcome:
    """The whole run."""
    began = time.monotonic()
    async with stage_of(plan.bootstrap, embedded=plan.embedded, cluster=plan.cluster) as stage:
        settings = Settings(
            bootstrap=stage.bootstrap,
            app=f"{plan.prefix}faults",
            topic_prefix=plan.prefix,
            interactions="interactions" if plan.topics == 1 else ",".join(SOURCES[: plan.topics]),
            partitions=_PARTITIONS,
            replication=stage.replication,
            lifecycles=LIFECYCLES[plan.clock],
            clock=plan.clock,
            live_from=END - 10 * 365 * DAY if plan.clock == "wall" else None,
            forget_after=_FORGET_AFTER[plan.clock],
            session_timeout=_SESSION_MS,
        )
        codecs = {} if plan.embedded else await create_compressed_topics(settings, stage.replication, plan.seed)
        await ensure_topics(settings, figures=True)
        edited = versions(
            settings.lifecycles, sum(each.kind == "edit" for each in plan.faults), plan.seed, folder, plan.clock
        )
        environment = {
            "LIFECYCLE_BOOTSTRAP": stage.for_workers[0],
            "LIFECYCLE_APP": settings.app,
            "LIFECYCLE_TOPIC_PREFIX": settings.topic_prefix,
            "LIFECYCLE_INTERACTIONS": settings.interactions,
            "LIFECYCLE_PARTITIONS": str(_PARTITIONS),
            "LIFECYCLE_LIFECYCLES": ",".join(map(str, edited[0].files)),
            "LIFECYCLE_CLOCK": settings.clock,
            **({} if settings.live_from is None else {"LIFECYCLE_LIVE_FROM": str(settings.live_from)}),
            "LIFECYCLE_FORGET_AFTER": f"{settings.forget_after}ms",
            "LIFECYCLE_DELIVERY": "at_least_once" if plan.embedded else "exactly_once",
            "LIFECYCLE_SESSION_TIMEOUT": f"{_SESSION_MS}ms",
            "LIFECYCLE_WEB_PORT": "0",
        }
        fleet = Fleet(environment, folder, plan.command, ways=stage.for_workers)
        async with fleet, AsyncExitStack() as stack:
            await fleet.size(2)
            http: OverHttp | None = None
            if plan.http:
                beside = OverHttp(
                    settings,
                    environment,
                    fleet,
                    folder,
                    customers=plan.customers,
                    seconds=plan.minutes * 60,
                    seed=plan.seed,
                    faults=plan.collector_faults,
                    command=plan.collector_command,
                )
                http = await stack.enter_async_context(over_http(beside))
            imports = Imports(settings, environment, folder, plan.customers, plan.seed, say)
            injector = Injector(
                settings,
                fleet,
                say,
                kafka=stage.kafka,
                proxies=stage.proxies,
                patient=plan.patient,
                edits=edited[1:],
                imports=imports,
                crowd=None if http is None else http.askers.crowd,
            )
            written: Counter[str] = Counter()
            async with asyncio.TaskGroup() as group:
                sent = traffic(plan.interactions, plan.customers, plan.seed, live=plan.clock == "wall")
                harm = [
                    group.create_task(
                        send(settings, sent, plan.pace(injector), written, say, idempotent=not plan.embedded)
                    ),
                    group.create_task(injector.run(plan.faults)),
                ]
                if http is not None:
                    group.create_task(http.run(harm))
            say("faults and traffic are over; the workers catch up")
            behind = [line for topic in settings.topics.sources for line in await _caught_up(settings, fleet, topic)]
            # By the wall clock, too: workers that took the last interaction may have fallen since.
            await _tick(settings, END + AFTERWARDS if plan.clock == "stream" else int(time.time() * 1_000))
            behind += await _caught_up(settings, fleet, settings.topics.interactions)
            settled = int(time.time() * 1_000) - 1_000 if plan.clock == "wall" else None
            await asyncio.sleep(_SETTLE_SECONDS)  # deadlines that came last, where they take more than one transaction
            if http is not None:
                say("everybody is asked for")
                await http.askers.ask_everybody()
            await stack.aclose()
            await fleet.stop()
            say("reading the topics, and working out what they must hold")
            known = Versions([each for version in edited for each in version.lifecycles], settings.forget_after)
            verdict = await judge(
                known, settings, rows=imports.rows, exactly_once=not plan.embedded, settled=settled, http=http
            )
            verdict.differences += behind + imports.failed
            if settings.topics.sources and not plan.embedded:
                verdict.differences += await compare_gathered(settings)
            seconds = time.monotonic() - began
            fallen = fleet.fallen + ([] if http is None else http.collectors.fleet.fallen)
            return Outcome(verdict, injector.done, fleet.started, seconds, written, codecs, imports.killed, fallen)


async def _tick(settings: Settings, until: int) -> None:
    """Let time go on in every partition."""
    record = tick(until)
    async with AIOKafkaProducer(bootstrap_servers=settings.bootstrap) as producer:
        for partition in range(settings.partitions):
            await producer.send_and_wait(
                settings.topics.interactions, record.value, partition=partition, headers=list(record.headers)
            )


async def _caught_up(settings: Settings, fleet: Fleet, topic: str) -> list[str]:
    """Return when the group has committed the end of every partition; after some minutes, a line for what is left."""
    partitions = [TopicPartition(topic, number) for number in range(settings.partitions)]
    # Read, not asked for: the embedded broker's answer would be wrong.
    read = await read_all(settings.bootstrap, topic, seconds=_CATCH_UP_SECONDS)
    ends = {each: read[each.partition][-1].offset + 1 if read[each.partition] else 0 for each in partitions}
    committed: dict[TopicPartition, int | None] = {}
    fallen = len(fleet.fallen)
    began = progressed = time.monotonic()
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap, group_id=settings.group, enable_auto_commit=False
    ) as group:
        group.assign(partitions)
        while any((committed.get(each) or 0) < ends[each] for each in partitions):
            now = time.monotonic()
            too_long = now - began > _CATCH_UP_SECONDS or now - progressed > _STUCK_SECONDS
            if too_long or len(fleet.fallen) - fallen >= _HOPELESS:
                return [f"{each} was taken up to {committed.get(each)} only, of {ends[each]}" for each in partitions]
            await fleet.size(max(1, len(fleet.workers)))
            await asyncio.sleep(0.2)
            with contextlib.suppress(KafkaError):
                before, committed = committed, {each: await group.committed(each) for each in partitions}
                if committed != before:
                    progressed = time.monotonic()
    return []
