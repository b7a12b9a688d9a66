"""Stage changes and customers in files: JSON lines, CSV and Parquet hold the same."""

import builtins
import csv
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from stream.codec.lifecycle_yaml.lifecycle_files import load, parse
from stream.core.interaction import Interaction
from stream.core.model import Model, model_of
from stream.core.times import format_time
from stream.errors import LifecycleError
from stream.offline import result_files
from stream.offline.result_files import change_file, customer_file, format_of
from stream.offline.simulation import Simulation
from tests.kit.times import DAY, T0

ONE = """
lifecycle: one
interactions: {buy: [Order Completed]}
scores: {heat: {half_life: 1d, max: 50}, value: {}}
signals: {spent: {each: buy, add: {value: properties.total, heat: 60}}}
facts:
  orders: {count: buy}
  lately: {count: buy, within: 7d}
  revenue: {sum: properties.total, each: buy}
  last_order: {last: buy}
  plan: {latest: properties.plan}
  mixed: {first: buy}
stages: {lead: {}, customer: {channels: [email, "post, by hand"], actions: [thanks]}, quiet: {}}
transitions:
  - {from: lead, to: customer, when: orders >= 1}
  - {from: customer, to: quiet, when: since(last_order) >= 2d}
"""
OTHER = """
lifecycle: other
interactions: {buy: [Order Completed]}
facts: {mixed: {count: buy}}
stages: {all: {}}
"""
TIMES = {"at", "entered", "deadline", "facts.last_order"}


@pytest.fixture
def model() -> Model:
    return model_of([parse(ONE, "one.yaml").lifecycle, parse(OTHER, "other.yaml").lifecycle])


def interactions() -> list[Interaction]:
    """Of people with ids in several scripts, and with values of every type."""
    plans: list[object] = ['frei, "mit" Zeilen\nund mehr', 5, 2.5, True, None]
    return [
        Interaction(None, "v-1", None, "page", T0, {}, {}),
        *(
            Interaction(
                f"お客様-{number}", None, f"o-{number}", "buy", T0 + number * DAY, {"total": 1.5, "plan": plan}, {}
            )
            for number, plan in enumerate(plans)
        ),
        Interaction("=1+2", None, None, "Order Completed", T0 + 9 * DAY, {"total": 3}, {}),
    ]


def write(model: Model, folder: Path, end: str) -> None:
    simulation = Simulation(model)
    lifecycles = model.lifecycles
    with (
        change_file(str(folder / f"changes.{end}"), lifecycles) as change,
        customer_file(str(folder / f"customers.{end}"), lifecycles) as customer,
    ):
        for each, source in simulation.run(list(enumerate(interactions())), "in, 1.jsonl"):
            change(each, source)
        for each, source in simulation.finish(T0 + 10 * DAY):
            change(each, source)
        for standing in simulation.standings(T0 + 10 * DAY):
            customer(standing)


def flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """An object of the JSON lines with dots into objects, as the columns are named."""
    found: dict[str, Any] = {}
    for key, each in value.items():
        if key == "contributions":
            found[key] = json.dumps(each, separators=(",", ":"))
        elif isinstance(each, dict):
            found |= flat(each, f"{before}{key}.")
        else:
            found[before + key] = each
    return found


def lines(path: Path) -> list[dict[str, Any]]:
    return [flat(json.loads(line)) for line in path.read_bytes().splitlines()]


def text_of(name: str, value: Any, lifecycle: str) -> str:
    """What a cell of CSV says of a value in JSON."""
    if value is None:
        return ""
    if name in TIMES or (name == "facts.mixed" and lifecycle == "one"):
        return format_time(value)
    if name.startswith("scores."):
        return str(float(value))  # one that `max` bounds is a whole number in JSON
    if isinstance(value, list):
        return ", ".join(value)
    return json.dumps(value) if isinstance(value, bool) else str(value)


def typed(name: str, value: Any, lifecycle: str) -> Any:
    """What a cell of Parquet says of a value in JSON."""
    if value is not None and name in TIMES:
        return datetime.fromtimestamp(value / 1000, UTC)
    if name in ("facts.plan", "facts.mixed") and value is not None:
        return text_of(name, value, lifecycle)
    return value


