"""What a collector refused is listed, shown and replayed by `lifecycle dead-letters` like what a worker refused."""

import json

import pytest

from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.conftest import lifecycle as lifecycle  # noqa: PLC0414 - a fixture
from tests.cli.dead_letters import UNBLOCKED, called, replayed
from tests.cli.on_kafka import settings_of
from tests.kit.collected import collected, dead_letters
from tests.kit.collectors import served
from tests.kit.kafka import SharedKafka

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return settings_of(kafka.bootstrap, topic_prefix)


async def test_one_that_a_setting_blocked_is_replayed_once_to_the_partition_of_its_customer(
    lifecycle: Run, settings: Settings
) -> None:
    """`collected` looks that each is on the partition of its key, which nobody knew when it was refused."""
    calls = b",".join(b'{"type":"page","userId":"guest","messageId":"%d"}' % n for n in range(5))
    async with served(settings) as collector:
        assert (await collector.post("/v1/batch", b'{"batch":[%s,{"type":"page","userId":"good"},7]}' % calls))[
            0
        ] == 200

    listed = await called(lifecycle, settings, "list")
    assert "6 dead letters: 5 blocked_subject, 1 not_an_object" in listed.stderr
    assert f"{settings.topics.interactions} by a collector" in listed.stdout
    [line] = (await called(lifecycle, settings, "list", "--reason", "not_an_object", "--json")).stdout.splitlines()
    assert json.loads(line)["source"]["partition"] == -1
    assert (
        "by a collector, arrived 2" in (await called(lifecycle, settings, "show", json.loads(line)["address"])).stdout
    )

    assert "5 dead letters replayed" in await replayed(lifecycle, settings, "--all", **UNBLOCKED)
    again = await replayed(lifecycle, settings, "--all", **UNBLOCKED)
    assert "no dead letters to replay" in again
    unblocked = Settings(
        bootstrap=settings.bootstrap, topic_prefix=settings.topic_prefix, blocked=frozenset({"nobody"})
    )
    found = await collected(unblocked)
    assert [each.interaction.subject for each in found] == ["good", *["guest"] * 5]
    assert sorted(each.interaction.id or "" for each in found[1:]) == ["0", "1", "2", "3", "4"]
    assert all("lifecycle_replay_of" in each.headers for each in found[1:])


async def test_a_repeated_request_leaves_dead_letters_of_their_own(settings: Settings) -> None:
    """Each stands for a request that was answered; none hides another."""
    async with served(settings) as collector:
        for _ in range(3):
            assert (await collector.post("/v1/batch", b'{"batch":[5,5]}'))[0] == 200
    letters = await dead_letters(settings)
    assert len(letters) == len({each.source for each in letters}) == 6
    assert {each.source.topic for each in letters} == {settings.topics.interactions}
