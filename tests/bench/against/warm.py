"""Known customers and new interactions: workers of both builds that know everyone take backlogs in turn."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.against.pair import Figure, Pair, Rounds, Say
from tests.bench.scale_runs import Bench, Scenario
from tests.kit.kafka import KafkaBroker

CPU, RATE = "CPU us/event", "events/s"
MEASURES = {CPU: False, RATE: True}


async def measure(
    pair: Pair, kafka: KafkaBroker, folder: Path, lifecycle: str, customers: int, events: int, rounds: int, say: Say
) -> list[Figure]:
    """Processor time per event and events a second; each build gets the same interactions on topics of its own."""
    found = Rounds(pair, "warm", lifecycle, MEASURES)
    bench = Bench(kafka, folder, prefix=f"warm-{lifecycle}-")
    scenario = Scenario(customers=customers)
    async with AsyncExitStack() as stack:
        runs = {}
        for name, build in pair._asdict().items():
            say(f"warm, {lifecycle}: {build.name} learns to know {customers:,} customers")
            runs[name] = await stack.enter_async_context(bench.run(scenario, pair.lifecycle(lifecycle), build))
            await runs[name].backlog(events // 2)  # what it does for the first time takes longer
        for number, name, _ in pair.turns(rounds):
            say(f"warm, {lifecycle}, round {number + 1} of {rounds}")
            got = await runs[name].backlog(events)
            say(found.add(name, got["worker_us"], got["rate"]))
    return found.figures()
