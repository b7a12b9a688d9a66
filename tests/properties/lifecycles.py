"""Random valid lifecycles, as plain values and as YAML.

Valid means: loads without an error. So every stage can be reached, what changes with time compares with
constants only, a comparison of a rolling count is one that its `keep` decides, and one `and` never compares
the same operand twice. Warnings are welcome. `histories.py` makes the interactions to go with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Literal

from hypothesis import strategies as st
from ruamel.yaml import YAML

Tempo = Literal["tiny", "human"]
"""How long the durations of a lifecycle are: some milliseconds, or milliseconds to a year."""
Source = dict[str, object]
Texts = st.SearchStrategy[str]
Subjects = Mapping[str, Texts]
"""What a condition can be about: of each operand, its comparisons."""

DURATIONS: dict[Tempo, list[str]] = {
    "tiny": ["1ms", "2ms", "3ms", "5ms", "8ms", "13ms", "21ms", "40ms"],
    "human": ["1ms", "250ms", "1s", "90s", "10m", "1h", "24h", "1d", "7d", "14d", "90d", "52w"],
}
WORDS = ["visit", "form", "buy", "refund", "mail"]
EVENTS = ["page", "Page Viewed", "on", "no", "Order Completed", "order_completed", 'unsub "now"', "Größe"]
STAGES = ["new", "lead", "active", "vip", "gone"]
NUMBERS = [-10, -1, 0, 0.5, 1, 2, 2.5, 3, 5, 10, 99.99, 1000]
TEXTS = ["DE", "FR", "", "\U0001f600", 'é"']
POINTS = [1, 1, 2, 5, 10, 0.5, 0.1, -1, -2.5, 0, 1000000]
PROPERTIES = [
    "properties.total",
    "properties.n",
    'properties["a b"]',
    "properties.nest.deep",
    "context.weight",
]
ORDERS = ["<", "<=", ">", ">="]
SIGNS = [*ORDERS, "==", "!="]
CLAMPS: list[Source] = [{}, {}, {"max": 100}, {"min": 0}, {"min": -5, "max": 5}, {"min": 1}, {"max": 0.5}]


def listing(values: Sequence[object]) -> str:
    """A list of literals as a condition writes it."""
    return "[" + ", ".join(json.dumps(each, ensure_ascii=False) for each in values) + "]"


def compared(name: str, signs: Sequence[str], others: Sequence[str]) -> Texts:
    """`name sign other`, now and then the other way round."""
    pieces = st.tuples(st.sampled_from(signs), st.sampled_from(others), st.integers(0, 9))
    return pieces.map(lambda p: f"{p[1]} {p[0]} {name}" if p[2] == 9 else f"{name} {p[0]} {p[1]}")


def within(name: str, values: Sequence[object]) -> Texts:
    """`name in [...]`."""
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique_by=str).map(
        lambda chosen: f"{name} in {listing(chosen)}"
    )


def text_comparisons(name: str, texts: Sequence[str]) -> Texts:
    """Comparisons of what should be a text."""
    return compared(name, ["==", "!=", "==", "<", ">="], [json.dumps(each) for each in texts]) | within(name, texts)


def number_comparisons(name: str, numbers: Sequence[float] = tuple(NUMBERS)) -> Texts:
    """Comparisons of a number that time alone does not change."""
    constants = compared(name, SIGNS, [str(each) for each in numbers])
    lists = st.just(f"{name} in properties.tags")
    return constants | compared(name, SIGNS, ["properties.total", "properties.n"]) | within(name, numbers) | lists


def number_or_text_comparisons(name: str) -> Texts:
    """Comparisons of a property that may be a number, or a text that is one."""
    numbers = compared(name, SIGNS, [str(each) for each in NUMBERS])
    return numbers | compared(name, ["==", "!="], ['"1"', '"2.5"']) | within(name, [1, "1", 2.5, "DE", True])


def rolling_comparisons(name: str, keep: int) -> Texts:
    """Comparisons of a rolling count that is exact below `keep` and only known to be so many above."""
    below = compared_once(name, [">", "<=", "==", "!="], range(keep))
    return below | compared_once(name, [">=", "<"], range(1, keep + 1)) | within(name, list(range(keep)))


def compared_once(name: str, signs: Sequence[str], others: Sequence[object]) -> Texts:
    """`name sign other`, the name always on the left."""
    return st.builds(lambda sign, other: f"{name} {sign} {other}", st.sampled_from(signs), st.sampled_from(others))


def about_the_interaction(vocabulary: Sequence[str]) -> Subjects:
    """What `where` can be about; `vocabulary` is the words, and the names that no word covers."""
    words = [json.dumps(each) for each in vocabulary]
    names = [json.dumps(each) for each in [*EVENTS, *WORDS]]
    tags = st.sampled_from(['"DE" in properties.tags', "3 in properties.tags", "properties.n in properties.tags"])
    country = st.just("exists(properties.country)") | text_comparisons("properties.country", TEXTS)
    return {
        "event.type": compared("event.type", ["==", "==", "!="], words) | within("event.type", vocabulary),
        "event.name": compared("event.name", ["==", "!="], names),
        "properties.total": number_or_text_comparisons("properties.total"),
        "properties.country": country,
        "properties.tags": tags,
        "properties.flag": st.sampled_from(["properties.flag", "properties.flag == true", "properties.flag != true"]),
        'properties["a b"]': compared('properties["a b"]', SIGNS, ["1", "2.5"]),
        "properties.nest": st.sampled_from(['properties.nest.deep == "DE"', "exists(properties.nest)"]),
        "context.device": text_comparisons("context.device.type", ["mobile", "desktop"]),
    }


@st.composite
def conditions(draw: st.DrawFn, subjects: Subjects, depth: int = 2) -> str:
    """A condition in which no `and` meets the same operand twice."""
    names = sorted(subjects)
    shapes = ["atom", "atom", "atom", "not"]
    shape = draw(st.sampled_from([*shapes, "and", "and", "or"] if depth else shapes))
    if shape == "or":
        parts = [draw(conditions(subjects, depth - 1)) for _ in range(draw(st.integers(2, 3)))]
        # `and` binds more tightly than `or`, so parentheses around it change nothing
        bare = draw(st.booleans())
        return " or ".join(part if bare or is_simple(part) else f"({part})" for part in parts)
    if shape == "and" and len(names) > 1:
        shuffled = draw(st.permutations(names))
        cut = draw(st.integers(1, len(names) - 1))
        halves = [{n: subjects[n] for n in half} for half in (shuffled[:cut], shuffled[cut:])]
        parts = [draw(conditions(half, depth - 1)) for half in halves]
        return " and ".join(part if is_simple(part) else f"({part})" for part in parts)
    if shape == "not":
        part = draw(conditions(subjects, max(depth - 1, 0)))
        return f"not {part}" if is_simple(part) and not part.startswith("not ") else f"not ({part})"
    # what a lifecycle keeps of a customer is worth more tests than what an interaction says
    kept = [each for each in names if "." not in each and "[" not in each]
    return draw(subjects[draw(st.sampled_from([*names, *kept, *kept]))])


def is_simple(condition: str) -> bool:
    """Whether a condition needs no parentheses inside another."""
    return " and " not in condition and " or " not in condition


@st.composite
def word_lists(draw: st.DrawFn, vocabulary: Sequence[str]) -> str | list[str]:
    """What stands after `each`: a word or a list of words."""
    words = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=2, unique=True))
    bare = draw(st.booleans())
    return words[0] if len(words) == 1 and bare else words


@st.composite
def facts(draw: st.DrawFn, name: str, vocabulary: Sequence[str], tempo: Tempo) -> tuple[Source, Texts]:
    """A fact, and the comparisons of it."""
    kind = draw(st.sampled_from(["count", "rolling", "rolling", "sum", "first", "last", "latest"]))
    words = draw(word_lists(vocabulary))
    fact: Source
    comparisons: Texts
    if kind == "rolling":
        keep = draw(st.sampled_from([1, 2, 3, 20]))
        fact = {"count": words, "within": draw(st.sampled_from(DURATIONS[tempo])), "keep": keep}
        if keep == 20 and draw(st.booleans()):
            del fact["keep"]
        comparisons = rolling_comparisons(name, min(keep, 4))
    elif kind in ("count", "sum"):
        fact = {"count": words} if kind == "count" else {"sum": draw(st.sampled_from(PROPERTIES)), "each": words}
        counted = [words] if isinstance(words, str) else words
        others = [each for each in vocabulary if each not in counted]
        subtracts: bool = draw(st.booleans())
        if others and subtracts:
            fact["minus"] = draw(word_lists(others))
        comparisons = number_comparisons(name)
    elif kind == "latest":
        fact = {"latest": draw(st.sampled_from(["properties.country", "properties.n", "context.device.type"]))}
        if draw(st.booleans()):
            fact["each"] = words
        comparisons = latest_comparisons(name)
    else:
        fact = {kind: words}
        since = compared(f"since({name})", ORDERS, DURATIONS[tempo])
        comparisons = since | since | st.just(f"exists({name})")
    if draw(st.integers(0, 3)) == 0:
        fact["where"] = draw(conditions(about_the_interaction(vocabulary), 1))
    return fact, comparisons


def latest_comparisons(name: str) -> Texts:
    """Comparisons of a `latest` fact, whose type is not known before it is seen."""
    mixed = within(name, ["DE", 3, "3", 2.5, "1"])
    wholes = [
        f"exists({name})",
        name,
        f"{name} == true",
        f"{name} == properties.country",
        f"{name} in properties.tags",
    ]
    texts = text_comparisons(name, ["DE", "FR", "mobile"])
    return st.sampled_from(wholes) | texts | mixed | compared_once(name, SIGNS, [1, 3])


@st.composite
def scores(draw: st.DrawFn, name: str, tempo: Tempo) -> tuple[Source, Texts]:
    """A score, and the comparisons of it: with numbers that its clamps let it reach."""
    score = dict(draw(st.sampled_from(CLAMPS)))
    low, high = (float(str(score.get(limit, default))) for limit, default in (("min", -1e9), ("max", 1e9)))
    numbers: list[float] = [each for each in NUMBERS if low <= each <= high]
    if draw(st.integers(0, 3)) == 0:
        return score, number_comparisons(name, numbers)
    score["half_life"] = draw(st.sampled_from(DURATIONS[tempo]))
    return score, compared(name, ORDERS, [str(each) for each in numbers])


@st.composite
def signals(draw: st.DrawFn, names: Sequence[str], vocabulary: Sequence[str], tempo: Tempo) -> Source:
    """A signal that adds to one or more of these scores."""
    adding = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    points = st.sampled_from(POINTS) | st.sampled_from(POINTS) | st.sampled_from(PROPERTIES)
    signal: Source = {"each": draw(word_lists(vocabulary)), "add": {name: draw(points) for name in adding}}
    cap = draw(st.sampled_from(["none", "none", "once", "at_most"]))
    if cap == "once":
        signal["once"] = True
    elif cap == "at_most":
        signal["at_most"] = {"times": draw(st.integers(1, 3)), "per": draw(st.sampled_from(DURATIONS[tempo]))}
    if draw(st.integers(0, 3)) == 0:
        signal["where"] = draw(conditions(about_the_interaction(vocabulary), 1))
    return signal


@st.composite
def transitions(draw: st.DrawFn, stages: Sequence[str], subjects: Subjects) -> list[Source]:
    """Transitions by which every stage can be reached, and some more."""
    pairs = [(draw(st.sampled_from(stages[:place])), to) for place, to in enumerate(stages) if place]
    for _ in range(draw(st.integers(0, 4))):
        origin, to = draw(st.permutations(stages))[:2]
        pairs.append((origin, to))
    found: list[Source] = []
    for origin, to in draw(st.permutations(pairs)):
        shape = draw(st.sampled_from(["one", "one", "one", "list", "*"]))
        others = [each for each in stages if each not in (origin, to)]
        more: list[str] = []
        if shape == "list" and others:
            more = draw(st.lists(st.sampled_from(others), max_size=2, unique=True))
        about = dict(subjects)
        if more or (shape == "*" and others):
            possible = [origin, *(more or others)]
            about["stage"] = compared_once("stage", ["==", "!="], [f'"{each}"' for each in possible])
            about["stage"] |= within("stage", possible)
        origins = {"one": origin, "list": [origin, *more], "*": "*"}[shape]
        found.append({"from": origins, "to": to, "when": draw(conditions(about))})
    return found


@st.composite
def lifecycles(draw: st.DrawFn, name: str = "shop", pace: Tempo | None = None) -> Source:
    """A lifecycle of this name that loads without an error."""
    tempos: list[Tempo] = ["tiny", "human", "human"]
    tempo: Tempo = draw(st.sampled_from(tempos)) if pace is None else pace
    words = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=4, unique=True))
    events = list(draw(st.permutations(EVENTS)))
    named = {word: [events.pop() for _ in range(draw(st.integers(1, 2)))] for word in words if len(events) > 1}
    vocabulary = [*named, *events[:2]]
    told: Source = {"lifecycle": name, "version": draw(st.integers(1, 3)), "interactions": named}
    if draw(st.booleans()):
        told["passive"] = draw(st.lists(st.sampled_from(vocabulary), min_size=1, max_size=2, unique=True))
    said = about_the_interaction(vocabulary)
    few = draw(st.lists(st.sampled_from(sorted(said)), max_size=4, unique=True))
    subjects = {name: said[name] for name in few}
    subjects |= {name: compared(name, ORDERS, DURATIONS[tempo]) for name in ("idle", "in_stage")}
    subjects["identified"] = st.just("identified")
    parts: dict[str, Source] = {"scores": {}, "signals": {}, "facts": {}}
    for score in ["heat", "value", "trust"][: draw(st.integers(1, 3))]:
        parts["scores"][score], subjects[score] = draw(scores(score, tempo))
    for number in range(draw(st.integers(1, 4))):
        parts["signals"][f"signal_{number}"] = draw(signals(list(parts["scores"]), vocabulary, tempo))
    for number in range(draw(st.integers(0, 4))):
        parts["facts"][f"fact_{number}"], subjects[f"fact_{number}"] = draw(facts(f"fact_{number}", vocabulary, tempo))
    told |= parts
    stages = STAGES[: draw(st.integers(2, len(STAGES)))]
    dressed: list[Source] = [{}, {"title": "A stage"}, {"channels": ["email"], "actions": ["welcome_series"]}]
    told["stages"] = {stage: dict(draw(st.sampled_from(dressed))) for stage in stages}
    told["transitions"] = draw(transitions(stages, subjects))
    return told


def to_yaml(lifecycle: Mapping[str, object]) -> str:
    """The text of a lifecycle file."""
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # the order of signals has a meaning
    yaml.default_flow_style = False
    yaml.representer.ignore_aliases = lambda _: True
    text = StringIO()
    yaml.dump(lifecycle, text)
    return text.getvalue()
