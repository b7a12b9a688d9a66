"""The composition root of webhooks: the only place where the parts that deliver stage changes are put together."""

import asyncio
import gc
import logging
import os
import platform
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from aiokafka.errors import KafkaError

from stream.build import build_labels, product_version
from stream.codec.deliveries import DeliveryCommand
from stream.engine.companion import Inbox
from stream.engine.role import Role, beside
from stream.engine.status import EngineStatus
from stream.engine.supervisor import Supervisor
from stream.engine.worker import run_worker
from stream.events import Event, report
from stream.kafka.permissions import of_webhooks
from stream.kafka.topic_monitor import SourceTopic
from stream.machine.batch import Machine
from stream.machine.source_partition import SourcePartition
from stream.metrics import PartitionView, view_of
from stream.settings import Settings
from stream.tracing.optional import tracing_of
from stream.web.routes import health_routes
from stream.web.server import serve
from stream.web.tls import server_context
from stream.web.tokens import Tokens
from stream.webhooks.commands import CommandReader, CommandWriter
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.dispatcher import Dispatcher
from stream.webhooks.endpoint import Endpoint
from stream.webhooks.endpoints.endpoint_file import watched_endpoints
from stream.webhooks.metrics import WebhookMetrics
from stream.webhooks.sending.allowed_hosts import AllowedHosts
from stream.webhooks.sending.sender import Sender
from stream.webhooks.templating.template_file import load_template
from stream.webhooks.topics import ensure_webhook_topics

log = logging.getLogger(__name__)

NAME: Final = "webhooks"
_GARBAGE_THRESHOLDS: Final = (50_000, 20, 1_000)
_TELL_AGAIN: Final = 1.0


