"""Random facts and ledgers of a rich lifecycle, without their `where`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random

from tests.properties.lifecycles import DURATIONS, ORDERS, PROPERTIES, SIGNS, Source, Tempo
from tests.properties.rich_conditions import (
    Comparisons,
    Features,
    among,
    any_of,
    any_text,
    compared,
    compared_once,
    constants_of,
    numbers_of,
    rolling_count_of,
    texts_of,
    times_of,
)

Named = Mapping[str, Source]

LISTS = ["properties.products", "properties.products", "properties.tags", "context.items", "properties.total"]
ITEMS = ["item.price", "item.price", "item.quantity", "item", 'item["a b"]', "item.deep.price"]
FACTORS = ["2", "0.5", "0.1", "1000", "0", "3.75", "100000000000000"]


def word_list(chance: Random, vocabulary: Sequence[str]) -> str | list[str]:
    """What stands after `each`: a word or a list of words."""
    words = chance.sample(vocabulary, chance.randint(1, min(2, len(vocabulary))))
    return words[0] if len(words) == 1 and chance.random() < 0.5 else words


def computed_number(chance: Random, features: Features, *, over: bool) -> str:
    """A path to a number, or a product with at least one path."""
    paths = [*ITEMS, *ITEMS, *PROPERTIES[:2]] if over else ["properties.total", *PROPERTIES, "properties.price"]
    factors = [chance.choice(paths)]
    if "numbers" not in features:
        return factors[0]
    factors += [chance.choice([*paths, *FACTORS]) for _ in range(chance.choice([0, 1, 1, 2]))]
    chance.shuffle(factors)
    times = chance.choice([" * ", " * ", "*"])
    return chance.choice(["", "", "", "-", "- "]) + times.join(factors)


def rolling(chance: Random, tempo: Tempo, key: str = "within") -> Source:
    """How long something counts, and how much of it is kept."""
    length: Source = {key: chance.choice(DURATIONS[tempo])}
    return {**length, "keep": chance.randint(1, 3)} if chance.random() < 0.6 else length


def rich_fact(
    chance: Random, name: str, books: Named, vocabulary: Sequence[str], tempo: Tempo, features: Features
) -> tuple[Source, Comparisons]:
    """A fact, and the comparisons of it."""
    if books and chance.random() < 0.7:
        return ledger_fact(chance, name, books, tempo)
    kinds = ["count", "rolling", "sum", "first", "last", "latest"]
    kinds += 6 * [each for each in ("times", "expiring") if each in features]
    kind, words = chance.choice(kinds), word_list(chance, vocabulary)
    over: Source = {"over": chance.choice(LISTS)} if "lists" in features and chance.random() < 0.6 else {}
    if kind in ("first", "last"):
        since = compared(f"since({name})", ORDERS, DURATIONS[tempo])
        return {kind: words, **over}, any_of(since, since, any_text(f"exists({name})"))
    if kind == "latest":
        path = chance.choice(["item", "item.category"] if over else ["properties.country", "properties.n"])
        each: Source = {"each": words} if chance.random() < 0.5 else {}
        return {"latest": path, **each, **over}, latest_of(name)
    if kind == "times":
        path = chance.choice(["item.ends", "item", "properties.ends"]) if over else "properties.ends"
        return {"latest_time": path, "each": words, **over}, times_of(name, tempo)
    if kind == "rolling":
        told = rolling(chance, tempo)
        keep = told.get("keep", 4)
        assert isinstance(keep, int)
        return {"count": words, **told, **over}, rolling_count_of(name, keep)
    counted = [words] if isinstance(words, str) else words
    others = [word for word in vocabulary if word not in counted]
    minus: Source = {"minus": word_list(chance, others)} if others and chance.random() < 0.5 else {}
    if kind == "count":
        return {"count": words, **minus, **over}, numbers_of(name)
    total: Source = {"sum": computed_number(chance, features, over=bool(over)), "each": words, **minus, **over}
    if kind == "expiring":
        return {**total, **rolling(chance, tempo)}, constants_of(name)
    return total, numbers_of(name)


def latest_of(name: str) -> Comparisons:
    """Comparisons of a `latest` fact, whose type is not known before it is seen."""
    wholes = [f"exists({name})", name, f"{name} == true", f"{name} == properties.country", f"{name} in properties.tags"]
    mixed = among(name, ["DE", 3, "3", 2.5, "1"])
    return any_of(any_text(*wholes), texts_of(name, ["DE", "FR", "mobile"]), mixed, compared_once(name, SIGNS, [1, 3]))


def ledger_fact(chance: Random, name: str, books: Named, tempo: Tempo) -> tuple[Source, Comparisons]:
    """A fact over one of these ledgers, and the comparisons of it."""
    kind, ledger = chance.choice(["count", "sum", "sum"]), chance.choice(sorted(books))
    if chance.random() < 0.5:
        return {kind: ledger}, numbers_of(name)
    keep = books[ledger].get("keep", 4)
    assert isinstance(keep, int)
    fact: Source = {kind: ledger, "within": chance.choice(DURATIONS[tempo])}
    return fact, rolling_count_of(name, keep) if kind == "count" else constants_of(name)


def rich_ledger(chance: Random, vocabulary: Sequence[str], features: Features) -> Source:
    """A ledger: nearly always with keys and amounts, and mostly with few places."""
    each, *others = chance.sample(vocabulary, len(vocabulary))
    told: Source = {"each": chance.choice([each, [each]])}
    if chance.random() < 0.85:
        told["by"] = chance.choice(["properties.order", "properties.order", "properties.order", "properties.n"])
    if chance.random() < 0.9:
        told["amount"] = "properties.total" if chance.random() < 0.8 else computed_number(chance, features, over=False)
        if others and chance.random() < 0.7:
            told["update"] = others.pop()
    if others and chance.random() < 0.9:
        told["minus"] = others.pop()
        if chance.random() < 0.8:
            told["returned"] = "properties.returned"
        if chance.random() < 0.5:
            told["return"] = "properties.return"
    if others and chance.random() < 0.3:
        told["each"] = [each, others.pop()]
    if chance.random() < 0.6:
        told["keep"] = chance.randint(1, 3)
    return told
