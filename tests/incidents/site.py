"""The product, running: Kafka, two workers, a collector, webhooks with their receiver, and Prometheus that watches."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import aiohttp

from stream.errors import LifecycleError
from stream.kafka.embedded.process import HOST, free_port
from stream.settings import Settings
from stream.webhooks.topics import ensure_webhook_topics
from tests.incidents.hurry import write_hurried
from tests.kit.kafka import KafkaBroker, java
from tests.kit.prometheus import Prometheus, prometheus
from tests.kit.proxy import Proxy
from tests.kit.webhooks import PICKY, SECRET, VARIABLE, Receiver, endpoint, receiver

HERE: Final = Path(__file__).parent
SHOP: Final = HERE / "shop.yaml"
FAULTY: Final = HERE / "faulty_worker.py"
KEY: Final = "shop-0123456789abcdef"
"""A write key of the collector; its source is `shop`."""
PARTITIONS: Final = 4
SESSION_MS: Final = 2_000
CRM: Final = {"when": "'to == \"buyer\"'"}
"""Keys of the endpoint that there always is."""
_READY_SECONDS: Final = 120.0
_END_SECONDS: Final = 20.0


class Process:
    """A process of ours, which may be ended and started again on the same port."""

    def __init__(
        self, job: str, instance: str, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.job, self.instance = job, instance
        self.port = free_port()
        self.extra: dict[str, str] = {}
        """Variables of the environment with which it is started next."""
        self._command, self._log = command, log
        role = {"lifecycle-collector": "COLLECTOR", "lifecycle-webhooks": "WEBHOOKS"}.get(job, "WEB")
        self._environment = {**environment, f"LIFECYCLE_{role}_PORT": str(self.port)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self._log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *self._command),
                env={**self._environment, **self.extra},
                stdout=output,
                stderr=output,
            )

    def send(self, number: signal.Signals) -> None:
        """A signal, where it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """By a signal; killed where it does not end within 20 seconds."""
        self.send(number)
        if self._process is None:
            return
        try:
            await asyncio.wait_for(self._process.wait(), _END_SECONDS)
        except TimeoutError:
            self.send(signal.SIGKILL)
            await self._process.wait()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def until_ready(self) -> None:
        """Return once `/readyz` answers 200. Raises LifecycleError where it ends, or does not come to it."""
        await self._until({200})

    async def until_serving(self) -> None:
        """Return once it answers at all. Raises LifecycleError where it ends, or does not come to it."""
        await self._until({200, 503})

    async def _until(self, statuses: Collection[int]) -> None:
        try:
            async with asyncio.timeout(_READY_SECONDS), aiohttp.ClientSession() as session:
                while await self._answer(session) not in statuses:
                    if not self.runs:
                        raise LifecycleError(f"{self.instance} ended: {self._last_words()}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise LifecycleError(f"{self.instance} is not ready: {self._last_words()}") from None

    async def _answer(self, session: aiohttp.ClientSession) -> int:
        """The status of `/readyz`; 0 where nobody answers."""
        try:
            async with session.get(f"http://{HOST}:{self.port}/readyz") as answer:
                return answer.status
        except aiohttp.ClientError:
            return 0

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-1_500:]


