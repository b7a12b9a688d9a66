"""Run a worker: wait for Kafka, check the topics, join the group, and end in order."""

import asyncio
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError

from stream.engine.batch_tracing import BatchTracing
from stream.engine.companion import Companion
from stream.engine.faust_app import EngineApp, FaustSource, make_app, rebalance_timeout
from stream.engine.partition_context import MakeMachine, Observer, partition_context
from stream.engine.preparation import prepare
from stream.engine.role import Role
from stream.engine.status import PartitionState, Phase
from stream.engine.supervisor import Supervisor
from stream.engine.watchdog import LOOK_EVERY, LoopGuard, Stalls
from stream.errors import LifecycleError, StalledError, TopicError
from stream.events import Event, report
from stream.kafka.contact import ContactLog
from stream.kafka.log_throttle import Throttle, quiet_libraries, quiet_loop
from stream.kafka.membership import Membership
from stream.kafka.topic_monitor import TopicMonitor
from stream.kafka.transactions import ResolvedDelivery
from stream.kafka.worker_versions import GroupVersions

log = logging.getLogger(__name__)

T = TypeVar("T")

Service = Callable[[Supervisor], AbstractAsyncContextManager[object]]
"""Something that runs beside the supervisor, from before Kafka answers until after the group was left."""

_STOP_DEADLINE = 8.0
"""Then the process ends anyway."""
_ONE_REQUEST = 1.0
"""Signals so many seconds apart ask for one thing: a terminal and a wrapper may both send theirs."""
_COMMIT_DEADLINE = 5.0
_FENCED_HEARTBEATS = 2.0
_REBALANCES = 6
"""One follows another where members die in it, and each may last its whole timeout."""


def run_worker(
    role: Role,
    make_machine: MakeMachine,
    observer: Observer,
    *,
    services: Sequence[Service] = (),
    group: GroupVersions | None = None,
    companion: Companion | None = None,
    tracing: BatchTracing | None = None,
) -> int:
    """Run until SIGTERM or SIGINT (returns 0) or an error that does not pass (logged; returns 1).

    `make_machine` makes a new machine for a partition, `observer` gets a report of every batch, and `services`
    are entered first and left last. `group` collects which lifecycles the workers of the group have, and shows them
    this worker's. `companion` works beside the partitions, `tracing` makes spans of their batches.
    """
    return asyncio.run(_Worker(role, make_machine, observer, group, companion, tracing).run(services))


