"""What an interaction leaves behind in a life (rule 6, with rules 16, 17 and 22).

First is found which signals and facts it is about, then it is noted: so every `where` reads a state in which
nothing of this interaction was applied.

Where the text was silent:
- A word that is in neither list of a fact is nothing to it, whatever stands at `over`.
- `latest`, `latest_time`, `first` and `last` may have `over`: the later element is the later arrival.
- A signal with `reset` counts nothing, and has neither `once` nor `at_most`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from tests.properties.reference_caps import used_up
from tests.properties.reference_conditions import Missing, numeral
from tests.properties.reference_grammar import Time
from tests.properties.reference_history import Counted, Reset, Told, Written
from tests.properties.reference_latest import points_of, value_told
from tests.properties.reference_life import Life
from tests.properties.reference_times import read_time
from tests.properties.reference_values import (
    Source,
    computed,
    countable,
    found_at,
    key_at,
    latest_of,
    listed,
    mapping,
    millionths,
    number,
    path_of,
    property_of,
    time_of,
)

MOST_ELEMENTS = 1_000
"""Of a list that `over` walks through."""
KINDS = ("count", "sum", "first", "last", "latest", "latest_time")


@dataclass(frozen=True)
class Matches:
    """What an interaction is about, each with the interaction as it is seen: with `over`, once for each element."""

    signals: list[tuple[str, Source]]
    facts: list[tuple[str, int, Source]]
    """Fact, 1 or -1, interaction."""
    ledgers: list[tuple[str, str]]
    """Ledger and role."""


def find_matches(life: Life, interaction: Source) -> Matches:
    """Everything that the interaction is about, as the life is now."""
    return Matches(
        [
            (name, seen)
            for name, signal in life.lifecycle.signals.items()
            if is_new(life, signal, interaction)
            for seen in matching(life, "signals", name, listed(signal["each"]), interaction)
        ],
        [
            (name, sign, seen)
            for name in life.lifecycle.facts
            for sign, words in words_of(life, name, interaction)
            for seen in matching(life, "facts", name, words, interaction)
        ],
        [
            (name, role)
            for name, ledger in life.lifecycle.ledgers.items()
            for role in ("each", "update", "minus")
            if matching(life, "ledgers", name, listed(ledger.get(role)), interaction)
        ],
    )


def matching(life: Life, part: str, name: str, words: Sequence[object], interaction: Source) -> list[Source]:
    """The interaction, with `over` once for each element, where it is of these words and the `where` holds."""
    if life.lifecycle.word(interaction["type"]) not in words:
        return []
    where = life.lifecycle.where.get((part, name))
    told = life.lifecycle.parts(part)[name]
    return [
        seen
        for seen in elements(told, interaction)
        if where is None or life.holds(where, life.clock, seen, own=time_of(interaction))
    ]


def elements(told: Source, interaction: Source) -> list[Source]:
    """The interaction as a signal or fact sees it: itself, or with each element of a list (rule 17)."""
    if "over" not in told:
        return [interaction]
    found = property_of(interaction, path_of(told["over"]))
    if not isinstance(found, list | tuple):
        return []
    return [{**interaction, "item": element} for element in found[:MOST_ELEMENTS]]


def is_new(life: Life, signal: Source, interaction: Source) -> bool:
    """Whether the interaction makes the entry of the signal's ledger, if it has one, and is not the same again."""
    name = signal.get("ledger")
    if name is None:
        return True
    ledger = life.lifecycle.ledgers[str(name)]
    let_through = matching(life, "ledgers", str(name), listed(ledger["each"]), interaction)
    return bool(let_through) and not life.ledger(str(name)).has_made(key_at(ledger, "by", interaction))


def words_of(life: Life, name: str, interaction: Source) -> list[tuple[int, list[object]]]:
    """The words of a fact: those that it takes off, and those that it counts."""
    fact = life.lifecycle.facts[name]
    kind = kind_of_fact(fact)
    if life.lifecycle.ledger_of(name) is not None:
        return []
    about = fact.get("each") if kind in ("sum", "latest", "latest_time") else fact[kind]
    any_word: list[object] = [life.lifecycle.word(interaction["type"])]
    minus = listed(fact.get("minus"))
    counted = [word for word in (any_word if about is None else listed(about)) if word not in minus]
    return [(-1, minus), (1, counted)]


def kind_of_fact(fact: Source) -> str:
    """Which of the kinds a fact is."""
    return next(each for each in KINDS if each in fact)


def note(life: Life, matches: Matches, interaction: Source) -> list[Counted]:
    """Note each signal that counts, which are returned, and what each fact takes, in file order."""
    before = len(life.signals)
    for name, seen in matches.signals:
        signal = life.lifecycle.signals[name]
        if "reset" in signal:
            life.resets += [Reset(str(score), life.arrivals, time_of(interaction)) for score in listed(signal["reset"])]
        elif not used_up(signal, [each for each in life.signals if each.signal == name], seen, life.lifecycle.zone):
            life.signals.append(count(name, life, seen))
    for name, sign, seen in matches.facts:
        value = taken(life.lifecycle.facts[name], seen, life.lifecycle.zone)
        if value is not Missing.ABSENT:
            life.facts.append(Told(name, life.arrivals, time_of(interaction), sign, value))
    for name, role in matches.ledgers:
        life.written.append(written(name, role, life, interaction))
    life.arrivals += 1
    return life.signals[before:]


def count(name: str, life: Life, seen: Source) -> Counted:
    """What a signal counts, with the points that it adds."""
    signal = life.lifecycle.signals[name]
    points = {score: computed(each, seen) for score, each in mapping(signal.get("add")).items()}
    value = value_told(signal, seen) if "latest" in signal else Missing.ABSENT
    if value is not Missing.ABSENT:
        points[str(signal["to"])] = points_of(signal, value)
    added = {score: each for score, each in points.items() if each is not None}
    key = key_at(signal, "once", seen) if isinstance(signal.get("once"), str) else None
    return Counted(name, life.arrivals, time_of(seen), added, key, value is None)


def taken(fact: Source, seen: Source, zone: tzinfo) -> object:
    """What a fact takes of an interaction; ABSENT where that is nothing."""
    kind = kind_of_fact(fact)
    if kind == "sum":
        total = computed(fact["sum"], seen)
        return Missing.ABSENT if total is None else total
    if kind == "latest":
        value = property_of(seen, path_of(fact["latest"]))
        return value if latest_of(value) else Missing.ABSENT
    if kind == "latest_time":
        value = found_at(seen, path_of(fact["latest_time"]))
        if value is None or value is Missing.ABSENT:
            return value
        read = read_time(value, zone)
        return Missing.ABSENT if read is None else Time(read)
    return None


def written(name: str, role: str, life: Life, interaction: Source) -> Written:
    """What an interaction says to a ledger, in a role."""
    ledger = life.lifecycle.ledgers[name]
    amount = computed(ledger["amount"], interaction) if "amount" in ledger else None
    said = property_of(interaction, path_of(ledger["returned"])) if "returned" in ledger else Missing.ABSENT
    returned = None if said is Missing.ABSENT else numeral(said)
    return Written(
        name,
        life.arrivals,
        time_of(interaction),
        role,
        key_at(ledger, "by", interaction),
        None if amount is None or amount < 0 else millionths(amount),
        abs(millionths(number(returned))) if countable(returned) else None,
        said is not Missing.ABSENT and not countable(returned),
        key_at(ledger, "return", interaction),
    )
