"""Reads the transitions of a definition."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

from stream.core.durations import format_duration
from stream.core.guards import HasHeld, NotTakenWithin
from stream.core.language.conditions import read_condition
from stream.core.language.document import CENTURY, DocumentReader, Entry
from stream.core.language.names import Scope, unknown
from stream.core.lifecycle import Condition, Transition
from stream.core.predicates import AllOf, Predicate

TRANSITION_KEYS: Final = ("from", "to", "when", "hold", "at_most_every")
_MEANINGS: Final = {
    "from": 'a stage, a list of stages, or "*" for any',
    "to": "the stage to enter",
    "when": "the condition",
}
_ANY: Final = frozenset({"any", "all", "every", "any stage", "all stages", "everyone"})


class TransitionReader:
    """Reads transitions; what they keep of a life are the attributes `taken` and `held`."""

    def __init__(self, reader: DocumentReader) -> None:
        self.reader = reader
        self.conditions: list[tuple[Entry, Condition]] = []
        """Every `when`, with its place."""
        self.taken: list[str] = []
        """Per transition with `at_most_every` what finds it in an edited file."""
        self.held: list[str] = []
        """The same of those with `hold`."""

    def read(self, given: Entry | None, scope: Scope) -> tuple[Transition, ...]:
        """All that are right; problems go to the reader."""
        transitions: list[Transition] = []
        for index, entry in enumerate(self.reader.items(given)):
            before = len(self.reader.problems)
            keys = self.reader.mapping(entry, TRANSITION_KEYS)
            if len(self.reader.problems) == before:  # else a key is misspelled, and that is the one that is missing
                self._complete(entry, keys)
            target = self._target(keys, scope.stages)
            sources = self._sources(keys, target, scope.stages)
            condition = self._condition(keys, scope)
            every = self.reader.duration(keys.get("at_most_every"), CENTURY, long=True)
            hold = self.reader.duration(keys.get("hold"), CENTURY)
            if hold is not None and condition is not None and condition.with_event is not condition.without_event:
                said = "a condition that names the interaction holds for one moment only; hold: asks for one that lasts"
                self.reader.problem(keys["hold"], said, on_key=True)
            if len(self.reader.problems) == before and condition is not None:
                transition = Transition(index, sources, target, condition)
                transitions.append(self._limited(transition, every, hold))
        return tuple(transitions)

    def _limited(self, transition: Transition, every: int | None, hold: int | None) -> Transition:
        """With what `hold` and `at_most_every` ask beside the condition."""
        condition, texts = transition.condition, list[str]()
        taken, held = -1, None
        way = f"{', '.join(sorted(transition.sources))} -> {transition.target}"
        if hold is not None:
            assert condition.without_event is not None
            held = HasHeld(condition.without_event, len(self.held), hold)
            self.held.append(_numbered(f"{way} when {' '.join(condition.text.split())}", self.held))
            condition = replace(condition, with_event=held, without_event=held, timed=True)
            texts.append(f"held for {format_duration(hold)}")
        if every is not None:
            taken = len(self.taken)
            self.taken.append(_numbered(way, self.taken))
            rested = NotTakenWithin(taken, every)
            with_event: Predicate = AllOf((rested, condition.with_event))
            without = with_event if condition.without_event is condition.with_event else None
            if without is None and condition.without_event is not None:
                without = AllOf((rested, condition.without_event))
            timed = condition.without_event is not None
            condition = replace(condition, with_event=with_event, without_event=without, timed=timed)
            texts.append(f"at most every {format_duration(every)}")
        return replace(transition, condition=condition, limits=", ".join(texts), taken=taken, held=held)

    def _complete(self, entry: Entry, keys: Mapping[str, Entry]) -> None:
        for key, meaning in _MEANINGS.items():
            if key not in keys:
                self.reader.problem(entry, f"{key}: is missing: {meaning}")

    def _target(self, keys: Mapping[str, Entry], stages: tuple[str, ...]) -> str:
        target = self.reader.text(keys.get("to"))
        if target and stages and target not in stages:
            self.reader.problem(keys["to"], unknown(target, list(stages), "stage"))
        return target or ""

    def _sources(self, keys: Mapping[str, Entry], target: str, stages: tuple[str, ...]) -> frozenset[str]:
        given = keys.get("from")
        if given is None:
            return frozenset()
        if given.value == "*":
            return frozenset(stages) - {target}
        sources: set[str] = set()
        for each in self.reader.texts(given, 'from: a stage, a list of stages, or "*"', single=True):
            source = cast("str", each.value)
            if source == "*":
                self.reader.problem(each, '"*" stands alone: from: "*"')
            elif stages and source not in stages and source.casefold() in _ANY:
                self.reader.problem(each, f'unknown stage {source!r}; any stage is written "*"')
            elif stages and source not in stages:
                self.reader.problem(each, unknown(source, list(stages), "stage"))
            elif source == target:
                self.reader.problem(each, f"stage {source!r} would move to itself")
            sources.add(source)
        return frozenset(sources)

    def _condition(self, keys: Mapping[str, Entry], scope: Scope) -> Condition | None:
        condition = read_condition(self.reader, keys.get("when"), scope)
        if condition is not None:
            self.conditions.append((keys["when"], condition))
        return condition


def _numbered(way: str, known: list[str]) -> str:
    """A way between stages, perhaps with its condition, told from others that are alike by its number."""
    number = sum(each == way or each.startswith(f"{way} #") for each in known)
    return f"{way} #{number + 1}" if number else way
