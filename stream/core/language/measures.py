"""The parts of a definition that measure: scores, ledgers, facts and signals, put together."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stream.core.bands import Band
from stream.core.facts import Fact
from stream.core.figures import FigureSet
from stream.core.language.bands import read_bands
from stream.core.language.conditions import read_condition
from stream.core.language.document import CENTURY, DocumentReader, Entry
from stream.core.language.facts import FactReader, ReadFact
from stream.core.language.figures import FigureReader
from stream.core.language.identifiers import check_identifier
from stream.core.language.ledgers import LedgerReader
from stream.core.language.limits import LimitReader
from stream.core.language.list_paths import PathUses
from stream.core.language.memory_budget import check_memory
from stream.core.language.names import Scope
from stream.core.language.numbers import NumberReader
from stream.core.language.signals import ReadSignal, ScoreHead, SignalReader, scores_reset
from stream.core.lifecycle import Condition, Counted, MemoryKind, Problem, Signal
from stream.core.scoring import Expiring, Score
from stream.core.time_zone import TimeZone

SCORE_KEYS: Final = ("half_life", "min", "max", "floor")


class MeasureReader:
    """Reads scores, ledgers, facts and signals; the results are its attributes."""

    def __init__(
        self,
        reader: DocumentReader,
        lifecycle: str,
        words: dict[str, str],
        stages: tuple[str, ...],
        zone: TimeZone,
        *,
        zone_named: bool,
    ) -> None:
        self.reader = reader
        self.lifecycle = lifecycle
        self.words = words
        self.stages = stages
        self.paths = PathUses()
        numbers = NumberReader(reader, self.paths)
        self.ledgers = LedgerReader(reader, numbers, lifecycle, words)
        self._facts = FactReader(reader, numbers, self.ledgers, lifecycle, zone)
        limits = LimitReader(reader, numbers, zone, zone_named=zone_named)
        self._signals = SignalReader(reader, numbers, limits, self.ledgers)
        self.figures = FigureReader(reader, numbers, self.ledgers, lifecycle, self._figure_where)
        self.figure_set: FigureSet | None = None
        """None: the definition has no figures."""
        self._zone = zone
        self.scores: list[Score] = []
        self.signals: list[Signal] = []
        self.facts: list[Fact] = []
        self.fact_fingerprints: list[str] = []
        self.bands: dict[str, Band] = {}
        self.resets: list[str] = []
        self.signals_of: dict[str, list[Signal]] = {}
        self.broken: set[str] = set()
        """Names of scores, facts and bands that could not be read."""
        self.conditions: list[tuple[Entry, Condition]] = []
        """Every `where`, with its place."""
        self.counted: dict[str | None, list[Counted]] = {}
        """By word; None: any interaction."""

    @property
    def slots(self) -> list[tuple[int, str]]:
        """Per slot the signal's index and the score's name."""
        return self._signals.slots

    @property
    def memories(self) -> tuple[tuple[int, MemoryKind], ...]:
        """Per place of a signal's memory its index, and what is remembered."""
        return tuple(self._signals.memories)

    @property
    def is_extended(self) -> bool:
        """Lives hold what the first versions of this software did not know."""
        kinds = {fact.kind for fact in self.facts}
        return bool(self.memories or self.resets or self.ledgers.by_name or kinds & {"rolling_sum", "latest_time"})

    def read(self, top: Mapping[str, Entry]) -> None:
        """Read them out of a definition's entries; problems go to the reader."""
        scores, signals = top.get("scores"), top.get("signals")
        self.resets = scores_reset(signals)
        heads = self._scores(scores)
        self.ledgers.read(top.get("ledgers"), self._interaction_only)
        read_facts = self._read_facts(top.get("facts"), heads)
        read_signals: list[ReadSignal] = []
        for index, (name, entry) in enumerate(self.reader.mapping(signals).items()):
            check_identifier(self.reader, entry, name)
            read_signals.append(self._signals.read(index, name, entry, heads, self.broken))
        self._complete_scores(read_signals, scores)
        for over in (*(each.over for each in read_signals), *(each.over for each in read_facts)):
            if over is not None:
                self.paths.note_list(over)
        self._read_bands(top.get("bands"))
        check_memory(self.reader, read_signals, read_facts, self.ledgers)
        scope = self.scope(where=True)
        for signal in read_signals:
            self._finish_signal(signal, scope)
        for fact in read_facts:
            self._finish_fact(fact, scope)
        self.figure_set = self.figures.read(top, {fact.name: fact for fact in self.facts}, self._zone)

    def _read_bands(self, bands: Entry | None) -> None:
        scores = {score.name: score for score in self.scores}
        facts = {fact.name for fact in self.facts}
        given = self.reader.mapping(bands)
        for name, entry in given.items():
            check_identifier(self.reader, entry, name)
            if name in scores or name in facts:
                kind = "score" if name in scores else "fact"
                self.reader.problem(entry, f"{name!r} is a {kind} already; give the band another name", on_key=True)
        self.bands = read_bands(self.reader, given, scores, self.broken)
        self.broken.update(name for name in given if name not in self.bands)

    def scope(self, *, where: bool = False) -> Scope:
        """The names that a condition may use: `when` of a transition, or `where` of a signal or fact."""
        return Scope(
            {score.name: score for score in self.scores},
            {fact.name: fact for fact in self.facts},
            self.stages,
            self.words,
            at_event=where,
            lessened=frozenset(each.fact.name for of in self.counted.values() for each in of if each.sign < 0),
            broken=frozenset(self.broken),
            signals=self.counting_facts(),
            bands=self.bands,
        )

    def counting_facts(self) -> dict[str, str]:
        """By a signal's name the fact that would count the same interactions, as a lifecycle file has it."""
        facts: dict[str, str] = {}
        for signal in self.signals:
            words = [word for word, signals in self.signals_of.items() if signal in signals]
            counted = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
            if words:
                facts[signal.name] = f"{{count: {counted}{', where: …' if signal.where else ''}}}"
        return facts

    def _scores(self, scores: Entry | None) -> dict[str, ScoreHead]:
        heads: dict[str, ScoreHead] = {}
        if scores is not None and isinstance(scores.value, list):
            self.broken |= {each for each in scores.value if isinstance(each, str)}
        for name, entry in self.reader.mapping(scores).items():
            check_identifier(self.reader, entry, name)
            keys = self.reader.mapping(entry, SCORE_KEYS, empty=True)
            half_life = self.reader.duration(keys.get("half_life"), CENTURY, long=True)
            low, high = self.reader.number(keys.get("min")), self.reader.number(keys.get("max"))
            if low is not None and high is not None and low > high:
                self.reader.problem(keys["min"], f"min {low} is above max {high}")
            elif high is not None and high < 0:
                said = f"a score begins at 0; with max {high:g} it is read as {high:g} from the start"
                self.reader.warnings.append(Problem(keys["max"].path, said))
            floor = self.reader.number(keys.get("floor"))
            if "floor" in keys and "half_life" in keys:
                said = "a score with a half_life has no floor; min: clamps what is read of it"
                self.reader.problem(keys["floor"], said, on_key=True)
            elif floor is not None and floor > 0:
                said = f"a score begins at 0, so that its floor is at most 0, not {floor:g}; min: clamps what is read"
                self.reader.problem(keys["floor"], said)
            reset = self.resets.index(name) if name in self.resets else -1
            heads[name] = ScoreHead(half_life, reset)
            self.scores.append(Score(name, half_life, low, high, (), floor=floor, reset=reset))
        self.resets = [name for name in self.resets if name in heads]
        return heads

    def _read_facts(self, facts: Entry | None, heads: dict[str, ScoreHead]) -> list[ReadFact]:
        read: list[ReadFact] = []
        for name, entry in self.reader.mapping(facts).items():
            check_identifier(self.reader, entry, name)
            if name in heads:
                self.reader.problem(entry, f"{name!r} is a score already; give the fact another name", on_key=True)
            noted = len(self.reader.problems)
            found = self._facts.read(len(read), name, entry)
            if len(self.reader.problems) > noted:
                self.broken.add(name)
            if found is not None:
                read.append(found)
                self.facts.append(found.fact)
                self.fact_fingerprints.append(found.fingerprint)
        return read

    def _complete_scores(self, signals: list[ReadSignal], scores: Entry | None) -> None:
        """Give each score the slots of its signals, and those whose points expire."""
        slots: dict[str, list[int]] = {}
        for slot, (_signal, name) in enumerate(self.slots):
            slots.setdefault(name, []).append(slot)
        expiring: dict[str, list[Expiring]] = {}
        latest: dict[str, list[int]] = {}
        uneven: dict[str, str] = {}
        for signal in signals:
            if signal.latest is not None:
                latest.setdefault(signal.latest.score, []).append(signal.latest.place)
                uneven[signal.latest.score] = f"{signal.name}, which are of the latest value"
            for column, points in enumerate(signal.points if signal.expires else ()):
                uneven[points.score] = f"{signal.name}, which expire"
                part = Expiring(points.slot, signal.expiring, column, signal.expires)
                expiring.setdefault(points.score, []).append(part)
        for score in self.scores:
            if score.floor is not None and score.name in uneven:
                assert scores is not None
                entry = Entry((*scores.path, score.name, "floor"), score.floor)
                said = f"a floor does not go with the points of {uneven[score.name]}"
                self.reader.problem(entry, said, on_key=True)
        self.scores = [
            replace(
                each,
                slots=tuple(slots.get(each.name, ())),
                expiring=tuple(expiring.get(each.name, ())),
                latest=tuple(latest.get(each.name, ())),
            )
            for each in self.scores
        ]

    def _finish_signal(self, read: ReadSignal, scope: Scope) -> None:
        by_name = {score.name: score for score in self.scores}
        ledger = read.ledger
        signal = Signal(
            (self.lifecycle, read.name),
            read.name,
            read.index,
            self._where(read.where, scope._replace(item=read.over is not None)),
            read.points,
            read.limit.limit,
            read.limit.text,
            read.window,
            read.fingerprint,
            over=read.over,
            expires=read.expires,
            keep=read.keep,
            expiring=read.expiring,
            latest=read.latest,
            resets=tuple(by_name[name] for name in read.resets),
            ledger=-1 if ledger is None else ledger.ledger.index,
            ledger_where=None if ledger is None else ledger.where,
        )
        self.signals.append(signal)
        for word in dict.fromkeys(read.words):
            self.signals_of.setdefault(word, []).append(signal)

    def _finish_fact(self, read: ReadFact, scope: Scope) -> None:
        where = self._where(read.where, scope._replace(item=read.over is not None))
        if read.where is not None and where is None:
            self.broken.add(read.fact.name)
        for sign, words in ((1, read.words), (-1, read.minus)):
            for word in dict.fromkeys(words):
                self.counted.setdefault(word, []).append(Counted(read.fact, sign, where, read.over))
        if read.any_word:
            self.counted.setdefault(None, []).append(Counted(read.fact, 1, where, read.over))

    def _figure_where(self, entry: Entry | None, item: bool) -> Condition | None:
        return self._where(entry, self.scope(where=True)._replace(item=item))

    def _interaction_only(self, entry: Entry | None) -> Condition | None:
        return self._where(entry, Scope({}, {}, (), self.words, interaction_only=True))

    def _where(self, entry: Entry | None, scope: Scope) -> Condition | None:
        condition = read_condition(self.reader, entry, scope)
        if entry is not None and condition is not None:
            self.conditions.append((entry, condition))
        return condition
