"""`lifecycle dead-letters list` and `show` on what a real engine could not process."""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest

from stream.codec.dead_letter_reasons import Reason, Rejected
from stream.codec.dead_letters import MAX_VALUE_BYTES, dead_letter
from stream.codec.records import Outgoing
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topics import ensure_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.dead_letters import address_of, buy, called, dead_letters_of, send, work
from tests.cli.on_kafka import environment_of, interrupt, settings_of, started
from tests.kit.kafka import SharedKafka
from tests.kit.machines import Record
from tests.kit.topics import produce

BAD = [
    Outgoing(b"ann", b"{", [("trace", b"t-1")]),
    buy("null"),
    buy("bob", more="bug"),
    Outgoing(b"ann", b'{"type": "buy"}'),
]
REASONS = ["not_json", "blocked_subject", "unprocessable", "no_subject"]


@pytest.fixture
async def settings(kafka: SharedKafka, topic_prefix: str) -> Settings:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    await ensure_topics(settings)
    return settings


@pytest.fixture
async def worked(settings: Settings) -> Settings:
    """Four dead letters, put there one after the other, among good interactions."""
    for record in BAD:
        await send(settings, buy("good"), record)
        await work(settings, buggy=True)
    assert len(await dead_letters_of(settings)) == len(BAD)
    return settings


