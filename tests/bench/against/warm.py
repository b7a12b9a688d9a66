"""Known customers and new interactions: workers of both builds that know everyone take backlogs in turn."""

from contextlib import AsyncExitStack
from pathlib import Path

from tests.bench.against.pair import Figure, Pair, Say, figures
from tests.bench.scale_runs import Bench, Scenario
from tests.kit.kafka import KafkaBroker

MEASURES = {"CPU us/event": False, "events/s": True}


async def measure(
    pair: Pair, kafka: KafkaBroker, folder: Path, lifecycle: str, customers: int, events: int, rounds: int, say: Say
) -> list[Figure]:
    """Processor time per event and events a second; each build gets the same interactions on topics of its own."""
    found: dict[str, list[dict[str, float]]] = {"new": [], "old": []}
    bench = Bench(kafka, folder, prefix=f"warm-{lifecycle}-")
    scenario = Scenario(customers=customers)
    async with AsyncExitStack() as stack:
        runs = {}
        for name, build in pair._asdict().items():
            say(f"warm, {lifecycle}: {build.name} learns to know {customers:,} customers")
            runs[name] = await stack.enter_async_context(bench.run(scenario, pair.lifecycle(lifecycle), build))
            await runs[name].backlog(events // 2)  # the broker's code is compiled as it runs
        for number, build in pair.turns(rounds):
            name = "new" if build is pair.new else "old"
            got = await runs[name].backlog(events)
            found[name].append({"CPU us/event": got["worker_us"], "events/s": got["rate"]})
            say(
                f"warm, {lifecycle}, round {number + 1} of {rounds}: {build.name} "
                f"{got['worker_us']:.2f} us of CPU, {got['rate']:,.0f} events/s"
            )
    return figures("warm", lifecycle, found, MEASURES)
