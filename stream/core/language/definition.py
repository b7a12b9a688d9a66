"""From a definition (what the YAML of a lifecycle says) to a lifecycle, with every problem found on the way."""

import re
from collections.abc import Mapping
from itertools import islice
from typing import cast

from stream.core.counting import Figured
from stream.core.figures import Figure
from stream.core.language import graph
from stream.core.language.came_back import Heard, just_ended
from stream.core.language.conditions import events_in
from stream.core.language.document import DocumentReader, Entry, fingerprint, kind_of
from stream.core.language.measures import MeasureReader
from stream.core.language.names import Scope
from stream.core.language.never_did import Measured, never_caught
from stream.core.language.time_zones import UnknownTimeZoneError, database_version, time_zone
from stream.core.language.transitions import TransitionReader
from stream.core.lifecycle import (
    Condition,
    Counted,
    DefinitionError,
    Entered,
    Lifecycle,
    Problem,
    Reaction,
    Signal,
    Stage,
    Transition,
)
from stream.core.time_zone import UTC_ZONE, TimeZone

KEYS = (
    "lifecycle",
    "version",
    "title",
    "time_zone",
    "interactions",
    "passive",
    "ledgers",
    "scores",
    "signals",
    "facts",
    "bands",
    "figures",
    "rates",
    "stages",
    "transitions",
)
STAGE_KEYS = ("title", "channels", "actions")
MOST = {"ledgers": 8, "bands": 8, "scores": 64, "signals": 64, "facts": 64, "stages": 257, "transitions": 256}
"""The largest number of each. Every stage but the first needs a transition that leads to it."""
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
        zone, zone_name = self._zone()
        stages = self._stages()
        measures = MeasureReader(reader, name or "", words, tuple(stages), zone, zone_named=bool(zone_name))
        measures.read(top)
        scope = measures.scope()
        reader_of_transitions = TransitionReader(reader)
        transitions = reader_of_transitions.read(top.get("transitions"), scope)
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
            ledgers=tuple(each.ledger for each in measures.ledgers.by_name.values()),
            ledger_fingerprints=tuple(each.fingerprint for each in measures.ledgers.by_name.values()),
            memories=measures.memories,
            resets=tuple(measures.resets),
            bands=tuple(measures.bands.values()),
            is_extended=measures.is_extended or bool(reader_of_transitions.taken or reader_of_transitions.held),
            taken=tuple(reader_of_transitions.taken),
            held=tuple(reader_of_transitions.held),
            held_in={
                stage: guards
                for stage in stages
                if (guards := tuple(t.held for t in transitions if t.held is not None and stage in t.sources))
            },
            time_zone=zone_name,
            figures=measures.figure_set,
            stages=stages,
            transitions=transitions,
            reactions=_reactions(words, passive, measures),
            otherwise=_reaction(None, False, [], measures.counted.get(None, []), [], measures),
            transitions_from={stage: tuple(t for t in transitions if stage in t.sources) for stage in stages},
            timed_from=timed,
            digest=bytes.fromhex(fingerprint([self._value(), self._order(), *self._zone_version(zone_name)])),
            warnings=tuple(self._warnings(measures, scope, passive, transitions, reader_of_transitions.conditions)),
        )

    def _value(self) -> object:
        return {key: entry.value for key, entry in self.top.items()}

    def _order(self) -> list[list[str]]:
        keys = ("scores", "signals", "facts", "stages", *(("ledgers",) if "ledgers" in self.top else ()))
        return [list(self.reader.mapping(self.top.get(key))) for key in keys]

    def _zone(self) -> tuple[TimeZone, str]:
        """The time zone of the file, and its name; UTC and no name where it names none."""
        name = self.reader.text(self.top.get("time_zone"))
        if not name:
            return UTC_ZONE, ""
        try:
            return time_zone(name), name
        except UnknownTimeZoneError as error:
            self.reader.problem(self.top["time_zone"], str(error))
            return UTC_ZONE, ""

    def _zone_version(self, zone_name: str) -> list[str]:
        """Part of the digest only where a zone is named: another version may have other windows."""
        return [database_version()] if zone_name else []

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

    def _warnings(
        self,
        measures: MeasureReader,
        scope: Scope,
        passive: frozenset[str],
        transitions: tuple[Transition, ...],
        conditions: list[tuple[Entry, Condition]],
    ) -> list[Problem]:
        warnings = self.reader.warnings
        heard = Heard(scope.words, passive, measures.counted)
        for entry, condition in (*measures.conditions, *conditions):
            for what, text in events_in(condition.tree):
                self.reader.unmatched(entry, text, scope.words, name=what == "name")
            warnings += [Problem(entry.path, warning) for warning in condition.warnings]
            measures.paths.note_condition(entry.path, condition.tree)
        for entry, condition in conditions:
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
    names = dict.fromkeys(
        (*words, *measures.signals_of, *named, *measures.ledgers.entered, *measures.figures.figured, *passive)
    )
    return {
        name: _reaction(
            word,
            word in passive,
            measures.signals_of.get(word, []),
            sorted([*measures.counted.get(word, ()), *always], key=lambda one: one.fact.index),
            measures.ledgers.entered.get(word, []),
            measures,
        )
        for name in names
        for word in [words.get(name, name)]
    }


def _reaction(
    word: str | None,
    passive: bool,
    signals: list[Signal],
    counted: list[Counted],
    entered: list[Entered],
    measures: MeasureReader,
) -> Reaction:
    added = {points.score for signal in signals for points in signal.points}
    floored = tuple(score for score in measures.scores if score.floor is not None and score.name in added)
    rules: list[Signal | Counted] = [*signals, *counted]
    plain = [each.over is None and not (each.where and each.where.reads_state) for each in rules]
    special = [bool(each.expires or each.latest or each.resets or each.ledger >= 0) for each in signals]
    figured, ledger_figures = _figures(word, entered, measures)
    simple = all(plain) and not any(special) and not entered and not floored
    simple = simple and measures.figures.simple.get(word or "", True)
    return Reaction(
        word, passive, tuple(signals), tuple(counted), tuple(entered), simple, floored, figured, ledger_figures
    )


def _figures(
    word: str | None, entered: list[Entered], measures: MeasureReader
) -> tuple[tuple[Figured, ...], tuple[tuple[Figure, ...], ...]]:
    """What a word does to figures: those made of interactions, and by ledger that it enters those made of entries."""
    figured = tuple(measures.figures.figured.get(word or "", ()))
    of_ledger = tuple(tuple(measures.figures.of_ledger.get(each.ledger.index, ())) for each in entered)
    return figured, of_ledger if any(of_ledger) else ()