async def listed(run: Run, settings: Settings, *arguments: str) -> list[str]:
    done = await called(run, settings, "list", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


async def reasons(run: Run, settings: Settings, *arguments: str) -> list[str]:
    return [json.loads(line)["reason"] for line in await listed(run, settings, "--json", *arguments)]


async def test_a_dead_letter_is_a_line_the_newest_first_and_a_summary_comes_last(
    lifecycle: Run, worked: Settings
) -> None:
    done = await called(lifecycle, worked, "list")

    lines = [line.split("  ") for line in done.stdout.splitlines()]
    assert [line[2] for line in lines] == REASONS[::-1]
    by_reason = {each.reason: each for each in await dead_letters_of(worked)}
    no_subject = by_reason["no_subject"]
    assert lines[0][1:] == [
        str(no_subject.address),
        "no_subject",
        f"{worked.topics.interactions}-{no_subject.source.partition}-{no_subject.source.offset}",
        "ann",
        "15 bytes",
        "neither `customer_id` nor `anonymous_id` says whose it is",
    ]
    assert [line[0] for line in lines] == sorted((line[0] for line in lines), reverse=True)
    assert done.stderr.startswith(f"{worked.topics.dead_letters}: 4 dead letters: 1 ")


async def test_json_lines_hold_everything_but_the_value(lifecycle: Run, worked: Settings) -> None:
    [line] = await listed(lifecycle, worked, "--reason", "not_json", "--json")

    [letter] = [each for each in await dead_letters_of(worked) if each.reason == "not_json"]
    assert json.loads(line) == {
        "address": str(letter.address),
        "time": letter.time,
        "reason": "not_json",
        "detail": letter.detail,
        "source": {
            "topic": worked.topics.interactions,
            "partition": letter.source.partition,
            "offset": letter.source.offset,
            "time": letter.source.timestamp,
        },
        "key": "ann",
        "size": 1,
        "truncated": False,
        "headers": [["trace", "t-1"]],
        "replayed": None,
    }


async def test_only_those_that_are_asked_for_are_listed(lifecycle: Run, worked: Settings) -> None:
    letters = {each.reason: each for each in await dead_letters_of(worked)}
    middle = str(letters["unprocessable"].time)
    place = letters["no_subject"].address

    async def of(*arguments: str) -> list[str]:
        return (await reasons(lifecycle, worked, *arguments))[::-1]

    assert await of("--reason", "not_json", "--reason", "unprocessable") == ["not_json", "unprocessable"]
    assert await of("--since", middle) == REASONS[2:]
    assert await of("--until", middle) == REASONS[:2]
    assert await of("--key", "ann") == ["not_json", "no_subject"]
    assert await of("--key", "ann", "--contains", "type") == ["no_subject"]
    assert await of("--address", str(place), "--address", str(letters["not_json"].address)) == [
        "not_json",
        "no_subject",
    ]
    in_partition = [each.reason for each in letters.values() if each.address.partition == place.partition]
    assert set(await of("--partition", str(place.partition))) == set(in_partition)
    assert await of("--limit", "1") == ["no_subject"]
    assert await of("--limit", "0") == REASONS


async def test_count_says_how_many_there_are_of_each_reason(lifecycle: Run, worked: Settings) -> None:
    await send(worked, BAD[0])
    await work(worked)

    lines = await listed(lifecycle, worked, "--count", "--key", "ann")
    assert [line.split() for line in lines] == [["not_json", "2"], ["no_subject", "1"]]
    assert json.loads((await listed(lifecycle, worked, "--count", "--json"))[0]) == {"reason": "not_json", "count": 2}


def test_an_unknown_reason_is_an_error_that_lists_the_known_ones(lifecycle: Run) -> None:
    done = lifecycle("dead-letters", "list", "--reason", "ugly")

    assert done.returncode == 2
    said = " ".join(done.stderr.replace("│", " ").split())
    assert "'ugly' is not one of" in said
    assert all(f"'{reason}'" in said for reason in Reason)


@pytest.mark.parametrize("address", ["12", "0-", "0-x", "interactions-0-1", "0--1"])
def test_an_address_that_is_none_is_an_error_that_names_what_is_right(lifecycle: Run, address: str) -> None:
    for arguments in (["list", "--address", address], ["show", "--", address]):
        done = lifecycle("dead-letters", *arguments)
        assert done.returncode == 2
        assert "such as 0-12" in " ".join(done.stderr.replace("│", " ").split())


async def test_where_there_are_none_it_says_so(lifecycle: Run, settings: Settings) -> None:
    done = await called(lifecycle, settings, "list")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{settings.topics.dead_letters}: no dead letters\n"


async def test_where_the_topic_is_not_there_the_settings_are_doubted(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str
) -> None:
    settings = settings_of(kafka.bootstrap, topic_prefix)
    for arguments in (["list"], ["show", "0-0"], ["replay", "--all"]):
        done = await called(lifecycle, settings, *arguments)
        assert done.returncode == 1
        assert "does not exist" in done.stderr
        assert "topic_prefix" in done.stderr


def test_a_broker_that_is_away_is_an_error(lifecycle: Run) -> None:
    done = lifecycle("dead-letters", "list", "--bootstrap", "127.0.0.1:1")

    assert (done.returncode, done.stderr) == (1, "Kafka at 127.0.0.1:1: nobody answers\n")


async def test_show_tells_everything_of_one_with_its_json_over_several_lines(lifecycle: Run, worked: Settings) -> None:
    [letter] = [each for each in await dead_letters_of(worked) if each.reason == "no_subject"]

    done = await called(lifecycle, worked, "show", str(letter.address))

    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split(maxsplit=1) for line in done.stdout.splitlines()[:8]]
    assert [row[0] for row in rows] == ["address", "time", "reason", "detail", "source", "key", "replayed", "size"]
    assert done.stdout.endswith('\n\n{\n  "type": "buy"\n}\n')


async def test_show_lists_the_headers_of_the_sender(lifecycle: Run, worked: Settings) -> None:
    done = await called(lifecycle, worked, "show", await address_of(worked, "not_json"))

    assert "header    trace: t-1\n" in done.stdout
    assert "lifecycle_reason" not in done.stdout


async def put(settings: Settings, value: bytes | None, *, key: bytes = b"k") -> str:
    """A dead letter with this value; its address."""
    letter = dead_letter(Record(0, 1, key, value), Rejected(Reason.NOT_JSON, "\x1b[2Jbad"), "interactions", 0)
    [at] = await produce(settings.bootstrap, settings.topics.dead_letters, [letter])
    return f"{at.partition}-{at.offset}"


