"""How fast workers of both builds come back, each from a changelog that its own worker wrote.

Formats of two builds may differ, so neither reads the other's. Nothing of the changelogs is compacted.
"""

import time
from pathlib import Path

from tests.bench import ours
from tests.bench.against.pair import Figure, Pair, Rounds, Say
from tests.bench.ours import Source
from tests.bench.recovery import UNCOMPACTED, until_ready
from tests.bench.worker import BenchWorker
from tests.kit.topics import create_topics

_LIFECYCLE = "trivial"
_VERSIONS = 5
"""Of each customer, about: a batch in which one comes twice has one."""
RATE = "records/s"


async def measure(pair: Pair, bootstrap: str, folder: Path, events: int, rounds: int, say: Say) -> list[Figure]:
    """Changelog records a second from the fence to ready; both builds have taken the same interactions."""
    runs = {name: (f"recovery: {build.name}", pair.lifecycle(_LIFECYCLE)) for name, build in pair._asdict().items()}
    source = Source(bootstrap, "recovery", events, folder, population=events // _VERSIONS, runs=runs)
    say(f"recovery: {events:,} interactions of {source.population:,} customers are written")
    changelogs = {name: source.settings(name).topics.customers for name in runs}
    await create_topics(bootstrap, *changelogs.values(), partitions=ours.PARTITIONS, settings=UNCOMPACTED)
    await source.fill()
    records: dict[str, int] = {}
    for name, build in pair._asdict().items():
        say(f"recovery: a worker of {build.name} takes them")
        await ours.take_all(source, name, say, build=build)
        records[name] = await ours.committed_records(bootstrap, changelogs[name])
        say(f"    and leaves {records[name]:,} records")
    found = Rounds(pair, "recovery", _LIFECYCLE, {RATE: True, "s, start to ready": False})
    for number, name, build in pair.turns(rounds):
        say(f"recovery, round {number + 1} of {rounds}")
        settings = ours.named(source, name)
        prefix = source.prefix(name)
        began = time.perf_counter()
        async with BenchWorker(bootstrap, prefix, folder / f"recovery-{name}.log", settings, build) as worker:
            fenced, ready = await until_ready(worker)
            customers = (await ours.counts(worker, 0))["customers"]
        if customers != len(source.customers):
            raise ours.WrongResult(f"{build.name} recovered {customers:,} customers of {len(source.customers):,}")
        say(found.add(name, records[name] / (ready - fenced), ready - began))
    return found.figures()
