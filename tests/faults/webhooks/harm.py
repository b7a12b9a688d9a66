"""What is done to a run, and noted: to its processes, broker and network; and what operators and receivers do."""

import asyncio
import random
import time
from collections import Counter

from aiokafka.errors import KafkaError

from stream.codec.deliveries import Action, DeliveryCommand
from stream.settings import Settings
from stream.webhooks.commands import CommandWriter
from tests.faults.fleet import Fleet, WorkerProcess
from tests.faults.inject import Injector
from tests.faults.schedule import Fault
from tests.faults.webhooks.endpoints import EndpointFile
from tests.faults.webhooks.journal import Happening, Journal
from tests.faults.webhooks.moods import Moods
from tests.faults.webhooks.receiver import Receiver

_EVERY = (1.0, 5.0)
_RESTART = (0.3, 3.0)
_TURNED_OFF = (4.0, 9.0)
_GONE_AT, _BACK_AT = 0.45, 0.7
"""Of the time: when `gone` answers 410 for ever, and `moody` for once; and when `moody` is resumed."""
_AGAIN = 0.5


class NotedInjector(Injector):
    """Notes what it does that is not done to one process."""

    journal: Journal

    async def _isolate(self, worker: WorkerProcess, lasts: float) -> None:
        happening = self.journal.begin("isolate", str(worker.way))
        await super()._isolate(worker, lasts)
        self.journal.close(happening)

    async def _lose_a_broker(self, fault: Fault) -> None:
        happening = self.journal.begin(fault.kind)
        await super()._lose_a_broker(fault)
        self.journal.close(happening)

    async def _harm_the_network(self, fault: Fault) -> None:
        happening = self.journal.begin(fault.kind)
        await super()._harm_the_network(fault)
        self.journal.close(happening)

    async def _rival(self, partition: int) -> None:
        self.journal.note("rival", str(partition))
        await super()._rival(partition)


def note_fates(journal: Journal, fleet: Fleet) -> None:
    """What was done to each process."""
    for worker in fleet.every:
        journal.ways[worker.name] = str(worker.way)
        frozen: Happening | None = None
        for fate, seconds in worker.fates:
            at = seconds * 1_000
            if fate == "thawed" and frozen is not None:
                frozen.ended, frozen = at, None
                continue
            happening = Happening(fate, at, at, worker.name)
            journal.happenings.append(happening)
            if fate == "frozen":
                frozen = happening
        if frozen is not None:  # it was killed as it was
            frozen.ended = journal.happenings[-1].began


class Operators:
    """Edits of the file, commands, and restarts of the receiver, while the faults go on."""

    def __init__(
        self,
        settings: Settings,
        file: EndpointFile,
        receiver: Receiver,
        moods: Moods,
        journal: Journal,
        *,
        seed: int,
        seconds: float,
    ) -> None:
        """`settings` are those of the role; that all lasts `seconds` at least."""
        self.done: Counter[str] = Counter()
        self._settings, self._file, self._receiver = settings, file, receiver
        self._moods, self._journal = moods, journal
        self._chance, self._seconds = random.Random(f"{seed} operators"), seconds
        self._paused: Happening | None = None
        self._off: Happening | None = None

    async def run(self, over: asyncio.Event) -> None:
        """All of it until it is over; then everything is on again that will ever be."""
        began = time.monotonic()
        gone = back = False
        while (share := (time.monotonic() - began) / self._seconds) < 1 or not over.is_set():
            if share > _GONE_AT and not gone:
                gone = True
                self._moods.gone |= {"gone", "moody"}
                self._journal.note("gone")
            if share > _BACK_AT and not back:
                back = True
                await self.bring_back()
            what = self._chance.choice((self._restart, self._edit, self._pause, self._turn))
            await what()
            await asyncio.sleep(min(self._chance.uniform(*_EVERY), self._seconds / 8))
        await self.calm()

    async def bring_back(self) -> None:
        """`moody` takes requests again, and somebody resumes it."""
        self._moods.gone.discard("moody")
        await self._tell("resume", "moody")

    async def calm(self) -> None:
        """Everything is allowed to succeed from now on, but where it never will."""
        self._moods.calm = True
        self._moods.gone.add("gone")
        await self.bring_back()
        if self._paused is not None:
            await self._pause()
        if self._off is not None:
            await self._turn()

    async def _restart(self) -> None:
        happening = self._journal.begin("receiver-restart")
        await self._receiver.restart(min(self._chance.uniform(*_RESTART), self._seconds / 10))
        self._journal.close(happening)
        self.done["receiver-restart"] += 1

    async def _edit(self) -> None:
        self._file.write()
        self.done["endpoints-edited"] += 1

    async def _pause(self) -> None:
        """Pause `narrow`, or resume it."""
        if self._paused is None:
            await self._tell("pause", "narrow")
            self._paused = self._journal.begin("paused", "narrow")
            self.done["pause"] += 1
        else:
            paused, self._paused = self._paused, None
            self._journal.close(paused)
            await self._tell("resume", "narrow")

    async def _turn(self) -> None:
        """Turn `switched` off, leave it out, or put it back."""
        file = self._file
        if self._off is None:
            (file.off if self._chance.random() < 0.5 else file.left_out).add("switched")
            file.write()
            self._off = self._journal.begin("off", "switched")
            self.done["endpoint-turned-off"] += 1
            await asyncio.sleep(min(self._chance.uniform(*_TURNED_OFF), self._seconds / 10))
        else:
            off, self._off = self._off, None
            self._journal.close(off)
            file.off.clear()
            file.left_out.clear()
            file.write()

    async def _tell(self, action: Action, endpoint: str) -> None:
        """As the command does it; a broker that is away is waited for."""
        while True:
            try:
                async with CommandWriter(self._settings) as writer:
                    await writer.to_all(DeliveryCommand(action, endpoint, time.time_ns() // 1_000_000))
                    return
            except (KafkaError, OSError, TimeoutError):
                await asyncio.sleep(_AGAIN)
