"""What goes on over HTTP in a run: senders that post to collectors, and programs that ask workers for customers."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stream.settings import Settings
from tests.faults.answers import Answers, compare_with_oracle
from tests.faults.askers import Askers
from tests.faults.book import Book, Record, compare_with_letters, compare_with_states, compare_with_topic
from tests.faults.collectors import CollectorFault, Collectors
from tests.faults.commits import CommitWatch
from tests.faults.fleet import Fleet
from tests.faults.items import Items
from tests.faults.oracle import Expected, Place
from tests.faults.senders import senders
from tests.faults.stints import Versions
from tests.kit.topics import Records


@dataclass
class Findings:
    """What came of it."""

    counts: dict[str, int] = field(default_factory=dict)
    """Figures by what they count, in words."""
    differences: list[str] = field(default_factory=list)


class OverHttp:
    """All of it, while `over_http` lasts."""

    def __init__(
        self,
        settings: Settings,
        environment: Mapping[str, str],
        fleet: Fleet,
        folder: Path,
        *,
        customers: int,
        seconds: float,
        seed: int,
        faults: Sequence[CollectorFault],
        command: Sequence[str],
    ) -> None:
        """`fleet` are the workers, `customers` those of the other traffic, which lasts `seconds`.

        `faults` are those of collectors, which are started by `command`.
        """
        self._settings = settings
        self.book = Book()
        self.items = Items(seed, seconds, settings.clock)
        self.collectors = Collectors(environment, folder, seed, faults, command)
        self.watch = CommitWatch(settings)
        self.askers = Askers(fleet, self.watch, customers, lambda: self.items.customers, seed)
        self._senders = senders(self.items, self.book, self.collectors.urls, seed)

    async def run(self, others: Collection[asyncio.Task[None]]) -> None:
        """Post until all `others` are done, and everything is answered or given up."""
        over = asyncio.Event()
        await self.collectors.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.collectors.harm(over))
            for sender in self._senders:
                group.create_task(sender.run(over))
            await asyncio.wait(others)
            await self.collectors.each_done.wait()
            over.set()
        await self.collectors.fleet.stop()

    def judge(
        self, versions: Versions, source: Records, changelog: Records, published: Iterable[Mapping[str, Any]]
    ) -> tuple[Findings, dict[Place, set[bytes]]]:
        """What is wrong with answers; and the states that they showed, by place, which must be the oracle's."""
        changes: dict[str, list[Mapping[str, Any]]] = {}
        for change in published:
            kind = "customer" if "customer_id" in change else "anonymous"
            changes.setdefault(f"{change['lifecycle']}:{kind}:{change[f'{kind}_id']}", []).append(change)
        by_wall = self._settings.clock == "wall"
        answers = Answers(versions, self._settings.topics.interactions, source, changelog, changes, by_wall=by_wall)
        lines = [line for line in map(answers.judge, self.askers.asked) if line is not None]
        counts = {f"lookups answered {status}": count for status, count in sorted(self.askers.answers.items())}
        return Findings(counts, self.askers.wrong + lines), answers.committed

    def compare(self, source: Records, letters: Iterable[Record], weights: Mapping[str, int]) -> Findings:
        """What is wrong with what was posted; `letters` are those of collectors, `weights` what was applied."""
        lines, there = compare_with_topic(self.book, source)
        lines += compare_with_letters(self.book, letters)
        lines += compare_with_states(self.book, there, weights)
        book = self.book
        counts = Counter({f"requests answered {how}": count for how, count in sorted(book.answers.items())})
        counts["posted items answered 200"] = book.answered
        counts["posted items given up"] = book.given_up
        counts["posted items on the topic more than once"] = sum(count > 1 for count in there.values())
        counts["posted items that are bad"] = book.bad
        return Findings({**self.collectors.done, **counts}, lines)


def compare_states(shown: Mapping[Place, set[bytes]], expected: Iterable[Expected]) -> list[str]:
    """A line for each state in an answer that is not the oracle's at its place."""
    oracle = {place: values for each in expected for place, values in each.states.items()}
    return compare_with_oracle(shown, oracle)


@asynccontextmanager
async def over_http(http: OverHttp) -> AsyncIterator[OverHttp]:
    """Let it go on; at the end whatever still runs is ended."""
    async with http.collectors.fleet, asyncio.TaskGroup() as group:
        beside = [group.create_task(http.watch.run()), group.create_task(http.askers.run())]
        try:
            yield http
        finally:
            for each in beside:
                each.cancel()
            await http.askers.close()
