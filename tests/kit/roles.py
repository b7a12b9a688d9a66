"""Clients of a Kafka that authenticates them: the roles of the document, their commands and their workers."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from stream.kafka.embedded.process import free_port
from stream.settings import Settings
from tests.kit.acls import Acl, documented, grant, revoke
from tests.kit.secured import SecuredKafka

DOCUMENT = Path(__file__).parents[2] / "deploy" / "security.md"
ROLES = CREATOR, WORKER, SENDER, COLLECTOR, WEBHOOKS, STEERER, SUBSCRIBER, VERIFIER, EXPORTER, REPAIRER = [
    documented(DOCUMENT, heading)
    for heading in (
        *("Who creates the topics", "Workers", "Who sends interactions", "Collectors"),
        *("Who delivers webhooks", "Who steers webhooks"),
        *("Who subscribes to stage changes", "Who verifies"),
        *("Who answers customers who ask for their data", "Who repairs dead letters"),
    )
]
PASSWORDS = {acls[0].principal.removeprefix("User:"): f"canary-{number}-password" for number, acls in enumerate(ROLES)}
PARTITIONS = 2


@dataclass(frozen=True)
class Caller:
    """Who calls commands of the product, and how it comes to Kafka."""

    bootstrap: str
    user: str = ""
    protocol: str = "sasl_ssl"
    cafile: str = ""
    certfile: str = ""
    password: str = ""
    mechanism: str = "SCRAM-SHA-512"
    web_port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    """Settings of its own, by the variable's name without prefix."""

    @property
    def settings(self) -> Settings:
        """The same for a client in the test."""
        return Settings(
            bootstrap=self.bootstrap,
            security_protocol=self.protocol,  # type: ignore[arg-type]
            ssl_cafile=self.cafile,
            sasl_username=self.user,
            sasl_password=self.password,
        )

    @property
    def environment(self) -> dict[str, str]:
        named = {
            "BOOTSTRAP": self.bootstrap,
            "SECURITY_PROTOCOL": self.protocol,
            "SSL_CAFILE": self.cafile,
            "SSL_CERTFILE": self.certfile,
            "SASL_USERNAME": self.user,
            "SASL_PASSWORD": self.password,
            "SASL_MECHANISM": self.mechanism,
            "PARTITIONS": str(PARTITIONS),
            "RETENTION": "unlimited",
            "LIFECYCLES": "metrics",
            "SESSION_TIMEOUT": "2s",
            "WEB_PORT": str(self.web_port),
            "WEBHOOKS_PORT": str(self.web_port),
            **self.extra,
        }
        around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
        return {**around, **{f"LIFECYCLE_{name}": value for name, value in named.items()}, "COLUMNS": "200"}

    async def run(self, *arguments: str, stdin: str = "", seconds: float = 60.0) -> tuple[int, str]:
        """Run a command to its end; its exit code, and all that it said."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", *arguments),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(stdin.encode()), seconds)
        except TimeoutError:
            process.kill()
            said, _ = await process.communicate()
            pytest.fail(f"lifecycle {' '.join(arguments)} did not end:\n{said.decode()}")
        assert process.returncode is not None
        return process.returncode, said.decode()


class Worker:
    """A worker that runs."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process, self._log, self._port = process, log, port

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def until_logged(self, text: str) -> None:
        """Wait until a line has this in it."""
        try:
            async with asyncio.timeout(180):
                while text not in self.log:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"no {text!r} in\n{self.log}")

    async def until_applied(self, count: int) -> None:
        """Wait until it has applied so many interactions."""
        await self.until_counted("applied", count)

    async def until_counted(self, result: str, count: int) -> None:
        """Wait until so many interactions had that result."""
        sample = f'lifecycle_interactions_total{{result="{result}"}} {count}.0'
        try:
            async with asyncio.timeout(180), aiohttp.ClientSession() as session:
                while sample not in await self._metrics(session):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"not {count} interactions {result}:\n{self.log}")

    async def _metrics(self, session: aiohttp.ClientSession) -> str:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/metrics") as response:
                return await response.text()
        except aiohttp.ClientConnectionError:
            return ""


@asynccontextmanager
async def worker_of(caller: Caller, log: Path, command: str = "worker") -> AsyncIterator[Worker]:
    """A worker, or what another command runs, from here to the end of the block, where it ends by SIGTERM with 0."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", command), env=caller.environment, stdout=output, stderr=output
        )
    worker = Worker(process, log, caller.web_port)
    try:
        yield worker
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 180) == 0, worker.log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def caller_of(kafka: SecuredKafka, role: list[Acl]) -> Caller:
    """Who has this role, with its password."""
    user = role[0].principal.removeprefix("User:")
    return Caller(kafka.scram, user, cafile=str(kafka.authority.file), password=PASSWORDS[user])


@asynccontextmanager
async def without(kafka: SecuredKafka, acl: Acl) -> AsyncIterator[None]:
    """One right less from here to the end of the block."""
    await revoke(kafka.bootstrap, [acl])
    try:
        yield
    finally:
        await grant(kafka.bootstrap, [acl])


def interaction(number: int) -> str:
    return f'{{"id":"e-{number}","type":"page","customer_id":"c-{number}","time":1700000000000}}\n'


def assert_clear(said: str, *words: str) -> None:
    """It has the words; no stack, no password, and each line but a log's once."""
    for word in words:
        assert word in said, said
    assert "Traceback" not in said
    assert not [password for password in PASSWORDS.values() if password in said]


def names(acl: Acl) -> str:
    """The part of the command that grants it, as an error shows it."""
    prefixed = " --resource-pattern-type prefixed" if acl.pattern == "prefixed" else ""
    return rf"--allow-principal {acl.principal} .*--operation {acl.operation}\b.* --{acl.resource} {acl.name}{prefixed}"
