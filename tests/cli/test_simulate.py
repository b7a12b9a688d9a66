"""`lifecycle simulate` on small inputs whose outcome is worked out by hand."""

import gzip
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import Run
from tests.kit.times import DAY

# A purchase heats by 8, which has halved to exactly 1 three days later, and is below 1 a millisecond after.
SMALL = """\
lifecycle: small
interactions:
  purchase: [Order Completed]
scores:
  heat: {half_life: 1d}
signals:
  bought: {each: purchase, add: {heat: 8}}
facts:
  orders: {count: purchase}
  revenue: {sum: properties.total, each: purchase}
stages:
  new: {}
  buyer: {channels: [email], actions: [thanks]}
  quiet: {}
transitions:
  - {from: new, to: buyer, when: orders >= 1}
  - {from: buyer, to: quiet, when: heat < 1}
"""
T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
COOLED = T + 3 * DAY + 1


@pytest.fixture(autouse=True)
def small(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)


def native(name: str, time: int, subject: str = "ann", **more: Any) -> str:
    return json.dumps({"type": name, "time": time, "customer_id": subject, **more}) + "\n"


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def moves(path: Path) -> list[tuple[Any, ...]]:
    return [
        (
            each.get("customer_id") or each["anonymous_id"],
            each["sequence"],
            each["from"],
            each["to"],
            each["at"],
        )
        for each in read(path)
    ]


def test_a_purchase_makes_a_buyer_and_the_change_tells_all(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        native("page", T - DAY) + native("Order Completed", T, id="o-1", properties={"total": 20.5})
    )

    result = lifecycle("simulate", "--lifecycle", "small.yaml", "--input", "in.jsonl", "--changes", "out.jsonl")

    assert result.returncode == 0
    born, bought = read(tmp_path / "out.jsonl")
    assert (born["from"], born["to"], born["at"], born["final"]) == (None, "new", T - DAY, True)
    assert bought == {
        "customer_id": "ann",
        "identified": True,
        "lifecycle": "small",
        "version": 1,
        "born": "0-0",
        "sequence": 2,
        "final": True,
        "from": "new",
        "to": "buyer",
        "at": T,
        "entered": T - DAY,
        "trigger": {"kind": "interaction", "id": "o-1", "type": "purchase", "late": False},
        "transition": "orders >= 1",
        "scores": {"heat": 8.0},
        "contributions": {"heat": [{"signal": "bought", "points": 8.0, "count": 1}]},
        "facts": {"orders": 1, "revenue": 20.5},
        "channels": ["email"],
        "actions": ["thanks"],
        "source": {"topic": "in.jsonl", "partition": 0, "offset": 1},
    }


@pytest.mark.parametrize(
    ("until", "quiet"),
    [(None, False), (str(COOLED - 1), False), (str(COOLED), True), ("2026-01-04T00:00:00.001Z", True)],
)
def test_deadlines_fire_up_to_and_including_until_to_the_millisecond(
    lifecycle: Run, tmp_path: Path, until: str | None, quiet: bool
) -> None:
    (tmp_path / "in.jsonl").write_text(native("Order Completed", T))
    given = [] if until is None else ["--until", until]

    lifecycle("simulate", "--lifecycle", "small.yaml", "--input", "in.jsonl", "--changes", "out.jsonl", *given)

    expected = [("ann", 1, None, "new", T), ("ann", 2, "new", "buyer", T)]
    assert moves(tmp_path / "out.jsonl") == expected + [("ann", 3, "buyer", "quiet", COOLED)] * quiet
    if quiet:
        last = read(tmp_path / "out.jsonl")[-1]
        assert last["trigger"]["kind"] == "deadline"
        assert last["source"] == {"topic": "", "partition": 0, "offset": 1}


