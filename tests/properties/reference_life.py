"""One customer in one lifecycle: lists of all that happened, and what each name of the language is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.properties.reference_conditions import Missing, Truth, evaluate, truth_of_atom
from tests.properties.reference_grammar import (
    Atom,
    Bare,
    Call,
    Compare,
    Condition,
    Constant,
    Duration,
    Name,
    Operand,
    Time,
    atoms,
    milliseconds,
    parse,
)

END_OF_TIME = 253_402_300_799_999
"""The last millisecond of the year 9999; nothing later is a deadline."""
LARGEST = 1e15
"""Numbers at or above this magnitude are not taken from interactions."""
VANISHED = 2.0**-30
"""A decaying score below this magnitude is 0."""
DOUBT = 1e-12
"""Two ways to add up a decaying score may differ by this part of the sum of its points' magnitudes."""

Source = Mapping[str, object]
"""A lifecycle or an interaction, as YAML or JSON gives it."""
Subject = tuple[str, str]
"""`customer_id` or `anonymous_id`, and the id."""


def listed(value: object) -> list[object]:
    """The value where it is a list, nothing for None, else the list of it alone."""
    return [] if value is None else list(value) if isinstance(value, list | tuple) else [value]


def mapping(value: object) -> Mapping[str, object]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def number(value: object) -> float:
    """A value that is known to be a number."""
    assert isinstance(value, int | float)
    return value


def time_of(interaction: Source) -> int:
    """When the interaction happened, ms since the epoch."""
    time = interaction["time"]
    assert isinstance(time, int)
    return time


def path_of(text: object) -> tuple[str, ...]:
    """The path of a property as written, such as `properties.a.b`."""
    atom = parse(str(text))
    assert isinstance(atom, Bare)
    assert isinstance(atom.operand, Name)
    return atom.operand.path


