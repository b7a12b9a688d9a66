"""A Kafka with TLS, passwords and an authorizer: everything with the least rights, and what is said where one lacks."""

import asyncio
import json
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

import stream
from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import dead_letter
from stream.collector import Collector
from stream.errors import BrokerError
from stream.kafka.clients import client_options
from stream.kafka.permissions import of_topics, require
from stream.kafka.topic_plan import plan_topics
from stream.settings import Settings
from stream.subscription.subscription import Subscription
from stream.web.moves.follower import MoveFollower, RefusedReadingError
from tests.kit.acls import Acl, grant, revoke
from tests.kit.collectors import served
from tests.kit.machines import Record
from tests.kit.roles import (
    COLLECTOR,
    CREATOR,
    EXPORTER,
    REPAIRER,
    SENDER,
    SUBSCRIBER,
    VERIFIER,
    WORKER,
    Caller,
    assert_clear,
    caller_of,
    interaction,
    names,
    without,
    worker_of,
)
from tests.kit.secured import SecuredKafka
from tests.kit.topics import produce
from tests.web.live import worker as live_worker

ONE_OF_EACH_KIND = list({acl.resource: acl for acl in WORKER}.values())


async def test_every_role_does_its_work_with_the_rights_that_are_documented(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Import, worker, tail, a producer and a subscriber of one's own, verify, dead letters, reset: with a password."""
    kafka = secured_kafka
    await empty(kafka)
    sender, subscriber, operator, auditor, repairer = (
        caller_of(kafka, role) for role in (SENDER, SUBSCRIBER, WORKER, VERIFIER, REPAIRER)
    )
    async with worker_of(operator, tmp_path / "worker.log") as worker:
        code, said = await sender.run("import", "-", stdin="".join(map(interaction, range(20))))
        assert code == 0, said
        assert "20 interactions sent" in said
        assert (
            "whether this import was made before cannot be seen, so that all of it is sent" in said
        )  # it may not read
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
        async with asyncio.timeout(180), subscribed(subscriber) as changes:
            assert (await anext(aiter(changes))).sequence == 1
        async with AIOKafkaProducer(**client_options(sender.settings)) as producer:
            await producer.send_and_wait("interactions", interaction(41).replace("c-41", "null").encode())
        await worker.until_counted("rejected", 1)
    assert "exactly_once" in worker.log
    assert not re.search(r"\[(warning|error|critical)", worker.log), worker.log
    code, said = await auditor.run("verify", "--json")
    assert code == 0, said
    found = json.loads(said)
    assert (found["customers"], found["dead_letters"], found["differing"]) == (31, 1, 0), said
    code, said = await caller_of(kafka, EXPORTER).run("export", "c-30")
    assert code == 0, said
    assert '"stage_changes": [' in said
    assert '"customer_id": "c-30"' in said
    code, said = await repairer.run("dead-letters", "list", "--count")
    assert (code, said.split()) == (0, ["blocked_subject", "1"]), said
    code, said = await repairer.run("dead-letters", "list", "--json")
    assert code == 0, said
    code, said = await repairer.run("dead-letters", "show", json.loads(said.splitlines()[0])["address"])
    assert (code, "blocked_subject" in said) == (0, True), said
    code, said = await repairer.run("dead-letters", "replay", "--all", "--yes", "--blocked", "nobody")
    assert code == 0, said
    assert "1 dead letter replayed" in said
    code, said = await operator.run("reset", "--to", "earliest", "--yes")
    assert code == 0, said
    assert "31 customers forgotten" in said


@pytest.mark.parametrize("acl", WORKER, ids=str)
async def test_a_worker_that_lacks_one_right_ends_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """So the documented set is the least one; the error has the command for whoever administers Kafka."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, WORKER).run("worker")
    assert code == 1
    assert_clear(said, "the worker stops: Kafka at ")
    assert [line for line in said.splitlines() if re.search(names(acl), line)], said
    assert said.count("kafka-acls.sh") == 1, "only what is missing"


@pytest.mark.parametrize("acl", ONE_OF_EACH_KIND, ids=str)
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


async def test_a_collector_does_its_work_with_the_rights_that_are_documented(secured_kafka: SecuredKafka) -> None:
    async with served(caller_of(secured_kafka, COLLECTOR).settings) as collector:
        body = b'{"batch":[{"type":"page","userId":"collected"},5]}'
        assert (await collector.post("/v1/batch", body))[0] == 200


@pytest.mark.parametrize("acl", COLLECTOR, ids=str)
async def test_a_collector_that_lacks_one_right_ends_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    settings = caller_of(secured_kafka, COLLECTOR).settings
    async with without(secured_kafka, acl):
        with pytest.raises(BrokerError) as raised:
            await Collector(replace(settings, collector_port=0)).serve_until(asyncio.Event())
    assert re.search(names(acl), str(raised.value))
    assert_clear(str(raised.value))


@pytest.mark.parametrize("acl", SENDER, ids=str)
async def test_an_import_that_lacks_one_right_sends_nothing_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """Before the first interaction is sent."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, SENDER).run("import", "-", stdin=interaction(1))
    assert code == 1
    assert re.search(names(acl), said), said
    assert_clear(said, "0 interactions sent")


def subscribed(caller: Caller) -> Subscription:
    """As a service of somebody's own does it."""
    return stream.subscribe(
        caller.bootstrap,
        group="personalisation",
        security_protocol=caller.protocol,
        ssl_cafile=caller.cafile,
        sasl_username=caller.user,
        sasl_password=caller.password,
    )


@pytest.mark.parametrize("acl", SUBSCRIBER, ids=str)
async def test_a_subscription_that_lacks_a_right_ends_and_names_it(secured_kafka: SecuredKafka, acl: Acl) -> None:
    async with without(secured_kafka, acl):
        with pytest.raises(BrokerError, match=names(acl)):
            async with asyncio.timeout(180), subscribed(caller_of(secured_kafka, SUBSCRIBER)) as changes:
                await anext(aiter(changes))


async def test_live_changes_without_the_right_to_read_them_are_refused_and_the_grant_is_named(
    secured_kafka: SecuredKafka,
) -> None:
    """Once they have it they are there, without a restart."""
    caller = caller_of(secured_kafka, SUBSCRIBER)
    async with live_worker(caller.settings) as url, aiohttp.ClientSession() as session, asyncio.timeout(180):
        async with without(secured_kafka, SUBSCRIBER[0]):
            while (status := await _status(session, url))[0] != 503:
                await asyncio.sleep(0.1)
            assert re.search(names(SUBSCRIBER[0]), status[1]), status
        while (await _status(session, url))[0] != 200:
            await asyncio.sleep(0.1)


async def _status(session: aiohttp.ClientSession, url: str) -> tuple[int, str]:
    """Of a stream that is left at once; of a refusal all that it says."""
    async with session.get(url) as response:
        return response.status, await response.text() if response.status == 503 else ""


async def test_moves_cannot_be_counted_without_the_right_to_read_them_and_the_grant_is_named(
    secured_kafka: SecuredKafka,
) -> None:
    """Once it is given they are, without a restart."""
    following = MoveFollower(caller_of(secured_kafka, SUBSCRIBER).settings, ["metrics"])
    async with asyncio.timeout(180):
        async with without(secured_kafka, SUBSCRIBER[0]):
            while (refused := await _refusal(following)) is None:
                await asyncio.sleep(0.1)
            assert re.search(names(SUBSCRIBER[0]), refused), refused
        while await _refusal(following) is not None:
            await asyncio.sleep(0.1)
    await following.close()


async def _refusal(following: MoveFollower) -> str | None:
    """Why it may not read; None where it may."""
    try:
        await following.known(60)
    except RefusedReadingError as refused:
        return str(refused)
    return None


async def test_a_tail_without_its_right_does_not_wait_for_a_topic_that_it_may_not_see(
    secured_kafka: SecuredKafka,
) -> None:
    """A broker does not show a topic to a client that has no right to it."""
    async with without(secured_kafka, SUBSCRIBER[0]):
        code, said = await caller_of(secured_kafka, SUBSCRIBER).run("tail")
    assert code == 1
    assert re.search(names(SUBSCRIBER[0]), said), said
    assert_clear(said)


@pytest.mark.parametrize("acl", EXPORTER, ids=str)
async def test_an_export_that_may_not_read_everything_says_so_and_leaves_nothing_out(
    secured_kafka: SecuredKafka, acl: Acl
) -> None:
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, EXPORTER).run("export", "c-1")
    assert code == 1
    assert_clear(said, "Kafka at ")
    assert re.search(names(acl), said), said


