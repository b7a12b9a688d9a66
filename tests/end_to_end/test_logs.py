"""What is not in a log, in metrics and in answers over HTTP: no customer and no secret."""

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from stream.codec.records import Outgoing
from stream.kafka.embedded.process import free_port
from tests.kit.secured import SecuredKafka
from tests.kit.topics import produce, read_all

ROOT = Path(__file__).parents[2]
WORKER = ("-m", "stream.cli", "worker")
EXPLODING = (str(ROOT / "tests" / "end_to_end" / "exploding_worker.py"), "worker")
PASSWORD, TOKEN = "canary-password", "canary-token-of-16-and-more"
CANARY = re.compile("canary", re.IGNORECASE)


def interaction(customer: str, kind: str = "page") -> bytes:
    """One of this moment, with a property, a context and an id that nobody but us and the sender may see."""
    return json.dumps(
        {
            "id": f"canary-id-{customer}-{kind}",
            "type": kind,
            "customer_id": f"canary-{customer}",
            "time": time.time_ns() // 1_000_000,
            "properties": {"path": "/canary-path", "email": "canary@example.com", "total": "canary-total"},
            "context": {"device": {"type": "canary-device"}},
        }
    ).encode()


BAD = [
    b"canary is no JSON",
    b'{"type":"canary","customer_id":"canary"',
    b'{"type":"page","customer_id":"canary","time":"canary"}',
    b'{"type":"page","customer_id":{"canary":"canary"},"time":1}',
    b'{"type":"","customer_id":"canary","time":1700000000000}',
    b'{"type":"page","customer_id":"' + b"canary" * 100 + b'","time":1700000000000}',
    b'{"type":"page","time":1700000000000,"properties":{"canary":"canary"}}',
    b"\xff\xfecanary",
    b"",
]
"""Records that cannot be read, each in its way."""
GOOD = 30


@pytest.fixture
def own_kafka() -> Iterator[SecuredKafka]:
    """A broker with a password, that the test may restart."""
    with SecuredKafka({"lifecycle": PASSWORD}, {"super.users": "User:ANONYMOUS;User:lifecycle"}) as kafka:
        yield kafka


class Running:
    """A worker process and its log."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, port: int) -> None:
        self.process, self._log, self.url = process, log, f"http://127.0.0.1:{port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    async def until_logged(self, text: str, times: int = 1) -> None:
        try:
            async with asyncio.timeout(180):
                while self.log.count(text) < times:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"no {text!r} in\n{self.log}")

    async def count(self, sample: str) -> int:
        """The value of a metric, 0 where it was never counted."""
        metrics = await self.get("/metrics", f"Bearer {TOKEN}")
        found = re.search(rf"^{re.escape(sample)} (\d+)", metrics, re.MULTILINE)
        return 0 if found is None else int(found[1])

    async def get(self, path: str, authorization: str) -> str:
        headers = {"Authorization": authorization}
        async with aiohttp.ClientSession() as session, session.get(self.url + path, headers=headers) as response:
            return await response.text()

    async def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(self.process.wait(), 180) == 0, self.log


APPLIED = 'lifecycle_interactions_total{result="applied"}'
REJECTED = 'lifecycle_interactions_total{result="rejected"}'


async def until_counted(workers: list[Running], sample: str, total: int) -> None:
    """Wait until so many are counted by all workers together."""
    try:
        async with asyncio.timeout(180):
            while sum([await each.count(sample) for each in workers]) < total:
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"not {total} {sample}:\n" + "\n\n".join(each.log for each in workers))


@asynccontextmanager
async def started(
    command: tuple[str, ...], kafka: SecuredKafka, prefix: str, log: Path, **settings: str
) -> AsyncIterator[Running]:
    """A worker, killed at the end of the block where it still runs."""
    port = free_port()
    named = {
        "BOOTSTRAP": kafka.scram,
        "SECURITY_PROTOCOL": "sasl_ssl",
        "SSL_CAFILE": str(kafka.authority.file),
        "SASL_USERNAME": "lifecycle",
        "SASL_PASSWORD": PASSWORD,
        "TOPIC_PREFIX": prefix,
        "APP": f"{prefix}app",
        "PARTITIONS": "2",
        "LIFECYCLES": "metrics,journey",
        "SESSION_TIMEOUT": "2s",
        "WEB_PORT": str(port),
        "WEB_TOKEN": TOKEN,
        **settings,
    }
    around = {name: value for name, value in os.environ.items() if not name.startswith("LIFECYCLE_")}
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            env=around | {f"LIFECYCLE_{name}": value for name, value in named.items()} | {"PYTHONPATH": python_path()},
            stdout=output,
            stderr=output,
        )
    try:
        yield Running(process, log, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def python_path() -> str:
    """A script finds what this process runs, compiled or not; the folder it lies in is not the checkout's."""
    return os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(ROOT))))


