"""A Kafka with TLS, passwords and an authorizer: everything with the least rights, and what is said where one lacks."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from stream.engine.broker_process import free_port
from stream.engine.clients import client_options
from stream.settings import Settings
from tests.kit.acls import Acl, documented, grant, revoke
from tests.kit.secured import SecuredKafka

DOCUMENT = Path(__file__).parents[2] / "deploy" / "security.md"
CREATOR, WORKER, SENDER, SUBSCRIBER = (
    documented(DOCUMENT, heading)
    for heading in ("Who creates the topics", "Workers", "Who sends interactions", "Who subscribes to stage changes")
)
PASSWORDS = {
    acls[0].principal.removeprefix("User:"): f"canary-{number}-password"
    for number, acls in enumerate((CREATOR, WORKER, SENDER, SUBSCRIBER))
}
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
            "LIFECYCLES": "metrics",
            "SESSION_TIMEOUT": "2s",
            "WEB_PORT": str(self.web_port),
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
            async with asyncio.timeout(60):
                while text not in self.log:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"no {text!r} in\n{self.log}")

    async def until_applied(self, count: int) -> None:
        """Wait until it has applied so many interactions."""
        sample = f'lifecycle_interactions_total{{result="applied"}} {count}.0'
        try:
            async with asyncio.timeout(60), aiohttp.ClientSession() as session:
                while sample not in await self._metrics(session):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"not {count} interactions applied:\n{self.log}")

    async def _metrics(self, session: aiohttp.ClientSession) -> str:
        try:
            async with session.get(f"http://127.0.0.1:{self._port}/metrics") as response:
                return await response.text()
        except aiohttp.ClientConnectionError:
            return ""


@asynccontextmanager
async def worker_of(caller: Caller, log: Path) -> AsyncIterator[Worker]:
    """A worker from here to the end of the block, where it ends by SIGTERM with 0."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stream.cli", "worker"), env=caller.environment, stdout=output, stderr=output
        )
    worker = Worker(process, log, caller.web_port)
    try:
        yield worker
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0, worker.log
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture(scope="module")
def secured_kafka() -> Iterator[SecuredKafka]:
    """One for the module, with the topics, and each role with its rights; who changes any gives them back."""
    with SecuredKafka(PASSWORDS) as kafka:
        asyncio.run(prepare(kafka))
        yield kafka


async def prepare(kafka: SecuredKafka) -> None:
    await grant(kafka.bootstrap, [*CREATOR, *WORKER, *SENDER, *SUBSCRIBER])
    code, said = await caller_of(kafka, CREATOR).run("topics")
    assert (code, said.count("created")) == (0, 5), said


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


async def test_every_role_does_its_work_with_the_rights_that_are_documented(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Import, worker, tail, a producer and a subscriber of one's own, and reset: over TLS, with a password."""
    kafka = secured_kafka
    sender, subscriber, operator = (caller_of(kafka, role) for role in (SENDER, SUBSCRIBER, WORKER))
    async with worker_of(operator, tmp_path / "worker.log") as worker:
        code, said = await sender.run("import", "-", stdin="".join(map(interaction, range(20))))
        assert code == 0, said
        assert "20 interactions sent" in said
        async with AIOKafkaProducer(**client_options(sender.settings)) as producer:
            await producer.send_and_wait("interactions", interaction(20).encode(), key=b"c-20")
        await worker.until_applied(21)
        # Nothing of the year 2023 is published: `live_from`. These are of this moment.
        new = "".join(interaction(n).replace("1700000000000", str(2_000_000_000_000 + n)) for n in range(30, 40))
        code, said = await sender.run("import", "-", "--as-is", stdin=new)
        assert code == 0, said
        await worker.until_applied(31)
        code, said = await subscriber.run("tail", "--from-beginning", "--count", "10")
        assert (code, len(said.splitlines())) == (0, 10), said
        async with AIOKafkaConsumer(
            "stage-changes",
            **client_options(subscriber.settings),
            group_id="personalisation",
            isolation_level="read_committed",
            auto_offset_reset="earliest",
        ) as changes:
            record = await asyncio.wait_for(anext(changes), 60)
            assert record.value is not None
            await changes.commit()
    assert "exactly_once" in worker.log
    assert not re.search(r"\[(warning|error|critical)", worker.log), worker.log
    code, said = await operator.run("reset", "--to", "earliest", "--yes")
    assert code == 0, said
    assert "31 customers forgotten" in said


@pytest.mark.parametrize("acl", WORKER, ids=str)
async def test_a_worker_that_lacks_one_right_ends_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """So the documented set is the least one; the error has the command for who administers Kafka."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, WORKER).run("worker")
    assert code == 1
    assert_clear(said, "the worker stops: Kafka at ")
    assert [line for line in said.splitlines() if re.search(names(acl), line)], said
    assert said.count("kafka-acls.sh") == 1, "only what is missing"


@pytest.mark.parametrize("acl", WORKER, ids=str)
async def test_a_reset_that_lacks_one_right_throws_nothing_away_and_names_it(
    secured_kafka: SecuredKafka, acl: Acl
) -> None:
    """It is the workers' user that resets."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, WORKER).run("reset", "--to", "earliest", "--yes")
    assert code == 1
    assert re.search(names(acl), said), said
    assert_clear(said)
    assert "forgotten" not in said


@pytest.mark.parametrize("acl", SENDER, ids=str)
async def test_an_import_that_lacks_one_right_sends_nothing_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """Before the first interaction is sent."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, SENDER).run("import", "-", stdin=interaction(1))
    assert code == 1
    assert re.search(names(acl), said), said
    assert_clear(said, "0 interactions sent")


async def test_a_tail_without_its_right_does_not_wait_for_a_topic_that_it_may_not_see(
    secured_kafka: SecuredKafka,
) -> None:
    """A broker does not show a topic to who has no right to it."""
    async with without(secured_kafka, SUBSCRIBER[0]):
        code, said = await caller_of(secured_kafka, SUBSCRIBER).run("tail")
    assert code == 1
    assert re.search(names(SUBSCRIBER[0]), said), said
    assert_clear(said)


@pytest.mark.parametrize("acl", [acl for acl in CREATOR if acl.operation != "Create"], ids=str)
async def test_topics_are_not_shown_to_who_may_not_see_them(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """Instead of as missing."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, CREATOR).run("topics", "--dry-run")
    assert code == 1
    assert re.search(names(acl), said), said
    assert_clear(said)


@pytest.mark.parametrize("role", [CREATOR, WORKER], ids=["topics", "worker"])
async def test_a_topic_that_is_missing_and_that_we_may_not_create_is_named(
    secured_kafka: SecuredKafka, role: list[Acl]
) -> None:
    """Workers need not be allowed to: the error says who else can."""
    create = next(acl for acl in CREATOR if acl.operation == "Create" and acl.name == "lifecycle-dead-letters")
    creator = caller_of(secured_kafka, CREATOR)
    await delete(secured_kafka, create.name)
    async with without(secured_kafka, create):
        code, said = await caller_of(secured_kafka, role).run("topics" if role is CREATOR else "worker")
    assert code == 1
    assert re.search(names(create._replace(principal=role[0].principal)), said), said
    assert_clear(said, f"topic {create.name} does not exist", "`lifecycle topics`")
    code, said = await creator.run("topics")
    assert (code, said.count("created")) == (0, 1), said


async def delete(kafka: SecuredKafka, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([topic])
        while topic in await admin.list_topics():
            await asyncio.sleep(0.05)
    finally:
        await admin.close()
