"""A process that is like a worker without Kafka: the machines of four partitions, their customers and traffic.

memory.py starts it, because memory can only be read of a process that did nothing else before:

    python -m tests.bench.resident '{"task": "forgetting", "lifecycle": "metrics", "customers": 10000, "cycles": 2}'

It prints one JSON object.
"""

import gc
import json
import os
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from stream.app import GARBAGE_THRESHOLDS
from stream.codec.controls import tick
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.state.keys import CUSTOMER, LAYOUT
from stream.core.model import Model, model_of
from stream.machine.machine import PartitionMachine
from stream.machine.source_partition import SourcePartition
from stream.settings import Settings
from tests.bench.workload import UNTIL, WEEK, Record, workload
from tests.kit import machines
from tests.kit.times import DAY

PARTITIONS = 4
SETTINGS = Settings(clock="stream")
_BROKER_TIME = UNTIL + 365_000 * DAY
"""Of every record here: no interaction is ahead of it."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_SLICE = 20_000
"""Interactions handed over at once, to all machines together."""


def rss() -> int:
    """Resident memory of this process, bytes."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def lengths(made: Iterable[PartitionMachine]) -> dict[str, int]:
    """Entries of each container in the machines and their parts, all machines together.

    Names are those of attributes, such as `_schedule._heap`, whatever they are called.
    Raises RuntimeError where the customers are in none of them: then this function sees too little.
    """
    found: dict[str, int] = {}
    customers = 0
    for each in made:
        customers += each.customers
        for name, size in _containers(each, ""):
            found[name] = found.get(name, 0) + size
    if max(found.values(), default=0) < customers:
        raise RuntimeError(f"{customers} customers, but no container of PartitionMachine is that long: {found}")
    return found


def _containers(holder: object, prefix: str) -> Iterator[tuple[str, int]]:
    for name in dir(holder):
        if name.startswith("__"):
            continue
        value = getattr(holder, name)
        if isinstance(value, dict | list | set):
            yield prefix + name, len(value)
        elif not prefix and type(value).__module__.startswith("stream.machine") and not isinstance(value, tuple):
            yield from _containers(value, f"{name}.")


class Partitions:
    """The machines of all partitions, restored from a changelog each."""

    def __init__(self, lifecycle: str) -> None:
        self.model: Model = model_of([file.lifecycle for file in load_all([lifecycle])])
        self.machines = [
            PartitionMachine(self.model, SETTINGS, SourcePartition("interactions", number, PARTITIONS))
            for number in range(PARTITIONS)
        ]
        self._offset = 1_000_000_000  # beyond those of the records that are restored
        self.fired = 0
        """Deadlines so far, forgetting included."""

    @property
    def customers(self) -> int:
        """In all partitions."""
        return sum(each.customers for each in self.machines)

    def restore(self, number: int, changelog: dict[bytes, bytes]) -> None:
        """Give one machine its changelog."""
        machines.finish(self.machines[number].restore(changelog))

    def take(self, records: Iterable[Record]) -> None:
        """Apply interactions, each in the partition of its customer; what the batches write is let go."""
        shares: list[list[machines.Record]] = [[] for _ in range(PARTITIONS)]
        for key, value in records:
            self._offset += 1
            share = shares[int(key[2:]) % PARTITIONS]
            share.append(machines.Record(self._offset, _BROKER_TIME, key, value))
        for machine, share in zip(self.machines, shares, strict=True):
            if share:
                self._run(machine, share)

    def pass_time(self, until: int) -> None:
        """A tick in every partition: all deadlines up to `until` are fired."""
        self._offset += 1
        control = tick(until)
        record = machines.Record(self._offset, until, control.key, control.value, control.headers)
        for machine in self.machines:
            self._run(machine, [record])

    def _run(self, machine: PartitionMachine, records: list[machines.Record]) -> None:
        for batch in machines.run_all(machine, records):
            self.fired += len(batch.counts.steps.fired)