class Webhooks:
    """A process that delivers, with its parts. Raises LifecycleError where the file of endpoints cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = beside(settings, NAME)
        self._file = watched_endpoints(Path(settings.webhooks), load_template)
        self._by_name: tuple[tuple[Endpoint, ...], dict[str, Endpoint]] = ((), {})
        self._allowed = AllowedHosts(settings.webhook_allowed_hosts)
        self.metrics = WebhookMetrics(self)
        self._tracing = tracing_of(settings, NAME)
        if self._tracing is not None:
            self._tracing.show(self.metrics.registry)
        self._supervisor: Supervisor | None = None
        self._dispatcher: Dispatcher | None = None
        self._commands = CommandReader(self.settings)
        self._telling: set[asyncio.Task[None]] = set()
        self.by_name()  # so that a first scrape has its series

    def run(self, *, serving: Callable[[int], None] | None = None) -> int:
        """Run until asked to stop; returns the exit code. `serving` hears the port of health and metrics."""
        settings = self.settings
        self._introduce()
        if self._tracing is not None:
            self._tracing.introduce()
        gc.set_threshold(*_GARBAGE_THRESHOLDS)
        topics = settings.webhook_topics
        grants = tuple(of_webhooks(settings))
        role = Role(
            settings,
            topics,
            grants,
            ensure_webhook_topics,
            begins_at="end",
            skips_gaps=True,
            recoveries_at_once=1,  # what waits is packed as it is read, and takes far less than its changelog
        )

        @asynccontextmanager
        async def deliver(supervisor: Supervisor) -> AsyncIterator[None]:
            self._supervisor = supervisor
            async with Sender(self._allowed, version=product_version()) as sender:
                attempts = None if self._tracing is None else self._tracing.attempts()
                self._dispatcher = Dispatcher(self.by_name, sender, lambda: supervisor.membership.is_sure, attempts)
                try:
                    yield
                finally:
                    await self._dispatcher.close()
                    await self._commands.close()

        @asynccontextmanager
        async def web(supervisor: Supervisor) -> AsyncIterator[None]:
            tokens, tls = Tokens(settings.web_token, settings.web_tokens), server_context(settings)
            routes = health_routes(supervisor.status, self.metrics.registry, tokens)
            async with serve(routes, settings.web_bind, settings.webhooks_port, tls=tls) as port:
                report(
                    log.info,
                    Event.WEBHOOKS_SERVED,
                    "health and metrics at {scheme}://{bind}:{port}/metrics",
                    scheme="http" if tls is None else "https",
                    bind=settings.web_bind,
                    port=port,
                )
                if serving is not None:
                    serving(port)
                yield

        try:
            return run_worker(role, self._machine, self.metrics, services=[deliver, web], companion=self)
        finally:
            if self._tracing is not None:
                self._tracing.end()

    def by_name(self) -> Mapping[str, Endpoint]:
        """The endpoints of the file, as it was a second ago at the most."""
        found = self._file.value
        if found is not self._by_name[0]:
            self._by_name = found, {each.name: each for each in found}
            self.metrics.expect(self._by_name[1])
        return self._by_name[1]

    # What the engine asks of a companion.

    def committed(self, number: int, machine: Machine, inbox: Inbox) -> None:
        """See `Companion`."""
        assert isinstance(machine, DeliveryMachine)
        assert self._dispatcher is not None
        counts = machine.take_counts()
        self.metrics.count(counts)
        for endpoint, reason in counts.disabled.items():
            report(
                log.error,
                Event.WEBHOOK_DISABLED,
                "endpoint {endpoint} is disabled: {reason}; `lifecycle webhooks resume {endpoint}` sends what waits",
                endpoint=endpoint,
                reason=reason,
            )
            self._shut(endpoint, reason)
        self._dispatcher.committed(number, machine, inbox)
        self._commands.follow(self._dispatcher.open)

    async def release(self, number: int) -> None:
        """See `Companion`."""
        if self._dispatcher is not None:
            await self._dispatcher.release(number)

    def dropped(self, number: int) -> None:
        """See `Companion`."""
        if self._dispatcher is not None:
            self._dispatcher.dropped(number)
            self._commands.follow(self._dispatcher.open)

    # What metrics show.

    def machines(self) -> Mapping[int, DeliveryMachine]:
        """What waits, by partition."""
        return {} if self._dispatcher is None else {number: each for number, (each, _) in self._dispatcher.open.items()}

    def sending(self) -> Mapping[str, int]:
        """Attempts under way, by endpoint."""
        return {} if self._dispatcher is None else self._dispatcher.sending()

    def endpoints(self) -> Iterable[str]:
        """Names of the file's endpoints."""
        return self.by_name()

    def partitions(self) -> Iterable[PartitionView]:
        """The partitions that this process owns."""
        return () if self._supervisor is None else map(view_of, self._supervisor.status().partitions)

    def status(self) -> EngineStatus | None:
        """What the process is doing; None before the engine is there."""
        return None if self._supervisor is None else self._supervisor.status()

    def _machine(self, partition: int, topic: SourceTopic) -> DeliveryMachine:
        topics = self.settings.webhook_topics
        assert topics.commands is not None
        source = SourcePartition(topics.source, partition, topic.partitions, topic.id)
        return DeliveryMachine(self.by_name(), source, topics.commands, traced=self._tracing is not None)

    def _shut(self, endpoint: str, reason: str) -> None:
        """Let all partitions of all processes know that an endpoint is disabled."""
        command = DeliveryCommand("disable", endpoint, time.time_ns() // 1_000_000, reason)
        task = asyncio.create_task(self._tell(command))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, command: DeliveryCommand) -> None:
        while True:
            with suppress(KafkaError, OSError, TimeoutError):
                async with CommandWriter(self.settings) as writer:
                    await writer.to_all(command)
                    return
            await asyncio.sleep(_TELL_AGAIN)

    def _introduce(self) -> None:
        about = build_labels()
        report(
            log.info,
            Event.WEBHOOKS_STARTED,
            "lifecycle {version} ({build}), Python {python}, webhooks {process}: {endpoints}",
            version=about["version"],
            build=about["build"],
            python=platform.python_version(),
            process=f"{socket.gethostname()}:{os.getpid()}",
            endpoints=[each.name for each in self._file.value if each.enabled],
        )
