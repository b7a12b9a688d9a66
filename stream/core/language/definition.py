"""From a definition (what the YAML of a lifecycle says) to a lifecycle, with every problem found on the way."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import cast

from stream.core.expressions import ConditionError
from stream.core.language import graph
from stream.core.language.came_back import Heard, just_ended
from stream.core.language.conditions import compile_condition, events_in
from stream.core.language.document import DocumentReader, Entry, fingerprint, kind_of
from stream.core.language.measures import MeasureReader
from stream.core.language.names import BrokenNameError, Scope, unknown
from stream.core.language.never_did import Measured, never_caught
from stream.core.lifecycle import (
    Condition,
    DefinitionError,
    Lifecycle,
    Problem,
    Reaction,
    Stage,
    Transition,
)

KEYS = (
    "lifecycle",
    "version",
    "title",
    "interactions",
    "passive",
    "scores",
    "signals",
    "facts",
    "stages",
    "transitions",
)
STAGE_KEYS = ("title", "channels", "actions")
TRANSITION_KEYS = ("from", "to", "when")
MOST = {"scores": 64, "signals": 64, "facts": 64, "stages": 257, "transitions": 256}
"""The largest number of each. Every stage but the first needs a transition that leads to it."""
_OF_A_TRANSITION = {
    "from": 'a stage, a list of stages, or "*" for any',
    "to": "the stage to enter",
    "when": "the condition",
}
_ANY = frozenset({"any", "all", "every", "any stage", "all stages", "everyone"})
_STAGE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def define(definition: object) -> Lifecycle:
    """The lifecycle that `definition` describes: nested mappings, lists, texts, numbers and booleans.

    Raises DefinitionError with every problem found, up to MAX_PROBLEMS of them, each with its location.
    """
    return _Definition(definition).build()


class _Definition:
    def __init__(self, definition: object) -> None:
        self.reader = DocumentReader()
        if not isinstance(definition, Mapping):
            wanted = "a lifecycle file is a mapping that begins with `lifecycle: name`"
            kind = "this one is empty" if definition is None else f"this is {kind_of(definition)}"
            raise DefinitionError([Problem((), f"{wanted}; {kind}")])
        self.top = self.reader.mapping(Entry((), definition), KEYS)
        self.problems = self.reader.problems
        self.conditions: list[tuple[Entry, Condition]] = []
        """Every `when`, with its place."""

    def build(self) -> Lifecycle:
        reader, top = self.reader, self.top
        self._limits()
        name = reader.text(top.get("lifecycle"), needed="lifecycle: a name, as in `lifecycle: shop`")
        if name and not _STAGE.fullmatch(name):
            reader.problem(top["lifecycle"], f"{name!r} is not a name: a to z, A to Z, 0 to 9, _ and -, a letter first")
        version = reader.whole(top.get("version"), 1, 1_000_000_000, default=1)
        title = reader.text(top.get("title"), default=name or "")
        words = self._words()
        passive = frozenset(reader.words(top.get("passive"), words, empty=True))
        measures = MeasureReader(reader, name or "", words)
        measures.read(top.get("scores"), top.get("signals"), top.get("facts"))
        stages = self._stages()
        scope = Scope(
            {score.name: score for score in measures.scores},
            {fact.name: fact for fact in measures.facts},
            tuple(stages),
            words,
            lessened=frozenset(each.fact.name for of in measures.counted.values() for each in of if each.sign < 0),
            broken=frozenset(measures.broken),
            signals=measures.counting_facts(),
        )
        transitions = self._transitions(scope)
        if not self.problems and stages:
            for lost in graph.unreachable(list(stages), transitions):
                reader.problem(
                    Entry(("stages", lost), None),
                    f"no transition leads to stage {lost!r} from {next(iter(stages))!r}, the first; "
                    "add one or remove it",
                    on_key=True,
                )
        if self.problems:
            raise DefinitionError(self.problems)
        half_lives = {score.name: score.half_life for score in measures.scores}
        timed = {
            stage: tuple(each.condition for each in transitions if stage in each.sources and each.condition.timed)
            for stage in stages
        }
        return Lifecycle(
            id=name or "",
            version=version,
            title=title,
            words=words,
            passive=passive,
            scores=tuple(measures.scores),
            signals=tuple(measures.signals),
            slots=tuple(measures.slots),
            decays=tuple(half_lives[score] is not None for _signal, score in measures.slots),
            facts=tuple(measures.facts),
            fact_fingerprints=tuple(measures.fact_fingerprints),
            stages=stages,
            transitions=transitions,
            reactions=_reactions(words, passive, measures),
            otherwise=Reaction(None, False, (), tuple(measures.counted.get(None, ()))),
            transitions_from={stage: tuple(t for t in transitions if stage in t.sources) for stage in stages},
            timed_from=timed,
            digest=bytes.fromhex(fingerprint([self._value(), self._order()])),
            warnings=tuple(self._warnings(measures, scope, passive, transitions)),
        )

    def _value(self) -> object:
        return {key: entry.value for key, entry in self.top.items()}

    def _order(self) -> list[list[str]]:
        return [list(self.reader.mapping(self.top.get(key))) for key in ("scores", "signals", "facts", "stages")]

    def _words(self) -> dict[str, str]:
        given = self.reader.mapping(self.top.get("interactions"))
        words = {word: word for word in given}
        for word, entry in given.items():
            for name in self.reader.texts(entry, f"{word}: the event names it stands for, as in [page, page_view]"):
                text = cast("str", name.value)
                other = words.setdefault(text, word)
                if other != word:
                    where = "is a word itself" if other == text else f"already stands for the word {other!r}"
                    self.reader.problem(name, f"event name {text!r} {where}; a name has one word")
        return words

    def _stages(self) -> dict[str, Stage]:
        entry = self.top.get("stages")
        stages: dict[str, Stage] = {}
        if entry is not None and isinstance(entry.value, list):
            self.reader.problem(entry, "stages are no list: each is a name, a colon and its keys, as in `visitor: {}`")
            return stages
        given = self.reader.mapping(entry, needed="stages: in order, the first is where everyone starts")
        if entry is not None and not given and not self.problems:
            self.reader.problem(entry, "at least one stage is needed")
        for name, body in given.items():
            if not _STAGE.fullmatch(name):
                self.reader.problem(
                    body,
                    f"{name!r} is not a stage's name: a to z, A to Z, 0 to 9, _ and -; its title: may be any text",
                    on_key=True,
                )
            keys = self.reader.mapping(body, STAGE_KEYS, empty=True)
            stages[name] = Stage(
                name,
                self.reader.text(keys.get("title"), default=name),
                tuple(cast("str", each.value) for each in self.reader.texts(keys.get("channels"), "channels")),
                tuple(cast("str", each.value) for each in self.reader.texts(keys.get("actions"), "actions")),
            )
        return stages

    def _transitions(self, scope: Scope) -> tuple[Transition, ...]:
        transitions: list[Transition] = []
        for index, entry in enumerate(self.reader.items(self.top.get("transitions"))):
            before = len(self.problems)
            keys = self.reader.mapping(entry, TRANSITION_KEYS)
            if len(self.problems) == before:  # else a key is misspelled, and the one that is missing is that one
                self._complete(entry, keys)
            target = self._target(keys, scope.stages)
            sources = self._sources(keys, target, scope.stages)
            condition = self._condition(keys, scope)
            if len(self.problems) == before and condition is not None:
                transitions.append(Transition(index, sources, target, condition))
        return tuple(transitions)

    def _complete(self, entry: Entry, keys: Mapping[str, Entry]) -> None:
        for key, meaning in _OF_A_TRANSITION.items():
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
        text = self.reader.condition(keys.get("when"))
        if not text:
            return None
        try:
            condition = compile_condition(text, scope)
        except BrokenNameError:
            return None
        except ConditionError as error:
            self.reader.problem(keys["when"], error.message, offset=error.offset)
            return None
        self.conditions.append((keys["when"], condition))
        return condition

    def _warnings(
        self, measures: MeasureReader, scope: Scope, passive: frozenset[str], transitions: tuple[Transition, ...]
    ) -> list[Problem]:
        warnings = self.reader.warnings
        heard = Heard(scope.words, passive, measures.counted)
        for entry, condition in (*measures.conditions, *self.conditions):
            for what, text in events_in(condition.tree):
                self.reader.unmatched(entry, text, scope.words, name=what == "name")
            warnings += [Problem(entry.path, warning) for warning in condition.warnings]
            measures.paths.note_condition(entry.path, condition.tree)
        for entry, condition in self.conditions:
            if said := just_ended(condition.tree, heard):
                warnings.append(Problem(entry.path, said))
        measured = Measured(scope.scores, scope.facts, measures.counted, measures.signals_of, scope.words)
        return [
            *warnings,
            *measures.paths.warnings(),
            *never_caught(scope.stages, transitions, measured),
            *graph.endless(scope.stages, transitions),
        ]

    def _limits(self) -> None:
        """Note what there is too much of, and leave out the rest: to read it takes time and finds nothing new."""
        for key, most in MOST.items():
            entry = self.top.get(key)
            if entry is None or not isinstance(entry.value, Mapping | list) or len(entry.value) <= most:
                continue
            value = entry.value
            self.reader.problem(entry, f"at most {most} {key}, here are {len(value)}")
            fewer = dict(islice(value.items(), most)) if isinstance(value, Mapping) else value[:most]
            self.top[key] = Entry(entry.path, fewer)


def _reactions(words: Mapping[str, str], passive: frozenset[str], measures: MeasureReader) -> dict[str, Reaction]:
    """By event name, for every name that is not its own word or whose word does something."""
    always = measures.counted.get(None, [])
    named = [word for word in measures.counted if word is not None]
    return {
        name: Reaction(
            word,
            word in passive,
            tuple(measures.signals_of.get(word, ())),
            tuple(sorted([*measures.counted.get(word, ()), *always], key=lambda one: one.fact.index)),
        )
        for name in dict.fromkeys((*words, *measures.signals_of, *named, *passive))
        for word in [words.get(name, name)]
    }