def templates(lifecycle: str, path: str) -> dict[str, Any]:
    """Write the records of 5,000 customers after two weeks of the workload to a file; how many."""
    model = model_of([file.lifecycle for file in load_all([lifecycle])])
    machine = PartitionMachine(model, SETTINGS, SourcePartition("interactions", 0, 1))
    machines.finish(machine.restore({}))
    latest: dict[bytes, bytes] = {}
    source = workload(100_000, 5_000)
    offset = 0
    while share := list(islice(source, _SLICE)):
        taken = [machines.Record(offset + place, UNTIL, *record) for place, record in enumerate(share)]
        offset += len(share)
        latest = machines.compacted(machines.run_all(machine, taken), latest)
    layouts = [each for each in latest.items() if each[0][:1] == LAYOUT]
    values = [value for key, value in latest.items() if key[:1] == CUSTOMER]
    Path(path).write_bytes(msgspec.msgpack.encode((layouts, values)))
    return {"records": len(values)}


def resident(lifecycle: str, path: str, customers: int, days: float, every: int) -> dict[str, Any]:
    """Memory with so many customers, and while `days` of traffic from the same customers pass.

    The first half of the traffic fills what is kept decoded; of the second half there is a sample after each
    `every` interactions.
    """
    layouts, values = msgspec.msgpack.decode(
        Path(path).read_bytes(), type=tuple[list[tuple[bytes, bytes]], list[bytes]]
    )
    partitions = Partitions(lifecycle)
    gc.collect()
    before = rss()
    for number in range(PARTITIONS):
        changelog = dict(layouts)
        for customer in range(number, customers, PARTITIONS):
            # A copy: in a changelog no two records are one object.
            changelog[b"cc-%07d" % customer] = bytes(bytearray(values[customer % len(values)]))
        partitions.restore(number, changelog)
        del changelog
    gc.collect()
    after = rss()
    result: dict[str, Any] = {
        "customers": partitions.customers,
        "before": before,
        "restored": after,
        "peak_of_restoring": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "lengths": lengths(partitions.machines),
        "samples": [],
    }
    span = int(days * DAY)
    count = span * 10 * customers // WEEK
    source = workload(count, customers, until=UNTIL + span, seed=2)
    for start in range(0, count, every):
        for first in range(start, min(start + every, count), _SLICE):
            partitions.take(islice(source, min(_SLICE, start + every - first)))
        if start >= count // 2:
            sample = {"interactions": min(start + every, count), "rss": rss(), "lengths": lengths(partitions.machines)}
            result["samples"].append(sample)
    return result | {"interactions": count, "fired": partitions.fired}


def forgetting(lifecycle: str, customers: int, cycles: int) -> dict[str, Any]:
    """Memory while anonymous customers come and are forgotten 91 days later, again and again.

    Times are those of the stream; no customer returns within a life.
    """
    partitions = Partitions(lifecycle)
    gc.collect()
    result: dict[str, Any] = {"before": rss(), "cycles": []}
    for cycle in range(cycles):
        until = UNTIL + cycle * 100 * DAY
        source = (
            Record(key, value.replace(b'"customer_id"', b'"anonymous_id"'))
            for key, value in workload(2 * customers, customers, until=until, seed=cycle)
        )
        while share := list(islice(source, _SLICE)):
            partitions.take(share)
        came = {"customers": partitions.customers, "full": rss(), "lengths_full": lengths(partitions.machines)}
        partitions.pass_time(until + 91 * DAY)
        gc.collect()
        result["cycles"].append(
            came | {"left": partitions.customers, "empty": rss(), "lengths_empty": lengths(partitions.machines)}
        )
    return result


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "templates": templates,
    "resident": resident,
    "forgetting": forgetting,
}


if __name__ == "__main__":
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    task = json.loads(sys.argv[1])
    print(json.dumps(TASKS[task.pop("task")](**task)))  # noqa: T201 - what memory.py reads
