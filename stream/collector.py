"""The composition root of the collector: the only place where its parts are put together. It knows no Faust."""

import asyncio
import contextlib
import gc
import logging
import os
import platform
import signal
import socket
from collections.abc import Callable

from stream.build import build_labels
from stream.errors import LifecycleError
from stream.events import Event, report
from stream.kafka.contact import ContactStatus
from stream.kafka.log_throttle import quiet_libraries, quiet_loop
from stream.settings import Settings
from stream.tracing.optional import tracing_of
from stream.web.authentication import is_of_this_machine
from stream.web.collector.access import Access
from stream.web.collector.connection import Connection
from stream.web.collector.metrics import CollectorMetrics
from stream.web.collector.room import Room
from stream.web.collector.routes import collector_routes
from stream.web.collector.sdk_settings import SdkSettings
from stream.web.collector.sender_address import SenderAddress
from stream.web.collector.taking import ANSWER_WITHIN, Taker
from stream.web.collector.write_keys import WriteKeys
from stream.web.server import serve
from stream.web.tls import server_context
from stream.web.tokens import Tokens

log = logging.getLogger(__name__)

GARBAGE_THRESHOLDS = (20_000, 20, 100)
"""The objects of a request go with it and hold no cycles: with Python's own thresholds, a twentieth of the time goes
into looking for some."""


class Collector:
    """A collector with its parts. Raises SettingsError where a file of keys, tokens or a certificate cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        topics = settings.topics
        self._keys = WriteKeys(settings.write_keys, settings.topic_prefix, topics.sent_to)
        tokens = Tokens(settings.web_token, settings.web_tokens)
        self._tls = server_context(settings)
        self._room = Room(settings.collector_max_body)
        self.connection = Connection(settings)
        self.metrics = CollectorMetrics(self)
        access = Access(self._keys, tokens)
        self._tracing = tracing_of(settings, "collector")
        requests = None
        if self._tracing is not None:
            self._tracing.show(self.metrics.registry)
            requests = self._tracing.requests()
        self._routes = collector_routes(
            Taker(settings, access, self.connection, self.metrics, self._room, requests),
            access,
            self.connection,
            self.metrics,
            tokens,
            SdkSettings(access, SenderAddress(settings.trusted_proxies)),
            requests,
        )

    def kafka(self) -> ContactStatus:
        """Whether Kafka answers."""
        return self.connection.contact.status()

    def ready(self) -> bool:
        """Whether something would be taken now."""
        return self.connection.ready

    def pending(self) -> int:
        """Bytes that wait."""
        return self._room.taken

    def run(self) -> int:
        """Run until SIGTERM or SIGINT (returns 0) or an error that does not pass (logged; returns 1)."""
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        gc.freeze()  # what is there by now stays
        try:
            return asyncio.run(self._run())
        finally:
            if self._tracing is not None:
                self._tracing.end()

    async def _run(self) -> int:
        loop = asyncio.get_running_loop()
        quiet_libraries(self.connection.contact)
        quiet_loop(loop)
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        self._introduce()
        if self._tracing is not None:
            self._tracing.introduce()
        try:
            await self.serve_until(stop)
        except LifecycleError as error:
            report(
                log.critical,
                Event.COLLECTOR_FAILED,
                "the collector stops: {reason}",
                error=type(error).__name__,
                reason=str(error),
            )
            return 1
        report(log.info, Event.COLLECTOR_STOPPED, "stopped")
        return 0

    async def serve_until(self, stop: asyncio.Event, serving: Callable[[int], None] | None = None) -> None:
        """Serve until `stop` is set; then nothing new is taken, and what was taken is acknowledged and answered.

        `serving` hears the port. Raises LifecycleError for what waiting cannot cure.
        """
        settings = self.settings
        connecting = asyncio.create_task(self.connection.run())
        stopping = asyncio.create_task(stop.wait())
        try:
            async with serve(
                self._routes,
                settings.collector_bind,
                settings.collector_port,
                tls=self._tls,
                settings="collector",
                unpack=False,
                finish_within=ANSWER_WITHIN + 1,
            ) as port:
                self._say_served(port)
                if serving is not None:
                    serving(port)
                await asyncio.wait([connecting, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            connecting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await connecting

    def _introduce(self) -> None:
        about = build_labels()
        report(
            log.info,
            Event.COLLECTOR_STARTED,
            "lifecycle {version} ({build}), Python {python}, collector {collector}",
            version=about["version"],
            build=about["build"],
            python=platform.python_version(),
            collector=f"{socket.gethostname()}:{os.getpid()}",
        )

    def _say_served(self, port: int) -> None:
        bind = self.settings.collector_bind
        report(
            log.info,
            Event.COLLECTOR_SERVED,
            "takes interactions at {scheme}://{bind}:{port}",
            scheme="http" if self._tls is None else "https",
            bind=bind,
            port=port,
        )
        if not self._keys.required and not is_of_this_machine(bind):
            report(
                log.warning,
                Event.COLLECTOR_CLOSED,
                "only this machine is answered at {bind}: LIFECYCLE_WRITE_KEYS lets others in who send a write key",
                bind=bind,
            )
