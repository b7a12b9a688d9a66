"""Reads the signals of a definition, but for their conditions, which may name any score and fact."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from stream.core.amounts import Amount
from stream.core.event import PropertyPath
from stream.core.language.document import CENTURY, DocumentReader, Entry, fingerprint
from stream.core.language.ledgers import LedgerReader, ReadLedger
from stream.core.language.limits import LimitReader, ReadLimit
from stream.core.language.names import unknown
from stream.core.language.numbers import NumberReader
from stream.core.lifecycle import LatestPoints, MemoryKind, Points, Problem
from stream.core.signals import value_key
from stream.core.timed_points import DEFAULT_KEEP, MAX_KEEP

SIGNAL_KEYS: Final = (
    "each",
    "where",
    "add",
    "once",
    "at_most",
    "over",
    "ledger",
    "expires",
    "keep",
    "latest",
    "points",
    "to",
    "reset",
)
_ACTIONS: Final = ("add", "latest", "reset")
_ALONE: Final = {
    "latest": ("expires", "keep", "ledger"),
    "reset": ("expires", "keep", "points", "to", "ledger", "over"),
}
"""Keys that do not go with what a signal does."""
_MISSING: Final = {
    "add": "add: what it adds to which score is missing, as in add: {engagement: 5}",
    "latest": "latest: the property whose values have these points is missing, as in latest: properties.title",
    "points": "points: how much each value is worth is missing, as in points: {manager: 3, director: 5}",
    "to": "to: the score that the points count in is missing, as in to: fit",
}
"""What is said where a key is not there."""


class ScoreHead(NamedTuple):
    """What a signal must know of a score."""

    half_life: int | None
    reset: int
    """Its place in `Memory.resets`; -1: nothing resets it."""


class ReadSignal:
    """What a definition says of one signal."""

    def __init__(self, index: int, name: str, entry: Entry, keys: Mapping[str, Entry], words: list[str]) -> None:
        self.index = index
        self.name = name
        self.entry = entry
        self.words = words
        self.where = keys.get("where")
        self.limit = ReadLimit()
        self.window = -1
        self.over: PropertyPath | None = None
        self.expires = 0
        self.keep = 0
        self.expiring = -1
        self.points: tuple[Points, ...] = ()
        self.latest: LatestPoints | None = None
        self.resets: tuple[str, ...] = ()
        self.ledger: ReadLedger | None = None

    @property
    def fingerprint(self) -> str:
        """Equal for two signals that mean the same."""
        half_lives: list[list[object]] = [[each.score, each.half_life] for each in self.points]
        return fingerprint([self.entry.value, half_lives])


class SignalReader:
    """Reads signals one after the other; `slots`, `windows` and `memories` are what they keep of a life."""

    def __init__(
        self, reader: DocumentReader, numbers: NumberReader, limits: LimitReader, ledgers: LedgerReader
    ) -> None:
        self.reader = reader
        self.numbers = numbers
        self.limits = limits
        self.ledgers = ledgers
        self.slots: list[tuple[int, str]] = []
        self.windows = 0
        self.memories: list[tuple[int, MemoryKind]] = []

    def read(
        self, index: int, name: str, entry: Entry, scores: Mapping[str, ScoreHead], broken: set[str]
    ) -> ReadSignal:
        """The signal at `index`."""
        keys = self.reader.mapping(entry, SIGNAL_KEYS)
        if "each" not in keys and not self.reader.misspelt(entry, keys):
            self.reader.problem(entry, "each: the word (or list of words) that it counts is missing")
        signal = ReadSignal(index, name, entry, keys, self.ledgers.words_in(keys.get("each")))
        self._together(entry, keys)
        signal.limit = self.limits.read(index, keys, self.windows, len(self.memories))
        if signal.limit.window:
            signal.window = self.windows
            self.windows += 1
        if signal.limit.memory is not None:
            self.memories.append((index, signal.limit.memory))
        if "over" in keys:
            signal.over = self.numbers.property(keys["over"], "properties.products")
        self._expires(signal, keys)
        if "latest" in keys:
            self._latest(signal, keys, scores, broken)
        elif "reset" in keys:
            signal.resets = tuple(self._reset(keys["reset"], scores, broken))
        else:
            signal.points = self._points(index, keys, scores, broken)
        if "ledger" in keys:
            signal.ledger = self.ledgers.named(keys["ledger"])
            if signal.ledger is not None:
                self.ledgers.problems_of(signal.words, keys.get("each", entry), signal.ledger)
        return signal

    def _together(self, entry: Entry, keys: Mapping[str, Entry]) -> None:
        """Whether the keys are those of one thing that a signal does; one problem for each that is not."""
        actions = [action for action in _ACTIONS if action in keys]
        if not actions:
            if not self.reader.misspelt(entry, keys):
                self.reader.problem(entry, _MISSING["latest" if "points" in keys else "add"])
            return
        if len(actions) > 1:
            said = f"{' and '.join(actions)} do not go together; a signal does one of them"
            self.reader.problem(keys[actions[1]], said, on_key=True)
            return
        action = actions[0]
        wrong = [key for key in _ALONE.get(action, ()) if key in keys]
        if wrong:
            said = f"{' and '.join(wrong)} {'does' if len(wrong) == 1 else 'do'} not go with {action}"
            self.reader.problem(keys[wrong[0]], said, on_key=True)
        elif action == "latest" and not {"points", "to"} <= keys.keys():
            key = "to" if "points" in keys else "points"
            self.reader.problem(entry, _MISSING[key])
        elif action == "add" and (of_latest := [key for key in ("points", "to") if key in keys]):
            said = (
                f"{of_latest[0]} goes with latest:, a property whose values have points; those of a score stand in add:"
            )
            self.reader.problem(keys[of_latest[0]], said, on_key=True)
        elif action == "add" and "keep" in keys and "expires" not in keys:
            self.reader.problem(keys["keep"], "keep goes with expires, points that leave the score again", on_key=True)

    def _expires(self, signal: ReadSignal, keys: Mapping[str, Entry]) -> None:
        if "expires" not in keys or "add" not in keys:
            return
        signal.expires = self.reader.duration(keys["expires"], CENTURY, long=True) or 1
        signal.keep = self.reader.whole(keys.get("keep"), 1, MAX_KEEP, default=DEFAULT_KEEP)
        signal.expiring = len(self.memories)
        self.memories.append((signal.index, "points"))

    def _score(
        self, entry: Entry, name: str, scores: Mapping[str, ScoreHead], broken: set[str], *, on_key: bool
    ) -> ScoreHead | None:
        if name in broken:
            return None  # that is said already
        if name not in scores:
            self.reader.problem(entry, unknown(name, list(scores), "score"), on_key=on_key)
        return scores.get(name)

    def _points(
        self, index: int, keys: Mapping[str, Entry], scores: Mapping[str, ScoreHead], broken: set[str]
    ) -> tuple[Points, ...]:
        points: list[Points] = []
        for name, entry in self.reader.mapping(keys.get("add")).items():
            score = self._score(entry, name, scores, broken, on_key=True)
            if score is None:
                continue
            if "expires" in keys and score.half_life is not None:
                said = f"{name} has a half_life; points that expire count in a score without one"
                self.reader.problem(keys["expires"], said, on_key=True)
            amount = self.numbers.amount(entry, item="over" in keys)
            points.append(Points(name, len(self.slots), score.half_life, amount or Amount("0"), score.reset))
            self.slots.append((index, name))
        return tuple(points)

    def _latest(
        self, signal: ReadSignal, keys: Mapping[str, Entry], scores: Mapping[str, ScoreHead], broken: set[str]
    ) -> None:
        path, lowered = self.numbers.lowered(keys["latest"], "properties.title", item="over" in keys)
        points: dict[str | float, int] = {}
        for value, entry in self._values(keys.get("points")):
            amount = self.reader.number(entry)
            if lowered and isinstance(value, str) and value != value.lower():
                said = f"{value!r} is never met: lower(…) has no capitals; write {value.lower()!r}"
                self.reader.warnings.append(Problem(entry.path, said, on_key=True))
            if (key := value_key(value)) in points:
                self.reader.problem(
                    entry, f"{value!r} is there twice: as a number and as a text that is it", on_key=True
                )
            points[key] = round((amount or 0) * 1e6)
        to = keys.get("to")
        name = self.reader.text(to) if to is not None else ""
        score = self._score(to, name, scores, broken, on_key=False) if to is not None and name else None
        if to is not None and score is not None and score.half_life is not None:
            self.reader.problem(to, f"{name} has a half_life; points of the latest value count in a score without one")
        if path is None or score is None:
            return
        place = len(self.memories)
        self.memories.append((signal.index, "latest"))
        signal.latest = LatestPoints(path, lowered, points, len(self.slots), place, score.reset, name)
        self.slots.append((signal.index, name))

    def _values(self, entry: Entry | None) -> list[tuple[str | float | bool, Entry]]:
        """The entries of `points`, whose keys may be numbers and booleans, too."""
        if entry is None:
            return []
        if not isinstance(entry.value, Mapping) or not entry.value:
            self.reader.mapping(entry, needed="values and their points, as in {manager: 3}")
            if isinstance(entry.value, Mapping):
                self.reader.problem(entry, "points: names no value; write {manager: 3, director: 5}")
            return []
        found: list[tuple[str | float | bool, Entry]] = []
        for key, value in entry.value.items():
            child = Entry((*entry.path, key), value)
            if isinstance(key, str | bool | int | float):
                found.append((key, child))
            else:
                self.reader.problem(child, "a value is a text, a number, true or false", on_key=True)
        return found

    def _reset(self, entry: Entry, scores: Mapping[str, ScoreHead], broken: set[str]) -> list[str]:
        if entry.value == []:
            self.reader.problem(entry, "reset: names no score; write reset: [heat]")
        return [
            str(each.value)
            for each in self.reader.texts(entry, "the scores that it sets to 0, as in reset: [heat]")
            if self._score(each, str(each.value), scores, broken, on_key=False) is not None
        ]


def scores_reset(signals: Entry | None) -> list[str]:
    """The names of the scores that signals reset, each once, in order; what is wrong with them is not said here."""
    if signals is None or not isinstance(signals.value, Mapping):
        return []
    lists = [each.get("reset") for each in signals.value.values() if isinstance(each, Mapping)]
    return list(
        dict.fromkeys(name for each in lists if isinstance(each, list) for name in each if isinstance(name, str))
    )
