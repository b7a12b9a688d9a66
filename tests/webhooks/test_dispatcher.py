"""Lanes, limits and results, with the real machine; the sender is a stand-in whose answers are given by hand."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from stream.codec.deliveries import DeliveryCommand
from stream.engine.companion import Inbox
from stream.webhooks import dispatcher as dispatchers
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.deliveries.news import Attempted
from stream.webhooks.dispatcher import Dispatcher
from stream.webhooks.endpoint import Endpoint, UnfitChangeError
from stream.webhooks.exchange import HttpRequest, Outcome, Verdict
from tests.kit.machines import compacted
from tests.webhooks import templates
from tests.webhooks.machines import commanded, id_of, machine, run, value

AttemptResult = dispatchers.AttemptResult
REQUEST = HttpRequest("POST", "http://127.0.0.1/hook", (), b"{}")


class Template(templates.Silent):
    """`numbers` by customer: how many requests it makes; an exception instead is raised."""

    numbers: Mapping[str | None, Any] = {}

    def requests(self, change, event_id, values):
        number = self.numbers.get(change.customer_id, 1)
        if isinstance(number, Exception):
            raise number
        return (REQUEST,) * number


class Sent:
    """One attempt, which ends when the test says so."""

    def __init__(self, endpoint: Endpoint, event_id: str) -> None:
        self.endpoint, self.event_id = endpoint, event_id
        self.answer: asyncio.Future[AttemptResult] = asyncio.get_running_loop().create_future()

    def end(self, verdict: Verdict = Verdict.DELIVERED, wait: float | None = None) -> None:
        status = {Verdict.DELIVERED: 200, Verdict.GONE: 410}.get(verdict, 500)
        self.answer.set_result(AttemptResult(Outcome(verdict, f"{status}", wait), status, dispatchers._now(), 0.0, ""))


class HandSender:
    """In place of `Sender`."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.at_once: Verdict | None = None

    async def attempt(self, endpoint, requests, event_id, now, trace=None) -> AttemptResult:
        sent = Sent(endpoint, event_id)
        self.sent.append(sent)
        if self.at_once is not None:
            sent.end(self.at_once)
        return await sent.answer

    @property
    def under_way(self) -> list[Sent]:
        return [each for each in self.sent if not each.answer.done()]


