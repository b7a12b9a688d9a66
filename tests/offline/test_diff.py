"""Two small lifecycles on interactions whose outcome is worked out by hand, and what of them is told."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from stream.cli.pages.diff_page import diff_page
from stream.cli.terminal.diff_words import edit_words, why_lines
from stream.cli.terminal.explanation_words import when
from tests.kit.times import DAY, T0
from tests.offline.diffs import diff_of

SCHEMAS = Path(__file__).parents[2] / "schemas"
DIFF, EXPLANATION = (
    json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")) for name in ("diff", "explanation")
)
REGISTRY: Registry[Any] = Registry().with_resource("explanation.schema.json", Resource.from_contents(EXPLANATION))
VALIDATOR = Draft202012Validator(DIFF, registry=REGISTRY)

OLD = """\
lifecycle: shop
interactions:
  visit: [page]
  purchase: [Order Completed]
scores:
  heat: {half_life: 1d}
signals:
  visited: {each: visit, add: {heat: 8}}
facts:
  orders: {count: purchase}
stages:
  stranger: {title: Stranger}
  lead: {title: Lead}
  buyer: {title: Buyer}
transitions:
  - {from: [stranger, lead], to: buyer, when: orders >= 1}
  - {from: stranger, to: lead, when: heat >= 8}
  - {from: lead, to: stranger, when: heat < 1}
"""


class Shop:
    """Two files and a history, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[bytes] = []

    def sees(self, who: str, name: str, time: int, **more: object) -> None:
        """One interaction."""
        self.lines.append(orjson.dumps({"type": name, "customer_id": who, "time": time, **more}) + b"\n")

    def diff(self, *edits: tuple[str, str], until: int | None = None, **options: int) -> dict[str, Any]:
        """Of OLD and OLD with other texts in some places."""
        new = OLD
        for before, after in edits:
            assert before in new, before
            new = new.replace(before, after)
        (self.folder / "old.yaml").write_text(OLD, encoding="utf-8")
        (self.folder / "new.yaml").write_text(new, encoding="utf-8")
        history = self.folder / "history.jsonl"
        history.write_bytes(b"".join(self.lines))
        paths = str(self.folder / "old.yaml"), str(self.folder / "new.yaml")
        found = orjson.loads(orjson.dumps(diff_of(*paths, [str(history)], until=until, **options)))
        VALIDATOR.validate(found)
        document: dict[str, Any] = found
        return document


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_a_threshold_is_why_a_customer_stays(shop: Shop) -> None:
    """With two orders as the condition, who buys once is no buyer, and who buys twice later."""
    shop.sees("ann", "Order Completed", T0)
    shop.sees("ben", "Order Completed", T0)
    shop.sees("ben", "Order Completed", T0 + DAY)
    found = shop.diff(("when: orders >= 1", "when: orders >= 2"))
    assert [edit_words(each, found) for each in found["edits"]] == [
        "transition Stranger, Lead → Buyer: when orders >= 1 → when orders >= 2"
    ]
    assert found["matrix"] == [
        {"old": "buyer", "new": "buyer", "customers": 1},
        {"old": "buyer", "new": "stranger", "customers": 1},
    ]
    assert [found[name] for name in ("customers", "same", "elsewhere", "another_way", "other_times")] == [2, 0, 1, 0, 1]
    assert [(each["from"], each["old"]["to"], each["new"], each["customers"]) for each in found["partings"]] == [
        ("stranger", "buyer", None, 2)
    ]
    ann, ben = found["explained"]
    assert (ann["customer_id"], ann["parted"]["at"], ann["parted"]["record"]) == ("ann", T0, 0)
    assert (ben["customer_id"], ben["parted"]["at"], ben["parted"]["record"]) == ("ben", T0, 1)
    assert list(why_lines(ann, found)) == [
        ("old: goes to Buyer, when orders >= 1", []),
        ("new: stays", ["orders 1 of 2, 1 is missing"]),
    ]


def test_a_half_life_is_why_time_alone_parts_them(shop: Shop) -> None:
    """8 points are below 1 a millisecond after three half-lives: three days, or six."""
    shop.sees("ann", "page", T0)
    found = shop.diff(("half_life: 1d", "half_life: 48h"), until=T0 + 5 * DAY)
    assert [edit_words(each, found) for each in found["edits"]] == ["score heat: half_life 1d → 48h"]
    (ann,) = found["explained"]
    assert (ann["parted"]["at"], ann["parted"]["record"]) == (T0 + 3 * DAY + 1, 1)
    assert ann["parted"]["old"]["trigger"] == {"kind": "deadline", "type": None}
    (went, _), (stays, lacked), scores = why_lines(ann, found)
    assert (went, stays) == ("old: goes to Stranger, when heat < 1", "new: stays")
    cold = when(T0 + 6 * DAY + 1)
    assert lacked == [f"heat < 1: heat is 2.83, 1.83 too much; time alone does it on {cold}"]
    assert scores == ("heat was 1 in old, 2.83 in new", [])
    assert shop.diff(("half_life: 1d", "half_life: 48h"), until=T0 + 7 * DAY)["other_times"] == 1


