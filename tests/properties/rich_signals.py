"""Random scores and signals of a rich lifecycle, without their `where`."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tests.properties.lifecycles import CLAMPS, DURATIONS, NUMBERS, ORDERS, POINTS, Source, Tempo
from tests.properties.reference_values import listed, mapping
from tests.properties.rich_conditions import Comparisons, Features, compared, constants_of, numbers_of
from tests.properties.rich_parts import LISTS, Named, computed_number, rolling, word_list

VALUES: list[dict[object, float]] = [
    {"DE": 3, "de": 1, "straße": -2.5},
    {3: 2, "DE": 1, "x": 0},
    {"2.50": 2, "3": -1, "coffee": 5},
    {True: 4, "coffee": 0.1, 2.5: 1, "FR": 7},
    {1: 10, 1000: 0.5, "tea": 1},
]


def rich_score(chance: Random, tempo: Tempo, features: Features) -> Source:
    """A score, in two of three cases a permanent one."""
    score = dict(chance.choice(CLAMPS))
    if chance.random() < 0.3:
        score["half_life"] = chance.choice(DURATIONS[tempo])
    elif "floor" in features and chance.random() < (0.9 if features == {"floor"} else 0.5):
        score["floor"] = chance.choice([0, 0, -1, -2.5, -10])
    return score


def score_comparisons(name: str, score: Source, signals: Named) -> Comparisons:
    """The comparisons of a score that these signals feed: with numbers that its clamps let it reach."""
    low, high = (float(str(score.get(limit, default))) for limit, default in (("min", -1e9), ("max", 1e9)))
    low = max(low, float(str(score.get("floor", -1e9))))
    reached: list[float] = [each for each in NUMBERS if low <= each <= high]
    if "half_life" in score:
        return compared(name, ORDERS, [*map(str, reached)])
    if any("expires" in each and name in mapping(each.get("add")) for each in signals.values()):
        return constants_of(name, reached)
    return numbers_of(name, reached)


def rich_signal(
    chance: Random, scores: Named, books: Named, vocabulary: Sequence[str], tempo: Tempo, features: Features
) -> Source:
    """A signal for one or more of these scores, perhaps of one of these ledgers."""
    lasting = [name for name, score in scores.items() if not score.keys() & {"half_life", "floor"}]
    kinds = ["adding", "adding", *(["resetting"] if "reset" in features else [])]
    if lasting:
        kinds += [each for each in ("expiring", "latest_points") if each in features] * 3
    kind, words = chance.choice(kinds), word_list(chance, vocabulary)
    if kind == "resetting":
        return {"each": words, "reset": chance.sample(sorted(scores), chance.randint(1, min(2, len(scores))))}
    over: Source = {"over": chance.choice(LISTS)} if "lists" in features and chance.random() < 0.6 else {}
    if kind == "latest_points":
        return {"each": words, **over, **of_latest(chance, lasting, over=bool(over))}
    ledger: Source = {}
    if books and chance.random() < 0.7:
        name = chance.choice(sorted(books))
        ledger, words = {"ledger": name}, word_list(chance, [str(each) for each in listed(books[name]["each"])])
    expires = rolling(chance, tempo, "expires") if kind == "expiring" else {}
    names = lasting if expires else sorted(scores)
    points = {name: points_of(chance, features, over=bool(over)) for name in chance.sample(names, min(2, len(names)))}
    if chance.random() < 0.5:
        points.popitem()
    add: Source = {"add": points or {chance.choice(names): 1}}
    return {"each": words, **ledger, **over, **add, **expires, **cap(chance, tempo, features, over=bool(over))}


def points_of(chance: Random, features: Features, *, over: bool) -> object:
    """Points: a number, or what a property tells."""
    if "floor" in features and chance.random() < 0.4:
        return chance.choice([-1, -2, -5, -0.5, -20])
    if chance.random() < 0.4:
        return chance.choice(POINTS)
    return computed_number(chance, features, over=over)


def of_latest(chance: Random, scores: Sequence[str], *, over: bool) -> Source:
    """Points of the latest value."""
    paths = ["item", "item.category"] if over else ["properties.country", "properties.country", "properties.n"]
    path = chance.choice(paths)
    return {
        "latest": chance.choice([path, path, f"lower({path})"]),
        "points": dict(chance.choice(VALUES)),
        "to": chance.choice(scores),
    }


def cap(chance: Random, tempo: Tempo, features: Features, *, over: bool) -> Source:
    """How often a signal counts."""
    wanted = [each for each in ("once_each", "cool_down", "calendar") if each in features]
    way = chance.choice(["none", "none", "none", "once", "at_most", *(4 * wanted)])
    if way == "once":
        return {"once": True}
    if way == "once_each":
        paths = ["properties.order", "properties.order", "properties.n"]
        return {"once": chance.choice([*paths, "item.id", "item.id", "item.category", "item"] if over else paths)}
    length = chance.choice(DURATIONS[tempo])
    if way == "at_most":
        return {"at_most": {"times": chance.randint(1, 3), "per": length}}
    if way == "calendar":
        return {"at_most": {"times": chance.randint(1, 2), "per": chance.choice(["day", "week", "month"])}}
    if way == "cool_down":
        return {"at_most": {"times": chance.choice([1, 1, 2, 3, 20]), "within": length}}
    return {}