class Process:
    """Partitions of one process: what the engine does for each, without Kafka."""

    def __init__(self, *endpoints: Endpoint) -> None:
        self.set_endpoints(*endpoints or (endpoint(),))
        self.sender = HandSender()
        self.is_sure = True
        self.dispatcher = Dispatcher(lambda: self.endpoints, self.sender, lambda: self.is_sure)
        self.machines: dict[int, DeliveryMachine] = {}
        self.inboxes: dict[int, Inbox] = {}
        self.changelogs: dict[int, dict[bytes, bytes]] = {}
        self.commands: dict[int, int] = {}

    def set_endpoints(self, *endpoints: Endpoint) -> None:
        self.endpoints = {each.name: each for each in endpoints}

    def recover(self, number: int = 0) -> None:
        """As after a fence: the state is what the changelog says."""
        self.machines[number] = machine(self.endpoints, self.changelogs.get(number))
        self.inboxes.setdefault(number, Inbox())

    def drop(self, number: int = 0) -> None:
        self.inboxes[number].clear()
        self.dispatcher.dropped(number)
        del self.machines[number]

    async def turn(self, *values: bytes, number: int = 0, commit: bool = True) -> None:
        """One batch with all that the inbox has, committed; then the loop has its turns."""
        if number not in self.machines:
            self.recover(number)
        made, inbox = self.machines[number], self.inboxes[number]
        batch = run(made, values, *inbox.take(), wall=dispatchers._now())
        if commit:
            self.changelogs[number] = compacted([batch], self.changelogs.get(number))
            self.dispatcher.committed(number, made, inbox)
        await self.rest()

    async def rest(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def settle(self, number: int = 0) -> None:
        """Turns until there is no news."""
        await self.turn(number=number)
        while self.inboxes[number]:
            await self.turn(number=number)

    async def command(self, command: Any, endpoint: str = "crm", number: int = 0) -> None:
        first = self.commands.get(number, 0)
        self.commands[number] = first + 1
        self.inboxes[number].put(commanded(DeliveryCommand(command, endpoint, dispatchers._now()), first=first))
        await self.settle(number)

    @property
    def ids(self) -> list[str]:
        return [each.event_id for each in self.sender.sent]


def endpoint(name: str = "crm", numbers: Mapping[str, Any] | None = None, **more: Any) -> Endpoint:
    template = Template()
    object.__setattr__(template, "numbers", numbers or {})
    return Endpoint(name=name, template=template, **more)


def values(*customers: int, sequence: int = 1) -> list[bytes]:
    return [value(str(each), sequence) for each in customers]


async def test_a_change_is_sent_once_it_is_committed_and_not_before():
    process = Process()
    await process.turn(value("1"), commit=False)
    assert process.ids == []
    await process.turn()
    assert process.ids == [id_of("1")]


async def test_the_next_change_of_a_customer_is_sent_once_the_result_of_the_one_before_is_committed():
    process = Process()
    await process.turn(value("1"), value("1", 2), value("2"))
    assert process.ids == [id_of("1"), id_of("2")]
    process.sender.sent[0].end()
    await process.rest()
    assert process.ids == [id_of("1"), id_of("2")]
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2"), id_of("1", 2)]


async def test_no_more_are_under_way_than_the_endpoint_wants_and_the_next_begins_where_one_ends():
    process = Process(endpoint(concurrency=2))
    await process.turn(*values(1, 2, 3, 4))
    assert process.ids == [id_of("1"), id_of("2")]
    assert process.dispatcher.sending() == {"crm": 2}
    process.sender.sent[1].end()
    await process.rest()
    assert process.ids == [id_of("1"), id_of("2"), id_of("3")]


async def test_an_endpoint_that_hangs_holds_up_no_other():
    process = Process(endpoint("dead", concurrency=1), endpoint("crm"))
    await process.turn(*values(*range(50)))
    assert [each.endpoint.name for each in process.sender.sent].count("crm") == 16
    for _ in range(50):
        for each in process.sender.under_way:
            if each.endpoint.name == "crm":
                each.end()
        await process.turn()
    assert process.machines[0].waiting["crm"].count == 0
    assert process.machines[0].waiting["dead"].count == 50


async def test_a_partition_with_a_backlog_does_not_hold_up_another():
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(*range(100)), number=0)
    await process.turn(value("other"), number=1)
    for _ in range(2):
        process.sender.under_way[0].end()
        await process.settle(0)
    assert id_of("other") in process.ids


async def test_what_was_taken_ahead_is_bounded():
    process = Process(endpoint(concurrency=2))
    await process.turn(*values(*range(100)))
    await process.settle()
    lane = process.dispatcher._lanes["crm"]
    assert lane.length(0) + lane.sending <= 16 * 2 + 2


async def test_a_rate_spaces_requests_and_a_template_of_two_requests_counts_twice():
    loop = asyncio.get_running_loop()
    began = loop.time()
    process = Process(endpoint(rate=20.0, numbers={str(number): 2 for number in range(20)}))
    await process.turn(*values(*range(20)))
    assert len(process.sender.sent) == 1
    while len(process.sender.sent) < 6:
        await asyncio.sleep(0.01)
    assert loop.time() - began >= 5 * 2 / 20 - 0.06  # at least: a slow machine takes longer


async def test_a_rate_that_is_edited_holds_at_once():
    process = Process(endpoint(rate=0.0001))
    await process.turn(*values(1, 2, 3))
    assert process.ids == [id_of("1")]
    process.set_endpoints(endpoint(rate=None))
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2"), id_of("3")]


async def test_after_410_the_lane_is_shut_at_once_for_all_partitions_until_it_is_resumed():
    process = Process(endpoint(concurrency=2))
    await process.turn(*values(1, 2, 3, 4))
    await process.turn(*values(5, 6), number=1)
    first, second = process.sender.sent
    first.end(Verdict.GONE)
    await process.rest()
    second.end()
    await process.rest()
    assert len(process.sender.sent) == 2
    for _ in range(3):
        await process.settle(0)
        await process.settle(1)
    await process.turn(value("7"), number=1)
    assert len(process.sender.sent) == 2
    assert process.machines[0].waiting["crm"].count == 3
    assert process.machines[1].waiting["crm"].count == 3
    await process.command("disable", number=1)
    for number in (1, 0):
        await process.command("resume", number=number)
        await process.settle(1)
    while process.sender.under_way:
        for each in process.sender.under_way:
            each.end()
        await process.settle(0)
        await process.settle(1)
    assert sorted(process.ids[2:]) == [id_of(each) for each in "34567"]
    assert process.machines[0].waiting["crm"].count == 1  # what was answered with 410 is tried again after 5 seconds


