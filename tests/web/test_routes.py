"""Health and metrics over real HTTP, with a real engine whose Kafka is a few lines of this file."""

import asyncio
import gzip
import re
import socket
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as classic_metrics

from stream.engine import partition as partitions
from stream.errors import SettingsError
from stream.kafka.contact import AWAY_AFTER
from stream.settings import Settings
from stream.web.server import serve
from tests.web.rig import Rig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """Served on a free port of the default address."""
    made = Rig()
    async with serve(made.routes, Settings().web_bind, 0) as port:
        made.url = f"http://127.0.0.1:{port}"
        yield made
        await made.supervisor.stop()


def states(body: dict[str, Any]) -> list[str]:
    """Of the partitions, in their order."""
    return [each["state"] for each in body["partitions"]]


async def test_a_worker_is_live_until_something_ends_it(rig: Rig) -> None:
    """Live without a broker, too: restarting a worker brings no broker back."""
    response, body = await rig.get("/livez")
    assert (response.status, response.content_type, body) == (200, "application/json", '{"status": "live"}')
    rig.supervisor.fail(RuntimeError("nothing goes on"))
    response, body = await rig.get("/livez")
    assert (response.status, body) == (503, '{"status": "failed"}')


async def test_not_ready_before_the_broker_answers_and_before_the_group_does(rig: Rig) -> None:
    """The body names the phase; delivery is unknown until the broker said what it can."""
    assert await rig.ready_beside_kafka() == (
        503,
        {
            "status": "not ready",
            "phase": "waiting for Kafka",
            "delivery": None,
            "topic_partitions": None,
            "partitions": [],
        },
        {"up": False, "seconds_since_answer": None},
    )
    rig.connect()
    assert await rig.ready_beside_kafka() == (
        503,
        {
            "status": "not ready",
            "phase": "joining",
            "delivery": "exactly_once",
            "topic_partitions": None,
            "partitions": [],
        },
        {"up": True, "seconds_since_answer": 0.0},
    )


async def test_ready_once_every_owned_partition_is_recovered_and_runs(rig: Rig) -> None:
    """While changelogs are read, the body says of each partition what it is doing and how far it has come."""
    rig.connect()
    rig.supervisor.assign([0, 1])
    status, body = await rig.until(lambda body: states(body) == ["recovering", "recovering"])
    assert (status, body["status"], body["phase"]) == (503, "not ready", "running")
    assert [(each["partition"], each["position"], each["lag"]) for each in body["partitions"]] == [
        (0, None, None),
        (1, None, None),
    ]
    await rig.until(lambda body: [each["recovered"] for each in body["partitions"]] == [0.25, 0.25])
    rig.broker.recovered.set()
    status, body = await rig.until(lambda body: body["status"] == "ready")
    assert (status, body["phase"], states(body)) == (200, "running", ["running", "running"])
    status, body = await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])
    assert status == 200
    assert [(each["position"], each["end_offset"], each["recovered"]) for each in body["partitions"]] == [
        (1, 1, 1.0),
        (0, 0, 1.0),
    ]
    assert all(each["idle_seconds"] >= 0 for each in body["partitions"])


async def test_a_worker_that_owns_no_partition_is_ready(rig: Rig) -> None:
    """It stands by: more workers than partitions are no fault."""
    rig.connect()
    rig.supervisor.assign([])
    assert await rig.ready_beside_kafka() == (
        200,
        {
            "status": "ready",
            "phase": "running",
            "delivery": "exactly_once",
            "topic_partitions": None,
            "partitions": [],
        },
        {"up": True, "seconds_since_answer": 0.0},
    )


async def test_a_worker_that_owns_no_partition_is_not_ready_while_kafka_is_away(rig: Rig) -> None:
    """And is again at the first answer; body and metrics say since when."""
    rig.connect()
    rig.supervisor.assign([])
    rig.now += AWAY_AFTER
    assert (await rig.ready())[0] == 200
    rig.now += 60
    status, _, kafka = await rig.ready_beside_kafka()
    assert (status, kafka) == (503, {"up": False, "seconds_since_answer": AWAY_AFTER + 60})
    assert rig.away_since() == pytest.approx(time.time() - AWAY_AFTER - 60, abs=5)
    text = (await rig.get("/metrics"))[1]
    assert "\nlifecycle_kafka_up 0.0\n" in text
    assert f"\nlifecycle_kafka_answer_age_seconds {AWAY_AFTER + 60}\n" in text
    rig.contact.heard()
    assert (await rig.ready())[0] == 200
    assert "\nlifecycle_kafka_up 1.0\n" in (await rig.get("/metrics"))[1]


