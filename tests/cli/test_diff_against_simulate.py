"""`lifecycle diff` says what plain code finds in two runs of `lifecycle simulate`, customer by customer."""

import json
from pathlib import Path
from statistics import quantiles
from typing import Any

import pytest

from stream.codec.interactions import encode_native
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from tests.cli.commands import Run
from tests.kit.datasets import cdnow
from tests.offline.diffs import Plain, compared, who_of

METRICS = Path(__file__).parents[2].joinpath("stream", "presets", "metrics.yaml").read_text(encoding="utf-8")
ALL = "10000"
"""More customers than there are."""


def edited(*pairs: tuple[str, str]) -> str:
    """The preset `metrics` with other texts in some places."""
    text = METRICS
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


EDITS: dict[str, str] = {
    "nothing": METRICS,
    "threshold": edited(("when: attention >= 2}", "when: attention >= 3}")),
    "half-life": edited(("attention: {half_life: 60d}", "attention: {half_life: 30d}")),
    "new stage": edited(
        ("  dormant:    {title", "  ardent: {title: Ardent}\n  dormant:    {title"),
        ("  # A poor answer", "  - {from: loyalty, to: ardent, when: orders >= 6}\n  # A poor answer"),
    ),
    "removed stage": edited(
        ("  win_back:   {title: Win-back, channels: [email, push], actions: [welcome_back, product_recommendations]}\n", ""),
        ("to: win_back, when: idle < 60d", "to: retention, when: idle < 60d"),
        ("  - {from: win_back, to: retention, when: orders_of_late >= 1}\n", ""),
    ),
    "renamed stage": edited(("loyalty", "devotion")),
    "renamed stage and threshold": edited(("loyalty", "devotion"), ("when: attention >= 2}", "when: attention >= 3}")),
    "first stage": edited(
        ("  awareness:  {title", "  stranger: {}\n  awareness:  {title"),
        ("transitions:\n", "transitions:\n  - {from: stranger, to: awareness, when: touches >= 2}\n"),
    ),
    "passive": edited(("passive: [mailing]", "passive: [mailing, visit]")),
}


class Runs:
    """Commands on one history, each run once."""

    def __init__(self, run: Run, folder: Path, until: str | None) -> None:
        self.run, self.folder, self.until = run, folder, until
        self.done: dict[str, tuple[list[Any], list[Any]]] = {}

    def simulated(self, lifecycle: str) -> tuple[list[Any], list[Any]]:
        """The lines of `--changes` and of `--customers`."""
        if lifecycle not in self.done:
            outputs = ("--changes", "changes.jsonl", "--customers", "customers.jsonl")
            found = self.run("simulate", "--lifecycle", lifecycle, "--input", "history.jsonl", *outputs, *self.time())
            assert found.returncode == 0, found.stderr
            changes, customers = (
                [json.loads(line) for line in (self.folder / f"{name}.jsonl").read_text().splitlines()]
                for name in ("changes", "customers")
            )
            self.done[lifecycle] = changes, customers
        return self.done[lifecycle]

    def diff(self, old: str, new: str) -> dict[str, Any]:
        """What `--json` writes, with all customers explained."""
        given = ("--input", "history.jsonl", "--json", "-", "--customers", ALL)
        found = self.run("diff", old, new, *given, *self.time())
        assert found.returncode == 0, found.stderr
        document: dict[str, Any] = json.loads(found.stdout)
        return document

    def time(self) -> tuple[str, ...]:
        return () if self.until is None else ("--until", self.until)

    def check(self, old: str, new: str) -> dict[str, Any]:
        """Compare by the command and by plain code."""
        document = self.diff(old, new)
        plain = compared(self.simulated(old), self.simulated(new), document["renamed"])
        check(document, plain, self.simulated(old)[1], self.simulated(new)[1])
        return document


