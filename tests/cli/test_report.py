"""`lifecycle report` as people type it: from files, from what `simulate` wrote, and from the topics."""

import asyncio
import csv
import re
from pathlib import Path

import polars as pl
import pytest

from stream.codec.files.input_files import read_interactions
from stream.codec.interactions import encode_native
from stream.codec.records import Outgoing
from stream.core.interaction import Interaction
from stream.demo.shop import shop_interactions
from tests.cli.commands import Run
from tests.cli.on_kafka import PARTITIONS, environment_of, settings_of
from tests.kit.kafka import SharedKafka
from tests.kit.topics import create_topics, produce

UNTIL = "2026-06-30T23:59:59.999Z"
FILES = ("--input", "shop.jsonl", "--lifecycle", "metrics")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The interactions of 60 people, as a file in the test's folder."""
    path = tmp_path / "shop.jsonl"
    path.write_bytes(b"".join(encode_native(each) + b"\n" for each in shop_interactions(60)))
    return path


def printed(run: Run, *arguments: str, environment: dict[str, str] | None = None) -> str:
    done = run("report", *arguments, environment=environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.slow
def test_what_is_printed_begins_with_what_matters_and_ends_with_what_is_missing(lifecycle: Run, shop: Path) -> None:
    text = printed(lifecycle, *FILES, "--html", "page.html")
    lines = text.splitlines()
    assert lines[0] == "Customer life cycle metrics: June 2026"
    first = next(each for each in lines if each.startswith("•"))
    assert re.fullmatch(r"• June 2026 brought [\d,.]+, \d+ % (more|less) than May 2026 \([\d,.]+\)\.", first)
    assert lines[-2:] == [
        "What is not reckoned",
        "• there are no subscriptions: MRR is not reckoned; see --words renewals=…",
    ]
    assert "<h1>Customer life cycle metrics: June 2026</h1>" in (shop.parent / "page.html").read_text("utf-8")


@pytest.mark.slow
def test_every_table_is_a_file_with_the_same_numbers(lifecycle: Run, shop: Path) -> None:
    printed(lifecycle, *FILES, "--csv", "tables", "--parquet", "tables", "--by", "last_nps")
    folder = shop.parent / "tables"
    names = {each.stem for each in folder.glob("*.csv")}
    assert names == {each.stem for each in folder.glob("*.parquet")} >= {"figures", "funnel", "stages", "by_last_nps"}
    with (folder / "top_customers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    frame = pl.read_parquet(folder / "top_customers.parquet")
    assert frame["Revenue so far"].dtype == pl.Decimal(38, 6)
    assert [pl.Series([each["Revenue so far"]]).str.to_decimal(scale=6).item() for each in rows] == frame[
        "Revenue so far"
    ].to_list()


@pytest.mark.slow
@pytest.mark.parametrize("end", ["parquet", "csv", "jsonl", "jsonl.gz"])
def test_changes_that_simulate_wrote_give_the_same_report(lifecycle: Run, shop: Path, end: str) -> None:
    """With the interactions as without: then what needs them is left out, and said to be."""
    written = end.removesuffix(".gz")
    done = lifecycle("simulate", *FILES, "--until", UNTIL, "--changes", f"changes.{written}")
    assert done.returncode == 0
    if end.endswith(".gz"):
        import gzip  # noqa: PLC0415

        path = shop.parent / f"changes.{end}"
        path.write_bytes(gzip.compress((shop.parent / f"changes.{written}").read_bytes()))
    whole = printed(lifecycle, *FILES)
    # Figures of the lifecycle file come with the simulation alone.
    own = re.compile(r"^Figures of the lifecycle file ─.*?^Paths ─", re.MULTILINE | re.DOTALL)
    told = "• the figures of the lifecycle file are reckoned where interactions from files are simulated\n"
    both = printed(lifecycle, *FILES, "--changes", f"changes.{end}")
    assert both.replace(told, "") == own.sub("Paths ─", whole)
    assert told in both
    alone = printed(lifecycle, "--lifecycle", "metrics", "--changes", f"changes.{end}")
    stages = re.compile(r"^Stages\n.*?^From stage", re.MULTILINE | re.DOTALL)
    assert re.findall(stages, alone) == re.findall(stages, whole) != []
    assert "no interactions were read: orders, revenue" in alone


def test_what_cannot_be_reckoned_says_what_would_be_right(lifecycle: Run, shop: Path) -> None:
    def said(*arguments: str) -> str:
        done = lifecycle("report", *arguments)
        assert done.returncode != 0
        return " ".join(re.sub(r"[│╭╮╰╯─]", " ", done.stderr).split())

    assert "'chart' is no word of metrics" in said(*FILES, "--funnel", "visit,chart")
    assert "metrics has no fact 'colour'; it has touches, ad_cost" in said(*FILES, "--by", "colour")
    assert "right is one of orders, refunds" in said(*FILES, "--words", "order=x")
    assert "'sales' is no path; right is a path such as properties.total" in said(*FILES, "--amount", "sales")
    assert "'7' is no length of time; right is 7d, 12h or 30m" in said(*FILES, "--within", "7")
    assert "--to 2026-01-01 is before --from 2026-02-01" in said(*FILES, "--from", "2026-02-01", "--to", "2026-01-01")
    assert "there is nothing of 1 June 2030: the data are from 2 January 2025 to 30 June 2026" in said(
        *FILES, "--from", "2030-06-01", "--to", "2030-06-01"
    )
    (shop.parent / "wrong.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    wrong = said("--lifecycle", "metrics", "--changes", "wrong.csv")
    assert "there is no column 'customer_id'; right is a file that lifecycle simulate --changes has written" in wrong
    (shop.parent / "empty.jsonl").write_text("", encoding="utf-8")
    assert "there is nothing to report" in said("--lifecycle", "metrics", "--input", "empty.jsonl")


def test_without_polars_it_says_what_to_install(lifecycle: Run, shop: Path) -> None:
    """A module of that name that cannot be imported stands before the real one."""
    (shop.parent / "hidden").mkdir()
    code = "import sys; sys.modules['polars'] = None; sys.argv[1:] = ['report', '--lifecycle', 'metrics']\n"
    code += "from stream.cli import main\nmain()\n"
    (shop.parent / "without.py").write_text(code, encoding="utf-8")
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    done = subprocess.run([sys.executable, "without.py"], cwd=shop.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'customer-lifecycle[report]'" in done.stderr


async def test_from_the_topics_it_is_the_same_report(
    lifecycle: Run, kafka: SharedKafka, topic_prefix: str, shop: Path
) -> None:
    """Interactions and stage changes on four partitions, a record that is none among them."""
    settings = settings_of(kafka.bootstrap, topic_prefix)
    topics = settings.topics.interactions, settings.topics.stage_changes
    await create_topics(settings.bootstrap, *topics, partitions=PARTITIONS)
    done = await asyncio.to_thread(lifecycle, "simulate", *FILES, "--until", UNTIL, "--changes", "changes.jsonl")
    assert done.returncode == 0
    interactions = [each for _, each in read_interactions(str(shop)) if isinstance(each, Interaction)]
    sent = [Outgoing(each.subject.encode(), encode_native(each)) for each in interactions]
    await produce(settings.bootstrap, topics[0], [*sent, Outgoing(b"x", b"{}")])
    lines = (shop.parent / "changes.jsonl").read_bytes().splitlines()
    ids = re.compile(rb'"(?:customer|anonymous)_id":"([^"]+)"')
    changes = [Outgoing((ids.search(each) or [b"", b""])[1], each) for each in lines]
    await produce(settings.bootstrap, topics[1], changes)
    whole = await asyncio.to_thread(printed, lifecycle, *FILES, "--changes", "changes.jsonl")
    found = await asyncio.to_thread(lifecycle, "report", "--lifecycle", "metrics", environment=environment_of(settings))
    assert (found.returncode, found.stdout) == (0, whole)
    assert re.fullmatch(r"interactions that could not be read: 1 [a-z_]+\n", found.stderr)
