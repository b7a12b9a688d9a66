"""New customers: a fresh worker of each build takes everything that is on a topic, in turn."""

from pathlib import Path

from tests.bench import ours
from tests.bench.against.pair import Figure, Pair, Say, figures
from tests.bench.ours import Source, WrongResult

MEASURES = {"CPU us/event": False, "events/s": True}
EVENTS_EACH = 10
"""Of a customer, as in every workload."""


async def measure(
    pair: Pair, bootstrap: str, folder: Path, lifecycle: str, events: int, rounds: int, say: Say
) -> list[Figure]:
    """Processor time per event and events a second; both builds read the very same topic.

    Raises WrongResult unless both applied everything and told of as many stage changes.
    """
    builds = {f"{'n' if build is pair.new else 'o'}{number}": build for number, build in pair.turns(rounds)}
    runs = {run: (f"cold, {lifecycle}: {build.name}", pair.lifecycle(lifecycle)) for run, build in builds.items()}
    source = Source(bootstrap, f"cold-{lifecycle}", events, folder, population=events // EVENTS_EACH, runs=runs)
    say(f"cold, {lifecycle}: {events:,} interactions of {source.population:,} customers are written")
    await source.fill()
    found: dict[str, list[dict[str, float]]] = {"new": [], "old": []}
    changes: dict[str, int] = {}
    for number, (run, build) in enumerate(builds.items()):
        got = await ours.take_all(source, run, say, build=build)
        us, rate = got.cpu_seconds / got.interactions * 1e6, got.interactions / got.seconds
        found["new" if build is pair.new else "old"].append({"CPU us/event": us, "events/s": rate})
        changes[build.name] = got.changes
        say(
            f"cold, {lifecycle}, round {number // 2 + 1} of {rounds}: {build.name} "
            f"{us:.2f} us of CPU, {rate:,.0f} events/s"
        )
    if len(set(changes.values())) != 1:
        raise WrongResult(f"cold, {lifecycle}: the builds differ in how many stage changes they told of: {changes}")
    return figures("cold", lifecycle, found, MEASURES)
