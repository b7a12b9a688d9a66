"""Where a large share of the interactions become dead letters, the log, `/readyz` and a metric report it."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiohttp.test_utils import TestClient, TestServer

from stream.app import Application
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.engine.dead_letter_share import LEAST, DeadLetterShare, DeadLetterWatch
from stream.events import Event, Line
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.machine.batch import Counts
from stream.settings import Settings
from stream.web.routes import health_routes
from stream.web.tokens import Tokens
from tests.engine.rig import Rig
from tests.kit.topics import produce

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
TOKEN = "0123456789abcdef-of-this-test"  # noqa: S105 - a test's own


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def batch(applied: int, **rejected: int) -> Counts:
    """What a batch did: interactions applied, and dead letters by reason."""
    counts = Counts()
    counts.applied = applied
    counts.rejected.update(rejected)
    return counts


def lines(caplog: pytest.LogCaptureFixture) -> list[Line]:
    return [
        record.msg
        for record in caplog.records
        if isinstance(record.msg, Line) and record.msg.event is Event.DEAD_LETTERS_MANY
    ]


def test_a_share_above_the_limit_is_reported_with_its_reasons(clock: Clock) -> None:
    watch = DeadLetterWatch(0.5, clock)
    watch.count(batch(400, not_json=200, no_subject=300))
    clock.now = 59.0
    watch.count(batch(100, not_json=200))
    assert watch.status() == DeadLetterShare(700 / 1200, 1200, {"not_json": 400, "no_subject": 300})


def test_a_share_at_the_limit_is_not_reported(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    watch = DeadLetterWatch(0.5, clock)
    watch.count(batch(500, not_json=500))
    assert (watch.status(), watch.last_minute().share, lines(caplog)) == (None, 0.5, [])
    watch.count(batch(0, not_json=1))
    assert watch.status() is not None
    assert len(lines(caplog)) == 1


def test_fewer_than_a_thousand_interactions_have_no_share(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """One bad interaction in the night must wake nobody."""
    watch = DeadLetterWatch(0.5, clock)
    watch.count(batch(0, not_json=LEAST - 1))
    assert (watch.status(), lines(caplog)) == (None, [])
    assert watch.last_minute() == DeadLetterShare(0.0, LEAST - 1, {"not_json": LEAST - 1})
    watch.count(batch(1))
    assert watch.status() == DeadLetterShare((LEAST - 1) / LEAST, LEAST, {"not_json": LEAST - 1})


def test_what_is_older_than_a_minute_is_forgotten(clock: Clock) -> None:
    """Also where nothing arrives any more: a sender that was stopped is no trouble."""
    watch = DeadLetterWatch(0.5, clock)
    watch.count(batch(0, not_json=2_000))
    clock.now = 30.0
    watch.count(batch(1_500))
    assert watch.status() is not None
    clock.now = 61.0
    assert (watch.status(), watch.last_minute()) == (None, DeadLetterShare(0.0, 1_500, {}))
    clock.now = 91.0
    assert watch.last_minute() == DeadLetterShare(0.0, 0, {})


def test_the_log_has_it_once_a_minute_while_it_lasts(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    watch = DeadLetterWatch(0.5, clock)
    for second in range(130):
        clock.now = float(second)
        watch.count(batch(10, bad_shape=1_000))
    logged = lines(caplog)
    assert len(logged) == 3
    assert {record.levelno for record in caplog.records} == {logging.ERROR}
    assert logged[0].facts == {"share": 0.9901, "of": 1_010, "reasons": {"bad_shape": 1_000}}
    assert "99% of the 1010 interactions of the last minute" in str(logged[0])
    assert "bad_shape 1000" in str(logged[0])
    assert "`lifecycle dead-letters list`" in str(logged[0])


def test_control_records_are_no_interactions_and_repeats_are(clock: Clock) -> None:
    watch = DeadLetterWatch(0.5, clock)
    counts = batch(0, not_json=600)
    counts.ticks, counts.repeated, counts.steps.duplicates = 5_000, 300, 100
    watch.count(counts)
    assert watch.status() == DeadLetterShare(0.6, 1_000, {"not_json": 600})


@pytest.fixture(scope="module")
def embedded() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        yield broker


async def test_a_sender_that_sends_rubbish_shows_in_log_readyz_and_metrics(
    embedded: EmbeddedBroker, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Over all partitions together; processing goes on, so the worker stays ready."""
    settings = Settings(
        bootstrap=embedded.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=2, live_from=T
    )
    application = Application(settings, load_all(["journey"]))
    good = [encode_native(Interaction(f"c{number}", None, None, "visit", T, {}, {})) for number in range(400)]
    records = [Outgoing(b"k%d" % number, value) for number, value in enumerate([*good, *[b"{"] * 800])]
    async with Rig(settings, application._machine) as rig:
        application._supervisor = rig.supervisor
        rig.supervisor.contact.heard()
        await produce(settings.bootstrap, settings.topics.interactions, records)
        await rig.recorder.until(lambda: rig.recorder.inputs >= len(records))
        routes = health_routes(rig.supervisor.status, application.metrics.registry, Tokens(TOKEN))
        async with TestClient(TestServer(routes)) as client, asyncio.timeout(180):
            while (answer := await client.get("/readyz")).status != 200:
                await asyncio.sleep(0.05)
            for_all = await answer.json()
            with_token = {"Authorization": f"Bearer {TOKEN}"}
            in_full = await (await client.get("/readyz", headers=with_token)).json()
            metrics = await (await client.get("/metrics", headers=with_token)).text()
    assert for_all["dead_letters"] == {"share": 800 / 1200}
    assert in_full["dead_letters"] == {"share": 800 / 1200, "of": 1200, "reasons": {"not_json": 800}}
    assert f"lifecycle_dead_letter_share {800 / 1200}" in metrics
    (line,) = lines(caplog)
    assert LEAST <= int(str(line.facts["of"])) <= 1200


async def test_a_worker_with_a_limit_of_all_reports_nothing(
    embedded: EmbeddedBroker, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The setting reaches the partitions."""
    settings = Settings(bootstrap=embedded.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=1)
    settings = replace(settings, dead_letter_share=1.0)
    application = Application(settings, load_all(["journey"]))
    async with Rig(settings, application._machine) as rig:
        await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"k", b"{")] * 1_100)
        await rig.recorder.until(lambda: rig.recorder.inputs >= 1_100)
        assert rig.supervisor.status().dead_letters is None
        assert rig.supervisor.dead_letter_share() == 1.0
    assert lines(caplog) == []
