"""A comparison says what plain code finds in two runs of `lifecycle simulate`, customer by customer."""

from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import orjson
import pytest

from stream.codec.files.input_files import read_interactions
from stream.codec.interactions import encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load
from stream.codec.stage_changes import encode
from stream.core.model import model_of
from stream.demo.shop import SHOP_CLOSED, shop_interactions
from stream.offline.simulation import Simulation
from stream.offline.standing import encode_standing
from tests.kit.datasets import cdnow_interactions, write_native
from tests.kit.times import DAY
from tests.offline.diffs import Plain, compared, diff_of, who_of

METRICS = Path(__file__).parents[2].joinpath("stream", "presets", "metrics.yaml").read_text(encoding="utf-8")
ALL: Final = 10_000
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
        ("  win_back:   {title: Win-back, channels: [email, push], actions: ", "#"),
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
    """What both commands do, on one history; each lifecycle is simulated once."""

    def __init__(self, history: Path, until: int | None) -> None:
        self.history, self.until = history, until
        self.done: dict[str, tuple[list[Any], list[Any]]] = {}

    def simulated(self, lifecycle: str) -> tuple[list[Any], list[Any]]:
        """The lines of `lifecycle simulate --changes` and of `--customers`."""
        if lifecycle not in self.done:
            simulation = Simulation(model_of([load(lifecycle).lifecycle]))
            changes = list(simulation.run(read_interactions(self.history)))
            changes += [] if self.until is None else simulation.finish(self.until)
            written = [encode(*each) for each in changes]
            standing = [encode_standing(each) for each in simulation.standings(self.until)]
            self.done[lifecycle] = [orjson.loads(line) for line in written], [orjson.loads(line) for line in standing]
        return self.done[lifecycle]

    def check(self, old: str, new: str, *, most: int = ALL) -> dict[str, Any]:
        """Compare as the command does, and by plain code."""
        found = diff_of(old, new, [str(self.history)], until=self.until, most=most)
        document: dict[str, Any] = orjson.loads(orjson.dumps(found))
        plain = compared(self.simulated(old), self.simulated(new), document["renamed"])
        check(document, plain, self.simulated(old)[1], self.simulated(new)[1], most=most)
        return document


def check(document: dict[str, Any], plain: Plain, *customers: list[Any], most: int) -> None:
    """Both say the same, of everything."""
    assert {(each["old"], each["new"]): each["customers"] for each in document["matrix"]} == plain.matrix
    for name in ("same", "elsewhere", "another_way", "other_times"):
        assert document[name] == plain.differences[name], name
    told = {who_of(each): each for each in document["explained"]}
    assert len(told) == len(document["explained"]) == min(most, document["customers"] - document["same"])
    assert {who: each["parted"]["at"] for who, each in told.items()} == {who: plain.parted[who] for who in told}
    assert {who: each["difference"] for who, each in told.items()} == {who: plain.difference_of[who] for who in told}
    assert sum(each["customers"] for each in document["partings"]) <= len(plain.parted)
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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year and a half of a small shop."""
    path = tmp_path_factory.mktemp("shop") / "history.jsonl"
    with path.open("wb") as file:
        file.writelines(encode_native(each) + b"\n" for each in shop_interactions(30))
    return path


@pytest.mark.long
@pytest.mark.parametrize("until", [None, SHOP_CLOSED + 40 * DAY], ids=["as it is", "time passes"])
def test_edits_of_a_file_on_the_shop(shop: Path, tmp_path: Path, until: int | None) -> None:
    """Edits of every kind: each customer's end, way and parting."""
    runs = Runs(shop, until)
    differing = {}
    for name, text in EDITS.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        document = runs.check("metrics", str(file))
        differing[name] = document["customers"] - document["same"]
        assert document["renamed"] == ({"loyalty": "devotion"} if name.startswith("renamed") else {}), name
    assert {name for name, count in differing.items() if not count} == {"nothing", "renamed stage"}, differing


@pytest.mark.long
@pytest.mark.parametrize("new", ["journey", "nurture", "relationship"])
def test_two_lifecycles_of_other_names_on_the_shop(shop: Path, new: str) -> None:
    document = Runs(shop, SHOP_CLOSED).check("metrics", new)
    assert document["renamed"] == {}
    assert document["elsewhere"] > document["customers"] // 2


@pytest.mark.real_data
def test_edits_of_a_file_on_real_purchases(tmp_path: Path) -> None:
    """All of a day's purchases are at midnight: several interactions of one moment, in both."""
    history, new = tmp_path / "history.jsonl", tmp_path / "new.yaml"
    assert write_native(history, cdnow_interactions("CDNOW_sample.txt")) == 6_919
    new.write_text(edited(("orders >= 2}", "orders >= 3}"), ("idle >= 60d", "idle >= 45d")), encoding="utf-8")
    document = Runs(history, 901_843_200_000).check("metrics", str(new), most=200)
    assert document["elsewhere"] > 100
