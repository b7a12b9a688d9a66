"""Webhooks on a Kafka that lets nobody do what was not granted: the role and its commands, with the least rights."""

import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from stream.codec.deliveries import given_up
from stream.settings import Settings
from tests.kit.acls import Acl
from tests.kit.roles import (
    CREATOR,
    PARTITIONS,
    STEERER,
    WEBHOOKS,
    Caller,
    assert_clear,
    caller_of,
    names,
    without,
    worker_of,
)
from tests.kit.secured import SecuredKafka
from tests.kit.stage_changes import change, outgoing, write
from tests.kit.topics import produce
from tests.kit.webhooks import SECRET, VARIABLE, Receiver, endpoint, receiver

WRITE, READ_COMMANDS, READ_LETTERS, READ_ATTEMPTS, READ_STAGES = STEERER
NEEDS = [
    (("pause", "all"), WRITE),
    (("resume", "all"), WRITE),
    *((("replay", "--all", "--yes"), acl) for acl in (WRITE, READ_COMMANDS, READ_LETTERS)),
    (("deliveries", "--customer", "ann"), READ_ATTEMPTS),
    (("test", "all", "--customer", "ann", "--dry-run"), READ_STAGES),
]
"""By command, what of the document's rights it needs."""


@pytest.fixture
async def hook() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


@pytest.fixture
def file(tmp_path: Path, hook: Receiver, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One endpoint of everything."""
    made = tmp_path / "webhooks.yaml"
    made.write_text("endpoints:\n" + endpoint("all", hook.url()), encoding="utf-8")
    monkeypatch.setenv(VARIABLE, SECRET)
    return made


def caller(kafka: SecuredKafka, role: list[Acl], file: Path) -> Caller:
    return replace(caller_of(kafka, role), extra={"WEBHOOKS": str(file), "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1"})


async def test_changes_are_delivered_and_steered_with_the_rights_that_are_documented(
    secured_kafka: SecuredKafka, hook: Receiver, file: Path, tmp_path: Path
) -> None:
    """Without the right to create a topic: `lifecycle topics --webhooks` of somebody else did that."""
    ours = Settings(bootstrap=secured_kafka.bootstrap)  # by the test's own door
    role, steerer = (caller(secured_kafka, each, file) for each in (WEBHOOKS, STEERER))
    async with worker_of(role, tmp_path / "log", "webhooks") as process:
        for number in range(PARTITIONS):
            await process.until_logged(f"partition {number}: recovered")
        await write(ours, [change(sequence=number) for number in (2, 3)])
        await hook.until(lambda: len(hook.got) == 2)
        assert [each.id[-1] for each in hook.got] == ["2", "3"]
        code, said = await steerer.run("webhooks", "pause", "all")
        assert (code, "is paused" in said) == (0, True), said
        code, said = await steerer.run("webhooks", "resume", "all")
        assert code == 0, said
        lost, now = outgoing(change("bob")).value or b"", time.time_ns() // 1_000_000
        letter = given_up("all", "shop:customer:bob:0-0:2", lost, "refused", "", 1, now)
        await produce(ours.bootstrap, ours.webhook_topics.dead_letters, [letter])
        code, said = await steerer.run("webhooks", "replay", "--all", "--yes")
        assert (code, said.splitlines()[-1]) == (0, "1 change on the way"), said
        await hook.until(lambda: len(hook.got) == 3)
        code, said = await steerer.run("webhooks", "deliveries", "--customer", "ann", "--json")
        assert (code, [json.loads(line)["status"] for line in said.splitlines()]) == (0, [204, 204]), said
    assert "exactly_once" in process.log
    assert not re.search(r"\[(warning|error|critical)", process.log), process.log


@pytest.mark.parametrize("acl", WEBHOOKS, ids=str)
async def test_a_role_that_lacks_one_right_ends_and_names_it(secured_kafka: SecuredKafka, file: Path, acl: Acl) -> None:
    """So the documented set is the least one."""
    async with without(secured_kafka, acl):
        code, said = await caller(secured_kafka, WEBHOOKS, file).run("webhooks")
    assert code == 1
    assert [line for line in said.splitlines() if re.search(names(acl), line)], said
    assert said.count("kafka-acls.sh") == 1, "only what is missing"
    assert_clear(said)


@pytest.mark.parametrize(("command", "acl"), NEEDS, ids=str)
async def test_a_command_that_lacks_one_right_does_nothing_and_names_it(
    secured_kafka: SecuredKafka, file: Path, command: tuple[str, ...], acl: Acl
) -> None:
    async with without(secured_kafka, acl):
        code, said = await caller(secured_kafka, STEERER, file).run("webhooks", *command)
    assert code == 1
    assert re.search(names(acl), said), said
    assert said.count("kafka-acls.sh") == 1, "only what is missing"
    assert_clear(said)


@pytest.mark.parametrize("command", [("pause", "all"), ("deliveries", "--customer", "nobody")], ids=" ".join)
async def test_a_command_needs_nothing_of_what_others_need(
    secured_kafka: SecuredKafka, file: Path, command: tuple[str, ...]
) -> None:
    """Who only looks need not be allowed to steer, and who pauses need not see what was sent."""
    needed = [acl for of, acl in NEEDS if of[0] == command[0]]
    spare = [acl for acl in STEERER if acl not in needed]
    async with AsyncExitStack() as stack:
        for acl in spare:
            await stack.enter_async_context(without(secured_kafka, acl))
        code, said = await caller(secured_kafka, STEERER, file).run("webhooks", *command)
    assert code == 0, said
    code, said = await caller(secured_kafka, STEERER, file).run("webhooks", "resume", "all")
    assert code == 0, said


async def test_a_topic_that_is_missing_and_that_the_role_may_not_create_is_named_with_who_can(
    secured_kafka: SecuredKafka, file: Path
) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=secured_kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics(["webhook-attempts"])
        code, said = await caller(secured_kafka, WEBHOOKS, file).run("webhooks")
    finally:
        await admin.close()
    assert code == 1
    create = Acl(WEBHOOKS[0].principal, "Create", "topic", "webhook-attempts")
    assert re.search(names(create), said), said
    assert_clear(said, "topic webhook-attempts does not exist", "`lifecycle topics --webhooks`")
    code, said = await caller_of(secured_kafka, CREATOR).run("topics", "--webhooks")
    assert (code, said.count("created")) == (0, 1), said