async def send(kafka: SecuredKafka, prefix: str, values: list[bytes]) -> None:
    records = [Outgoing(b"canary-key-%d" % n, value, [("canary-header", b"canary")]) for n, value in enumerate(values)]
    await produce(kafka.bootstrap, f"{prefix}interactions", records)


async def rude(url: str) -> None:
    """What aiohttp cannot even read: its own words about that quote it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"GET /metrics HTTP/1.1\r\nAuthorization: Bearer canary\x00\x01\r\nHost canary\r\n\r\n")
    await writer.drain()
    await reader.read()
    writer.close()
    await writer.wait_closed()


@pytest.mark.kafka
@pytest.mark.parametrize(("log_format", "log_level"), [("text", "info"), ("json", "info"), ("json", "debug")])
async def test_no_log_above_debug_no_metric_and_no_answer_tells_of_a_customer_or_a_secret(
    own_kafka: SecuredKafka, topic_prefix: str, tmp_path: Path, log_format: str, log_level: str
) -> None:
    """Good and bad records, some on which our code fails, a rebalance, a broker restart, and a worker that gives up."""
    kafka, settings = own_kafka, {"LOG_FORMAT": log_format, "LOG_LEVEL": log_level}
    answers: list[str] = []
    async with (
        started(WORKER, kafka, topic_prefix, tmp_path / "worker.log", **settings) as worker,
        started(EXPLODING, kafka, topic_prefix, tmp_path / "exploding.log", **settings) as exploding,
    ):
        both = [worker, exploding]
        for each in both:
            await each.until_logged("recovered")
        await send(kafka, topic_prefix, [*(interaction(str(n)) for n in range(GOOD)), *BAD])
        await until_counted(both, APPLIED, GOOD)
        await until_counted(both, REJECTED, len(BAD))
        for each in both:
            answers += [await each.get(path, "Bearer canary") for path in ("/readyz", "/canary?canary=canary")]
            answers += [await each.get(path, f"Bearer {TOKEN}") for path in ("/readyz", "/metrics")]
            await rude(each.url)
        await asyncio.to_thread(kafka.restart)
        await send(kafka, topic_prefix, [interaction(str(n), "Order Completed") for n in range(GOOD)])
        await until_counted(both, APPLIED, 2 * GOOD)
        answers.append(await worker.get("/metrics", f"Bearer {TOKEN}"))
        await worker.stop()
        await send(kafka, topic_prefix, [interaction("explode"), interaction("after")])
        await until_counted([exploding], 'lifecycle_dead_letters_total{reason="unprocessable"}', 1)
        answers.append(await exploding.get("/metrics", f"Bearer {TOKEN}"))
        await send(kafka, topic_prefix, [interaction("fatal")])
        assert await asyncio.wait_for(exploding.process.wait(), 180) == 1, exploding.log
    dead_letters = await read_all(kafka.bootstrap, f"{topic_prefix}lifecycle-dead-letters")
    assert sum(map(len, dead_letters.values())) == len(BAD) + 1
    assert [answer for answer in answers if CANARY.search(answer)] == []
    assert "our code failed on the interaction at offset" in exploding.log
    assert "the worker stops: ValueError" in exploding.log
    assert_no_canary(worker.log, log_level)
    assert_no_canary(exploding.log, log_level)
    assert bool(CANARY.search(exploding.log)) == (log_level == "debug"), "the words of an exception are for debug"


def assert_no_canary(log: str, level: str) -> None:
    """In no line but those of level debug."""
    lines = log.splitlines()
    if level == "debug":
        lines = [line for line in lines if json.loads(line)["level"] != "debug"]
    assert len(lines) > 3
    assert [line for line in lines if CANARY.search(line)] == []