async def test_what_is_about_to_be_sent_when_the_410_comes_is_not():
    process = Process(endpoint(concurrency=3))
    process.sender.at_once = Verdict.GONE
    await process.turn(*values(1, 2, 3))
    await process.settle()
    assert process.ids == [id_of("1")]
    assert process.machines[0].waiting["crm"].count == 3


async def test_a_lane_opens_again_where_the_410_and_the_resume_are_of_one_batch():
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(1, 2))
    process.sender.sent[0].end(Verdict.GONE)
    await process.rest()
    await process.command("resume")
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2")]


async def test_a_tool_that_asks_to_be_left_alone_is_left_alone_by_all_partitions():
    process = Process(endpoint(concurrency=2))
    await process.turn(*values(1, 2, 3))
    await process.turn(value("4"), number=1)
    process.sender.sent[0].end(Verdict.AGAIN, wait=3_600.0)
    process.sender.sent[1].end()
    for number in (1, 0, 1, 0):
        await process.settle(number)
    await process.turn(value("5"), number=1)
    assert process.ids == [id_of("1"), id_of("2")]
    await process.command("resume")
    await process.settle(1)
    assert sorted(process.ids[2:])[:2] == [id_of("3"), id_of("4")]


async def test_a_state_that_is_read_again_while_an_attempt_is_under_way_sends_nothing_twice_and_hears_the_result():
    process = Process()
    await process.turn(value("1"), value("1", 2))
    process.drop()
    await process.turn()
    await process.turn()
    assert process.ids == [id_of("1")]
    process.sender.sent[0].end()
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1", 2)]
    assert process.machines[0].waiting["crm"].count == 1


async def test_a_result_whose_batch_is_lost_is_told_again():
    process = Process()
    await process.turn(value("1"), value("1", 2))
    process.sender.sent[0].end()
    await process.rest()
    await process.turn(commit=False)
    process.drop()
    await process.turn()
    assert process.ids == [id_of("1")]
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1", 2)]


async def test_a_result_that_comes_while_the_state_is_read_again_is_not_lost():
    process = Process()
    await process.turn(value("1"), value("1", 2))
    process.drop()
    process.sender.sent[0].end()
    await process.rest()
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1", 2)]
    assert process.dispatcher._results == {0: {}}


async def test_a_result_that_was_committed_after_all_counts_once():
    process = Process()
    await process.turn(value("1"))
    process.sender.sent[0].end(Verdict.AGAIN)
    await process.rest()
    # Written, but whether it was is not known: the state is read again before anybody is told.
    batch = run(process.machines[0], (), *process.inboxes[0].take(), wall=dispatchers._now())
    process.changelogs[0] = compacted([batch], process.changelogs[0])
    process.drop()
    await process.settle()
    [delivery] = process.machines[0].waiting["crm"].of("customer:1")
    assert delivery.attempts == 1
    assert process.dispatcher._results == {0: {}}


async def test_what_follows_one_that_was_given_up_while_it_was_under_way_is_sent_when_that_attempt_ends():
    process = Process(endpoint(only_latest=True))
    await process.turn(value("1"))
    process.drop()
    process.recover()
    await process.turn(value("1", 2))  # the state does not know of the attempt, and drops the first change
    assert process.ids == [id_of("1")]
    process.sender.sent[0].end()
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1", 2)]
    process.sender.sent[1].end()
    await process.settle()
    assert process.machines[0].waiting["crm"].count == 0


async def test_what_follows_one_that_was_given_up_is_not_sent_while_the_partition_is_released():
    process = Process(endpoint(only_latest=True))
    await process.turn(value("1"))
    process.drop()
    process.recover()
    await process.turn(value("1", 2))
    releasing = asyncio.create_task(process.dispatcher.release(0))
    await process.rest()
    process.sender.sent[0].end()
    await releasing
    await process.rest()
    assert process.ids == [id_of("1")]
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1", 2)]


async def test_a_release_gives_back_what_is_queued_and_lets_attempts_end():
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(1, 2, 3))
    releasing = asyncio.create_task(process.dispatcher.release(0))
    await process.rest()
    assert not releasing.done()
    process.sender.sent[0].end()
    await releasing
    await process.rest()
    assert process.ids == [id_of("1")]
    news = process.inboxes[0].take()
    assert [type(each).__name__ for each in news] == ["GivenBack", "GivenBack", "Attempted"]