async def test_one_partition_that_does_not_run_makes_the_worker_not_ready(rig: Rig) -> None:
    """The body shows which one; it is counted, and once the broker is back the worker is ready."""
    rig.broker.recovered.set()
    rig.broker.away.add(1)
    rig.connect()
    rig.supervisor.assign([0, 1])
    status, body = await rig.until(lambda body: states(body) == ["running", "backing off"])
    assert (status, body["status"], body["phase"]) == (503, "not ready", "running")
    assert "lifecycle_partition_failures_total{kind=" in (await rig.get("/metrics"))[1]
    rig.broker.away.clear()
    assert (await rig.until(lambda body: states(body) == ["running", "running"]))[0] == 200


async def test_a_partition_that_backs_off_keeps_the_last_known_lag_beside_its_age(rig: Rig) -> None:
    """Kafka goes away with records waiting: what is known of them stays in body and metrics, and gets older."""
    rig.broker.recovered.set()
    rig.connect()
    rig.supervisor.assign([0, 1])
    await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])
    rig.broker.held_back[0] = 3
    await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [3, 0])
    rig.broker.away.add(0)
    _, body = await rig.until(lambda body: states(body) == ["backing off", "running"])
    before = body["partitions"][0]
    _, body = await rig.until(lambda body: body["partitions"][0]["lag_age_seconds"] >= before["lag_age_seconds"] + 0.1)
    partition = body["partitions"][0]
    assert (partition["position"], partition["end_offset"], partition["lag"]) == (1, 4, 3)
    text = (await rig.get("/metrics"))[1]
    assert 'lifecycle_lag_records{partition="0"} 3.0' in text
    assert 'lifecycle_lag_age_seconds{partition="0"} ' in text
    rig.broker.away.clear()
    rig.broker.held_back[0] = 0
    await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])


