"""From an interaction to its stage change, at the same events a second: both builds, and Kafka Streams beside them.

The rates are parts of the older build's maximal rate, so that both can hold them.
"""

from pathlib import Path
from typing import Any

from tests.bench.against.pair import Figure, Pair, Say
from tests.bench.latency import FULL, QUICK
from tests.bench.latency_runs import HALF, QUARTER, maximal_rate, run_systems, streams, worker_of
from tests.bench.peer_runs import peers

P50, P99 = "p50 ms", "p99 ms"
_LIFECYCLE = "trivial"


async def measure(pair: Pair, bootstrap: str, folder: Path, say: Say, *, quick: bool) -> list[Figure]:
    """The p50 and p99 of all rounds together, in milliseconds, at each rate.

    A rate that either cannot hold gives no figures; it is said which.
    """
    plan = (QUICK if quick else FULL)._replace(rounds=2)  # each build is the first once
    say(f"latency: the maximal rate of {pair.old.name}, from a backlog of {plan.backlog:,} interactions")
    maximum = await maximal_rate(bootstrap, folder, plan.backlog, pair.old)
    [peer] = [each for each in peers() if each.name == "kafka-streams-eos"]
    systems = {pair.new.name: worker_of(pair.new), pair.old.name: worker_of(pair.old), peer.title: streams(peer)}
    found = await run_systems(bootstrap, folder, plan, maximum, systems, say)
    figures: list[Figure] = []
    ours = found[pair.new.name]
    for other in (pair.old.name, peer.title):
        theirs = found[other]
        if "failed" in theirs:
            say(f"    missing: {other}: {theirs['failed']}")
            continue
        for load in (QUARTER, HALF):
            figures += _figures(other, load, ours[load], theirs[load], say)
    return figures


def _figures(other: str, rate: str, ours: dict[str, Any], theirs: dict[str, Any], say: Say) -> list[Figure]:
    for name, its in (("this build", ours), (other, theirs)):
        if not its["sustained"]:
            say(f"    missing: {name} cannot hold {rate} of the maximal rate")
            return []
    return [
        Figure("latency", _LIFECYCLE, f"{measure}, {rate}", other, [ours[name]], [theirs[name]])
        for measure, name in ((P50, "p50_ms"), (P99, "p99_ms"))
    ]
