"""What `lifecycle reset` says before it asks."""

import re
from collections.abc import Iterable

import pytest

from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.core.times import format_time
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, settings_of
from tests.cli.resetting import LIVE_FROM, T, changelogs, changes, reset, work, worked_on
from tests.cli.verifying import delete_before
from tests.kit.damage import Damage, damage
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix)


async def visit(settings: Settings, numbers: Iterable[int]) -> None:
    """By those of whom `worked_on` has orders."""
    interactions = [
        Interaction(f"c{n}" if n % 2 else None, f"a{n}", f"visit-{n}", "page", T + 100 + n, {}, {}) for n in numbers
    ]
    await produce(
        settings.bootstrap,
        settings.topics.interactions,
        (Outgoing(each.subject.encode(), encode_native(each)) for each in interactions),
    )


async def arrived(settings: Settings) -> dict[int, list[int]]:
    """By partition, when each interaction that is kept arrived."""
    topic = await read_all(settings.bootstrap, settings.topics.interactions)
    return {number: [each.timestamp for each in records] for number, records in topic.items()}


async def asked(run: Run, settings: Settings, *arguments: str) -> str:
    """What is said before the question, to which the answer is no; nothing is touched then."""
    before = await changelogs(settings)
    done = await reset(run, settings, "earliest", *arguments, stdin="n\n")
    assert done.returncode == 1
    assert "Are all workers stopped" in done.stderr
    assert await changelogs(settings) == before
    return " ".join(done.stderr.split())


async def test_it_names_the_oldest_interaction_who_will_be_lost_or_poorer_and_what_is_published_again(
    lifecycle: Run, settings: Settings
) -> None:
    await worked_on(settings)
    orders = await arrived(settings)
    published = sum(map(len, await changes(settings)))

    said = await asked(lifecycle, settings)

    assert f"oldest interaction that will be read arrived at {format_time(min(map(min, orders.values())))}." in said
    assert "Of 40 customers none is known to have begun before what will be read." in said
    assert f"with new ids, those from live_from, {format_time(LIVE_FROM)}, on" in said
    (upto,) = re.findall(r"subscribers had up to (\d+) since then", said)
    assert published <= int(upto) <= published + 2 * PARTITIONS  # each transaction counts for one

    await visit(settings, range(10))
    await work(settings, 10)
    await delete_before(settings, settings.topics.interactions, {n: len(each) for n, each in orders.items()})
    kept = [time for each in (await arrived(settings)).values() for time in each]

    said = await asked(lifecycle, settings)

    assert len(kept) == 10
    assert f"arrived at {format_time(min(kept))}." in said
    assert "Of 40 customers 40 began before what will be read: 30 will be lost" in said
    assert "and 10 will lack what came before" in said


async def test_with_keep_states_it_names_what_is_skipped_and_says_that_all_else_stays(
    lifecycle: Run, settings: Settings
) -> None:
    await worked_on(settings)
    said = await asked(lifecycle, settings, "--keep-states")
    assert "there is nothing to skip. The states of 40 customers stay as they are" in said

    orders = await arrived(settings)
    await visit(settings, range(10))
    behind = {n: len(each) - len(orders[n]) for n, each in (await arrived(settings)).items()}
    ends = {n: len(each) for n, each in (await arrived(settings)).items()}
    await delete_before(settings, settings.topics.interactions, ends)

    said = await asked(lifecycle, settings, "--keep-states")

    for partition, count in behind.items():
        words = (
            f"Partition {partition}: retention deleted {count} interactions not yet applied, which will never count;"
        )
        assert (words in said) == (count > 0)
    assert sum(behind.values()) == 10
    assert "nothing is published again. Are all workers stopped? Continue without these" in said


async def test_it_asks_though_the_first_interaction_cannot_be_read(
    kafka: SharedKafka, lifecycle: Run, settings: Settings
) -> None:
    """A reset may be what somebody wants then, and must not be had without the question alone."""
    await worked_on(settings)
    orders = await arrived(settings)
    for number in orders:
        damage(kafka, settings.topics.interactions, number, 0, Damage.BIT)
    said = await asked(lifecycle, settings)
    assert f"oldest interaction that will be read arrived at {format_time(min(map(min, orders.values())))}." in said
