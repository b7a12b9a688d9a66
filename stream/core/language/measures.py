"""The parts of a definition that measure: scores, signals and facts."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from stream.core.event import PropertyPath, path_to
from stream.core.expressions import ConditionError
from stream.core.facts import Fact, FactKind
from stream.core.language.conditions import compile_condition
from stream.core.language.document import DocumentReader, Entry, fingerprint, kind_of
from stream.core.language.habits import decimal_point, without_quotes
from stream.core.language.list_paths import PathUses
from stream.core.language.names import Scope, unknown
from stream.core.language.parser import RESERVED, parse_path
from stream.core.lifecycle import Condition, Counted, Points, Problem, Signal
from stream.core.scoring import Score

CENTURY = 3_155_760_000_000
"""The longest half-life and window, in milliseconds: beyond it a millisecond is lost in a double's rounding."""
SCORE_KEYS = ("half_life", "min", "max")
SIGNAL_KEYS = ("each", "where", "add", "once", "at_most")
KINDS = ("count", "sum", "first", "last", "latest")
FACT_KEYS = (*KINDS, "each", "minus", "where", "within", "keep")
DEFAULT_KEEP = 20
MAX_KEEP = 1_000
_SO_MANY = re.compile(r"([0-9]+)(?: *(?:per|/|x|times) *([0-9]+[smhdw])?.*)?")
_FORMULA = re.compile(r"^\s*[-+]\s*(?:properties|context)\b|[*/+]|\s-\s")
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class MeasureReader:
    """Reads scores, signals and facts; the results are its attributes."""

    def __init__(self, reader: DocumentReader, lifecycle: str, words: dict[str, str]) -> None:
        self.reader = reader
        self.lifecycle = lifecycle
        self.words = words
        self.scope = Scope({}, {}, (), words, interaction_only=True)
        self.scores: list[Score] = []
        self.signals: list[Signal] = []
        self.slots: list[tuple[int, str]] = []
        self.facts: list[Fact] = []
        self.fact_fingerprints: list[str] = []
        self.signals_of: dict[str, list[Signal]] = {}
        self.broken: set[str] = set()
        """Names of scores and facts that could not be read."""
        self.conditions: list[tuple[Entry, Condition]] = []
        """Every `where`, with its place."""
        self.paths = PathUses()
        self.counted: dict[str | None, list[Counted]] = {}
        """By word; None: any interaction."""

    def read(self, scores: Entry | None, signals: Entry | None, facts: Entry | None) -> None:
        """Read all three; problems go to the reader."""
        half_lives = self._scores(scores)
        windows = 0
        for index, (name, entry) in enumerate(self.reader.mapping(signals).items()):
            self._identifier(entry, name)
            windows = self._signal(index, name, entry, half_lives, windows)
        slots: dict[str, list[int]] = {}
        for slot, (_signal, score) in enumerate(self.slots):
            slots.setdefault(score, []).append(slot)
        self.scores = [replace(score, slots=tuple(slots.get(score.name, ()))) for score in self.scores]
        for index, (name, entry) in enumerate(self.reader.mapping(facts).items()):
            self._identifier(entry, name)
            if name in half_lives:
                self.reader.problem(entry, f"{name!r} is a score already; give the fact another name", on_key=True)
            noted = len(self.reader.problems)
            self._fact(index, name, entry)
            if len(self.reader.problems) > noted:
                self.broken.add(name)

    def counting_facts(self) -> dict[str, str]:
        """By a signal's name the fact that would count the same interactions, as a lifecycle file has it."""
        facts: dict[str, str] = {}
        for signal in self.signals:
            words = [word for word, signals in self.signals_of.items() if signal in signals]
            counted = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
            if words:
                facts[signal.name] = f"{{count: {counted}{', where: …' if signal.where else ''}}}"
        return facts

    def _identifier(self, entry: Entry, name: str) -> None:
        if not _IDENTIFIER.fullmatch(name):
            self.reader.problem(
                entry, f"{name!r} is not a name: a to z, A to Z, 0 to 9 and _, a letter first", on_key=True
            )
        elif name in RESERVED:
            self.reader.problem(
                entry, f"{name!r} has a meaning in conditions already; choose another name", on_key=True
            )

    def _scores(self, scores: Entry | None) -> dict[str, int | None]:
        half_lives: dict[str, int | None] = {}
        if scores is not None and isinstance(scores.value, list):
            self.broken |= {each for each in scores.value if isinstance(each, str)}
        for name, entry in self.reader.mapping(scores).items():
            self._identifier(entry, name)
            keys = self.reader.mapping(entry, SCORE_KEYS, empty=True)
            half_life = self.reader.duration(keys.get("half_life"), CENTURY, long=True)
            low, high = self.reader.number(keys.get("min")), self.reader.number(keys.get("max"))
            if low is not None and high is not None and low > high:
                self.reader.problem(keys["min"], f"min {low} is above max {high}")
            elif high is not None and high < 0:
                said = f"a score begins at 0; with max {high:g} it is read as {high:g} from the start"
                self.reader.warnings.append(Problem(keys["max"].path, said))
            half_lives[name] = half_life
            self.scores.append(Score(name, half_life, low, high, ()))
        return half_lives

    def _signal(self, index: int, name: str, entry: Entry, half_lives: dict[str, int | None], windows: int) -> int:
        keys = self.reader.mapping(entry, SIGNAL_KEYS)
        words = self._each(entry, keys)
        once = keys["once"].value if "once" in keys else False
        if not isinstance(once, bool):
            self.reader.problem(keys["once"], f"once: is true or left out, not {kind_of(once)}")
        times, per = self._at_most(keys.get("at_most"))
        if once is True and "at_most" in keys:
            self.reader.problem(keys["at_most"], "once and at_most do not go together; keep one")
        points = self._points(index, entry, keys, half_lives)
        signal = Signal(
            (self.lifecycle, name),
            name,
            index,
            self._where(keys.get("where")),
            points,
            once is True,
            times,
            per,
            windows if times else -1,
            fingerprint([entry.value, [[each.score, each.half_life] for each in points]]),
        )
        self.signals.append(signal)
        for word in dict.fromkeys(words):
            self.signals_of.setdefault(word, []).append(signal)
        return windows + (1 if times else 0)

    def _each(self, entry: Entry, keys: dict[str, Entry]) -> list[str]:
        if "each" not in keys and not _is_misspelt(entry, keys):
            self.reader.problem(entry, "each: the word (or list of words) that it counts is missing")
        return self.reader.words(keys.get("each"), self.words)

    def _at_most(self, entry: Entry | None) -> tuple[int, int]:
        if entry is None:
            return 0, 0
        if match := _SO_MANY.fullmatch(str(entry.value)):
            right = f"{{times: {match[1]}, per: {match[2] or '1d'}}}"
            self.reader.problem(entry, f"at_most: is written {right}, not {kind_of(entry.value)}")
            return 0, 0
        keys = self.reader.mapping(entry, ("times", "per"))
        for key in ("times", "per") if isinstance(entry.value, Mapping) else ():
            if key not in keys:
                self.reader.problem(entry, f"{key}: is missing, as in at_most: {{times: 5, per: 1d}}")
        times = self.reader.whole(keys.get("times"), 1, 1_000_000, default=1)
        return times, self.reader.duration(keys.get("per"), CENTURY) or 1

    def _points(
        self, index: int, entry: Entry, keys: dict[str, Entry], half_lives: dict[str, int | None]
    ) -> tuple[Points, ...]:
        add = keys.get("add")
        if add is None:
            if not _is_misspelt(entry, keys):
                self.reader.problem(entry, "add: what it adds to which score is missing, as in add: {engagement: 5}")
            return ()
        points: list[Points] = []
        for score, amount in self.reader.mapping(add).items():
            if score in self.broken:
                continue  # that is said already
            if score not in half_lives:
                self.reader.problem(amount, unknown(score, list(half_lives), "score"), on_key=True)
                continue
            fixed: float | None = None
            path: PropertyPath | None = None
            if hint := without_quotes(amount.value):
                self.reader.problem(amount, f"a number was expected, not {kind_of(amount.value)}{hint}")
            elif isinstance(amount.value, str):
                path = self._path(amount, "a number or a property such as properties.total")
            else:
                fixed = self.reader.number(amount)
            points.append(Points(score, len(self.slots), half_lives[score], fixed, path))
            self.slots.append((index, score))
        return tuple(points)

    def _path(self, entry: Entry, wanted: str) -> PropertyPath | None:
        text = str(entry.value)
        try:
            name = parse_path(text)
        except ConditionError as error:
            if _FORMULA.search(text):
                other = "in a fact, `minus` takes a refund's amount off a sum"
                self.reader.problem(entry, f"nothing is calculated here: write {wanted} alone; {other}")
            elif error.offset and text.startswith(("properties", "context")):
                self.reader.problem(entry, f"{wanted}: {error.message}", offset=error.offset)
            elif said := decimal_point(text):
                self.reader.problem(entry, said)
            else:
                hint = f"; did you mean properties.{text.rpartition('.')[2]}?" if _PLAIN.fullmatch(text) else ""
                self.reader.problem(entry, f"{wanted} was expected, not {kind_of(text)}{hint}")
            return None
        if len(name.path) < 2:  # the root alone
            self.reader.problem(entry, f"{name} needs a name: {name}.something")
        self.paths.note(entry.path, name)
        return path_to(name.path)

    def _where(self, entry: Entry | None) -> Condition | None:
        if entry is None:
            return None
        text = self.reader.condition(entry)
        if not text:
            return None
        try:
            condition = compile_condition(text, self.scope)
        except ConditionError as error:
            self.reader.problem(entry, error.message, offset=error.offset)
            return None
        self.conditions.append((entry, condition))
        return condition

    def _fact(self, index: int, name: str, entry: Entry) -> None:
        if not isinstance(entry.value, Mapping):
            self.reader.problem(entry, f"a fact is one of {', '.join(KINDS)}, as in {name}: {{count: purchase}}")
            return
        noted = len(self.reader.problems)
        keys = self.reader.mapping(entry, FACT_KEYS)
        kinds = [kind for kind in KINDS if kind in keys]
        if not kinds and len(self.reader.problems) > noted:
            return  # the kind is misspelled, and that is said
        if len(kinds) != 1:
            self.reader.problem(entry, f"a fact is one of {', '.join(KINDS)}, as in {{count: purchase}}")
            return
        kind = kinds[0]
        self._allowed(kind, keys)
        path = self._property(keys[kind]) if kind in ("sum", "latest") else None
        if kind == "sum":
            words = self._each(entry, keys)
        else:
            words = self.reader.words(keys.get("each" if kind == "latest" else kind), self.words)
        minus = self.reader.words(keys.get("minus"), self.words)
        for word in set(words) & set(minus):
            self.reader.problem(keys["minus"], f"{word!r} counts and stands under minus; it can do one of both")
        within = self.reader.duration(keys.get("within"), CENTURY, long=True) or 0
        keep = self.reader.whole(keys.get("keep"), 1, MAX_KEEP, default=DEFAULT_KEEP)
        rolling = kind == "count" and "within" in keys
        fact_kind = cast("FactKind", "rolling" if rolling else kind)
        fact = Fact(name, index, fact_kind, path, within, keep if rolling else 0)
        self.facts.append(fact)
        self.fact_fingerprints.append(fingerprint(entry.value))
        where = self._where(keys.get("where"))
        for word in dict.fromkeys(words):
            self.counted.setdefault(word, []).append(Counted(fact, 1, where))
        for word in dict.fromkeys(minus):
            self.counted.setdefault(word, []).append(Counted(fact, -1, where))
        if kind == "latest" and "each" not in keys:
            self.counted.setdefault(None, []).append(Counted(fact, 1, where))

    def _property(self, entry: Entry) -> PropertyPath | None:
        if not isinstance(entry.value, str):
            self.reader.problem(entry, "a property such as properties.total was expected")
            return None
        return self._path(entry, "a property such as properties.total")

    def _allowed(self, kind: str, keys: dict[str, Entry]) -> None:
        allowed = {kind, "where"}
        if kind in ("sum", "latest"):
            allowed.add("each")
        if kind in ("count", "sum"):
            allowed.add("minus")
        if kind == "count":
            allowed |= {"within", "keep"}
        for key, entry in keys.items():
            if key not in allowed:
                hint = "; a score with a half_life forgets by itself" if (kind, key) == ("sum", "within") else ""
                self.reader.problem(entry, f"{key} does not go with {kind}{hint}", on_key=True)
        if "within" in keys and "minus" in keys:
            self.reader.problem(keys["minus"], "a rolling count has no minus", on_key=True)
        if "keep" in keys and "within" not in keys:
            self.reader.problem(keys["keep"], "keep goes with within, a rolling count", on_key=True)


def _is_misspelt(entry: Entry, keys: Mapping[str, Entry]) -> bool:
    """Whether a key of the mapping is none of those there are, which is said: it may be the one that is missing."""
    return not isinstance(entry.value, Mapping) or len(keys) < len(entry.value)