@pytest.mark.parametrize("acl", VERIFIER, ids=str)
async def test_a_verification_that_lacks_one_right_verifies_nothing_and_names_it(
    secured_kafka: SecuredKafka, acl: Acl
) -> None:
    """A topic that it may not see must not look like one that is missing, or empty."""
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, VERIFIER).run("verify")
    assert code == 2
    assert re.search(names(acl), said), said
    assert_clear(said)


@pytest.mark.parametrize("command", [("list",), ("show", "0-0")], ids=" ".join)
async def test_dead_letters_are_shown_to_nobody_without_the_right_to_read_them(
    secured_kafka: SecuredKafka, command: tuple[str, ...]
) -> None:
    """Reading them is the first of the rights, and all that both need."""
    async with without(secured_kafka, REPAIRER[0]):
        code, said = await caller_of(secured_kafka, REPAIRER).run("dead-letters", *command)
    assert code == 1
    assert re.search(names(REPAIRER[0]), said), said
    assert_clear(said)


async def test_to_show_dead_letters_nothing_is_needed_but_to_read_them(secured_kafka: SecuredKafka) -> None:
    await letter_to_replay(secured_kafka)
    async with AsyncExitStack() as stack:
        for acl in REPAIRER[1:]:
            await stack.enter_async_context(without(secured_kafka, acl))
        code, said = await caller_of(secured_kafka, REPAIRER).run("dead-letters", "list", "--json")
        assert code == 0, said
        address = json.loads(said.splitlines()[0])["address"]
        code, said = await caller_of(secured_kafka, REPAIRER).run("dead-letters", "show", address)
    assert (code, "unprocessable" in said) == (0, True), said


