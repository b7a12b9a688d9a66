"""Programs that ask all workers for customers all the while, and what they were answered."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from stream.codec.state.keys import CUSTOMER, customer_key
from tests.faults.commits import CommitWatch, Move
from tests.faults.fleet import Fleet, WorkerProcess

_AT_EACH = 2
"""Programs that ask the same worker, each one question after the other."""
_PAUSE = (0.05, 0.35)
_PATIENCE = 15.0
"""Seconds for an answer: a worker that is frozen has the question in its socket when it wakes."""
_CROWD = 30
"""Questions that a frozen worker finds when it wakes."""
_ROUNDS = 25
"""So often it is asked five more after that."""
_SAMPLE = 1_500
"""Customers of the traffic who must be answered in the end, beside all who were posted of."""
_AT_ONCE = 12
_LAST_SECONDS = 90.0


@dataclass(frozen=True)
class Asked:
    """A question that was answered with 200 or 404."""

    key: bytes
    """The customer's in the changelog."""
    worker: str
    """Its log's name."""
    transactions: Mapping[int, int]
    """What a subscriber had read by the time it was asked: positions by partition."""
    moves: Mapping[str, Move]
    """Likewise: the customer's latest stage change by lifecycle."""
    at: int
    """When it was answered, epoch milliseconds."""
    status: int
    body: bytes


class Askers:
    """Ask as long as they run."""

    def __init__(
        self, fleet: Fleet, watch: CommitWatch, customers: int, posted: Callable[[], Sequence[str]], seed: int
    ) -> None:
        """`customers`: of the traffic; `posted`: those whom collectors heard of."""
        self.asked: list[Asked] = []
        self.answers: Counter[str] = Counter()
        """By status; `none` of a worker that ended, or does not answer in time."""
        self.wrong: list[str] = []
        """Answers that are none, and customers who were never answered, a line each."""
        self._fleet, self._watch, self._customers, self._posted = fleet, watch, customers, posted
        self._chance = random.Random(seed)
        self._crowds: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_PATIENCE), connector=aiohttp.TCPConnector(limit=0)
        )

    async def run(self) -> None:
        """Ask each worker that there is, until cancelled."""
        known: set[WorkerProcess] = set()
        async with asyncio.TaskGroup() as group:
            while True:
                for worker in set(self._fleet.workers) - known:
                    known.add(worker)
                    for _ in range(_AT_EACH):
                        group.create_task(self._keep_asking(worker))
                await asyncio.sleep(0.1)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def crowd(self, worker: WorkerProcess) -> None:
        """Ask a worker much; the first questions are in its socket when this returns, and they go on."""
        asking = asyncio.create_task(self._crowd(worker))
        self._crowds.add(asking)
        asking.add_done_callback(self._crowds.discard)
        await asyncio.sleep(0.3)

    async def _crowd(self, worker: WorkerProcess) -> None:
        await asyncio.gather(*(self._ask(worker, self._anybody()) for _ in range(_CROWD)))
        for _ in range(_ROUNDS):
            await asyncio.gather(*(self._ask(worker, self._anybody()) for _ in range(5)))

    async def ask_everybody(self) -> None:
        """Ask for many customers until each is answered; whoever is not, long after all faults, is noted."""
        whole = [customer_key("customer", each) for each in self._posted()]
        for number in self._chance.sample(range(self._customers), min(self._customers, _SAMPLE)):
            whole += [customer_key("customer", f"c-{number}"), customer_key("anonymous", f"v-{number}")]
        left = iter(whole)
        deadline = time.monotonic() + _LAST_SECONDS

        async def ask() -> None:
            for key in left:
                status = 0
                while status not in (200, 404) and time.monotonic() < deadline:
                    status = await self._ask(self._chance.choice(self._fleet.workers), key)
                    if status not in (200, 404):
                        await asyncio.sleep(0.1)
                if status not in (200, 404):
                    self.wrong.append(f"{key!r} was never answered after all faults; at last {status}")

        await asyncio.gather(*(ask() for _ in range(_AT_ONCE)))

    async def _keep_asking(self, worker: WorkerProcess) -> None:
        while worker.runs:
            if worker.url:
                await self._ask(worker, self._anybody())
            await asyncio.sleep(self._chance.uniform(*_PAUSE))

    def _anybody(self) -> bytes:
        """Half of the time somebody who was written just now."""
        posted = self._posted()
        if self._watch.recent and self._chance.random() < 0.5:
            return self._chance.choice(self._watch.recent)
        if posted and self._chance.random() < 0.3:
            return customer_key("customer", self._chance.choice(posted))
        number = self._chance.randrange(self._customers)
        return customer_key("customer", f"c-{number}") if number % 8 else customer_key("anonymous", f"v-{number}")

    async def _ask(self, worker: WorkerProcess, key: bytes) -> int:
        """Ask for one customer; the status, 0 where there is no answer."""
        kind = "customers" if key[:1] == CUSTOMER else "anonymous"
        transactions, moves = dict(self._watch.transactions), dict(self._watch.moves.get(key, {}))
        try:
            async with self._session.get(f"{worker.url}/v1/{kind}/{key[1:].decode()}") as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            self.answers["none"] += 1
            return 0
        status = response.status
        self.answers[str(status)] += 1
        if status in (200, 404):
            at = int(time.time() * 1_000)
            self.asked.append(Asked(key, worker.log.stem, transactions, moves, at, status, body))
        elif status != 503 or "Retry-After" not in response.headers:
            self.wrong.append(f"{worker.log.stem} answered {status} of {key!r}: {body[:200]!r}")
        return status
