"""Random conditions of rich lifecycles.

What is random in rich lifecycles and histories is drawn from a `Random` of which hypothesis gives the seed. Choice by
choice, hypothesis is slow with so many, and varies few examples over and over, of which most say the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from random import Random

from tests.properties.lifecycles import DURATIONS, EVENTS, NUMBERS, ORDERS, SIGNS, TEXTS, WORDS, Tempo

Features = frozenset[str]
Comparisons = Callable[[Random], str]
Subjects = Mapping[str, Comparisons]
"""What a condition can be about: of each operand, its comparisons."""

FEATURES: Features = frozenset(
    [
        *["numbers", "lists", "ledgers", "calendar", "cool_down", "once_each", "where_state"],
        *["expiring", "latest_points", "reset", "floor", "times", "text"],
    ]
)
"""Parts of the language that a rich lifecycle may use, beside those of rules 1 to 15."""

PIECES = ["D", "de", "DE", "mobile", "é", "ß", "ss", "Bot", "bot", "."]
SEARCHED = ["context.device.type", "properties.country", "properties.tags", "properties.agent", "event.name"]
"""What is asked of by the comparisons of rule 27."""
WHOLES = ["DE", "de", "FR", "straße", "strasse", "i̇", "mobile bot", ""]


def written(value: object) -> str:
    """A literal as a condition writes it."""
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def any_of(*parts: Comparisons) -> Comparisons:
    """One of several."""
    return lambda chance: chance.choice(parts)(chance)


def any_text(*texts: str) -> Comparisons:
    """One of these."""
    return lambda chance: chance.choice(texts)


def compared(name: str, signs: Sequence[str], others: Sequence[str]) -> Comparisons:
    """`name sign other`, now and then the other way round."""

    def drawn(chance: Random) -> str:
        sign, other = chance.choice(signs), chance.choice(others)
        return f"{other} {sign} {name}" if chance.random() < 0.1 else f"{name} {sign} {other}"

    return drawn


def compared_once(name: str, signs: Sequence[str], others: Sequence[object]) -> Comparisons:
    """`name sign other`, the name always on the left."""
    return lambda chance: f"{name} {chance.choice(signs)} {chance.choice(others)}"


def among(name: str, values: Sequence[object]) -> Comparisons:
    """`name in [...]`."""
    return lambda chance: f"{name} in {written(chance.sample(values, chance.randint(1, min(3, len(values)))))}"


def texts_of(name: str, texts: Sequence[str]) -> Comparisons:
    """Comparisons of what should be a text."""
    return any_of(compared(name, ["==", "!=", "==", "<", ">="], [*map(written, texts)]), among(name, texts))


def numbers_of(name: str, numbers: Sequence[float] = tuple(NUMBERS)) -> Comparisons:
    """Comparisons of a number that time alone does not change."""
    others = compared(name, SIGNS, ["properties.total", "properties.n"])
    constants = compared(name, SIGNS, [*map(str, numbers)])
    return any_of(constants, constants, others, among(name, numbers), any_text(f"{name} in properties.tags"))


def constants_of(name: str, numbers: Sequence[float] = tuple(NUMBERS)) -> Comparisons:
    """Comparisons of what changes in steps by time alone: with constants only, by every sign."""
    constants = compared(name, SIGNS, [*map(str, numbers)])
    return any_of(constants, constants, among(name, numbers))


def numbers_or_texts_of(name: str) -> Comparisons:
    """Comparisons of a property that may be a number, or a text that is one."""
    numbers = compared(name, SIGNS, [*map(str, NUMBERS)])
    return any_of(numbers, numbers, compared(name, ["==", "!="], ['"1"', '"2.5"']), among(name, [1, "1", 2.5, "DE"]))


def rolling_count_of(name: str, keep: int) -> Comparisons:
    """Comparisons of a rolling count that is exact below `keep` and only known to be so many above."""
    below = compared_once(name, [">", "<=", "==", "!="], range(keep))
    return any_of(below, compared_once(name, [">=", "<"], range(1, keep + 1)), among(name, [*range(keep)]))


def searches_of(name: str) -> Comparisons:
    """Comparisons of rule 27 with what should be a text or a list of texts."""
    lowered = f"lower({name})"
    searched = (
        compared_once(each, ["contains", "starts", "ends"], [*map(written, PIECES)]) for each in (name, lowered)
    )
    return any_of(*searched, texts_of(lowered, WHOLES))


def lengths_of(tempo: Tempo) -> list[str]:
    """Durations, also negative ones and none."""
    return [*DURATIONS[tempo], *(f"-{each}" for each in DURATIONS[tempo]), "0ms"]


def times_of(name: str, tempo: Tempo) -> Comparisons:
    """Comparisons of a fact that is a time, before or after the clock."""
    until, since = (compared(f"{function}({name})", ORDERS, lengths_of(tempo)) for function in ("until", "since"))
    return any_of(until, until, since, any_text(f"exists({name})"))


def about_what_is_said(vocabulary: Sequence[str], features: Features) -> dict[str, Comparisons]:
    """What is asked of an interaction; `vocabulary` is the words, and the names that no word covers."""
    device, country, tags = "context.device.type", "properties.country", "properties.tags"
    subjects: dict[str, Comparisons] = {
        "event.type": any_of(
            compared("event.type", ["==", "!="], [*map(written, vocabulary)]), among("event.type", vocabulary)
        ),
        "event.name": compared("event.name", ["==", "!="], [*map(written, [*EVENTS, *WORDS])]),
        "properties.total": numbers_or_texts_of("properties.total"),
        country: any_of(texts_of(country, TEXTS), any_text(f"exists({country})")),
        tags: any_text(f'"DE" in {tags}', f"3 in {tags}", f"properties.n in {tags}"),
        "properties.flag": any_text("properties.flag", "properties.flag == true", "properties.flag != true"),
        'properties["a b"]': compared('properties["a b"]', SIGNS, ["1", "2.5"]),
        "properties.nest": any_text('properties.nest.deep == "DE"', "exists(properties.nest)"),
        device: texts_of(device, ["mobile", "desktop"]),
    }
    if "text" in features:
        for name in SEARCHED:
            subjects[name] = any_of(subjects.get(name, searches_of(name)), searches_of(name), searches_of(name))
        subjects[tags] = any_of(subjects[tags], any_text(f'"de" in lower({tags})', f'"DE" in lower({tags})'))
    return subjects


def about_the_element(features: Features) -> dict[str, Comparisons]:
    """What is asked of an element of a list."""
    whole = any_of(
        texts_of("item", ["DE", "x", "2.5"]), among("item", [3, "DE", True]), any_text("exists(item)", "item")
    )
    subjects = {
        "item.price": numbers_or_texts_of("item.price"),
        "item.category": any_of(texts_of("item.category", ["coffee", "tea", "3"]), any_text("exists(item.category)")),
        "item": any_of(whole, compared("item", ORDERS, ["1", "2.5"]), any_text("exists(item)", "item")),
    }
    if "text" in features:
        subjects |= {name: any_of(subjects[name], searches_of(name)) for name in ("item.category", "item")}
    return subjects


def about_the_customer(
    known: Subjects, facts: Mapping[str, Mapping[str, object]], stages: Sequence[str], tempo: Tempo, features: Features
) -> dict[str, Comparisons]:
    """What a `where` may ask of the customer: what transitions may ask, and durations that may be negative."""
    lengths = lengths_of(tempo)
    subjects = dict(known)
    subjects |= {name: compared(name, ORDERS, lengths) for name in ("idle", "in_stage")}
    subjects["stage"] = compared_once("stage", ["==", "!="], [*map(written, stages)])
    for name, fact in facts.items():
        if "first" in fact or "last" in fact:
            subjects[name] = any_of(subjects[name], compared(f"since({name})", ORDERS, lengths))
            if "times" in features:
                subjects[name] = any_of(subjects[name], times_of(name, tempo))
    return subjects


def condition(chance: Random, subjects: Subjects, depth: int = 2) -> str:
    """A condition in which no `and` meets the same operand twice."""
    names = sorted(subjects)
    shape = chance.choice(["one", "one", "one", "not", *(["and", "and", "or"] if depth else [])])
    if shape == "or":
        return " or ".join(nested(condition(chance, subjects, depth - 1), chance) for _ in range(chance.randint(2, 3)))
    if shape == "and" and len(names) > 1:
        chance.shuffle(names)
        cut = chance.randint(1, len(names) - 1)
        halves = [{name: subjects[name] for name in half} for half in (names[:cut], names[cut:])]
        return " and ".join(nested(condition(chance, half, depth - 1)) for half in halves)
    if shape == "not":
        part = condition(chance, subjects, max(depth - 1, 0))
        return f"not {part}" if is_simple(part) and not part.startswith("not ") else f"not ({part})"
    # what a lifecycle keeps of a customer is worth more tests than what an interaction says
    kept = [each for each in names if "." not in each and "[" not in each]
    return subjects[chance.choice([*names, *kept, *kept])](chance)


def nested(part: str, chance: Random | None = None) -> str:
    """A condition within another; without parentheses where they change nothing, by chance within an `or`."""
    bare = is_simple(part) or (chance is not None and " or " not in part and chance.random() < 0.5)
    return part if bare else f"({part})"


def is_simple(part: str) -> bool:
    """Whether a condition needs no parentheses inside another."""
    return " and " not in part and " or " not in part
