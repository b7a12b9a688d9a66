"""The command `lifecycle diff`: what it reads, writes and answers, and that it leaves nothing behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stream.codec.interactions import encode_native
from stream.demo.shop import shop_interactions
from tests.cli.commands import Run
from tests.kit.times import DAY, T0

OLD = """\
lifecycle: small
interactions: {purchase: [Order Completed]}
facts: {orders: {count: purchase}}
stages: {visitor: {}, buyer: {title: Buyer}}
transitions:
  - {from: visitor, to: buyer, when: orders >= 1}
"""
NEW = OLD.replace("orders >= 1", "orders >= 2")


def line(who: str, at: int, **more: Any) -> str:
    return json.dumps({"type": "Order Completed", "customer_id": who, "time": at, **more}) + "\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text(OLD)
    (tmp_path / "new.yaml").write_text(NEW)
    (tmp_path / "in.jsonl").write_text(line("ann", T0) + line("ben", T0) + line("ben", T0 + DAY))


def test_what_differs_is_said_and_is_no_failure(lifecycle: Run) -> None:
    found = lifecycle("diff", "old.yaml", "new.yaml", "--input", "in.jsonl")
    assert (found.returncode, found.stderr) == (0, "")
    lines = [" ".join(each.split()) for each in found.stdout.splitlines()]
    for expected in (
        "transition visitor → Buyer: when orders >= 1 → when orders >= 2",
        "1 50% end in another stage",
        "1 50% go the same way, at other times",
        "visitor 0 → 1 +1 2 100% → 50% 0s → 1.0d 0s → 1.0d",
        "visitor → Buyer 2 → 1 -1 100% → 50% 0s → 1.0d 0s → 1.0d",
        "2 in visitor goes to Buyer, when orders >= 1 stays",
        "ann Buyer → visitor",
        "orders 1 of 2, 1 is missing",
        "ben Buyer, at other times",
    ):
        assert expected in lines, found.stdout


def test_events_that_are_called_otherwise_are_no_agreement(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(line("ann", T0).replace("Order Completed", "Bought"))
    found = lifecycle("diff", "old.yaml", "new.yaml", "--input", "in.jsonl", "--html", "page.html")
    assert found.returncode == 0
    assert "are the events called otherwise?" in " ".join(found.stdout.split())
    assert "are the events called otherwise?" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_difference_fails_where_that_is_asked_for(lifecycle: Run) -> None:
    """As for CI; the same file differs in nothing, also from itself as a pipe gives it."""
    given = ("--input", "in.jsonl", "--fail-on-difference")
    assert lifecycle("diff", "old.yaml", "new.yaml", *given).returncode == 1
    alike = lifecycle("diff", "old.yaml", "/dev/stdin", *given, stdin=OLD)
    assert (alike.returncode, alike.stderr) == (0, "")
    assert "The files mean the same." in alike.stdout
    assert "Nobody differs: all 2 customers move alike" in alike.stdout


def test_the_standard_input_and_repeated_files_count_once(lifecycle: Run, tmp_path: Path) -> None:
    history = (tmp_path / "in.jsonl").read_text()
    plain = lifecycle("diff", "old.yaml", "new.yaml", "--input", "in.jsonl", "--json", "-")
    piped = lifecycle("diff", "old.yaml", "new.yaml", "--input", "-", "--json", "-", stdin=history)
    twice = lifecycle("diff", "old.yaml", "new.yaml", *("--input", "in.jsonl") * 2, "--json", "-")
    first, second, third = (json.loads(each.stdout) for each in (plain, piped, twice))
    assert second.pop("history")["files"] == ["-"]
    assert third.pop("history")["known"] == 3
    assert first.pop("history")["records"] == 3
    assert first == second == third
    assert "Customers who differ" in plain.stderr  # the standard output is taken


def test_files_of_columns_are_read_as_simulate_reads_them(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("household;day\n1;01.03.2026\n1;02.03.2026\n2;02.03.2026\nx;32.03.2026\n")
    given = ("--input", "in.csv", "--map", "customer_id=household,time=day,type='Order Completed'")
    offered = lifecycle("diff", "old.yaml", "new.yaml", *given)
    assert offered.returncode == 1
    assert "--time-format %d.%m.%Y" in offered.stderr
    found = lifecycle("diff", "old.yaml", "new.yaml", *given, "--time-format", "%d.%m.%Y", "--rejected", "bad.csv")
    assert found.returncode == 0
    assert "Of 2 customers at the end" in found.stdout
    assert "bad_time" in found.stderr
    assert "32.03.2026" in (tmp_path / "bad.csv").read_text()


def test_settings_count_as_they_do_in_simulate(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(line("ann", T0) + line("guest", T0))
    given = ("--input", "in.jsonl", "--until", str(T0 + 10 * DAY), "--json", "-")
    found = lifecycle("diff", "old.yaml", "new.yaml", *given, "--blocked", "guest", "--forget-identified-after", "20d")
    told = json.loads(found.stdout)
    assert (told["customers"], told["history"]["rejected"]) == (1, 1)
    assert told["explained"][0]["new"]["explanation"]["forgotten"] == T0 + 20 * DAY
    gone = lifecycle("diff", "old.yaml", "new.yaml", *given, "--forget-identified-after", "5d")
    assert json.loads(gone.stdout)["customers"] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("old.yaml", "missing.yaml", "--input", "in.jsonl"), 1, "missing.yaml:1:1: cannot be read"),
        (("old.yaml", "new.yaml", "--input", "missing.jsonl"), 1, "missing.jsonl: No such file"),
        (("old.yaml", "new.yaml"), 2, "--input"),
        (("old.yaml", "new.yaml", "--input", "old.yaml"), 1, "no column is named customer_id"),
        (("old.yaml", "new.yaml", "--input", "in.jsonl", "--html", "new.yaml"), 2, "would be overwritten"),
        (("old.yaml", "new.yaml", "--input", "in.jsonl", "--html", "x", "--json", "x"), 2, "a file of its own"),
        (("old.yaml", "new.yaml", "--input", "in.jsonl", "--until", "soon"), 2, "--until"),
        (("old.yaml", "new.yaml", "--input", "in.jsonl", "--html", "no/where.html"), 1, "cannot be written"),
    ],
)
def test_what_cannot_be_done_says_why(lifecycle: Run, arguments: tuple[str, ...], code: int, said: str) -> None:
    found = lifecycle("diff", *arguments)
    assert found.returncode == code
    assert said in " ".join(found.stderr.split())


def test_an_interrupt_leaves_no_process_and_no_file_behind(tmp_path: Path) -> None:
    """Ctrl-C in a terminal reaches all processes, `kill -9` this one alone: the others end either way."""
    history = tmp_path / "large.jsonl"
    lines = [encode_native(each) for each in shop_interactions(60)]
    with history.open("wb") as file:
        while file.tell() < 25_000_000:
            file.writelines(each + b"\n" for each in lines)
    for number, expected in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        command = (sys.executable, "-m", "stream.cli", "diff", "metrics", "journey", "--input", "large.jsonl")
        process = subprocess.Popen(
            command, cwd=tmp_path, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"TMPDIR": str(tmp_path)},
        )  # fmt: skip
        children = _children(process.pid)
        while len(children) < 2:  # a process that helps, and Python's own that watches over resources
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.02)
            children = _children(process.pid)
        assert all(map(_is_deaf_to_interrupts, children))
        if number == signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.kill()
        _, complaint = process.communicate(timeout=60)  # they hold the pipes open: so all of them have ended
        assert process.returncode == expected
        assert complaint == b"" or number == signal.SIGKILL  # in the midst of telling a process what to do
        assert not [each for each in children if Path(f"/proc/{each}").exists() and _is_ours(each, tmp_path)]
        assert {each.name for each in tmp_path.iterdir()} == {"old.yaml", "new.yaml", "in.jsonl", "large.jsonl"}


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _is_deaf_to_interrupts(pid: int) -> bool:
    """Whether it ignores or blocks them, from its beginning: else it would complain of one on the terminal."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    masks = [int(line.split()[1], 16) for line in status if line.startswith(("SigBlk:", "SigIgn:"))]
    return any(mask >> (signal.SIGINT - 1) & 1 for mask in masks)


def _is_ours(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").resolve() == folder
    except OSError:
        return False