def check(document: dict[str, Any], plain: Plain, *customers: list[Any]) -> None:
    """Both say the same, of everything."""
    assert {(each["old"], each["new"]): each["customers"] for each in document["matrix"]} == plain.matrix
    for name in ("same", "elsewhere", "another_way", "other_times"):
        assert document[name] == plain.differences[name], name
    told = {who_of(each): each for each in document["explained"]}
    assert len(told) == len(document["explained"]) == document["customers"] - document["same"]
    assert {who: each["parted"]["at"] for who, each in told.items()} == plain.parted
    assert {who: each["difference"] for who, each in told.items()} == plain.difference_of
    assert sum(each["customers"] for each in document["partings"]) <= len(told)
    for side, ways, standing in zip(("old", "new"), plain.ways, customers, strict=True):
        found = {(each["from"], each["to"]): each for each in document[side]["ways"]}
        assert {way: each["times"] for way, each in found.items() if each["times"]} == {
            way: len(stays) for way, stays in ways.items()
        }
        for (source, target), stays in ways.items():
            if source is not None and len(stays) > 1:
                tenths = quantiles(stays, n=10, method="inclusive")
                assert found[source, target]["median"] == pytest.approx(tenths[4])
                assert found[source, target]["p90"] == pytest.approx(tenths[8])
        for stage in document[side]["stages"]:
            name = stage["stage"]
            assert stage["entered"] == sum(len(stays) for (_, to), stays in ways.items() if to == name)
            assert stage["now"] == sum(1 for each in standing if each["stage"] == name)
        stands = {who_of(each): each for each in standing}
        for who, each in told.items():  # the second reading comes to the same end
            explanation = each[side]["explanation"]
            assert (explanation is None) == (who not in stands)
            if explanation is not None:
                for key in ("stage", "entered", "sequence", "born", "at", "scores", "facts"):
                    assert explanation[key] == stands[who][key], (who, key)


@pytest.mark.parametrize("until", [None, str(SHOP_CLOSED + 40 * 86_400_000)], ids=["as it is", "time passes"])
def test_edits_of_a_file_on_the_shop(lifecycle: Run, tmp_path: Path, until: str | None) -> None:
    """Edits of every kind: each customer's end, way and parting."""
    with (tmp_path / "history.jsonl").open("wb") as file:
        file.writelines(encode_native(each) + b"\n" for each in shop_interactions(60))
    runs = Runs(lifecycle, tmp_path, until)
    differing = {}
    for name, text in EDITS.items():
        file_name = f"{name.replace(' ', '-')}.yaml"
        (tmp_path / file_name).write_text(text, encoding="utf-8")
        document = runs.check("metrics", file_name)
        differing[name] = document["customers"] - document["same"]
        assert document["renamed"] == ({"loyalty": "devotion"} if name.startswith("renamed") else {}), name
    assert {name for name, count in differing.items() if not count} == {"nothing", "renamed stage"}, differing


def test_two_lifecycles_of_other_names_on_the_shop(lifecycle: Run, tmp_path: Path) -> None:
    with (tmp_path / "history.jsonl").open("wb") as file:
        file.writelines(encode_native(each) + b"\n" for each in shop_interactions(60))
    runs = Runs(lifecycle, tmp_path, str(SHOP_CLOSED))
    for new in ("journey", "nurture", "relationship"):
        document = runs.check("metrics", new)
        assert document["renamed"] == {}
        assert document["elsewhere"] > document["customers"] // 2


@pytest.mark.real_data
def test_edits_of_a_file_on_real_purchases(lifecycle: Run, tmp_path: Path) -> None:
    """All of a day's purchases are at midnight: several interactions of one moment, in both."""
    assert cdnow(tmp_path / "history.jsonl") == 69_659
    (tmp_path / "new.yaml").write_text(edited(("orders >= 2}", "orders >= 3}"), ("idle >= 60d", "idle >= 45d")))
    runs = Runs(lifecycle, tmp_path, "1998-07-31")
    document = runs.check("metrics", "new.yaml")
    assert document["elsewhere"] > 1000
