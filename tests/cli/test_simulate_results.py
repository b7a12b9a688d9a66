"""What `lifecycle simulate` says of its results: stays, ways, who is where, and what did not match."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from rich.cells import cell_len

from tests.cli.commands import Run
from tests.kit.times import DAY

T = 1_767_225_600_000  # 2026-01-01T00:00:00Z
SHOP = """\
lifecycle: wollshop
title: Wollshop 毛糸の店
interactions:
  visit: [page, Product Viewed]
  form: [form_submit]
  purchase: [Order Completed]
scores: {heat: {}}
signals:
  asked: {each: form, add: {heat: 5}}
  basket: {each: purchase, where: properties.products.price > 5, add: {heat: 1}}
facts:
  orders: {count: purchase}
  revenue: {sum: properties.totl, each: purchase}
  land: {latest: context.contry, each: visit}
stages: {neu: {title: 新規のお客様}, kunde: {}, vip: {}, still: {}}
transitions:
  - {from: neu, to: kunde, when: orders >= 1}
  - {from: kunde, to: vip, when: revenue >= 500 or land == "AT"}
  - {from: kunde, to: still, when: in_stage >= 30d}
"""


@pytest.fixture(autouse=True)
def shop(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")


def native(name: str, day: float, subject: str = "ann", **more: Any) -> str:
    return json.dumps({"type": name, "time": int(T + day * DAY), "customer_id": subject, **more}) + "\n"


def simulate(run: Run, folder: Path, lines: str, *arguments: str, columns: int = 120) -> list[str]:
    (folder / "in.jsonl").write_text(lines, encoding="utf-8")
    done = run(
        *("simulate", "--lifecycle", "shop.yaml", "--input", "in.jsonl", *arguments),
        environment={"COLUMNS": str(columns)},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return done.stderr.splitlines()


def squeezed(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def section(rows: list[str], title: str) -> list[str]:
    """The lines below a title, up to an empty one."""
    begin = rows.index(title) + 1
    return rows[begin : rows.index("", begin)]


def test_stays_shares_and_where_to_are_those_of_the_stages(lifecycle: Run, tmp_path: Path) -> None:
    """Ann buys after 2 days, bob after 12, cy never; both customers grow quiet after 30 days."""
    lines = "".join(native("page", 0, who) for who in ("ann", "bob", "cy"))
    lines += native("Order Completed", 2, "ann") + native("Order Completed", 12, "bob")
    rows = squeezed(simulate(lifecycle, tmp_path, lines, "--until", "2026-02-03"))
    assert {
        "新規のお客様 1 3 67% 7.0d 11.0d",
        "kunde 1 2 50% 30.0d 30.0d",
        "vip 0 0 - - -",
        "still 1 1 0% - -",
        "新規のお客様 kunde 2 67% 7.0d orders >= 1",
        'kunde vip 0 0% revenue >= 500 or land == "AT"',
        "kunde still 1 50% 30.0d in_stage >= 30d",
    } <= set(rows)
    assert section(rows, "Stage Customer Since (UTC) For") == [
        "新規のお客様 cy 2026-01-01 00:00 33.0d",
        "kunde bob 2026-01-13 00:00 21.0d",
        "still ann 2026-02-02 00:00 1.0d",
    ]
    assert "interactions from 2026-01-01T00:00:00.000Z to 2026-01-13T00:00:00.000Z" in rows
    assert "Signals counted asked 0, basket 0" in rows


def test_of_many_customers_the_latest_of_each_stage_are_shown_and_how_to_get_all(
    lifecycle: Run, tmp_path: Path
) -> None:
    lines = "".join(native("page", number, f"c{number}") for number in range(21))
    rows = squeezed(simulate(lifecycle, tmp_path, lines))
    shown = section(rows, "Stage Customer Since (UTC) For")
    assert [row.split()[1] for row in shown[:3]] == ["c20", "c19", "c18"]
    assert shown[3:] == [
        "新規のお客様 and 18 more, there for longer",
        "The latest of each stage; --customers FILE.csv has all 21 customers.",
    ]


def test_names_that_no_word_covers_are_shown_the_most_frequent_first_and_nothing_is_silent(
    lifecycle: Run, tmp_path: Path
) -> None:
    """An export of a shop whose words the lifecycle does not know: nobody moves, and it is said why."""
    lines = "".join(native("Bestellung", number, f"c{number}") for number in range(18))
    lines += native("Retoure", 20) + native("order_completed", 21) + native("x\x1b[31m", 22)
    rows = squeezed(simulate(lifecycle, tmp_path, lines))
    assert section(rows, "Event names that no word of wollshop covers") == [
        "Event name Interactions Did you mean",
        "Bestellung 18",
        "Retoure 1",
        "order_completed 1 Order Completed",
        "x\\x1b[31m 1",
    ]
    found = section(rows, "What of wollshop nothing matched")
    assert found[:3] == ["words visit, form, purchase", "signals asked, basket", "facts orders, revenue, land"]
    assert found[3] == "transitions neu → kunde when orders >= 1"


def test_a_name_is_not_suggested_that_came_itself(lifecycle: Run, tmp_path: Path) -> None:
    """Two names that are much alike and both come are two names."""
    rows = squeezed(simulate(lifecycle, tmp_path, native("Product Viewed", 0) + native("Product Reviewed", 1)))
    assert section(rows, "Event names that no word of wollshop covers") == [
        "Event name Interactions",
        "Product Reviewed 1",
    ]


def test_many_names_are_cut_and_their_rest_is_counted(lifecycle: Run, tmp_path: Path) -> None:
    """At sixty where a word or a signal matched nothing, for the right name may be a rare one."""
    lines = "".join(native(f"event {number}", number) * (1 if number else 2) for number in range(63))
    rows = squeezed(simulate(lifecycle, tmp_path, lines))
    found = section(rows, "Event names that no word of wollshop covers")
    assert (found[1], len(found), found[-1]) == ("event 0 2", 62, "(3 other names) 3")


def test_where_all_words_and_signals_matched_ten_names_are_enough(lifecycle: Run, tmp_path: Path) -> None:
    """They are no cause of anything."""
    (tmp_path / "shop.yaml").write_text(
        "lifecycle: small\ninteractions: {buy: [Order Completed]}\nfacts: {orders: {count: buy}}\n"
        "stages: {lead: {}, customer: {}}\ntransitions: [{from: lead, to: customer, when: orders >= 1}]\n"
    )
    lines = native("Order Completed", 0) + "".join(native(f"event {number}", number) for number in range(13))
    found = section(squeezed(simulate(lifecycle, tmp_path, lines)), "Event names that no word of small covers")
    assert (len(found), found[-1]) == (12, "(3 other names) 3")


def test_a_rare_name_of_the_same_words_is_suggested_beside_many_others(lifecycle: Run, tmp_path: Path) -> None:
    """`Mail Clicked` in the file, `Email Link Clicked` in the data."""
    (tmp_path / "shop.yaml").write_text(SHOP.replace("[form_submit]", "[Mail Clicked]"), encoding="utf-8")
    lines = "".join(native(f"event {number}", number) * 2 for number in range(20)) + native("Email Link Clicked", 30)
    found = section(squeezed(simulate(lifecycle, tmp_path, lines)), "Event names that no word of wollshop covers")
    assert found[-1] == "Email Link Clicked 1 Mail Clicked"


def test_where_no_property_is_like_the_one_that_is_missing_those_that_came_are_listed(
    lifecycle: Run, tmp_path: Path
) -> None:
    """The most frequent first, up to eight."""
    (tmp_path / "shop.yaml").write_text(SHOP.replace("properties.totl", "properties.revenue"), encoding="utf-8")
    order = {"shipping": 5, "total": 20}
    lines = native("Order Completed", 0, properties={f"p{number}": 1 for number in range(9)})
    lines += "".join(native("Order Completed", day, properties=order) for day in (1, 2))
    rows = " ".join(squeezed(simulate(lifecycle, tmp_path, lines)))
    assert (
        "properties.revenue, in 0 of 3 interactions (fact revenue); "
        "they have shipping, total, p0, p1, p2, p3, p4, p5, …" in rows
    )


def test_properties_that_rules_name_and_no_interaction_had_are_said_of_facts_too(
    lifecycle: Run, tmp_path: Path
) -> None:
    """`totl` for `total`; a path that leads into a list; a misspelt word of the context."""
    order = {"total": 20, "products": [{"price": 7}]}
    lines = "".join(native("Order Completed", day, properties=order) for day in range(195))
    lines += native("page", 200, context={"country": "AT"})
    rows = " ".join(squeezed(simulate(lifecycle, tmp_path, lines)))
    assert "properties.totl, in 0 of 195 interactions (fact revenue); did you mean properties.total?" in rows
    assert (
        "properties.products.price, in 0 of 195 interactions (signal basket); "
        "properties.products is a list, and a path does not lead into one" in rows
    )
    assert "context.contry, in 0 of 1 interaction (fact land); did you mean context.country?" in rows
    assert "wollshop revenue 195" in rows


def test_where_everything_matched_nothing_is_said(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "lifecycle: small\ninteractions: {buy: [Order Completed]}\nfacts: {orders: {count: buy}}\n"
        "stages: {lead: {}, customer: {}}\ntransitions: [{from: lead, to: customer, when: orders >= 1}]\n"
    )
    rows = " ".join(simulate(lifecycle, tmp_path, native("Order Completed", 0)))
    assert "nothing matched" not in rows
    assert "covers" not in rows


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_no_line_is_wider_than_the_terminal_and_no_word_is_broken(lifecycle: Run, tmp_path: Path, columns: int) -> None:
    """With wide characters, too; on a narrow one conditions stand below their way."""
    lines = native("page", 0, "お客様-7") + native("Order Completed", 5, "43") + native("Bestellung", 6, "44")
    printed = simulate(lifecycle, tmp_path, lines, columns=columns)
    tables = [
        line for line in printed if "warning: " not in line
    ]  # which a terminal breaks, so that a place can be copied
    assert max(map(cell_len, tables)) <= columns
    words = " ".join(printed).split()
    assert {"in_stage", "revenue", "お客様-7", "新規のお客様", "Bestellung", "properties.totl,"} <= set(words)
    if columns == 60:
        assert "in_stage >= 30d" in [line.strip() for line in printed]


def test_a_lifecycle_s_warnings_are_shown(lifecycle: Run, tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(SHOP.replace('land == "AT"', 'event.name == "A*"'))
    printed = simulate(lifecycle, tmp_path, native("page", 0))
    shown = "shop.yaml:18:34: warning: the * in 'A*' stands for itself alone"
    assert [line for line in printed if line.startswith(shown)]


def test_changes_as_csv_and_customers_as_parquet(lifecycle: Run, tmp_path: Path) -> None:
    lines = native("page", 0, "お客様-7") + native("Order Completed", 5, "お客様-7", properties={"totl": 1.5})
    simulate(lifecycle, tmp_path, lines, "--changes", "c.csv", "--customers", "k.parquet")
    with (tmp_path / "c.csv").open(encoding="utf-8", newline="") as file:
        born, bought = csv.DictReader(file)
    assert (born["from"], born["to"], born["at"], born["entered"]) == ("", "neu", "2026-01-01T00:00:00.000Z", "")
    assert (bought["customer_id"], bought["facts.revenue"], bought["entered"], bought["at"]) == (
        *("お客様-7", "1.5"),
        *("2026-01-01T00:00:00.000Z", "2026-01-06T00:00:00.000Z"),
    )
    [customer] = parquet.read_table(tmp_path / "k.parquet").to_pylist()
    assert (customer["customer_id"], customer["stage"], customer["facts.orders"]) == ("お客様-7", "kunde", 1)
    assert customer["entered"].isoformat() == "2026-01-06T00:00:00+00:00"
