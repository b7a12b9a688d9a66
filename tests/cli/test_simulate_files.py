"""Files as shops export them, by the commands that the program itself suggests."""

import csv
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Run

LIFECYCLE = """\
lifecycle: shop
interactions: {order: [Order Completed]}
facts:
  orders: {count: order}
  revenue: {sum: properties.total, each: order}
  first: {first: order}
stages: {lead: {}, customer: {}}
transitions: [{from: lead, to: customer, when: orders >= 1}]
"""
MAP = ("--map", "customer_id=Kunde,time=Datum,type='Order Completed',properties.total=Betrag")


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(LIFECYCLE)


def simulate(run: Run, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return run("simulate", "--lifecycle", "shop.yaml", *arguments, environment={"TZ": "UTC"})


def suggested(said: str) -> list[list[str]]:
    """The arguments of the commands that are suggested."""
    return [shlex.split(each)[1:] for each in re.findall(r"^  (lifecycle .*)$", said, re.MULTILINE)]


def customers(path: Path) -> dict[str, Any]:
    lines = (json.loads(each) for each in path.read_text().splitlines())
    return {each["customer_id"]: each["facts"] for each in lines}


def german_export() -> str:
    """200 orders of a German shop: quoted newlines, euros, and every 25th without a customer."""
    rows = ["Bestellnr.;Kundennr.;Name;Bestelldatum;Vorgang;Gesamtbetrag;Bemerkung"]
    for number in range(200):
        customer = "" if number % 25 == 7 else str(10_000 + number % 60)
        note = '"Bitte ""klingeln"";\nHintereingang"' if number % 20 == 3 else "Größe M"
        day, month = number % 28 + 1, number // 28 + 1
        amount = f"1.{number:03},50 €" if number % 2 else f"{number},50 €"
        rows.append(f"B-{number};{customer};Müller;{day:02}.{month:02}.2025 19:49;Order Completed;{amount};{note}")
    return "\r\n".join(rows) + "\r\n"


@pytest.mark.parametrize("encoding", ["windows-1252", "utf-8-sig", "utf-16"])
def test_a_german_export_goes_in_by_the_one_command_that_is_suggested(
    lifecycle: Run, tmp_path: Path, encoding: str
) -> None:
    (tmp_path / "export.csv").write_bytes(german_export().encode(encoding))

    refused = simulate(lifecycle, "--input", "export.csv", "--customers", "out.jsonl", "--rejected", "bad.csv")

    assert refused.returncode == 1
    assert "no column is named customer_id or anonymous_id" in refused.stderr
    assert "200 rows: times of the column 'Bestelldatum' such as '01.01.2025 19:49' (export.csv:2)" in refused.stderr
    assert "Europe/Berlin is a guess" in refused.stderr
    [command] = suggested(refused.stderr)
    assert command[:4] == ["simulate", "--lifecycle", "shop.yaml", "--input"]
    assert ("--encoding" in command) == (encoding != "utf-8-sig")

    done = lifecycle(*command)

    assert done.returncode == 0, done.stderr
    assert suggested(done.stderr) == []
    assert re.search(r"no_subject +8 +export\.csv:10", done.stderr)
    found = customers(tmp_path / "out.jsonl")
    assert len(found) == 60
    expected = sum((1_000 if n % 2 else 0) + n + 0.5 for n in range(200) if n % 25 != 7)
    assert sum(each["orders"] for each in found.values()) == 192
    assert sum(each["revenue"] for each in found.values()) == pytest.approx(expected)
    assert found["10000"]["first"] == 1_735_757_340_000  # 2025-01-01T18:49:00Z
    with (tmp_path / "bad.csv").open(encoding="utf-8-sig", newline="") as file:
        rejected = list(csv.DictReader(file))
    assert [each["Bestellnr."] for each in rejected] == [f"B-{number}" for number in range(7, 200, 25)]
    assert {each["reason"] for each in rejected} == {"no_subject"}


def test_orders_count_but_their_money_does_not_is_said_with_the_first_value(lifecycle: Run, tmp_path: Path) -> None:
    """Excel's CSV in Europe, dates already mended."""
    rows = "Bestellnr;Kunde;Datum;Betrag\r\n1001;K-1;2026-03-05 10:15;19,90\r\n1002;K-2;2026-03-06;1.234,00\r\n"
    (tmp_path / "excel.csv").write_bytes(rows.encode("utf-8-sig"))

    done = simulate(lifecycle, "--input", "excel.csv", *MAP, "--customers", "out.jsonl")

    assert done.returncode == 0
    assert customers(tmp_path / "out.jsonl")["K-1"]["revenue"] == 0
    assert "2 numbers of the column 'Betrag', such as '19,90' (excel.csv:2), are text" in done.stderr
    [command] = suggested(done.stderr)
    assert lifecycle(*command).returncode == 0
    found = customers(tmp_path / "out.jsonl")
    assert (found["K-1"]["revenue"], found["K-2"]["revenue"]) == (19.9, 1234.0)


def test_dates_of_excel_are_read_with_the_format_and_zone_that_are_suggested(lifecycle: Run, tmp_path: Path) -> None:
    rows = "Kunde;Datum;Betrag\nK-1;05.03.2026 10:15;19,90\nK-2;06.03.2026 11:00;1.234,00\n"
    (tmp_path / "excel.csv").write_text(rows)

    refused = simulate(lifecycle, "--input", "excel.csv", *MAP, "--customers", "out.jsonl")

    assert refused.returncode == 1
    [command] = suggested(refused.stderr)
    assert command[-4:] == ["--time-format", "%d.%m.%Y %H:%M", "--time-zone", "Europe/Berlin"]
    assert lifecycle(*command).returncode == 0
    found = customers(tmp_path / "out.jsonl")
    assert found["K-1"]["first"] == 1_772_702_100_000  # 2026-03-05T09:15:00Z
    assert found["K-2"]["revenue"] == 1234.0


def test_american_prices_are_read_with_what_is_suggested(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "us.csv").write_text('Kunde,Datum,Betrag\na,2026-03-05,"$1,234.00"\na,2026-03-06,$5.50\n')

    done = simulate(lifecycle, "--input", "us.csv", *MAP, "--customers", "out.jsonl")

    [command] = suggested(done.stderr)
    assert command[-4:] == ["--thousands", "comma", "--currency", "$"]
    assert lifecycle(*command).returncode == 0
    assert customers(tmp_path / "out.jsonl")["a"]["revenue"] == 1239.5


def test_where_day_and_month_may_stand_in_either_order_both_commands_are_shown(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "slash.csv").write_text("Kunde,Datum,Betrag\na,03/04/2026,5\n")

    refused = simulate(lifecycle, "--input", "slash.csv", *MAP, "--customers", "out.jsonl")

    assert "either order" in refused.stderr
    firsts = []
    for command in suggested(refused.stderr):
        assert lifecycle(*command).returncode == 0
        firsts.append(customers(tmp_path / "out.jsonl")["a"]["first"])
    # In Berlin, by the header: 2026-04-02T22:00Z, in summer, and 2026-03-03T23:00Z.
    assert firsts == [1_775_167_200_000, 1_772_578_800_000]


def test_day_numbers_of_excel_are_refused_with_the_way_to_read_them(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text("Kunde;Datum;Betrag\na;46087;5\na;46087,5;5\n")

    refused = simulate(lifecycle, "--input", "days.csv", *MAP, "--customers", "out.jsonl", "--time-zone", "UTC")

    assert refused.returncode == 1
    assert "January 1970" in refused.stderr
    [command] = suggested(refused.stderr)
    assert lifecycle(*command).returncode == 0
    assert customers(tmp_path / "out.jsonl")["a"]["first"] == 1_772_755_200_000  # 2026-03-06T00:00Z


def test_the_file_of_rejected_records_never_overwrites_what_is_read(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Kunde,Datum,Betrag\na,2026-03-05,5\n")
    refused = simulate(lifecycle, "--input", "a.csv", *MAP, "--rejected", "a.csv")
    assert refused.returncode == 2
    assert "would be overwritten" in refused.stderr
    assert (tmp_path / "a.csv").stat().st_size > 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--time-zone", "Europe/Belin"), "did you mean Europe/Berlin?"),
        (("--time-format", "DD.MM.YYYY"), "such as '%d.%m.%Y'"),
        (("--encoding", "windows"), "right is for example windows-1252"),
        (("--thousands", "point"), "say --decimal comma"),
    ],
)
def test_an_option_that_cannot_be_right_is_answered_with_what_is(
    lifecycle: Run, tmp_path: Path, option: tuple[str, str], said: str
) -> None:
    (tmp_path / "a.csv").write_text("Kunde,Datum,Betrag\na,2026-03-05,5\n")
    refused = simulate(lifecycle, "--input", "a.csv", *MAP, *option)
    assert refused.returncode == 1
    assert said in refused.stderr
