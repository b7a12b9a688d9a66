"""One customer in one lifecycle: lists of all that happened, and what each name of the language is worth.

Where the text was silent (rule 22): the clock at which a `where` reads scores and counts has been moved by the
interaction at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.properties.reference_conditions import Missing, Truth, evaluate, lowered, truth_of_atom
from tests.properties.reference_facts import fact_value
from tests.properties.reference_grammar import (
    Atom,
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
)
from tests.properties.reference_history import Counted, Reset, Told, Written
from tests.properties.reference_ledgers import Ledger
from tests.properties.reference_lifecycle import Lifecycle
from tests.properties.reference_scores import Score
from tests.properties.reference_values import Source, property_of

END_OF_TIME = 253_402_300_799_999
"""The last millisecond of the year 9999; nothing later is a deadline."""
DOUBT = 1e-12
"""Two ways to add up a decaying score may differ by this part of the sum of its points' magnitudes."""

Subject = tuple[str, str]
"""`customer_id` or `anonymous_id`, and the id."""


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
    arrivals: int = 0
    """Interactions applied."""
    signs_of_life: list[int] = field(default_factory=list)
    """Times of the interactions that are not passive."""
    signals: list[Counted] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)
    facts: list[Told] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)

    def score_of(self, name: str) -> Score:
        """A score after all that counted."""
        resets = {score: [each for each in self.resets if each.score == score] for score in self.lifecycle.scores}
        return Score(self.lifecycle, name, self.signals, resets)

    def score(self, name: str, t: int) -> float:
        """The value of a score at t."""
        score = self.score_of(name)
        return score.read(score.raw(t))

    def fact(self, fact: str, t: int) -> object:
        """The value of a fact at t: a number, text, boolean or Time, or ABSENT."""
        told, ledger = self.lifecycle.facts[fact], self.lifecycle.ledger_of(fact)
        if ledger is not None:
            return self.ledger(ledger).value(told, t)
        return fact_value(told, [each for each in self.facts if each.fact == fact], t)

    def ledger(self, name: str) -> Ledger:
        """A ledger as it is after all that came."""
        return Ledger(self.lifecycle.ledgers[name], [each for each in self.written if each.ledger == name])

    def turning_points(self, name: str) -> list[int] | None:
        """All times at which time alone may change what changes in steps, such as a rolling count; None for others."""
        if name in self.lifecycle.scores:
            expiring = {each: told for each, told in self.lifecycle.signals.items() if "expires" in told}
            if not expiring.keys() & self.score_of(name).signals:
                return None
            return [
                each.at + milliseconds(str(expiring[each.signal]["expires"]))
                for each in self.signals
                if each.signal in expiring
            ]
        told = self.lifecycle.facts.get(name, {})
        if "within" not in told:
            return None
        ledger = self.lifecycle.ledger_of(name)
        times = [each.at for each in self.facts if each.fact == name]
        times += [each.at for each in self.written if each.ledger == ledger]
        return [at + milliseconds(str(told["within"])) for at in times]

    def notice_doubt(self, atom: Atom, t: int) -> None:
        """Note a comparison of a decaying score that the last bits of a double decide.

        Not where every point is whole half-lives old: such sums are the same bits however they are rebased.
        """
        if not isinstance(atom, Compare):
            return
        name = next((s.path[0] for s in (atom.left, atom.right) if isinstance(s, Name)), "")
        if name not in self.lifecycle.scores or self.lifecycle.half_life(name) is None:
            return
        score, half_life = self.score_of(name), self.lifecycle.half_life(name) or 1
        added = [(each.at, each.added[name]) for each in score.living()]
        if all((t - at) % half_life == 0 for at, _ in added):
            return
        raw = score.raw(t)
        reach = DOUBT * sum(abs(points) * 2.0 ** -((t - at) / half_life) for at, points in added)

        def truth(value: float) -> Truth:
            read = score.read(value)
            return truth_of_atom(atom, lambda side: side.value if isinstance(side, Constant) else read)

        if len({truth(raw - reach), truth(raw), truth(raw + reach)}) > 1:
            self.doubtful.append((atom, t))

    def value(self, operand: Operand, t: int, interaction: Source | None, own: int | None = None) -> object:
        """The value of an operand at t, seeing this interaction or none; durations are measured at `own`, else at t."""
        if isinstance(operand, Constant):
            return operand.value
        measured_at = t if own is None else own
        if isinstance(operand, Call):
            return called(operand.function, self.value(operand.argument, t, interaction), measured_at)
        first = operand.path[0]
        if first in ("event", "properties", "context", "item"):
            return Missing.UNKNOWN if interaction is None else self.said(operand, interaction)
        if first in self.lifecycle.scores:
            return self.score(first, t)
        if first in self.lifecycle.facts:
            return self.fact(first, t)
        return {
            "identified": self.identified,
            "stage": self.stage,
            "idle": Duration(measured_at - max([self.born, *self.signs_of_life])),
            "in_stage": Duration(measured_at - self.entered),
        }[first]

    def said(self, name: Name, interaction: Source) -> object:
        """The value of a name that is about the interaction."""
        if name.path[0] != "event":
            return property_of(interaction, name.path)
        sent = interaction["type"]
        return self.lifecycle.word(sent) if name.path[1] == "type" else sent

    def truth(self, atom: Atom, t: int, interaction: Source | None, own: int | None = None) -> Truth:
        """The truth of one comparison or bare name at t."""
        return truth_of_atom(atom, lambda operand: self.value(operand, t, interaction, own), self.is_number)

    def is_number(self, name: Name) -> bool:
        """Whether a name is a number for every customer: a score, a count or a sum."""
        told = self.lifecycle.facts.get(name.path[0], {})
        return name.path[0] in self.lifecycle.scores or "count" in told or "sum" in told

    def holds(self, condition: Condition, t: int, interaction: Source | None, own: int | None = None) -> bool:
        """Whether a condition is true, not false and not unknown."""
        for atom in atoms(condition):
            self.notice_doubt(atom, t)
        return evaluate(condition, lambda atom: self.truth(atom, t, interaction, own)) is True

    def leaving(self) -> list[tuple[int, str, Condition]]:
        """The transitions out of the current stage: place in the file, target, condition."""
        return [
            (place, to, when)
            for place, (origins, to, when) in enumerate(self.lifecycle.transitions)
            if (self.stage != to if origins == ["*"] else self.stage in origins)
        ]


def called(function: str, value: object, measured_at: int) -> object:
    """What a function makes of a value, durations measured at this time."""
    if value is Missing.UNKNOWN or function == "lower":
        return lowered(value)
    if function == "exists":
        return value is not Missing.ABSENT
    if not isinstance(value, Time):
        return Missing.ABSENT
    return Duration(measured_at - value.ms if function == "since" else value.ms - measured_at)
