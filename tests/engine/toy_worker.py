"""A worker process over the toy machine; reports on stdout, one JSON object a line, what happens.

python toy_worker.py BOOTSTRAP PREFIX DELIVERY
"""

import json
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from stream.engine.role import worker_role
from stream.engine.supervisor import Supervisor
from stream.engine.worker import run_worker
from stream.machine.batch import Batch
from stream.settings_sources import load_settings
from tests.engine.toy import Toy


def tell(**event: object) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201 how the test hears of it


class Telling:
    def batch_written(self, partition: int, batch: Batch, seconds: float, transaction_seconds: float) -> None:
        tell(event="batch", partition=partition, inputs=batch.inputs)

    def recovered(self, partition: int, records: int, seconds: float) -> None:
        tell(event="recovered", partition=partition)

    def failed(self, partition: int, kind: str) -> None:
        tell(event="failed", partition=partition, kind=kind)


@asynccontextmanager
async def service(supervisor: Supervisor) -> AsyncIterator[None]:
    tell(event="service", phase=supervisor.status().phase)
    yield
    tell(event="service", phase=supervisor.status().phase)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    bootstrap, prefix, delivery = sys.argv[1:]
    options = {"bootstrap": bootstrap, "topic_prefix": prefix, "delivery": delivery}
    settings = replace(load_settings(options, environment={}), app=f"{prefix}app", partitions=4, session_timeout=2_000)
    sys.exit(run_worker(worker_role(settings), lambda _, __: Toy(), Telling(), services=[service]))