def test_what_means_the_same_is_no_difference(shop: Shop) -> None:
    shop.sees("ann", "page", T0)
    found = shop.diff(
        ("half_life: 1d", "half_life: 24h"),
        ("{each: visit, add: {heat: 8}}", "{add: {heat: 8.0}, each: [visit]}"),
        ("orders >= 1}", "'orders  >=  1'}"),
    )
    assert found["edits"] == []
    assert found["same"] == found["customers"] == 1


def test_every_kind_of_edit_is_said(shop: Shop) -> None:
    found = shop.diff(
        ("lifecycle: shop\n", "lifecycle: shop\nversion: 2\npassive: [mail]\n"),
        ("visit: [page]", "visit: [page, screen]\n  mail: [Mailed]"),
        (
            "visited: {each: visit, add: {heat: 8}}",
            "visited: {each: visit, add: {heat: 4}}\n  mailed: {each: mail, add: {heat: 1}}",
        ),
        ("orders: {count: purchase}", "orders: {count: purchase}\n  visits: {count: visit}"),
        ("lead: {title: Lead}", "lead: {title: Lead, actions: [call]}\n  fan: {title: Fan}"),
        ("  - {from: lead, to: stranger, when: heat < 1}\n", "  - {from: buyer, to: fan, when: visits >= 9}\n"),
    )
    assert [edit_words(each, found) for each in found["edits"]] == [
        "version: nothing → 2",
        "passive: nothing → [mail]",
        "word visit: [page] → [page, screen]",
        "word mail added: [Mailed]",
        "signal visited: add {heat: 8} → {heat: 4}",
        "signal mailed added: {each: mail, add: {heat: 1}}",
        "fact visits added: {count: visit}",
        "stage lead: actions nothing → [call]",
        "stage fan added: {title: Fan}",
        "transition Lead → Stranger removed: when heat < 1",
        "transition Buyer → Fan added: when visits >= 9",
    ]


def test_another_order_of_transitions_and_stages_is_said(shop: Shop) -> None:
    shop.sees("ann", "page", T0)
    first, second = OLD.splitlines()[-3:-1]
    found = shop.diff(
        (f"{first}\n{second}\n", f"{second}\n{first}\n"),
        (
            "  stranger: {title: Stranger}\n  lead: {title: Lead}\n",
            "  lead: {title: Lead}\n  stranger: {title: Stranger}\n",
        ),
    )
    assert [edit_words(each, found) for each in found["edits"]] == [
        "customers begin in lead, no longer in stranger",
        "ways out of Stranger are tried in another order: to Buyer, Lead → to Lead, Buyer",
    ]
    (ann,) = found["explained"]
    assert [line for line, _ in why_lines(ann, found)][:2] == ["old: begins in Stranger", "new: begins in Lead"]


def test_a_stage_with_another_name_alone_is_the_same(shop: Shop) -> None:
    shop.sees("ann", "Order Completed", T0)
    found = shop.diff(("buyer", "client"))
    assert (found["renamed"], found["same"]) == ({"buyer": "client"}, 1)
    assert [edit_words(each, found) for each in found["edits"]] == ["stage buyer is called client"]
    other = shop.diff(
        ("to: buyer, when: orders >= 1", "to: client, when: orders > 0"), ("buyer: {title", "client: {title")
    )
    assert (other["renamed"], other["elsewhere"]) == ({}, 1)
    lines = list(why_lines(other["explained"][0], other))
    assert lines[:2] == [
        ("old: goes to Buyer, when orders >= 1", []),
        ("new: goes to Buyer, when orders > 0", []),
    ]


def test_interactions_of_one_moment_that_come_to_the_same_are_no_difference(shop: Shop) -> None:
    """Old is a buyer at the first of two orders at midnight, new at the second: at the same moment."""
    shop.sees("ann", "Order Completed", T0)
    shop.sees("ann", "Order Completed", T0)
    assert shop.diff(("orders >= 1}", "orders >= 2}"))["same"] == 1


