"""Does what a schedule says, one fault after the other."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream.operations.workers_away import running_workers
from stream.settings import Settings
from tests.faults.edits import Version
from tests.faults.fleet import Fleet, WorkerProcess
from tests.faults.importing import Imports
from tests.faults.schedule import Fault
from tests.kit.cluster import KafkaCluster
from tests.kit.kafka import KafkaBroker
from tests.kit.proxy import Proxy

_RIVAL_SECONDS = 15.0
_PATIENCE = 30.0
_JOIN_SECONDS = 120.0
_ROLLING = 3

Say = Callable[[str], None]


class Injector:
    """What a run can be harmed by."""

    def __init__(
        self,
        settings: Settings,
        fleet: Fleet,
        say: Say,
        *,
        kafka: KafkaBroker | KafkaCluster | None = None,
        proxies: Sequence[Proxy] = (),
        patient: bool = False,
        edits: Iterable[Version] = (),
        imports: Imports | None = None,
        crowd: Callable[[WorkerProcess], Awaitable[None]] | None = None,
        source: str | None = None,
    ) -> None:
        """`kafka` is what can be stopped and started; `proxies` stand between it and the workers.

        `edits` are the versions of the lifecycles that come one after the other. `patient`: no fault comes before
        workers have got on since the one before, however long they take to start. `crowd` asks a worker much,
        when it is about to come back from the dead. `source` is the topic that they read; None: interactions.
        """
        self.done: Counter[str] = Counter()
        """How often each kind of fault was there; `rebalance`: workers that came or left, as the group sees it."""
        self.over = False
        """Nothing more will be harmed."""
        self._settings = settings
        self._fleet = fleet
        self._kafka = kafka
        self._proxies = proxies
        self._patient = patient
        self._edits = iter(edits)
        self._imports = imports
        self._crowd = crowd
        self._source = source or settings.topics.interactions
        self._taken = 0
        self._say = say

    async def run(self, faults: Iterable[Fault]) -> None:
        """One after the other, with their pauses."""
        for fault in faults:
            if self._patient:
                await self._until_taken_more()
            await asyncio.sleep(fault.after)
            await self._fleet.size(max(1, len(self._fleet.workers)))  # one may have fallen
            self._say(f"{fault.kind}" + (f" for {fault.lasts:.1f} s" if fault.lasts else ""))
            await self._do(fault)
            self.done[fault.kind] += 1
            before = len(self._fleet.workers)
            await self._fleet.size(fault.workers)
            self.done["rebalance"] += len(self._fleet.workers) != before or fault.kind not in (
                "rival",
                "import",
                "stall",
                "reset",
            )
        self.over = True

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case "kill" | "kill-all" | "terminate" | "freeze" | "isolate":
                await self._harm_workers(fault)
            case "rolling":
                await self._roll()
            case "edit":
                await self._edit(fault)
            case "import":
                assert self._imports is not None
                await self._imports.run(fault.which)
            case "rival":
                await self._rival(fault.which % self._settings.partitions)
            case "broker-stop" | "broker-kill":
                await self._lose_a_broker(fault)
            case "stall" | "refuse" | "reset":
                await self._harm_the_network(fault)

    async def _harm_workers(self, fault: Fault) -> None:
        worker = self._worker(fault)
        match fault.kind:
            case "kill":
                await self._fleet.kill(worker)
            case "kill-all":
                for each in list(self._fleet.workers):
                    await self._fleet.kill(each)
            case "terminate":
                await self._fleet.terminate(worker)
            case "freeze":
                await self._freeze(worker, fault.lasts)
            case _:
                await self._isolate(worker, fault.lasts)

    async def _freeze(self, worker: WorkerProcess, lasts: float) -> None:
        """Past the session timeout, so that another takes over: then the zombie wakes where it stopped."""
        await self._fleet.size(max(2, len(self._fleet.workers)))
        count = len(self._fleet.workers)
        if self._patient:  # one without partitions would harm nobody
            await self._joined(count)
        worker.freeze()
        if self._patient:
            await self._joined(count - 1)
        await asyncio.sleep(self._settings.session_timeout / 1_000 + lasts)
        if self._crowd is not None:
            await self._crowd(worker)
        worker.thaw()

    async def _isolate(self, worker: WorkerProcess, lasts: float) -> None:
        """Its way to the broker is held up past the session timeout, so that those who take the other one take over."""
        while all(each.way == worker.way for each in self._fleet.workers):
            await self._fleet.size(len(self._fleet.workers) + 1)
        self._proxies[worker.way].stall()
        await asyncio.sleep(self._settings.session_timeout / 1_000 + lasts)
        if self._crowd is not None:
            await self._crowd(worker)
        self._proxies[worker.way].heal()

    async def _roll(self) -> None:
        """A rolling restart."""
        await self._fleet.size(_ROLLING)
        for worker in list(self._fleet.workers):
            await self._joined(_ROLLING)
            await self._fleet.terminate(worker)
            await self._fleet.size(_ROLLING)
        await self._joined(_ROLLING)

    async def _edit(self, fault: Fault) -> None:
        """A rolling change of the lifecycle files, in the middle of which a worker is killed."""
        version = next(self._edits, None)
        if version is None:
            return
        self._say(f"  {version.what}")
        await self._fleet.size(_ROLLING)
        await self._joined(_ROLLING)
        former = list(self._fleet.workers)
        self._fleet.lifecycles = ",".join(map(str, version.files))
        for number, worker in enumerate(former):
            if worker in self._fleet.workers:
                await self._fleet.terminate(worker)
            await self._fleet.size(_ROLLING)
            if number == fault.which % len(former):
                await asyncio.sleep(fault.lasts)  # two versions side by side; then one goes, wherever it is
                await self._fleet.kill(self._fleet.workers[fault.which // 7 % _ROLLING])
                await self._fleet.size(_ROLLING)
            else:
                await self._joined(_ROLLING)

    async def _lose_a_broker(self, fault: Fault) -> None:
        cluster = self._kafka if isinstance(self._kafka, KafkaCluster) else None
        broker = cluster.nodes[fault.which % len(cluster.nodes)] if cluster is not None else self._kafka
        assert isinstance(broker, KafkaBroker)
        await asyncio.to_thread(broker.stop if fault.kind == "broker-stop" else broker.kill)
        await asyncio.sleep(fault.lasts)
        await asyncio.to_thread(broker.restart)
        if cluster is not None:  # one is lost at a time
            await cluster.until_whole()

    async def _harm_the_network(self, fault: Fault) -> None:
        for proxy in self._proxies:
            {"stall": proxy.stall, "refuse": proxy.refuse, "reset": proxy.reset}[fault.kind]()
        await asyncio.sleep(fault.lasts)
        for proxy in self._proxies:
            proxy.heal()

    async def _until_taken_more(self) -> None:
        """Return when the workers have taken more interactions than before, or after some time."""
        partitions = [TopicPartition(self._source, number) for number in range(self._settings.partitions)]
        before, deadline = self._taken, time.monotonic() + _PATIENCE
        async with AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap, group_id=self._settings.group, enable_auto_commit=False
        ) as group:
            group.assign(partitions)
            while self._taken <= before and time.monotonic() < deadline:
                await asyncio.sleep(0.2)
                with contextlib.suppress(KafkaError):
                    self._taken = sum([await group.committed(each) or 0 for each in partitions])

    def _worker(self, fault: Fault) -> WorkerProcess:
        workers = self._fleet.workers  # one at least: `size` came before
        return workers[fault.which % len(workers)]

    async def _joined(self, count: int) -> None:
        """Return when the group has so many members, or a worker has fallen."""
        there = len(self._fleet.workers)
        async with asyncio.timeout(_JOIN_SECONDS):
            while len(await running_workers(self._settings)) != count and len(self._fleet.workers) == there:
                await asyncio.sleep(0.1)

    async def _rival(self, partition: int) -> None:
        """Someone else begins with the id of a partition's producer, which fences whoever has it."""
        own = f"{self._settings.app}-{self._source}-{partition}"
        gathering = f"{own}-gather"
        name = gathering if self._settings.topics.sources and partition % 2 else own
        rival = AIOKafkaProducer(bootstrap_servers=self._settings.bootstrap, transactional_id=name)
        try:
            await asyncio.wait_for(rival.start(), _RIVAL_SECONDS)
        except (KafkaError, TimeoutError) as error:
            self._say(f"the rival did not come up: {error!r}")
        finally:
            await rival.stop()
