"""Samples are counted by the parts of the worker as it is laid out today."""

from pathlib import Path

import pytest

import stream
from tests.bench.sampling import OWN, parts_of

STREAM = Path(stream.__file__).parent


@pytest.mark.parametrize("name", [each for names in OWN.values() for each in names])
def test_each_name_is_a_folder_or_a_module_of_the_product(name: str) -> None:
    assert (STREAM / name).is_dir() or (STREAM / f"{name}.py").is_file()


@pytest.mark.parametrize(
    ("innermost", "part"),
    [
        ("step (/app/stream/core/step.py:90)", "machine"),
        ("run (/app/stream/machine/run.py:12)", "machine"),
        ("decode (/app/stream/codec/interactions.py:12)", "machine"),
        ("read (/app/stream/kafka/partition_reader.py:12)", "fetch"),
        ("_proc_fetch_request (/venv/aiokafka/consumer/fetcher.py:700)", "fetch"),
        ("write (/app/stream/engine/delivery.py:12)", "produce"),
        ("send (/app/stream/kafka/batch_sender.py:12)", "produce"),
        ("advance (/app/stream/codec/record_cursor.py:12)", "fetch"),
        ("send (/app/stream/kafka/exactly_once/step.py:12)", "produce"),
        ("_apply (/app/stream/engine/partition.py:12)", "loop"),
        ("probe (/app/stream/kafka/contact.py:12)", "loop"),
        ("collect (/app/stream/metrics.py:12)", "other"),
        ("scrape (/app/stream/web/server.py:12)", "other"),
        ("mmap (/lib/libc.so.6)", "loop"),
    ],
)
def test_a_stack_belongs_to_the_innermost_frame_that_a_part_knows(innermost: str, part: str) -> None:
    assert parts_of([f"run_forever (/python/asyncio/base_events.py:600);{innermost} 3"]) == {part: 3}


def test_a_thread_that_waits_is_not_counted() -> None:
    assert parts_of(["select (/python/selectors.py:400);epoll_wait (/lib/libc.so.6) 7"]) == {}
