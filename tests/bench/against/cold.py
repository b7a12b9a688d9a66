"""New customers: a fresh worker of each build takes everything that is on a topic, in turn, and then other engines."""

from pathlib import Path

from tests.bench import ours, peer_runs, peer_throughput
from tests.bench.against.pair import Figure, Pair, Rounds, Say
from tests.bench.against.warm import CPU, MEASURES, RATE
from tests.bench.ours import Source, WrongResult

EVENTS_EACH = 10
"""Of a customer, as in every workload."""
PEERS = ("kafka-streams-eos", "quix", "bytewax")


async def measure(
    pair: Pair, bootstrap: str, folder: Path, lifecycle: str, events: int, rounds: int, say: Say, *, peers: bool = False
) -> list[Figure]:
    """Processor time per event and events a second, of both builds; with `peers` of other engines, too.

    All read the very same topic. Raises WrongResult unless both builds applied everything and told of as many stage
    changes.
    """
    turns = {f"{name}{number}": (name, build) for number, name, build in pair.turns(rounds)}
    runs = {run: (f"cold, {lifecycle}: {build.name}", pair.lifecycle(lifecycle)) for run, (_, build) in turns.items()}
    source = Source(bootstrap, f"cold-{lifecycle}", events, folder, population=events // EVENTS_EACH, runs=runs)
    say(f"cold, {lifecycle}: {events:,} interactions of {source.population:,} customers are written")
    await source.fill()
    found = Rounds(pair, "cold", lifecycle, MEASURES)
    changes: dict[str, int] = {}
    for number, (run, (name, build)) in enumerate(turns.items()):
        say(f"cold, {lifecycle}, round {number // 2 + 1} of {rounds}")
        got = await ours.take_all(source, run, say, build=build)
        say(found.add(name, got.cpu_seconds / got.interactions * 1e6, got.interactions / got.seconds))
        changes[build.name] = got.changes
    if len(set(changes.values())) != 1:
        raise WrongResult(f"cold, {lifecycle}: the builds differ in how many stage changes they told of: {changes}")
    figures = found.figures()
    return figures + await _others(source, figures, say) if peers else figures


async def _others(source: Source, figures: list[Figure], say: Say) -> list[Figure]:
    """The figures of this build beside those of each engine; without those that cannot run here."""
    compared: list[Figure] = []
    for peer in peer_runs.peers():
        if peer.name not in PEERS:
            continue
        missing = await peer_throughput.why_missing(peer, say)
        events = min(peer.events, source.interactions)
        say(f"cold, the peers' job: {peer.title}, {events:,} interactions")
        got = await peer_throughput.take(source, peer, events, missing)
        if isinstance(got, str):
            say(f"    missing: {got}")
            continue
        values = {CPU: got.cpu_seconds / got.interactions * 1e6, RATE: got.interactions / got.seconds}
        say(f"    {values[CPU]:.2f} {CPU}, {values[RATE]:,.0f} {RATE}")
        compared += [each._replace(other=peer.title, old=[values[each.measure]]) for each in figures]
    return compared