def test_whoever_both_have_forgotten_is_not_counted(shop: Shop) -> None:
    shop.lines = [orjson.dumps({"type": "page", "anonymous_id": "x", "time": T0}) + b"\n"]
    found = shop.diff(("heat >= 8", "heat >= 9"), until=T0 + 200 * DAY)
    assert (found["customers"], found["explained"]) == (0, [])
    assert [each["times"] for each in found["old"]["ways"] if each["to"] is None] == [1]


def test_examples_show_each_kind_first_and_then_more_of_who_ends_elsewhere(shop: Shop) -> None:
    for number in range(30):
        shop.sees(f"elsewhere-{number}", "Order Completed", T0)
    for number in range(10):
        shop.sees(f"later-{number}", "Order Completed", T0)
        shop.sees(f"later-{number}", "Order Completed", T0 + DAY)
    edit = ("when: orders >= 1", "when: orders >= 2")
    shown = shop.diff(edit, most=5)["explained"]
    assert [each["difference"] for each in shown] == ["elsewhere"] * 4 + ["other_times"]
    assert shop.diff(edit, most=5, processes=3)["explained"] == shown
    assert shop.diff(edit, most=0)["explained"] == []
    assert len(shop.diff(edit, most=100)["explained"]) == 40


def test_several_processes_find_what_one_finds(shop: Shop) -> None:
    for number in range(200):
        for day in range(number % 7):
            name = "Order Completed" if (number + day) % 3 == 0 else "page"
            shop.sees(f"c-{number}", name, T0 + day * DAY + number, id=f"{number}-{day}")
    edits = (("half_life: 1d", "half_life: 3d"), ("orders >= 1", "orders >= 2"))
    alone = shop.diff(*edits, until=T0 + 30 * DAY)
    assert alone["elsewhere"] > 0
    assert alone["another_way"] > 0
    assert shop.diff(*edits, until=T0 + 30 * DAY, processes=3) == alone


def test_what_holds_a_transition_back_is_why_a_customer_stays(shop: Shop) -> None:
    shop.sees("ann", "Order Completed", T0)
    found = shop.diff(("to: buyer, when: orders >= 1", "to: buyer, when: orders >= 1, hold: 2d"))
    (ann,) = found["explained"]
    since, until = when(T0), when(T0 + 2 * DAY)
    assert list(why_lines(ann, found)) == [
        ("old: goes to Buyer, when orders >= 1", []),
        ("new: stays", [f"hold: the condition has held since {since}; it must until {until}"]),
    ]


def test_a_way_and_a_stage_that_are_not_there_are_why_a_customer_stays(shop: Shop) -> None:
    shop.sees("ann", "Order Completed", T0)
    no_way = shop.diff(("from: [stranger, lead], to: buyer", "from: lead, to: buyer"))
    (ann,) = no_way["explained"]
    assert list(why_lines(ann, no_way))[1] == ("new: stays", ["there is no way from Stranger to Buyer"])
    no_stage = shop.diff(
        ("  buyer: {title: Buyer}\n", ""), ("  - {from: [stranger, lead], to: buyer, when: orders >= 1}\n", "")
    )
    (ann,) = no_stage["explained"]
    assert list(why_lines(ann, no_stage))[1] == ("new: stays", ["there is no stage Buyer"])
    assert edit_words(no_stage["edits"][0], no_stage) == "stage buyer removed: {title: Buyer}"


def test_a_customer_that_only_one_has_forgotten_ends_elsewhere(shop: Shop) -> None:
    """What is passive wakes nobody, and keeps nobody from being forgotten."""
    shop.lines = [
        orjson.dumps({"type": "page", "anonymous_id": "x", "time": T0 + days * DAY}) + b"\n" for days in (0, 60)
    ]
    found = shop.diff(("scores:\n", "passive: [visit]\nscores:\n"), until=T0 + 100 * DAY)
    assert found["matrix"] == [{"old": "stranger", "new": None, "customers": 1}]
    (x,) = found["explained"]
    assert x["new"]["explanation"] is None
    assert [line for line, _ in why_lines(x, found)][:2] == ["old: stays", "new: is forgotten"]
    page = diff_page(found)
    assert "Stranger → forgotten" in page


def test_the_page_has_what_comes_from_outside_as_text(shop: Shop) -> None:
    evil = "<script>alert(1)</script>'\"&"
    shop.sees(evil, "Order Completed", T0)
    shop.sees("\u202eevil", "Order Completed", T0)
    page = diff_page(shop.diff(("Buyer", "<b>Buyer"), ("orders >= 1", "orders >= 2")))
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#x27;&quot;&amp;" in page
    assert "\u202e" not in page
    assert "goes to Buyer, when orders &gt;= 1" in page