class _Worker:
    def __init__(
        self,
        role: Role,
        make_machine: MakeMachine,
        observer: Observer,
        group: GroupVersions | None,
        companion: Companion | None,
        tracing: BatchTracing | None,
    ) -> None:
        self._role, self._companion, self._tracing = role, companion, tracing
        self._settings = settings = role.settings
        self._make_machine, self._observer = make_machine, observer
        self._supervisor = Supervisor(
            digests=None if group is None else {name: each.digest for name, each in group.ours.lifecycles.items()},
            membership=Membership(settings.session_timeout / 1000),
        )
        self._asked_to_stop = asyncio.Event()
        self._asked_at = 0.0
        self._throttle = Throttle()
        self._contact_log = ContactLog(self._supervisor.contact, settings.bootstrap)
        self._group = group
        self._topic_monitor = TopicMonitor(
            settings, self._supervisor.contact, None if group is None else group.heard, topics=role.topics
        )

    async def run(self, services: Sequence[Service]) -> int:
        loop = asyncio.get_running_loop()
        quiet_libraries(self._supervisor.contact)
        quiet_loop(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, number)
        async with AsyncExitStack() as stack:
            data = stack.enter_context(tempfile.TemporaryDirectory(prefix="lifecycle-"))
            guard = stack.enter_context(LoopGuard())
            beating = asyncio.create_task(_beat(guard))
            stack.callback(beating.cancel)
            for service in services:
                await stack.enter_async_context(service(self._supervisor))
            try:
                await self._work(Path(data))
            except LifecycleError as error:
                self._supervisor.fail(error)
        failure = self._supervisor.failure
        if failure is None:
            report(log.info, Event.WORKER_STOPPED, "stopped")
            return 0
        ours = isinstance(failure, LifecycleError)
        # What another says may quote a record: its words are for debug alone.
        report(
            log.critical,
            Event.WORKER_FAILED,
            "the worker stops: {reason}",
            exc_info=None if ours else failure,
            error=type(failure).__name__,
            reason=str(failure) if ours else type(failure).__name__,
        )
        if not ours:
            report(
                log.debug,
                Event.WORKER_FAILED_WORDS,
                "what stopped the worker",
                exc_info=failure,
                error=type(failure).__name__,
            )
        return 1

    def _ask_to_stop(self, number: int) -> None:
        """The first signal ends the worker in order; a later one, where that is too slow, ends the process at once.

        As safe as `kill -9`: the partitions' next owners process what was not written.
        """
        now = time.monotonic()
        if not self._asked_to_stop.is_set():
            self._asked_at = now
            self._asked_to_stop.set()
        elif now - self._asked_at > _ONE_REQUEST:
            report(
                log.warning,
                Event.SECOND_SIGNAL,
                "asked to end a second time: the process ends at once",
                signal=signal.Signals(number).name,
            )
            logging.shutdown()
            os._exit(128 + number)

    async def _work(self, data: Path) -> None:
        while True:
            preparing = prepare(self._role, self._supervisor.contact, self._throttle)
            delivery = await self._unless_stopped(preparing)
            if delivery is None or not await self._run_once(data, delivery):
                return
            report(log.warning, Event.KAFKA_LEFT, "Kafka went away while we started")

    async def _run_once(self, data: Path, delivery: ResolvedDelivery) -> bool:
        """Run Faust until the worker is to end; True where Faust did not start because the broker went away."""
        looking = asyncio.create_task(self._topic_monitor.run())
        app = make_app(self._role, self._supervisor, data, None if self._group is None else self._group.ours)
        self._connect(app, delivery)
        starting = asyncio.create_task(app.start())
        ends = [
            asyncio.create_task(each)
            for each in (
                self._asked_to_stop.wait(),
                self._supervisor.wait_failed(),
                self._watch(),
                _crashed(app, starting),
            )
        ]
        await asyncio.wait([*ends, looking], return_when=asyncio.FIRST_COMPLETED)
        if looking.done():
            self._supervisor.fail(looking.exception() or RuntimeError("the topic monitor ended"))
        for end in (*ends, looking):
            end.cancel()
        away = self._supervisor.rebalances == 0 and _is_away(app.crash_reason) and not self._asked_to_stop.is_set()
        if not (away or self._asked_to_stop.is_set() or self._supervisor.failure is not None):
            self._supervisor.fail(app.crash_reason or RuntimeError("Faust stopped by itself"))
        await self._leave(app, starting)
        return away and self._supervisor.failure is None

    def _connect(self, app: EngineApp, delivery: ResolvedDelivery) -> None:
        source = FaustSource(app, self._settings.max_records, begins_at=self._role.begins_at)

        async def commit_offset(tp: TopicPartition, offset: int) -> None:
            try:
                await asyncio.wait_for(source.commit(tp, offset), _COMMIT_DEADLINE)
            except (KafkaError, TimeoutError) as error:  # only tools that show lag read it
                report(
                    log.debug,
                    Event.OFFSET_NOT_WRITTEN,
                    "partition {partition} of {topic}: the group's offset was not written: {error}",
                    topic=tp.topic,
                    partition=tp.partition,
                    error=repr(error),
                )

        report(log.info, Event.DELIVERY_CHOSEN, "delivery is {delivery}", delivery=delivery)
        context = partition_context(
            self._role,
            self._make_machine,
            self._observer,
            exactly_once=delivery == "exactly_once",
            source=source,
            topic_monitor=self._topic_monitor,
            commit_offset=commit_offset,
            fenced_wait=self._settings.session_timeout / 1000 / 4 * _FENCED_HEARTBEATS,
            companion=self._companion,
            tracing=self._tracing,
        )
        self._supervisor.connect(delivery, context)

    async def _watch(self) -> None:
        """Fail where nothing gets on though Kafka answers."""
        supervisor, topic_monitor = self._supervisor, self._topic_monitor
        partitions, missing = Stalls[int](), Stalls[str]()
        group = Stalls[str](round(_REBALANCES * rebalance_timeout(self._settings)))
        while True:
            await asyncio.sleep(LOOK_EVERY)
            owned = supervisor.status().partitions
            self._contact_log.look(len(owned), [each.partition for each in owned if each.state is PartitionState.AWAY])
            topic = topic_monitor.missing
            for gone in missing.look({} if topic is None else {topic: None}, counts=True):
                supervisor.fail(TopicError(self._words_of_missing(gone)))
            for number in partitions.look(supervisor.progress_tokens(), counts=topic_monitor.serves):
                supervisor.fail(StalledError(f"{supervisor.stands(number)} stands still though Kafka answers"))
            waits = supervisor.phase in (Phase.JOINING, Phase.REBALANCING)
            for phase in group.look(
                {supervisor.phase: supervisor.rebalances} if waits else {}, counts=topic_monitor.serves
            ):
                supervisor.fail(StalledError(f"the worker has not got into its group, though Kafka answers ({phase})"))

    def _words_of_missing(self, topic: str) -> str:
        topics = self._role.topics
        if topic in (topics.source, *topics.sources):
            then = "refuse to go on at a position of the old one"
        elif topic == topics.state and self._role.begins_at == "beginning":
            then = "refuse to go on without the state that it held"
        else:
            then = "go on; what it held is gone"
        return (
            f"topic {topic} is not there any more, or may not be seen. If it was deleted, this worker will create it "
            f"again when it is started again, and {then}"
        )

    async def _leave(self, app: EngineApp, starting: "asyncio.Task[None]") -> None:
        """Finish running batches and leave the group."""
        # Not `asyncio.wait_for`: Faust goes on stopping when it is cancelled, and that would be waited for.
        stopping = asyncio.create_task(app.stop())
        await asyncio.wait([stopping], timeout=_STOP_DEADLINE)
        starting.cancel()
        error = stopping.exception() if stopping.done() else TimeoutError(f"not done after {_STOP_DEADLINE:g} s")
        if error is not None:
            # Faust's consumer thread may hang on to a broker that is away, and Python would wait for it.
            report(
                log.warning,
                Event.LEFT_UNFINISHED,
                "the worker did not leave its group in time: {error}",
                error=type(error).__name__,
            )
            logging.shutdown()
            os._exit(0 if self._asked_to_stop.is_set() and self._supervisor.failure is None else 1)

    async def _unless_stopped(self, work: Coroutine[Any, Any, T]) -> T | None:
        """The result of `work`; None when the worker was asked to stop before."""
        task, stop = asyncio.create_task(work), asyncio.create_task(self._asked_to_stop.wait())
        try:
            await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            stop.cancel()
            task.cancel()


def _is_away(error: BaseException | None) -> bool:
    return isinstance(error, KafkaConnectionError | OSError | TimeoutError)


async def _crashed(app: EngineApp, starting: "asyncio.Task[None]") -> None:
    """Returns when Faust gave up."""
    try:
        await starting
    except Exception as error:  # noqa: BLE001 Faust's own way to report it
        await app.crash(error)
    await app.wait_until_stopped()


async def _beat(guard: LoopGuard) -> None:
    """Report to the guard that the loop runs, until cancelled."""
    while True:
        guard.alive()
        await asyncio.sleep(LOOK_EVERY / 2)