async def test_a_release_begins_nothing_while_it_waits_also_where_a_batch_is_committed():
    process = Process(endpoint(concurrency=4))
    await process.turn(*values(1, 2))
    releasing = asyncio.create_task(process.dispatcher.release(0))
    await process.rest()
    await process.turn(value("3"))
    assert len(process.sender.sent) == 2
    for each in process.sender.sent:
        each.end()
    await releasing
    await process.settle()  # the partition stayed here
    assert process.ids[2:] == [id_of("3")]


async def test_attempts_that_do_not_end_are_broken_off_and_made_again_by_the_next_owner():
    process = Process()
    await process.turn(*values(1))
    async with asyncio.timeout(10):
        await process.dispatcher.release(0)
    assert process.sender.sent[0].answer.cancelled()
    assert process.dispatcher.sending() == {"crm": 0}
    await process.settle()
    assert process.ids == [id_of("1"), id_of("1")]


async def test_nothing_begins_while_another_process_may_have_the_partition():
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(1, 2))
    process.is_sure = False
    process.sender.sent[0].end()
    await process.settle()
    assert process.ids == [id_of("1")]
    process.is_sure = True
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2")]


@pytest.mark.parametrize("edited", [(), (endpoint(enabled=False),)])
async def test_an_endpoint_that_is_taken_out_of_the_file_or_switched_off_gets_nothing_more_and_loses_nothing(edited):
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(1, 2, 3))
    process.set_endpoints(*edited)
    await process.settle()
    process.sender.sent[0].end()
    await process.settle()
    await process.settle()
    assert process.ids == [id_of("1")]
    process.set_endpoints(endpoint(concurrency=5))
    await process.settle()
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2"), id_of("3")]


async def test_what_is_sent_is_sent_as_the_file_says_by_then():
    process = Process(endpoint(concurrency=1, timeout=1.0))
    await process.turn(*values(1, 2))
    process.set_endpoints(endpoint(concurrency=1, timeout=2.0))
    process.sender.sent[0].end()
    await process.settle()
    assert [each.endpoint.timeout for each in process.sender.sent] == [1.0, 2.0]


async def test_after_a_pause_what_was_queued_is_not_sent():
    process = Process(endpoint(concurrency=1))
    await process.turn(*values(1, 2, 3))
    await process.command("pause")
    process.sender.sent[0].end()
    await process.settle()
    assert process.ids == [id_of("1")]
    await process.command("resume")
    await process.settle()
    assert process.ids == [id_of("1"), id_of("2")]


async def test_a_change_that_lacks_what_the_tool_needs_is_given_up_without_a_request():
    process = Process(endpoint(numbers={"1": UnfitChangeError("it has no e-mail address")}))
    await process.turn(*values(1, 2))
    await process.settle()
    assert process.ids == [id_of("2")]
    assert process.machines[0].take_counts().given_up == {("crm", "refused"): 1}


async def test_a_delivery_that_our_code_fails_on_is_tried_again_as_if_the_endpoint_had_failed(caplog):
    process = Process(endpoint(numbers={"1": ZeroDivisionError("secret words")}))
    await process.turn(*values(1, 2))
    await process.settle()
    assert process.ids == [id_of("2")]
    [delivery] = process.machines[0].waiting["crm"].of("customer:1")
    assert delivery.attempts == 1
    assert delivery.due > dispatchers._now()
    assert "our code failed on a delivery to crm" in caplog.text


async def test_a_result_tells_when_the_endpoint_last_took_something():
    process = Process()
    await process.turn(value("1"))
    await process.turn(value("2"), number=1)
    process.sender.sent[1].end()
    await process.rest()
    process.sender.sent[0].end(Verdict.AGAIN)
    await process.rest()
    [news] = process.inboxes[0].take()
    assert isinstance(news, Attempted)
    assert news.last_delivered is not None


async def test_closing_ends_every_attempt():
    process = Process(endpoint(concurrency=1, rate=0.001))
    await process.turn(*values(1, 2))
    await process.dispatcher.close()
    assert process.sender.sent[0].answer.cancelled()
    assert process.dispatcher._running == {}
    assert process.dispatcher._lanes["crm"].timer is None