class Site:
    """All of it. What an incident breaks it mends with what is here, and with commands of the product."""

    def __init__(self, folder: Path, kafka: KafkaBroker, proxy: Proxy, tools: Receiver) -> None:
        self.folder, self.kafka, self.proxy, self.tools = folder, kafka, proxy, tools
        """`proxy` is the way of the second worker to Kafka; `tools` is where webhooks go."""
        self.settings = Settings(
            bootstrap=kafka.bootstrap, partitions=PARTITIONS, session_timeout=SESSION_MS, lifecycles=(str(SHOP),)
        )
        self.endpoints: dict[str, dict[str, str]] = {"crm": dict(CRM)}
        """Of the file of webhooks, by name, with their keys."""
        keys = folder / "keys.toml"
        keys.write_text(f'[[key]]\nkey = "{KEY}"\nsource = "shop"\n', encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        named = {
            "BOOTSTRAP": kafka.bootstrap,
            "PARTITIONS": str(PARTITIONS),
            "RETENTION": "unlimited",
            "SESSION_TIMEOUT": f"{SESSION_MS}ms",
            "LIFECYCLES": str(SHOP),
            "WRITE_KEYS": str(keys),
            "WEBHOOKS": str(folder / "webhooks.yaml"),
            "WEBHOOK_ALLOWED_HOSTS": HOST,
        }
        self._environment = {
            **kept,
            **{f"LIFECYCLE_{name}": value for name, value in named.items()},
            VARIABLE: SECRET,
            "COLUMNS": "200",
        }
        worker = (str(FAULTY), "worker")
        self.workers = [self._process("lifecycle-worker", f"worker-{number}", worker) for number in (1, 2)]
        self.workers[1].extra["LIFECYCLE_BOOTSTRAP"] = f"{HOST}:{proxy.port}"
        self.collector = self._process("lifecycle-collector", "collector-1", ("-m", "stream.cli", "collector"))
        self.webhooks = self._process("lifecycle-webhooks", "webhooks-1", ("-m", "stream.cli", "webhooks"))
        self.unwatched = self._process("lifecycle-worker", "worker-3", worker)
        """A worker that Prometheus knows nothing of; it does not run by itself."""
        self.watched = [*self.workers, self.collector, self.webhooks]
        self.prometheus: Prometheus

    def _process(self, job: str, instance: str, command: Sequence[str]) -> Process:
        return Process(job, instance, command, self._environment, self.folder / f"{instance}.log")

    def write_endpoints(self) -> None:
        """The file of webhooks, which is read again by itself."""
        (self.folder / "picky.yaml").write_text(PICKY, encoding="utf-8")
        lines = []
        for name, more in self.endpoints.items():
            text = endpoint(name, self.tools.url(f"/{name}"), **{k: v for k, v in more.items() if k != "template"})
            lines.append(text.replace("template: generic", f"template: {more.get('template', 'generic')}"))
        (self.folder / "webhooks.yaml").write_text("endpoints:\n" + "".join(lines), encoding="utf-8")

    async def command(self, *arguments: str) -> str:
        """Run `lifecycle ARGUMENTS`; what it said. Raises LifecycleError where it fails."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", *arguments),
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        if process.returncode:
            raise LifecycleError(f"lifecycle {' '.join(arguments)}: {said.decode()}")
        return said.decode()

    async def configure(self, *arguments: str) -> None:
        """Run `kafka-configs.sh --alter ARGUMENTS`. Raises LifecycleError where it fails."""
        command = [*java(), "kafka.admin.ConfigCommand", "--bootstrap-server", self.kafka.bootstrap, "--alter"]
        ran = await asyncio.to_thread(
            subprocess.run, [*command, *arguments], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise LifecycleError(f"kafka-configs.sh {' '.join(arguments)}: {ran.stdout}{ran.stderr}")

    async def limit_reading(self, rate: int | None) -> None:
        """Let each client read so many bytes a second of Kafka, or as many as it likes."""
        change = (
            ("--delete-config", "consumer_byte_rate")
            if rate is None
            else ("--add-config", f"consumer_byte_rate={rate}")
        )
        await self.configure(*change, "--entity-type", "clients", "--entity-default")

    async def start(self) -> None:
        await ensure_webhook_topics(replace(self.settings))
        self.write_endpoints()
        for each in self.watched:
            await each.start()
        for each in self.watched:
            await each.until_ready()


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """All that runs, and is ended with the block."""
    port = free_port()
    # Over 2 seconds, not over 11: else a client over its quota waits for so long that it gives its request up.
    kafka = KafkaBroker({"quota.window.num": "2"}, proxy_ports=[port])
    try:
        await asyncio.to_thread(kafka.start)
        async with AsyncExitStack() as stack:
            proxy = await stack.enter_async_context(Proxy(port, kafka.behind_proxies[0]))
            tools = await stack.enter_async_context(receiver())
            made = Site(folder, kafka, proxy, tools)
            try:
                await made.start()
                rules = folder / "rules"
                rules.mkdir(exist_ok=True)
                targets = [(each.job, each.instance, each.port) for each in made.watched]
                made.prometheus = await stack.enter_async_context(prometheus(folder, write_hurried(rules), targets))
                yield made
            finally:
                for each in (*made.watched, made.unwatched):
                    await each.end(signal.SIGKILL)
    finally:
        await asyncio.to_thread(kafka.__exit__)