def test_at_the_end_time_passes_for_all_customers_in_the_order_of_time(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(
        native("Order Completed", T + 2, "bob") + native("Order Completed", T, "ann") + native("page", T, "eve")
    )

    arguments = ["--lifecycle", "small.yaml", "--input", "in.jsonl", "--changes", "out.jsonl"]
    lifecycle("simulate", *arguments, "--until", "2026-02-01")

    assert moves(tmp_path / "out.jsonl")[-2:] == [
        ("ann", 3, "buyer", "quiet", COOLED),
        ("bob", 3, "buyer", "quiet", COOLED + 2),
    ]


def test_a_subject_that_was_never_identified_is_forgotten_when_the_setting_says(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"type": "page", "time": T, "anonymous_id": "x"}))

    arguments = [
        "--lifecycle",
        "small.yaml",
        "--input",
        "in.jsonl",
        "--changes",
        "out.jsonl",
        "--customers",
        "c.jsonl",
    ]
    result = lifecycle("simulate", *arguments, "--until", "2026-01-11", "--forget-after", "10d")

    assert result.returncode == 0
    assert moves(tmp_path / "out.jsonl") == [("x", 1, None, "new", T), ("x", 2, "new", None, T + 10 * DAY)]
    assert read(tmp_path / "c.jsonl") == []


