"""`lifecycle import` of files as shops export them: nothing is sent by a guess, all by the command that it suggests."""

import asyncio
import csv
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from stream.codec.controls import HEADER
from stream.kafka.embedded.broker import EmbeddedBroker
from stream.kafka.topics import find_topics
from stream.settings import Settings
from tests.cli.commands import Run
from tests.cli.on_kafka import environment_of, settings_of
from tests.kit.topics import read_all

MAP = "customer_id=who,time=when,type='Order Completed',properties.total=sum"


async def importing(run: Run, settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**environment_of(settings), "TZ": "UTC"}
    return await asyncio.to_thread(run, *arguments, environment=environment)


async def sent(settings: Settings) -> list[dict[str, Any]]:
    """The interactions on the topic, ticks left out, by their times."""
    if settings.topics.interactions not in await find_topics(settings):
        return []
    records = await read_all(settings.bootstrap, settings.topics.interactions)
    found = [
        json.loads(each.value or b"")
        for partition in records.values()
        for each in partition
        if HEADER not in dict(each.headers)
    ]
    return sorted(found, key=lambda each: int(each["time"]))


def suggested(said: str) -> list[str]:
    [command] = re.findall(r"^  lifecycle (.*)$", said, re.MULTILINE)
    return shlex.split(command)


async def test_nothing_is_sent_until_it_is_said_how_money_and_times_are_meant(
    lifecycle: Run, topic_prefix: str, tmp_path: Path
) -> None:
    """Sent as text first and with its options then, each order would count twice."""
    rows = ["Bestellnr.;Kundennr.;Bestelldatum;Vorgang;Gesamtbetrag"]
    rows += [f'{n};{n % 7 or ""};{n % 28 + 1:02}.01.2025 19:49;Order Completed;"1.{n:03},56 €"' for n in range(200)]
    (tmp_path / "export.csv").write_bytes("\r\n".join(rows).encode("windows-1252"))
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        refused = await importing(lifecycle, settings, "import", "export.csv", "--rejected", "bad.csv")
        assert refused.returncode == 1
        command = suggested(refused.stderr)
        # With the mapping alone, it is the same.
        half = await importing(lifecycle, settings, *command[: command.index("--encoding")])
        assert half.returncode == 1
        assert "nothing was sent yet:" in half.stderr
        assert suggested(half.stderr) == command
        assert await sent(settings) == []

        done = await importing(lifecycle, settings, *command)
        assert done.returncode == 0, done.stderr
        assert re.search(r"no_subject +29", done.stderr)
        found = await sent(settings)
        again = await importing(lifecycle, settings, *command)
        assert "171 rows found on the topic from an earlier run" in " ".join(again.stderr.split())
        assert await sent(settings) == found

    assert len(found) == 171
    assert found[0]["time"] == 1_735_843_740_000  # 2025-01-02T18:49:00Z: those of the 1st have no customer
    expected = sum(1000.56 + n for n in range(200) if n % 7)
    assert abs(sum(each["properties"]["total"] for each in found) - expected) < 1e-6
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["Bestellnr."] for row in csv.DictReader(file)] == [str(n) for n in range(0, 200, 7)]


async def test_what_was_said_to_be_meant_is_sent_as_it_is(lifecycle: Run, topic_prefix: str, tmp_path: Path) -> None:
    """A size such as 36,5 stays text where the decimal sign is a point; a time that then fits nothing is rejected."""
    (tmp_path / "a.csv").write_text("who;when;sum\na;2026-01-01;36,5\nb;03.01.2026;37,5\n")
    arguments = ("import", "a.csv", "--map", MAP)
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        refused = await importing(lifecycle, settings, *arguments)
        assert "To leave such cells as they are, add --decimal point, --time-format iso" in refused.stderr
        done = await importing(lifecycle, settings, *arguments, "--decimal", "point", "--time-format", "iso")
        assert done.returncode == 0, done.stderr
        assert "bad_time" in done.stderr
        [record] = await sent(settings)
    assert record["properties"] == {"total": "36,5"}


async def test_as_is_sends_what_it_reads_and_offers_the_rest_at_the_end(
    lifecycle: Run, topic_prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("who;when;sum\na;2026-01-01;5\nb;03.01.2026;5\n")
    async with EmbeddedBroker() as broker:
        settings = settings_of(broker.bootstrap, topic_prefix)
        done = await importing(lifecycle, settings, "import", "a.csv", "--map", MAP, "--as-is")
        assert len(await sent(settings)) == 1
    assert done.returncode == 0
    command = suggested(done.stderr)
    assert command[-6:] == ["--time-format", "iso", "--time-format", "%d.%m.%Y", "--time-zone", "UTC"]
