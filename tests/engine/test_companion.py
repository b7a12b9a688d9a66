"""What works beside the partitions: it sees what is committed, and its inputs are processed like records."""

import asyncio

import pytest

from stream.codec.records import Outgoing
from stream.engine.companion import Inbox
from stream.engine.delivery import Transactional
from stream.machine.batch import Batch, Machine
from stream.settings import Settings
from tests.engine.rig import PlainSource, Rig
from tests.engine.toy import POSITION, Toy
from tests.kit.kafka import SharedKafka
from tests.kit.topics import produce, read_all


class Noting:
    """Keeps the inbox of each partition, and how often each state was committed; answers `release` with an input."""

    def __init__(self) -> None:
        self.inboxes: dict[int, Inbox] = {}
        self.commits: list[dict[bytes, int]] = []
        self.last: object | None = None
        self._changed = asyncio.Event()

    def committed(self, number: int, machine: Machine, inbox: Inbox) -> None:
        assert isinstance(machine, Toy)
        self.inboxes[number] = inbox
        self.commits.append({key: int(state[0] or 0) for key, state in machine.counts.items()})
        self._changed.set()

    async def release(self, number: int) -> None:
        if self.last is not None and number in self.inboxes:
            self.inboxes[number].put(self.last)

    def dropped(self, number: int) -> None:
        self.inboxes.pop(number, None)

    async def until(self, counts: dict[bytes, int]) -> None:
        async with asyncio.timeout(30):
            while counts not in self.commits:
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    return Settings(
        bootstrap=kafka.bootstrap, app=f"{topic_prefix}app", topic_prefix=topic_prefix, partitions=1, delivery="auto"
    )


async def state_of(settings: Settings) -> dict[bytes, bytes]:
    [records] = (await read_all(settings.bootstrap, settings.topics.customers)).values()
    return {record.key: record.value for record in records if record.key != POSITION}


async def test_an_input_that_comes_by_another_way_is_processed_at_once_beside_a_fetch_that_waits(
    settings: Settings,
) -> None:
    companion = Noting()
    async with Rig(settings, lambda _, __: Toy(), companion=companion):
        await companion.until({})
        companion.inboxes[0].put("a")
        await companion.until({b"a": 1})
        await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"a", b"record")])
        await companion.until({b"a": 2})
    assert await state_of(settings) == {b"a": b"[2, null, false]"}


async def test_inputs_that_may_wait_are_written_with_the_next_one_that_may_not(settings: Settings) -> None:
    companion = Noting()
    async with Rig(settings, lambda _, __: Toy(), companion=companion):
        await companion.until({})
        companion.inboxes[0].put("a", within=3600)
        companion.inboxes[0].put("b", within=3600)
        companion.inboxes[0].put("c")
        await companion.until({b"a": 1, b"b": 1, b"c": 1})
        assert [each for each in companion.commits if each] == [{b"a": 1, b"b": 1, b"c": 1}]


async def test_an_input_that_may_wait_is_written_by_itself_once_its_time_is_over(settings: Settings) -> None:
    companion = Noting()
    async with Rig(settings, lambda _, __: Toy(), companion=companion):
        await companion.until({})
        companion.inboxes[0].put("a", within=3600)
        companion.inboxes[0].put("b", within=0.01)
        await companion.until({b"a": 1, b"b": 1})


async def test_what_is_told_while_a_partition_ends_is_written_before_it_is_another_s(settings: Settings) -> None:
    companion = Noting()
    companion.last = "last"
    async with Rig(settings, lambda _, __: Toy(), companion=companion):
        await companion.until({})
    assert await state_of(settings) == {b"last": b"[1, null, false]"}


async def test_a_process_that_is_told_to_end_in_a_rebalance_writes_what_was_told_all_the_same(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rebalance pauses the partition, which writes; the end pauses it again, and must not give it up meanwhile."""
    companion, writes, really = Noting(), asyncio.Event(), Transactional.write

    async def write(self: Transactional, batch: Batch) -> None:
        writes.set()
        await asyncio.sleep(0.2)
        await really(self, batch)

    async with Rig(settings, lambda _, __: Toy(), companion=companion) as rig:
        await companion.until({})
        companion.last = "last"
        monkeypatch.setattr(Transactional, "write", write)
        pausing = asyncio.create_task(rig.supervisor.pause())
        await writes.wait()
        companion.last = None
        await rig.supervisor.stop()
        await pausing
    assert await state_of(settings) == {b"last": b"[1, null, false]"}


async def test_a_fetch_that_never_ends_is_no_progress_though_its_partition_hears_and_looks_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the watchdog notices it, as it does where there is no companion; and the partition is shown as away."""
    companion = Noting()
    async with Rig(settings, lambda _, __: Toy(), companion=companion) as rig:
        await companion.until({})
        hangs = asyncio.Event()

        async def fetch(*_: object) -> None:
            hangs.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(PlainSource, "fetch", fetch)
        async with asyncio.timeout(30):
            await hangs.wait()
        await asyncio.sleep(1)  # what was fetched before is taken
        before, commits = rig.supervisor.progress_tokens(), len(companion.commits)
        async with asyncio.timeout(30):
            while len(companion.commits) < commits + 3:
                await asyncio.sleep(0.1)
        assert rig.supervisor.progress_tokens() == before
        companion.inboxes[0].put("a")
        await companion.until({b"a": 1})
        assert rig.supervisor.progress_tokens() != before


async def test_a_state_that_is_dropped_takes_its_inputs_with_it_and_is_committed_anew(settings: Settings) -> None:
    """A record fails; the partition starts over, and nothing that was not written is left."""
    companion = Noting()
    async with Rig(settings, lambda _, __: Toy(), companion=companion) as rig:
        await companion.until({})
        first = companion.inboxes[0]
        await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"a", b"fail")])
        await rig.recorder.until(lambda: len(rig.recorder.failures) > 0)
        first.put("lost")
        await produce(settings.bootstrap, settings.topics.interactions, [Outgoing(b"b", b"record")])
        await companion.until({b"b": 1})
        assert not first
