"""Transitions on `since(x)` that leave out who never did x, though the stage may hold such customers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from stream.core.amounts import Amount
from stream.core.expressions import Bare, Call, Comparison, Duration, Literal, Name, Node
from stream.core.facts import Fact
from stream.core.language.conditions import names_in
from stream.core.language.contradictions import Case, cases
from stream.core.language.parser import texts_of
from stream.core.lifecycle import Counted, Problem, Signal, Transition
from stream.core.operators import MIRRORED, OPERATOR, compare_numbers
from stream.core.scoring import Score

LONG: Final = 30 * 86_400_000
"""From here on `since(x)` is about who went quiet; a reminder some days after x means those alone who did it."""

_Doing = tuple[str, str | None]
"""A word, and the `where` that the interaction met."""


class Measured(NamedTuple):
    """What the conditions of a lifecycle may read."""

    scores: Mapping[str, Score]
    facts: Mapping[str, Fact]
    counted: Mapping[str | None, Sequence[Counted]]
    signals_of: Mapping[str, Sequence[Signal]]
    words: Mapping[str, str]


def never_caught(stages: Sequence[str], transitions: Sequence[Transition], measured: Measured) -> list[Problem]:
    """Warnings for transitions by `since(x) >= N`, N at least LONG, out of a stage where one may be without x."""
    problems: list[Problem] = []
    for fact in measured.facts.values():
        if fact.kind == "last":
            problems += _Search(fact, measured).problems(stages, transitions)
    return problems


class _Search:
    def __init__(self, fact: Fact, measured: Measured) -> None:
        self.fact = fact
        self.measured = measured
        self.doings = self._of_fact(fact.name)

    def problems(self, stages: Sequence[str], transitions: Sequence[Transition]) -> Iterable[Problem]:
        without: set[str] = set()
        for transition in transitions:
            length = self._length(transition)
            if not length:
                continue
            without = without or self._reached_without(stages, transitions)
            left_out = [
                stage
                for stage in stages
                if stage in transition.sources
                and stage in without
                and not any(self._catches(each) for each in transitions if stage in each.sources)
            ]
            if left_out:
                name, unit = self.fact.name, length
                yield Problem(
                    ("transitions", transition.index, "when"),
                    f"who is in {' or '.join(left_out)} without a {name} is not meant here; to catch them too, write "
                    f"since({name}) >= {unit} or (not exists({name}) and in_stage >= {unit}), "
                    f"else exists({name}) and since({name}) >= {unit}",
                )

    def _length(self, transition: Transition) -> str:
        """The length of time as it is written in whole days, where a case asks `since` of the fact and nothing else."""
        for case in cases(transition.condition.tree):
            asked = [node for node, negated in case if not negated and _since_at_least(node, self.fact.name) >= LONG]
            others = [(node, negated) for node, negated in case if node not in asked]
            if asked and not any(self._shows(node, negated=negated) for node, negated in others):
                return f"{_since_at_least(asked[0], self.fact.name) // 86_400_000}d"
        return ""

    def _reached_without(self, stages: Sequence[str], transitions: Sequence[Transition]) -> set[str]:
        """The stages to which a way leads that needs no interaction of the fact's."""
        ways = [each for each in transitions if any(not self._case_shows(one) for one in cases(each.condition.tree))]
        seen, todo = {stages[0]}, [stages[0]]
        while todo:
            stage = todo.pop()
            for way in ways:
                if stage in way.sources and way.target not in seen:
                    seen.add(way.target)
                    todo.append(way.target)
        return seen

    def _catches(self, transition: Transition) -> bool:
        """Whether time alone moves who never did it out of the stage, too."""
        return any(
            not self._case_shows(case)
            and any(
                names_in(node) & {"idle", "in_stage"} or (negated and self._names_fact(node)) for node, negated in case
            )
            for case in cases(transition.condition.tree)
        )

    def _names_fact(self, node: Node) -> bool:
        return self.fact.name in names_in(node)

    def _case_shows(self, case: Case) -> bool:
        return any(self._shows(node, negated=negated) for node, negated in case)

    def _shows(self, node: Node, *, negated: bool) -> bool:
        """Whether a comparison that holds shows that the fact exists."""
        if negated or not isinstance(node, Comparison | Bare):
            return False
        shown = self._doings_of(node)
        return bool(shown) and all(self._is_one(word, where) for word, where in shown)

    def _is_one(self, word: str, where: str | None) -> bool:
        return (word, None) in self.doings or (word, where) in self.doings

    def _doings_of(self, node: Comparison | Bare) -> set[_Doing]:
        """Of which one at least was done if the comparison holds; empty where none need be.

        Nothing rises by what takes off: neither by `minus`, nor by points below 0.
        """
        if isinstance(node, Bare):
            return self._of_fact(node.operand.name.path[0]) if isinstance(node.operand, Call) else set()
        left, operator, right = node.left, node.operator, node.right
        if isinstance(left, Literal | Duration):
            left, operator, right = right, MIRRORED.get(operator, ""), left
        if isinstance(left, Call):
            return self._of_fact(left.name.path[0])
        if not isinstance(left, Name):
            return set()
        if left.path[0] == "event" and operator in ("==", "in") and isinstance(right, Literal):
            return {(self.measured.words.get(text, text), None) for text in texts_of(right)}
        if not isinstance(right, Literal) or operator not in OPERATOR or isinstance(right.value, str | bool | tuple):
            return set()
        score = self.measured.scores.get(left.path[0])
        if compare_numbers(OPERATOR[operator], score.clamp(0.0) if score else 0.0, right.value):
            return set()  # it holds before anything was done
        return self._of_score(score.name) if score else self._of_fact(left.path[0])

    def _of_fact(self, name: str) -> set[_Doing]:
        return {
            (word or "", None if each.where is None else each.where.text)
            for word, counted in self.measured.counted.items()
            for each in counted
            if each.fact.name == name and each.sign > 0
        }

    def _of_score(self, name: str) -> set[_Doing]:
        return {
            (word, None if signal.where is None else signal.where.text)
            for word, signals in self.measured.signals_of.items()
            for signal in signals
            if any(points.score == name and may_be_positive(points.amount) for points in signal.points)
        }


def may_be_positive(amount: Amount) -> bool:
    """Whether points may be above 0: only a constant is known."""
    return bool(amount.paths) or amount.constant > 0


def _since_at_least(node: Node, fact: str) -> int:
    """The milliseconds that `since(fact)` must be above; 0 for any other comparison."""
    if not isinstance(node, Comparison):
        return 0
    left, operator, right = node.left, node.operator, node.right
    if isinstance(left, Duration):
        left, operator, right = right, MIRRORED.get(operator, ""), left
    is_since = isinstance(left, Call) and left.function == "since" and left.name.path == (fact,)
    return right.value if is_since and operator in (">", ">=") and isinstance(right, Duration) else 0
