"""Memory of deliveries that wait, and the CPU time of one: python -m tests.webhooks.memory [--deliveries N] [--help].

Changes are those that the bench's workload makes with the preset `metrics`, each of another customer. Each delivery was
tried once: it has a place among those that are due later, and that is what takes most memory.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import orjson

from stream.codec import deliveries as records_of
from stream.codec.deliveries import WaitingDelivery
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.model import model_of
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.exchange import Verdict
from tests.bench.workload import UNTIL, workload
from tests.kit import machines
from tests.kit.machines import Record, finish
from tests.webhooks.machines import COMMANDS, NOW, SOURCE, ended, endpoint, id_of, named

_SHARE = 5_000


def examples() -> list[bytes]:
    """Stage changes as a worker writes them."""
    made = machines.machine(model_of([each.lifecycle for each in load_all(["metrics"])]), Settings(clock="stream"))
    inputs = machines.records_of([each.value for each in workload(40_000, 4_000)], broker_time=UNTIL)
    return [each.value or b"" for batch in machines.run_all(made, inputs) for each in batch.events][:4_000]


def changes(numbers: range, alike: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Ids and values of typical ones, each of another customer."""
    for number, each in zip(numbers, islice(cycle(alike), numbers.start % len(alike), None), strict=False):
        customer = f"c-{number:07}"
        value = orjson.loads(each) | {"customer_id": customer, "sequence": 2, "born": "0-39"}
        yield id_of(customer, 2, value["lifecycle"]), orjson.dumps(value)


def came(made: DeliveryMachine, numbers: range, alike: Sequence[bytes]) -> None:
    """Changes come, are taken and fail once, in batches."""
    for first in range(0, len(numbers), _SHARE):
        share = numbers[first : first + _SHARE]
        records = [Record(first + place, NOW, None, value) for place, (_, value) in enumerate(changes(share, alike))]
        end = first + len(records)
        while (made.next_offset or 0) < end:
            left = [each for each in records if each.offset >= (made.next_offset or 0)]
            finish(made.run(left, end, wall=NOW, caught_up=True))
        taken = True
        while taken:
            taken = False
            for name in made.waiting:
                results = [ended(each, Verdict.AGAIN) for each in made.take(name, 128, NOW)]
                made.hear(results)
                taken = taken or bool(results)
            finish(made.run((), end, wall=NOW, caught_up=True))


def written(numbers: range, endpoints: int, alike: Sequence[bytes]) -> dict[bytes, bytes]:
    """The changelog of the same."""
    found: dict[bytes, bytes] = {}
    for event_id, value in changes(numbers, alike):
        for number in range(endpoints):
            record = WaitingDelivery(records_of.FORMAT, len(found), NOW + len(found) // 500, 1, NOW + 5_000, value)
            found[records_of.delivery_key(f"crm-{number}", event_id)] = records_of.encode(record)
    return found


def resident() -> int:
    """Bytes that this process has in memory now."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024


def measure(task: str, path: Path, deliveries: int, partitions: int, endpoints: int) -> dict[str, float]:
    """Memory before and after, at most, and seconds of CPU; in a process of its own."""
    names = named(*(endpoint(f"crm-{number}", most_waiting=deliveries) for number in range(endpoints)))
    alike = path.read_bytes().splitlines()
    gc.collect()
    before = most = resident()
    each, seconds = deliveries // partitions // endpoints, 0.0
    kept: list[DeliveryMachine] = []
    for partition in range(partitions):
        made = DeliveryMachine(names, SourcePartition(SOURCE.topic, partition, partitions), COMMANDS)
        numbers = range(partition * each, partition * each + each)
        if task == "restored":
            changelog = written(numbers, endpoints, alike)
            most = max(most, resident())
            began = time.process_time()
            finish(made.restore(changelog))
            seconds += time.process_time() - began
        else:
            came(made, numbers, alike)
        most = max(most, resident())
        kept.append(made)
    gc.collect()
    waiting = sum(waiting.count for machine in kept for waiting in machine.waiting.values())
    return {"waiting": waiting, "before": before, "after": resident(), "most": most, "seconds": seconds}


def speed(count: int, alike: Sequence[bytes]) -> float:
    """CPU seconds of one delivery, over batches of 200 that come and are delivered."""
    values = [value for _, value in changes(range(count), alike)]
    best = float("inf")
    for _ in range(5):
        made = DeliveryMachine(named(), SOURCE, COMMANDS)
        gc.collect()
        began = time.process_time()
        for first in range(0, count, 200):
            share = values[first : first + 200]
            records = [Record(first + place, NOW, None, each) for place, each in enumerate(share)]
            finish(made.run(records, first + len(records), wall=NOW, caught_up=True))
            made.hear([ended(each) for each in made.take("crm", 200, NOW)])
        finish(made.run((), count, wall=NOW, caught_up=True))
        best = min(best, time.process_time() - began)
        assert not made.waiting["crm"].count
    return best / count


def main() -> None:
    """Measure, each task in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1_000_000)
    parser.add_argument("--partitions", type=int, default=10)
    parser.add_argument("--endpoints", type=int, default=1)
    parser.add_argument("--task", help=argparse.SUPPRESS)
    parser.add_argument("--changes", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.task is not None:
        found = measure(given.task, given.changes, given.deliveries, given.partitions, given.endpoints)
        print(json.dumps(found))  # noqa: T201 a program
        return
    alike = examples()
    build = "Python" if (sys.modules[DeliveryMachine.__module__].__file__ or "").endswith(".py") else "compiled"
    print(  # noqa: T201 a program
        f"{build}: {speed(20_000, alike) * 1e6:.1f} us of CPU for each delivery: the change in, taken, delivered, all "
        f"records encoded; {sum(map(len, alike)) / len(alike):.0f} bytes a change"
    )
    with tempfile.TemporaryDirectory(prefix="lifecycle-memory-") as folder:
        path = Path(folder) / "changes"
        path.write_bytes(b"\n".join(alike))
        for task in ("came", "restored"):
            arguments = [sys.executable, "-m", __spec__.name, *sys.argv[1:], "--task", task, "--changes", str(path)]
            ended_ = subprocess.run(arguments, check=True, capture_output=True)
            found = json.loads(ended_.stdout)
            each = (found["after"] - found["before"]) / found["waiting"]
            print(  # noqa: T201 a program
                f"{task}: {found['waiting']:,} on {given.partitions} partitions to {given.endpoints} endpoints: "
                f"{found['after'] / 1e6:,.0f} MB resident ({found['before'] / 1e6:,.0f} before), {each:,.0f} bytes "
                f"each, {found['most'] / 1e6:,.0f} MB at most"
                + (f"; {found['seconds']:.1f} s of CPU" if task == "restored" else "")
            )


if __name__ == "__main__":
    main()