def table(path: Path) -> Sequence[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("what", ["changes", "customers"])
def test_csv_says_what_the_lines_of_json_say_with_times_in_iso(model: Model, tmp_path: Path, what: str) -> None:
    """Every field has a column, and nothing is in a column that no field has."""
    for end in ("jsonl", "csv"):
        write(model, tmp_path, end)
    objects, rows = lines(tmp_path / f"{what}.jsonl"), table(tmp_path / f"{what}.csv")
    assert len(rows) == len(objects) >= 14
    for one, row in zip(objects, rows, strict=True):
        expected = dict.fromkeys(row, "") | {key: text_of(key, each, one["lifecycle"]) for key, each in one.items()}
        assert row == expected


@pytest.mark.parametrize("what", ["changes", "customers"])
def test_parquet_says_the_same_with_types(
    model: Model, tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where rows are written in several groups."""
    monkeypatch.setattr(result_files, "_GROUP", 4)
    for end in ("jsonl", "parquet"):
        write(model, tmp_path, end)
    objects = lines(tmp_path / f"{what}.jsonl")
    read = parquet.read_table(tmp_path / f"{what}.parquet")
    rows = read.to_pylist()
    assert len(rows) == len(objects)
    for one, row in zip(objects, rows, strict=True):
        expected = dict.fromkeys(row) | {key: typed(key, each, one["lifecycle"]) for key, each in one.items()}
        assert row == expected
    types = {field.name: str(field.type) for field in read.schema}
    assert types["at"] == types["facts.last_order"] == "timestamp[ms, tz=UTC]"
    assert (types["scores.heat"], types["facts.orders"], types["facts.lately"]) == ("double", "int64", "int64")
    assert (types["facts.plan"], types["facts.mixed"], types["identified"]) == ("string", "string", "bool")


def test_a_table_has_its_headings_also_where_nothing_happened(model: Model, tmp_path: Path) -> None:
    for end in ("csv", "parquet"):
        with change_file(str(tmp_path / f"c.{end}"), model.lifecycles):
            pass
    [heading] = (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()
    assert heading.startswith("customer_id,anonymous_id,identified,lifecycle,version,born,sequence,final,from,to,at,")
    assert parquet.read_table(tmp_path / "c.parquet").column_names == heading.split(",")


EVERY_KIND = """
lifecycle: kinds
interactions: {buy: [Order Completed], refund: [Order Refunded]}
ledgers: {sales: {each: buy, by: properties.order_id, amount: properties.total, minus: refund}}
facts:
  ledger_count: {count: sales}
  ledger_sum: {sum: sales, within: 365d}
  rolling_sum: {sum: properties.total, each: buy, within: 30d}
  latest_time: {latest_time: properties.until}
stages: {all: {}}
"""


def test_facts_of_ledgers_rolling_sums_and_times_have_columns_of_their_kinds(tmp_path: Path) -> None:
    model = model_of([parse(EVERY_KIND, "kinds.yaml").lifecycle])
    properties = {"order_id": "o-1", "total": 19.9, "until": "2026-12-24"}
    simulation = Simulation(model)
    list(simulation.run([(0, Interaction("c-1", None, None, "Order Completed", T0, properties, {}))]))
    with customer_file(str(tmp_path / "customers.csv"), model.lifecycles) as customer:
        for standing in simulation.standings(T0):
            customer(standing)
    [row] = table(tmp_path / "customers.csv")
    assert (row["facts.ledger_count"], row["facts.ledger_sum"], row["facts.rolling_sum"]) == ("1", "19.9", "19.9")
    assert row["facts.latest_time"] == "2026-12-24T00:00:00.000Z"


@pytest.mark.parametrize("preset", ["metrics", "journey", "relationship", "nurture", "platform"])
def test_every_preset_has_tables(preset: str, tmp_path: Path) -> None:
    model = model_of([load(preset).lifecycle])
    write(model, tmp_path, "csv")
    write(model, tmp_path, "parquet")
    assert len(table(tmp_path / "customers.csv")) == parquet.read_table(tmp_path / "customers.parquet").num_rows >= 6


@pytest.mark.parametrize(
    ("name", "made"),
    [
        *(("a.csv", "csv"), ("A.CSV", "csv"), ("b.parquet", "parquet"), ("b.Parquet", "parquet"), ("-", "jsonl")),
        *(("c.jsonl", "jsonl"), ("csv", "jsonl"), (".csv", "jsonl"), ("x.csv/y", "jsonl"), ("d.txt", "jsonl")),
    ],
)
def test_the_end_of_the_name_says_the_format(name: str, made: str) -> None:
    assert format_of(name) == made


def test_without_pyarrow_parquet_names_the_command_that_installs_it_and_writes_nothing(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    path = tmp_path / "c.parquet"
    with (
        pytest.raises(LifecycleError, match=r"pip install 'customer-lifecycle\[parquet\]'"),
        change_file(str(path), model.lifecycles),
    ):
        pass
    assert not path.exists()


@pytest.mark.parametrize("end", ["csv", "parquet", "jsonl"])
def test_a_place_that_cannot_be_written_is_named(model: Model, tmp_path: Path, end: str) -> None:
    path = str(tmp_path / "no" / f"c.{end}")
    with (
        pytest.raises(LifecycleError, match="cannot be written: No such file or directory"),
        customer_file(path, model.lifecycles),
    ):
        pass
