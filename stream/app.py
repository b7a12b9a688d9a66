"""The composition root: the only place where the parts are put together."""

import gc
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from stream.build import is_compiled, product_version
from stream.codec.lifecycle_yaml.lifecycle_files import LifecycleFile, load_all
from stream.core.model import Model, model_of
from stream.core.times import format_time
from stream.engine.introduction import introduce
from stream.engine.role import worker_role
from stream.engine.state_reader import StateReader
from stream.engine.status import EngineStatus
from stream.engine.supervisor import Supervisor
from stream.engine.worker import run_worker
from stream.events import Event, report
from stream.kafka.topic_monitor import SourceTopic
from stream.kafka.worker_versions import GroupVersions, versions_of
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.metrics import Metrics, PartitionView, view_of
from stream.settings import Settings
from stream.tracing.optional import tracing_of
from stream.web.authentication import is_of_this_machine
from stream.web.console.about import About
from stream.web.console.routes import add_console
from stream.web.live_changes import add_live_routes
from stream.web.lookup.routes import add_lookup
from stream.web.routes import health_routes
from stream.web.server import own_url, serve
from stream.web.tls import server_context
from stream.web.tokens import Tokens

log = logging.getLogger(__name__)

GARBAGE_THRESHOLDS = (500_000, 20, 1_000)
"""Objects come and go by the hundred thousand in each batch, and hold no cycles: to search for some takes a third of
the time with Python's own thresholds."""


class Application:
    """A worker with its parts."""

    def __init__(self, settings: Settings, files: Iterable[LifecycleFile], *, demo: bool = False) -> None:
        self.settings = settings
        self.files = list(files)
        lifecycles = [file.lifecycle for file in self.files]
        self.model: Model = model_of(lifecycles, settings.forget_after, settings.forget_identified_after)
        self.group = GroupVersions(versions_of(lifecycles, product_version(), settings.deciding))
        self.metrics = Metrics(self, self.model, settings.topics.sources, settings.clock)
        self.metrics.show_versions(self.group)
        self._tracing = tracing_of(settings, "worker")
        if self._tracing is not None:
            self._tracing.show(self.metrics.registry)
        self._supervisor: Supervisor | None = None
        self._tokens = Tokens(settings.web_token, settings.web_tokens)
        self._about = About(product_version(), is_compiled(), time.time_ns() // 1_000_000, demo)

    def partitions(self) -> Iterable[PartitionView]:
        """What metrics show of the owned partitions."""
        if self._supervisor is None:
            return
        machines = self._supervisor.machines()
        for status in self._supervisor.status().partitions:
            machine = machines.get(status.partition)
            if isinstance(machine, PartitionMachine):
                yield view_of(status, list(machine.stages.items()), machine.figures)
            else:
                yield view_of(status)

    def status(self) -> EngineStatus | None:
        """What the worker is doing; None before the engine is there."""
        return None if self._supervisor is None else self._supervisor.status()

    def dead_letter_share(self) -> float:
        """Which share of the last minute's interactions became dead letters; 0 before the worker is there."""
        return 0.0 if self._supervisor is None else self._supervisor.dead_letter_share()

    def run(self, *, serving: Callable[[int], None] | None = None) -> int:
        """Run until asked to stop; returns the exit code. `serving` hears the port of health and metrics."""

        @asynccontextmanager
        async def web(supervisor: Supervisor) -> AsyncIterator[None]:
            self._supervisor = supervisor
            settings = self.settings
            routes = health_routes(supervisor.status, self.metrics.registry, self._tokens, self.group)
            reader = StateReader(supervisor, settings, self.model)
            add_lookup(routes, reader, settings, self.metrics.registry)
            add_live_routes(routes, settings, self.metrics)
            add_console(routes, reader, settings, self._tokens, supervisor.status, self.group, self._about)
            tls = server_context(settings)
            async with serve(routes, settings.web_bind, settings.web_port, tls=tls) as port:
                supervisor.membership.url = own_url(settings, port)
                report(
                    log.info,
                    Event.WEB_SERVED,
                    "the console at {scheme}://{bind}:{port}/, metrics at /metrics, customers at /v1/customers/ID",
                    scheme="http" if tls is None else "https",
                    bind=settings.web_bind,
                    port=port,
                )
                if not self._tokens.required and not is_of_this_machine(settings.web_bind):
                    report(
                        log.warning,
                        Event.WEB_OPEN,
                        "whoever reaches this address sees the metrics; LIFECYCLE_WEB_TOKEN asks for a token",
                    )
                if serving is not None:
                    serving(port)
                yield

        introduce(self.settings, self.files, self.group.ours, compiled=is_compiled())
        if self.settings.clock == "wall":
            report(
                log.info,
                Event.LIVE_FROM,
                "changes from before {since} are applied but not published",
                since=_since(self.settings.live_from),
            )
        if not is_compiled():
            report(
                log.info,
                Event.NOT_COMPILED,
                "this build is not compiled: a compiled one takes several times as many interactions (README)",
            )
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        role = worker_role(self.settings, figures=any(each.figures is not None for each in self.model.lifecycles))
        tracing = self._tracing
        if tracing is None:
            return run_worker(role, self._machine, self.metrics, services=[web], group=self.group)
        tracing.introduce()
        batches = tracing.batches(role.topics.source, role.settings.group)
        try:
            return run_worker(role, self._machine, self.metrics, services=[web], group=self.group, tracing=batches)
        finally:
            tracing.end()

    def _machine(self, partition: int, topic: SourceTopic) -> PartitionMachine:
        source = SourcePartition(self.settings.topics.interactions, partition, topic.partitions, topic.id)
        return PartitionMachine(self.model, self.settings, source)


def _since(live_from: int | None) -> str:
    return "the first start of this application" if live_from is None else format_time(live_from)


def application(settings: Settings, *, demo: bool = False) -> Application:
    """The worker of these settings; `demo`: that of `lifecycle demo`.

    Raises LifecycleFileError where a lifecycle cannot be used.
    """
    files = load_all(settings.lifecycles)
    for file in files:
        for warning in file.warnings:
            report(
                log.warning,
                Event.LIFECYCLE_WARNED,
                "{file}:{line}:{column}: {warning}",
                file=warning.file,
                line=warning.line,
                column=warning.column,
                warning=warning.message,
            )
    return Application(settings, files, demo=demo)