@pytest.mark.parametrize("acl", REPAIRER, ids=str)
async def test_a_replay_that_lacks_one_right_replays_nothing_and_names_it(
    secured_kafka: SecuredKafka, acl: Acl
) -> None:
    """So the documented set is the least one."""
    await letter_to_replay(secured_kafka)
    async with without(secured_kafka, acl):
        code, said = await caller_of(secured_kafka, REPAIRER).run("dead-letters", "replay", "--all", "--yes")
    assert code == 1
    assert re.search(names(acl), said), said
    assert said.count("kafka-acls.sh") == 1, "only what is missing"
    assert_clear(said)
    assert not re.search(r"[1-9]\d* dead letters? replayed", said), said


@pytest.mark.parametrize("acl", [acl for acl in CREATOR if acl.operation != "Create"], ids=str)
async def test_who_lacks_one_right_to_look_at_topics_is_told_which(secured_kafka: SecuredKafka, acl: Acl) -> None:
    """Instead of being shown a topic as missing."""
    settings = caller_of(secured_kafka, CREATOR).settings
    every = (*settings.topics.named(figures=True), *settings.webhook_topics.beside_source)
    async with without(secured_kafka, acl):
        with pytest.raises(BrokerError, match=names(acl)):
            await require(settings, of_topics(settings, every))
        if acl.name == "stage-changes":
            code, said = await caller_of(secured_kafka, CREATOR).run("topics", "--dry-run")
            assert (code, bool(re.search(names(acl), said))) == (1, True), said
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


async def letter_to_replay(kafka: SecuredKafka) -> None:
    """A dead letter that nobody replayed."""
    record = Record(1_000, 1_700_000_000_000, b"c-1", interaction(1).encode())
    letter = dead_letter(record, Rejected(Reason.UNPROCESSABLE, "failed twice"), "interactions", 0)
    await produce(kafka.bootstrap, "lifecycle-dead-letters", [letter])


async def test_customers_are_carried_over_with_the_rights_that_are_documented(
    secured_kafka: SecuredKafka, tmp_path: Path
) -> None:
    """Those of a worker for both prefixes, and what docs/backup.md names beside; figures are there, too."""
    kafka, prefix = secured_kafka, "v2."
    await empty(kafka)
    operator = caller_of(kafka, WORKER)
    lifecycle = tmp_path / "shop.yaml"
    lifecycle.write_text(
        "lifecycle: shop\ninteractions: {buy: [order]}\nfigures: {orders: {each: buy}}\nstages: {visitor: {}}\n"
    )
    operator.extra["LIFECYCLES"] = str(lifecycle)
    async with worker_of(operator, tmp_path / "worker.log") as worker:
        await caller_of(kafka, SENDER).run("import", "-", stdin="".join(map(interaction, range(20))))
        await worker.until_applied(20)
    new = replace(operator.settings, topic_prefix=prefix)
    of_new = [each._replace(name=prefix + each.name) for each in WORKER if each.resource != "transactional-id"]
    user = WORKER[0].principal
    beside = [
        *(Acl(user, "Read", "topic", name) for name in ("current-stages", "figures")),
        Acl(user, "Write", "topic", new.topics.interactions),
        Acl(user, "Read", "group", f"{new.group}-repartition"),
        *(
            Acl(user, each, "topic", name)
            for name in new.topics.named(figures=True)
            for each in ("Create", "AlterConfigs")
        ),
    ]
    command = ("repartition", "--to", "3", "--into", prefix, "--yes")
    await grant(kafka.bootstrap, [*of_new, *beside])
    try:
        async with without(kafka, beside[1]):
            code, said = await operator.run(*command)
            assert (code, "--operation Read --topic figures" in said) == (1, True), said
        code, said = await operator.run(*command)
        assert code == 0, said
        assert "read again and found equal" in said
    finally:
        await revoke(kafka.bootstrap, [*of_new, *beside])
        await delete(kafka, *new.topics.named(figures=True))


async def empty(kafka: SecuredKafka) -> None:
    """Topics without what other tests left in them; rights are to names, so they stay."""
    await delete(kafka, *(topic.name for topic in plan_topics(Settings(), {}, figures=True)))
    code, said = await caller_of(kafka, CREATOR).run("topics")
    assert (code, said.count("created")) == (0, 6), said


async def delete(kafka: SecuredKafka, *topics: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        await admin.delete_topics([*topics])
        while not set(topics).isdisjoint(await admin.list_topics()):
            await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_who_verifies_need_not_see_the_group_where_no_worker_ever_came(secured_kafka: SecuredKafka) -> None:
    """Whether a state is gone is asked of the group; with the rights of who verifies it is simply not known."""
    await empty(secured_kafka)
    code, said = await caller_of(secured_kafka, VERIFIER).run("verify")
    assert code == 2, said
    assert "nothing was applied yet" in said
