"""What could not be used of rows that were taken: `simulate` and `import` say it, each with its count."""

import asyncio
import json
from pathlib import Path

import pytest

from stream.codec.controls import HEADER
from stream.codec.import_rows import HEADER as ROW
from stream.codec.partitioners import home_of
from stream.kafka.embedded.broker import EmbeddedBroker
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, settings_of
from tests.kit.topics import read_all

SECONDS = 1_772_380_827  # 2026-03-01T16:00:27Z
ONE = [
    {"type": "visit", "customer_id": "a", "time": SECONDS, "id": True},
    {"type": "visit", "customer_id": "a", "time": SECONDS + 1, "properties": {"x": float("nan"), "y": float("inf")}},
    {"type": "visit", "time": SECONDS, "id": True},  # of nobody: refused, so that none of its flaws counts
]
OTHER = [
    {"type": "visit", "customer_id": "b", "time": SECONDS + 2},
    {
        "type": "track",
        "event": "visit",
        "userId": "c",
        "timestamp": "2026-03-01T16:00:27.029Z",
        "sentAt": "1970-01-01T00:00:00Z",
        "receivedAt": "soon",
    },
    {"type": "track", "event": "visit", "userId": "c", "timestamp": "soon", "originalTimestamp": SECONDS * 1_000},
]
SAID = (
    "3 times: times are in seconds, microseconds or nanoseconds, and are read as such; send milliseconds",
    "2 times: a number that JSON does not have (NaN, Infinity) was read as null",
    "1 time: an interaction's own id cannot be used, so that it is not known again when it comes twice",
    "1 time: `sentAt` cannot be read, or cannot be when it was sent: the sender's clock is not corrected",
    "1 time: `receivedAt` cannot be read or is not believed, and is left out",
    "1 time: one of `timestamp` and `originalTimestamp` cannot be read or is not believed, and the other counts",
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    for name, records in (("one.jsonl", ONE), ("other.json", OTHER)):
        (tmp_path / name).write_text("".join(json.dumps(each) + "\n" for each in records))
    return "one.jsonl", "other.json"


def words(text: str) -> str:
    return " ".join(text.split())


def test_a_simulation_says_the_flaws_of_all_files_together(lifecycle: Run, files: tuple[str, str]) -> None:
    inputs = [part for file in files for part in ("--input", file)]
    done = lifecycle("simulate", "--lifecycle", "metrics", *inputs)
    assert done.returncode == 0, done.stderr
    assert [each for each in SAID if each not in words(done.stderr)] == []
    assert done.stderr.count(" times: ") + done.stderr.count(" time: ") == len(SAID)
    one = lifecycle("simulate", "--lifecycle", "metrics", "--input", files[0])
    assert "2 times: times are in seconds" in words(one.stderr)
    assert "`sentAt`" not in one.stderr


def test_a_file_without_flaws_has_no_line_of_them(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"type":"visit","customer_id":"a","time":"2026-03-01T16:00:27Z","id":"e-1"}\n')
    done = lifecycle("simulate", "--lifecycle", "metrics", "--input", "a.jsonl")
    assert " time: " not in done.stderr
    assert " times: " not in done.stderr


async def test_an_import_says_the_flaws_of_all_files_together(
    lifecycle: Run, topic_prefix: str, files: tuple[str, str]
) -> None:
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        done = await asyncio.to_thread(lifecycle, "import", *files, environment=environment_of(settings))
        assert done.returncode == 0, done.stderr
        assert [each for each in SAID if each not in words(done.stderr)] == []
        assert done.stderr.count(" times: ") + done.stderr.count(" time: ") == len(SAID)


async def test_with_other_ids_an_import_is_another_and_keys_are_folded(
    lifecycle: Run, topic_prefix: str, tmp_path: Path
) -> None:
    customers = [f"Ada{number}@Mail.test" for number in range(20)]
    rows = [{"type": "visit", "customer_id": each, "time": SECONDS * 1_000, "id": each} for each in customers]
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        environment = environment_of(settings)
        for more, count in (((), 20), (("--ids", "folded"), 40), (("--ids", "folded"), 40), ((), 40)):
            done = await asyncio.to_thread(lifecycle, "import", "x.jsonl", *more, environment=environment)
            assert done.returncode == 0, done.stderr
            topic = await read_all(settings.bootstrap, settings.topics.interactions)
            records = [each for partition in topic.values() for each in partition if HEADER not in dict(each.headers)]
            assert len(records) == count, done.stderr
    keys = {each.key: each.partition for each in records}
    assert keys.keys() == {each.encode() for each in customers} | {each.lower().encode() for each in customers}
    assert all(home_of("murmur2", key or b"", PARTITIONS) == partition for key, partition in keys.items())
    assert len({bytes(dict(each.headers)[ROW]).partition(b":")[0] for each in records}) == 2
