"""What the machine of a partition takes per interaction, by part, timed without Kafka."""

import asyncio

from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.codec.state.keys import CUSTOMER
from stream.core.model import model_of
from stream.machine.machine import PartitionMachine
from stream.settings import Settings
from tests.bench import micro_cases
from tests.bench.micro import measure_case
from tests.bench.micro_cases import Case, Work
from tests.bench.workload import UNTIL, workload
from tests.kit import machines

_OPERATIONS = 1_000
_REPEATS = 9
_EACH = 4
"""Interactions that they have behind them, on average."""
_BATCH = 8_000
_SETTINGS = Settings(clock="stream")


async def machine_parts(source: str, customers: int) -> dict[str, float]:
    """Microseconds per interaction by part for the lifecycle in a file or preset; together: the whole machine.

    The partition has so many customers, all known, as in a worker that is busy. Each part is timed
    alone and multiplied by how often a batch does it; what the parts leave of the whole is the machine's own.
    """
    [file] = load_all([source])
    lifecycle = file.lifecycle
    machine = _Machine(source, customers)
    whole = measure_case(machine.case(), _REPEATS)["us"]
    decode, _segment = micro_cases.decoding(_OPERATIONS)
    step = micro_cases.stepping("step", lifecycle, _OPERATIONS)
    encode, read, change, deadline = micro_cases.coding("", lifecycle, _OPERATIONS)
    each: dict[Case, float] = {}
    for case in (decode, step, encode, read, change, deadline):
        await asyncio.sleep(0)  # Ctrl-C is heard
        each[case] = measure_case(case, _REPEATS)["us"]
    parts = {
        "JSON decode": each[decode],
        "step, without deadlines": each[step] - each[deadline],
        "deadlines": each[deadline],
        "decode customer records": each[read] * machine.records_per_interaction,
        "encode customer records": each[encode] * machine.records_per_interaction,
        "encode stage changes": each[change] * machine.changes_per_interaction,
    }
    return parts | {"batch, schedule, other": max(0.0, whole - sum(parts.values()))}


class _Machine:
    """A machine that knows its customers, and the batch that comes next."""

    def __init__(self, source: str, customers: int) -> None:
        self._model = model_of([each.lifecycle for each in load_all([source])])
        known = _EACH * customers
        values = workload(known + _BATCH, customers)
        records = [machines.Record(number, UNTIL, *each) for number, each in enumerate(values)]
        made = machines.machine(self._model, _SETTINGS)
        self._changelog: dict[bytes, bytes] = {}
        for first in range(0, known, _BATCH):
            batches = machines.run_all(made, records[first : min(first + _BATCH, known)])
            self._changelog = machines.compacted(batches, self._changelog)
        self._coming = records[known:]
        batches = machines.run_all(self._warm(), self._coming)
        keys = [each.key for batch in batches for each in batch.state if each.key is not None]
        changes = sum(sum(batch.counts.changes.values()) for batch in batches)
        self.records_per_interaction = sum(key[:1] == CUSTOMER for key in keys) / _BATCH
        self.changes_per_interaction = changes / _BATCH

    def case(self) -> Case:
        """The whole batch."""

        def prepare() -> Work:
            made = self._warm()

            def work() -> None:
                machines.run_all(made, self._coming)

            return work

        return Case("machine", _BATCH, prepare)

    def _warm(self) -> PartitionMachine:
        """Restored."""
        return machines.machine(self._model, _SETTINGS, self._changelog)