def test_without_until_customers_are_read_at_their_clock_and_else_at_until(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(native("Order Completed", T, properties={"total": 3}))
    arguments = ["--lifecycle", "small.yaml", "--input", "in.jsonl", "--customers", "-"]

    at_clock = json.loads(lifecycle("simulate", *arguments).stdout)
    at_until = json.loads(lifecycle("simulate", *arguments, "--until", "2026-01-02").stdout)

    assert at_clock == {
        "customer_id": "ann",
        "identified": True,
        "lifecycle": "small",
        "version": 1,
        "stage": "buyer",
        "entered": T,
        "born": "0-0",
        "sequence": 2,
        "at": T,
        "scores": {"heat": 8.0},
        "facts": {"orders": 1, "revenue": 3.0},
        "deadline": COOLED,
    }
    assert at_until == at_clock | {"at": T + DAY, "scores": {"heat": 4.0}}


def test_csv_with_a_mapping_and_jsonl_compressed_or_not_give_the_same(lifecycle: Run, tmp_path: Path) -> None:
    lines = native("Order Completed", T, "7", properties={"total": 20.5})
    lines += native("Order Completed", T + DAY, "8", properties={"total": 1})
    (tmp_path / "in.jsonl").write_text(lines)
    (tmp_path / "in.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "in.csv").write_text("household,day,sales\n7,2026-01-01,20.5\n8,2026-01-02,1\n")
    mapping = "customer_id=household,time=day,type='Order Completed'"

    outcomes = []
    for name, given in (
        ("in.jsonl", []),
        ("in.jsonl.gz", []),
        ("in.csv", ["--map", mapping, "--map", "properties.total=sales"]),
    ):
        result = lifecycle("simulate", "--lifecycle", "small.yaml", "--input", name, "--changes", "-", *given)
        assert result.returncode == 0
        outcomes.append(result.stdout.replace(f'"{name}"', '"in"'))

    assert len(outcomes[0].splitlines()) == 4
    assert outcomes[1:] == [outcomes[0]] * 2


def test_several_inputs_and_lifecycles_run_as_one(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("lifecycle: other\nstages: {all: {}}\n")
    (tmp_path / "one.jsonl").write_text(native("page", T))
    inputs = ["--input", "one.jsonl", "--input", "-"]
    lifecycles = ["--lifecycle", "small.yaml", "--lifecycle", "other.yaml"]

    lifecycle("simulate", *lifecycles, *inputs, "--changes", "out.jsonl", stdin=native("Order Completed", T + 1))

    assert [(each["lifecycle"], each["to"], each["source"]) for each in read(tmp_path / "out.jsonl")] == [
        ("other", "all", {"topic": "one.jsonl", "partition": 0, "offset": 0}),
        ("small", "new", {"topic": "one.jsonl", "partition": 0, "offset": 0}),
        ("small", "buyer", {"topic": "-", "partition": 0, "offset": 1}),
    ]


def test_the_summary_counts_stages_transitions_rejections_duplicates_and_late_ones(
    lifecycle: Run, tmp_path: Path
) -> None:
    (tmp_path / "in.jsonl").write_text(
        native("Order Completed", T, id="a", properties={"total": "ten"})
        + native("Order Completed", T, id="a")
        + native("page", T - 1)
        + native("page", T, "undefined")
        + "{nonsense\n"
        + native("page", T, "bob")
    )

    result = lifecycle("simulate", "--lifecycle", "small.yaml", "--input", "in.jsonl", "--until", "2026-02-01")

    rows = [" ".join(line.split()) for line in result.stderr.splitlines()]
    assert result.returncode == 0
    assert result.stdout == ""
    assert {"new 1 2 50% 0s 0s", "buyer 0 1 100% 3.0d 3.0d", "quiet 1 1 0% - -"} <= set(rows)
    assert {"new 2 first seen", "new buyer 1 50% 0s orders >= 1", "buyer quiet 1 100% 3.0d heat < 1"} <= set(rows)
    assert "small revenue 1" in rows
    assert any(row.startswith("blocked_subject 1 in.jsonl:4 ") for row in rows)
    assert any(row.startswith("not_json 1 in.jsonl:5 ") for row in rows)
    assert rows[-1].startswith("6 records, 1 of them duplicates, 1 late; 1 deadline;")


def test_a_file_that_is_given_twice_counts_once_with_and_without_ids_and_it_is_said(
    lifecycle: Run, tmp_path: Path
) -> None:
    """Months apart, so that no id is remembered; another file with the same ids would count."""
    orders = "order,client,paid,amount\no-1,c-90,2026-01-05,100\no-2,c-90,2026-02-05,100\no-3,c-90,2026-03-05,100\n"
    for name in ("orders.csv", "copy.csv"):
        (tmp_path / name).write_text(orders)
    (tmp_path / "other.csv").write_text(f"{orders}o-4,c-91,2026-03-06,1\n")
    mapping = "customer_id=client,time=paid,type='Order Completed',properties.total=amount"
    for ids in ("", "id=order,"):
        given = ["--lifecycle", "small.yaml", "--customers", "out.jsonl", "--map", ids + mapping]
        files = ["orders.csv", "orders.csv", "copy.csv"]
        result = lifecycle("simulate", *given, *(part for file in files for part in ("--input", file)))
        summary = " ".join(result.stderr.split())
        assert "9 records, 0 of them duplicates, 6 known from the same file before, 0 late" in summary
        [ann] = read(tmp_path / "out.jsonl")
        assert (ann["facts"]["orders"], ann["facts"]["revenue"]) == (3, 300)
        lifecycle("simulate", *given, "--input", "orders.csv", "--input", "other.csv")
        [ann, _bob] = read(tmp_path / "out.jsonl")
        assert ann["facts"]["orders"] == (5 if ids else 6)  # the third is still known by its id


def test_where_every_record_is_rejected_the_run_fails_with_the_first_reason(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("\n5\n" + native("", T))

    result = lifecycle("simulate", "--lifecycle", "small.yaml", "--input", "in.jsonl", "--changes", "out.jsonl")

    assert result.returncode == 1
    assert "none of the 2 records could be read; the first: in.jsonl:2: not_an_object: " in result.stderr
    assert (tmp_path / "out.jsonl").read_bytes() == b""


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        (["--input", "missing.jsonl"], 1, "missing.jsonl: No such file or directory"),
        (["--input", "in.jsonl", "--until", "tomorrow"], 2, "'tomorrow' is no time"),
        (["--input", "in.jsonl", "--changes", "in.jsonl"], 2, "in.jsonl would be overwritten"),
        (["--input", "in.jsonl", "--changes", "x", "--customers", "./x"], 2, "each needs a file of its own"),
        (
            ["--input", "in.jsonl", "--changes", "no/x"],
            1,
            "no/x: cannot be written: No such file or directory",
        ),
        (["--input", "in.jsonl", "--map", "time=day"], 1, "does not say where to find"),
        (["--input", "in.jsonl", "--forget-after", "soon"], 1, "--forget-after: 'soon' is not a duration"),
        (["--input", "in.jsonl", "--settings", "no.toml"], 1, "settings file no.toml: No such file"),
        ([], 2, "--input"),
    ],
)
def test_what_cannot_be_done_is_said_without_a_traceback(
    lifecycle: Run, tmp_path: Path, given: list[str], code: int, message: str
) -> None:
    (tmp_path / "in.jsonl").write_text(native("page", T))

    result = lifecycle("simulate", "--lifecycle", "small.yaml", *given)

    assert result.returncode == code
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    assert (tmp_path / "in.jsonl").read_text() == native("page", T)


def test_an_option_goes_before_the_environment_and_that_before_the_file(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"type": "page", "time": T, "anonymous_id": "x"}))
    (tmp_path / "s.toml").write_text('forget_after = "1d"\n')
    arguments = [
        "--lifecycle",
        "small.yaml",
        "--input",
        "in.jsonl",
        "--changes",
        "-",
        "--until",
        "2027-01-01",
    ]
    environment = {"LIFECYCLE_FORGET_AFTER": "2d"}

    def forgotten(*given: str, environment: dict[str, str]) -> int:
        result = lifecycle("simulate", *arguments, *given, environment=environment)
        return int(json.loads(result.stdout.splitlines()[-1])["at"] - T) // DAY

    assert forgotten(environment={}) == 90
    assert forgotten("--settings", "s.toml", environment={}) == 1
    assert forgotten("--settings", "s.toml", environment=environment) == 2
    assert forgotten("--settings", "s.toml", "--forget-after", "3d", environment=environment) == 3