def countable(value: object) -> bool:
    """Whether a value from an interaction is a number that scores and facts take."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST


def millionths(value: float) -> int:
    """A number in whole millionths, ties to even."""
    return round(value * 1e6)


def property_of(interaction: Source, path: Sequence[str]) -> object:
    """What stands at a path such as `("properties", "a", "b")`; null and absent are ABSENT."""
    value: object = interaction
    for key in path:
        value = mapping(value).get(key)
    return Missing.ABSENT if value is None else value


def latest_of(value: object) -> bool:
    """Whether a `latest` fact takes this value."""
    text = isinstance(value, str) and len(value.encode()) <= 256
    return text or isinstance(value, bool) or countable(value)


class Lifecycle:
    """A lifecycle file with its conditions parsed; otherwise as it was written."""

    def __init__(self, source: Source) -> None:
        self.id = str(source["lifecycle"])
        self.words: dict[object, str] = {}
        for word, names in mapping(source.get("interactions")).items():
            for name in [word, *listed(names)]:
                self.words[name] = word
        self.passive = listed(source.get("passive"))
        self.scores = {name: mapping(score) for name, score in mapping(source.get("scores")).items()}
        self.signals = {name: mapping(signal) for name, signal in mapping(source.get("signals")).items()}
        self.facts = {name: mapping(fact) for name, fact in mapping(source.get("facts")).items()}
        self.first_stage = next(iter(mapping(source["stages"])))
        self.transitions = [
            (listed(each["from"]), str(each["to"]), parse(str(each["when"])))
            for each in map(mapping, listed(source.get("transitions")))
        ]
        self.where: dict[tuple[str, str], Condition] = {
            (part, name): parse(str(each["where"]))
            for part, parts in (("signals", self.signals), ("facts", self.facts))
            for name, each in parts.items()
            if "where" in each
        }

    def word(self, name: object) -> str:
        """The word that an event name stands for; its own where none covers it."""
        return self.words.get(name, str(name))

    def half_life(self, score: str) -> int | None:
        """Milliseconds; None for a permanent score."""
        text = self.scores[score].get("half_life")
        return None if text is None else milliseconds(str(text))


@dataclass
class Life:
    """One customer in one lifecycle: a few present values, and all that happened."""

    lifecycle: Lifecycle
    subject: Subject
    born: int
    """When the life began, ms."""
    clock: int
    stage: str
    entered: int
    doubtful: list[tuple[Atom, int]]
    """Of all customers: comparison and time where another way to add doubles could decide otherwise."""
    identified: bool = False
    sequence: int = 0
    fired: int = 0
    """Deadlines since the latest interaction."""
    signs_of_life: list[int] = field(default_factory=list)
    """Times of the interactions that are not passive."""
    signals: list[tuple[str, int, dict[str, float]]] = field(default_factory=list)
    """What counted, in order of arrival: signal, interaction time, points by score."""
    facts: list[tuple[str, int, int, object]] = field(default_factory=list)
    """What counted, in order of arrival: fact, interaction time, 1 or -1, value."""

    def points(self, score: str, signal: str, t: int) -> float:
        """What a signal's points come to at t, as they are added to a decaying or permanent score."""
        half_life = self.lifecycle.half_life(score)
        counted = [(at, added[score]) for name, at, added in self.signals if name == signal and score in added]
        if half_life is None:
            return sum(millionths(points) for _, points in counted) / 1e6
        total = 0.0
        for at, points in counted:
            total += points * 2.0 ** -((t - at) / half_life)
        return total

    def raw_score(self, score: str, t: int) -> float:
        """The sum of the signals before clamps: in file order, of a permanent score exactly."""
        if self.lifecycle.half_life(score) is None:
            return sum(millionths(added[score]) for _, _, added in self.signals if score in added) / 1e6
        total = 0.0
        for signal in self.lifecycle.signals:
            total += self.points(score, signal, t)
        return total

    def read_score(self, score: str, raw: float) -> float:
        """The score as it is read: nothing below 2^-30, then clamped."""
        limits = self.lifecycle.scores[score]
        read = 0.0 if self.lifecycle.half_life(score) is not None and abs(raw) < VANISHED else raw
        if isinstance(low := limits.get("min"), int | float):
            read = max(read, float(low))
        if isinstance(high := limits.get("max"), int | float):
            read = min(read, float(high))
        return read

    def score(self, score: str, t: int) -> float:
        """The value of a score at t."""
        return self.read_score(score, self.raw_score(score, t))

    def notice_doubt(self, atom: Atom, t: int) -> None:
        """Note a comparison of a decaying score that the last bits of a double decide.

        Not where every point is whole half-lives old: such sums are the same bits however they are rebased.
        """
        if not isinstance(atom, Compare):
            return
        score = next((s.path[0] for s in (atom.left, atom.right) if isinstance(s, Name)), "")
        half_life = self.lifecycle.half_life(score) if score in self.lifecycle.scores else None
        if half_life is None:
            return
        added = [(at, by_score[score]) for _, at, by_score in self.signals if score in by_score]
        if all((t - at) % half_life == 0 for at, _ in added):
            return
        raw = self.raw_score(score, t)
        reach = DOUBT * sum(abs(points) * 2.0 ** -((t - at) / half_life) for at, points in added)

        def truth(value: float) -> Truth:
            read = self.read_score(score, value)
            return truth_of_atom(atom, lambda side: side.value if isinstance(side, Constant) else read)

        if len({truth(raw - reach), truth(raw), truth(raw + reach)}) > 1:
            self.doubtful.append((atom, t))

    def fact(self, fact: str, t: int) -> object:
        """The value of a fact at t: a number, text, boolean or Time, or ABSENT."""
        told = self.lifecycle.facts[fact]
        counted = [(at, sign, value) for name, at, sign, value in self.facts if name == fact]
        times = sorted(at for at, _, _ in counted)
        if "within" in told:
            keep = told.get("keep", 20)
            assert isinstance(keep, int)
            return len([at for at in times[-keep:] if t - at < milliseconds(str(told["within"]))])
        if "count" in told:
            return sum(sign for _, sign, _ in counted)
        if "sum" in told:
            return sum(sign * millionths(v) for _, sign, v in counted if isinstance(v, int | float)) / 1e6
        if not counted:
            return Missing.ABSENT
        if "latest" in told:
            return [value for at, _, value in counted if at == times[-1]][-1]
        return Time(times[0] if "first" in told else times[-1])

    def value(self, operand: Operand, t: int, interaction: Source | None) -> object:
        """The value of an operand at t, seeing this interaction or none."""
        if isinstance(operand, Constant):
            return operand.value
        if isinstance(operand, Call):
            value = self.value(operand.argument, t, interaction)
            if operand.function == "exists":
                return value if value is Missing.UNKNOWN else value is not Missing.ABSENT
            return Duration(t - value.ms) if isinstance(value, Time) else Missing.ABSENT
        first = operand.path[0]
        if first in ("event", "properties", "context"):
            if interaction is None:
                return Missing.UNKNOWN
            if first == "event":
                sent = interaction["type"]
                return self.lifecycle.word(sent) if operand.path[1] == "type" else sent
            return property_of(interaction, operand.path)
        if first in self.lifecycle.scores:
            return self.score(first, t)
        if first in self.lifecycle.facts:
            return self.fact(first, t)
        return {
            "identified": self.identified,
            "stage": self.stage,
            "idle": Duration(t - max([self.born, *self.signs_of_life])),
            "in_stage": Duration(t - self.entered),
        }[first]

    def truth(self, atom: Atom, t: int, interaction: Source | None) -> Truth:
        """The truth of one comparison or bare name at t."""
        return truth_of_atom(atom, lambda operand: self.value(operand, t, interaction), self.is_number)

    def is_number(self, name: Name) -> bool:
        """Whether a name is a number for every customer: a score, a count or a sum."""
        told = self.lifecycle.facts.get(name.path[0], {})
        return name.path[0] in self.lifecycle.scores or "count" in told or "sum" in told

    def holds(self, condition: Condition, t: int, interaction: Source | None) -> bool:
        """Whether a condition is true, not false and not unknown."""
        for atom in atoms(condition):
            self.notice_doubt(atom, t)
        return evaluate(condition, lambda atom: self.truth(atom, t, interaction)) is True

    def leaving(self) -> list[tuple[int, str, Condition]]:
        """The transitions out of the current stage: place in the file, target, condition."""
        return [
            (place, to, when)
            for place, (origins, to, when) in enumerate(self.lifecycle.transitions)
            if (self.stage != to if origins == ["*"] else self.stage in origins)
        ]