async def test_a_partition_before_something_unreadable_is_blocked_and_its_worker_live(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after a rebalance, until it can be read."""
    monkeypatch.setattr(partitions, "_READ_AGAIN", 0.01)
    rig.broker.recovered.set()
    rig.broker.unreadable.add(1)
    rig.connect()
    for _ in range(2):
        rig.supervisor.assign([0, 1])
        status, body = await rig.until(lambda body: states(body) == ["running", "blocked"])
        assert (status, body["status"], body["phase"]) == (503, "not ready", "running")
        assert body["partitions"][0]["blocked_by"] is None
        assert "partition 1, offset 0: the batch cannot be read" in body["partitions"][1]["blocked_by"]
        assert (await rig.get("/livez"))[0].status == 200
        await rig.supervisor.pause()
    rig.supervisor.assign([0, 1])
    rig.broker.unreadable.clear()
    assert (await rig.until(lambda body: states(body) == ["running", "running"]))[0] == 200


async def test_not_ready_while_a_rebalance_lasts(rig: Rig) -> None:
    """Paused partitions are shown as such, and run again when it has ended."""
    rig.broker.recovered.set()
    rig.connect()
    rig.supervisor.assign([0, 1])
    await rig.until(lambda body: body["status"] == "ready")
    await rig.supervisor.pause()
    status, body = await rig.ready()
    assert (status, body["phase"], states(body)) == (503, "rebalancing", ["paused", "paused"])
    rig.supervisor.assign([1])
    status, body = await rig.until(lambda body: body["status"] == "ready")
    assert (status, [each["partition"] for each in body["partitions"]]) == (200, [1])


@pytest.mark.parametrize("end", ["stopping", "failed"])
async def test_not_ready_when_the_worker_ends(rig: Rig, end: str) -> None:
    """Asked to stop, or after an error that would only happen again."""
    rig.broker.recovered.set()
    rig.connect()
    rig.supervisor.assign([0, 1])
    await rig.until(lambda body: body["status"] == "ready")
    if end == "stopping":
        await rig.supervisor.stop()
    else:
        rig.supervisor.fail(RuntimeError("a bug"))
    status, body = await rig.ready()
    assert (status, body["status"], body["phase"]) == (503, "not ready", end)


async def test_metrics_are_served_in_the_format_that_the_scraper_asks_for(rig: Rig) -> None:
    """Prometheus' text without a wish, OpenMetrics for who wants it; both tell the same."""
    rig.broker.recovered.set()
    rig.connect()
    rig.supervisor.assign([0, 1])
    await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])
    response, text = await rig.get("/metrics")
    assert (response.status, response.content_type, response.charset) == (200, "text/plain", "utf-8")
    asked, open_text = await rig.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert (asked.status, asked.content_type) == (200, "application/openmetrics-text")
    # Of the two parsers, only the classic one has types.
    for families in (classic_metrics(text), open_metrics(open_text)):  # type: ignore[no-untyped-call]
        samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }
        assert samples["lifecycle_interactions_total", ("result", "applied")] == 1
        assert samples["lifecycle_customers", ("lifecycle", "metrics"), ("stage", "awareness")] == 1
        assert samples["lifecycle_lag_records", ("partition", "0")] == 0
        assert samples["lifecycle_recovery_ratio", ("partition", "1")] == 1
    assert "customer-4711" not in text + open_text


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br;q=1.0, GZIP ; q=0.8, *;q=0.1", "gzip"),
        ("identity", None),
        ("gzip;q=0, identity", None),
        ("x-gzip-like", None),
        ("", None),
    ],
)
async def test_metrics_are_compressed_for_who_asks_for_it(rig: Rig, accepted: str, encoding: str | None) -> None:
    """The same text; who does not ask by name, or forbids it, gets it plain."""
    headers = {"Accept-Encoding": accepted}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(f"{rig.url}/metrics", headers=headers) as response,
    ):
        body = await response.read()
    assert response.headers.get("Content-Encoding") == encoding
    assert response.headers["Vary"] == "Accept, Accept-Encoding"
    text = gzip.decompress(body) if encoding == "gzip" else body
    assert text.startswith(b"# HELP lifecycle_")
    assert text.endswith(b"\n")


async def test_customers_of_a_partition_that_went_to_another_worker_are_not_counted_here(rig: Rig) -> None:
    """The sum over all workers would count them twice."""
    rig.broker.recovered.set()
    rig.connect()
    rig.supervisor.assign([0, 1])
    await rig.until(lambda body: [each["lag"] for each in body["partitions"]] == [0, 0])
    await rig.supervisor.pause()
    rig.supervisor.assign([1])
    await rig.until(lambda body: body["status"] == "ready")
    text = (await rig.get("/metrics"))[1]
    customers = re.findall(r'lifecycle_customers\{lifecycle="metrics",stage="\w+"\} (.+)', text)
    assert customers == ["0.0"] * len(rig.application.model.lifecycles[0].stages)
    assert 'partition="0"' not in text


async def test_other_paths_and_methods_are_refused(rig: Rig) -> None:
    """Only what is named is served, for reading only."""
    assert (await rig.get("/nothing"))[0].status == 404
    async with aiohttp.ClientSession() as session, session.post(f"{rig.url}/readyz") as response:
        assert response.status == 405


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8")
async def test_by_default_nobody_outside_this_machine_is_answered(rig: Rig) -> None:
    """Bound to 127.0.0.1 and to no other address."""
    port = int(rig.url.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", port)


async def test_a_port_in_use_names_the_setting_that_helps(rig: Rig) -> None:
    """Address, cause, option and environment variable."""
    port = int(rig.url.rpartition(":")[2])
    with pytest.raises(
        SettingsError, match=rf"cannot serve on 127\.0\.0\.1:{port}: .*in use.*--web-port or LIFECYCLE_WEB_PORT"
    ):
        async with serve(Rig().routes, "127.0.0.1", port):
            pytest.fail("two servers on one port")


async def test_the_port_is_free_again_when_serving_has_ended() -> None:
    """A worker that restarts at once finds its port."""
    async with serve(Rig().routes, "127.0.0.1", 0) as port:
        pass
    with socket.create_server(("127.0.0.1", port)) as again:
        assert again.getsockname()[1] == port