async def test_what_a_dead_letter_holds_cannot_steer_the_terminal(lifecycle: Run, settings: Settings) -> None:
    texts = [b"\x1b[2Jx\r\n\x9b31m\xff", '{"a": "\u202e\x7f\x9b"}'.encode(), b"\x00\x07"]
    for value in texts:
        address = await put(settings, value, key=b"\x1b]0;x\x07")
        for arguments in (["show", address], ["list"]):
            done = await called(lifecycle, settings, *arguments, FORCE_COLOR="1")
            assert done.returncode == 0
            without_colours = done.stdout.replace("\x1b[1m", "")
            for style in ("2", "0", "1;31", "32", "36", "2;36"):
                without_colours = without_colours.replace(f"\x1b[{style}m", "")
            assert without_colours.replace("\n", "").isprintable()
            assert r"\x1b[2Jbad" in without_colours


async def test_raw_writes_the_very_bytes(settings: Settings, tmp_path: Path) -> None:
    value = bytes(range(256)) * 3 + b"\r\n"
    address = await put(settings, value)
    async with started(settings, "dead-letters", "show", "--raw", address) as command:
        printed, told = await command.communicate()

    assert (command.returncode, printed, told) == (0, value, b"")


async def test_show_says_where_the_value_was_cut_off(lifecycle: Run, settings: Settings) -> None:
    address = await put(settings, b"x" * (MAX_VALUE_BYTES + 7))

    done = await called(lifecycle, settings, "show", address)
    assert "size      1,114,112 of 1,114,119 bytes (truncated)" in done.stdout
    raw = await called(lifecycle, settings, "show", address, "--raw")
    assert len(raw.stdout) == MAX_VALUE_BYTES
    assert raw.stderr == "truncated: these are 1,114,112 bytes of 1,114,119\n"


async def test_show_of_what_is_not_there_says_so(lifecycle: Run, worked: Settings) -> None:
    [letter, *_] = await dead_letters_of(worked)

    for address in (f"{letter.address.partition}-4000", "99-0"):
        done = await called(lifecycle, worked, "show", address)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"there is no dead letter at {address}" in done.stderr


async def test_who_has_read_enough_ends_it_without_a_trace(settings: Settings) -> None:
    for _ in range(3):
        await put(settings, b"{" * 200_000)
    environment = environment_of(settings) | {"LIFECYCLE_LOG_LEVEL": "info"}
    command = f"{sys.executable} -m stream.cli dead-letters show --raw 0-0 | head -c 10"
    for partition in range(settings.partitions):  # wherever it stands
        process = await asyncio.create_subprocess_shell(
            command.replace("0-0", f"{partition}-0"),
            env=environment | {"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        printed, told = await process.communicate()
        assert b"Traceback" not in told
        if printed:
            assert (printed, told) == (b"{" * 10, b"")


async def test_ctrl_c_ends_it_without_a_trace(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_answers:
        never_answers.setblocking(False)
        address = f"127.0.0.1:{never_answers.getsockname()[1]}"
        async with started(settings, "dead-letters", "list", "--bootstrap", address) as command:
            asking, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(never_answers), 180)
            with asking:
                printed, told = await interrupt(command)
    assert (command.returncode, printed, told) == (130, "", "")


async def test_the_embedded_broker_does_the_same(lifecycle: Run, topic_prefix: str) -> None:
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        await ensure_topics(settings)
        await send(settings, *BAD)
        await work(settings, buggy=True)

        assert sorted(await reasons(lifecycle, settings)) == sorted(REASONS)
        address = await address_of(settings, "no_subject")
        assert '"type": "buy"' in (await called(lifecycle, settings, "show", address)).stdout
        missing = await called(lifecycle, settings, "show", f"{address[:1]}-4000")
        assert (missing.returncode, missing.stdout) == (1, "")