def test_a_wrong_lifecycle_file_is_told_with_its_place(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("lifecycle: bad\nstages: {a: {}}\nscores: 5\n")
    (tmp_path / "in.jsonl").write_text(native("page", T))

    result = lifecycle("simulate", "--lifecycle", "bad.yaml", "--input", "in.jsonl")

    assert result.returncode == 1
    assert result.stderr.startswith("bad.yaml:3:9: ")


def started(tmp_path: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "stream.cli",
            "simulate",
            "--lifecycle",
            "small.yaml",
            "--input",
            "-",
            *arguments,
        ],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_reader_that_has_enough_ends_the_run_quietly(tmp_path: Path) -> None:
    # Three times the buffer of one MiB, so that it is written to while it runs.
    lines = "".join(native("page", T + number, f"c{number}") for number in range(8_000)).encode()
    with started(tmp_path, "--changes", "-") as run:
        assert run.stdout is not None
        run.stdout.close()
        run.stdout = None
        _, errors = run.communicate(lines)

    assert (run.returncode, errors) == (1, b"")


def test_ctrl_c_ends_the_run_quietly_with_130(tmp_path: Path) -> None:
    with started(tmp_path, "--changes", "-") as run:
        assert run.stdin is not None
        assert run.stdout is not None
        # More than the buffer of one MiB: once some of it is written, the run is under way.
        lines = "".join(native("page", T + number, f"c{number}") for number in range(4_000)).encode()
        run.stdin.write(lines)
        run.stdin.flush()
        run.stdout.read(1)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate()

    assert (run.returncode, errors) == (130, b"")


def test_what_lies_in_the_future_counts_as_of_now_and_is_said(lifecycle: Run, tmp_path: Path) -> None:
    """As on a worker: a clock that is years ahead would else keep a customer from ever going to sleep."""
    file, customers = tmp_path / "orders.jsonl", tmp_path / "customers.jsonl"
    file.write_text('{"type": "order_completed", "customer_id": "c", "time": "2999-01-01T00:00:00Z"}\n')
    before = time.time_ns() // 1_000_000
    done = lifecycle("simulate", "--lifecycle", "metrics", "--input", str(file), "--customers", str(customers))
    assert done.returncode == 0
    assert "1 interaction of the future counted as of now" in done.stderr
    [standing] = map(json.loads, customers.read_text().splitlines())
    assert before <= standing["at"] <= time.time_ns() // 1_000_000
