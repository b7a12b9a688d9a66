"""`lifecycle simulate` of both builds in turn, on one file."""

from pathlib import Path

from tests.bench.against.pair import Figure, Pair, Rounds, Say
from tests.bench.ours import WrongResult
from tests.bench.simulated import simulate
from tests.bench.workload import workload

CPU = "CPU us/interaction"
_LIFECYCLE = "metrics"


async def measure(pair: Pair, folder: Path, events: int, rounds: int, say: Say) -> list[Figure]:
    """Processor time per interaction, start and end of Python included.

    Raises WrongResult where one failed, or where they wrote different numbers of changes.
    """
    file = folder / "simulated.jsonl"
    with file.open("wb") as lines:
        lines.writelines(each.value + b"\n" for each in workload(events, events // 10))
    found = Rounds(pair, "simulate", _LIFECYCLE, {CPU: False})
    changes: dict[str, int] = {}
    for number, name, build in pair.turns(rounds):
        say(f"simulate, {_LIFECYCLE}, round {number + 1} of {rounds}: {events:,} interactions")
        got = await simulate(file, events, pair.lifecycle(_LIFECYCLE), build)
        changes[build.name] = got.changes
        say(found.add(name, got.cpu_seconds / events * 1e6))
    file.unlink()
    if len(set(changes.values())) != 1:
        raise WrongResult(f"simulate: the builds differ in how many changes they wrote: {changes}")
    return found.figures()
