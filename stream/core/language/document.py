"""Reading a definition's mappings, lists and texts; every problem is noted with its location, none stops the rest."""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from stream.core.durations import parse_duration
from stream.core.language.habits import decimal_point, is_comparison, length_of_time, minutes_for_months, without_quotes
from stream.core.language.names import nearest, odd_signs, unknown
from stream.core.lifecycle import DefinitionError, Problem

CENTURY = 3_155_760_000_000
"""The longest half-life and window, in milliseconds: beyond it a millisecond is lost in a double's rounding."""
MAX_PROBLEMS = 100
"""Then reading stops: nobody reads more at once, and a broken file of a megabyte would have hundreds of thousands."""
_COMPARISONS = 100_000
"""Names that are compared, to say which one a word that nobody declared may have meant."""

_UNKNOWN = re.compile(r"unknown (?:stage|score|name) ('[^']*')")

_DASHES = tuple("-–—•")  # noqa: RUF001 - what word processors make of a dash
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")

PropertyPath = tuple[str | int, ...]


class Entry(NamedTuple):
    """A value and where in the document it stands."""

    path: PropertyPath
    value: object


def fingerprint(value: object) -> str:
    """16 hex digits, equal for equal values; the order of a mapping's keys does not matter."""
    return blake2b(_canonical(value).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _canonical(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{key!r}:{_canonical(each)}" for key, each in value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_canonical(each) for each in value) + "]"
    if isinstance(value, str):
        return repr(str(value))
    return repr(float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value)


def kind_of(value: object) -> str:
    """A value, or what it is, as messages name it."""
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, str):
        return f"the text {str(value)!r}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    return f"the number {value}" if isinstance(value, int | float) else f"{str(value) or type(value).__name__!r}"


def _missing(needed: str) -> str:
    """Of `key: meaning`, what is said where the key is not there."""
    key, _colon, meaning = needed.partition(": ")
    return f"{key}: is missing: {meaning}"


def _not_a_key(key: object, value: object, before: object) -> str:
    """A number that YAML took for a key, most likely since a decimal comma separates entries within {…}."""
    is_rest = value is None and (isinstance(before, int | float) or str(before or "")[-1:].isdigit())
    if is_rest and not isinstance(key, bool):
        return "a comma begins the next entry here; a number has a decimal point, as in 2.5"
    return f"a key is a text; put {key!r} in quotes"


def _unknown_key(key: str, value: object, before: object, keys: Sequence[str]) -> str:
    """A key that does not exist, or what a comma within {…} made of the rest of a condition or list."""
    if value is None and before and is_comparison(key):
        return f"a comma begins the next entry here; join comparisons with `and`, as in {before} and {key}"
    hint = "; a list stands in [ ], a text that holds a comma in quotes" if value is None and before else ""
    return unknown(key, list(keys), "key") + hint


def _scalar(text: str) -> object:
    """What YAML would make of a text without quotes, where that is a number or a boolean."""
    if text in ("true", "false"):
        return text == "true"
    if not _NUMBER.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


class DocumentReader:
    """Collects problems and warnings while a definition is read.

    Every method raises DefinitionError where it finds one problem more than MAX_PROBLEMS.
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.used: set[str] = set()
        """The words that something counts."""
        self._comparisons = _COMPARISONS
        self._unknown: set[str] = set()

    def problem(self, entry: Entry, message: str, *, offset: int | None = None, on_key: bool = False) -> None:
        """Note a problem at `entry`; a name that is not there is one problem, however often it is used."""
        if name := _UNKNOWN.match(message):
            if name[1] in self._unknown:
                return
            self._unknown.add(name[1])
        if len(self.problems) == MAX_PROBLEMS:
            raise DefinitionError([*self.problems, Problem(entry.path, "and more; the first hundred are shown")])
        self.problems.append(Problem(entry.path, message, offset, on_key))

    def mapping(
        self, entry: Entry | None, keys: Sequence[str] = (), *, needed: str = "", empty: bool = False
    ) -> dict[str, Entry]:
        """The entries of a mapping, those that `keys` does not name noted as problems; {} where it is absent.

        `empty` lets nothing stand for an empty mapping.
        """
        if entry is None:
            if needed:
                self.problems.append(Problem((), _missing(needed)))
            return {}
        if entry.value is None and empty:
            return {}
        if not isinstance(entry.value, Mapping):
            name, colon, rest = entry.value.partition(":") if isinstance(entry.value, str) else ("", "", "")
            if colon and name in keys:
                self.problem(entry, f"a space is missing after the colon: write {name}: {rest}")
                return {}
            what = f"the keys {', '.join(keys)}" if keys else needed or "names and their values"
            hint = "; write `name: value`, without - and [ ]" if isinstance(entry.value, list) else ""
            self.problem(entry, f"a mapping was expected ({what}), not {kind_of(entry.value)}{hint}")
            return {}
        entries: dict[str, Entry] = {}
        before: object = None
        for key, value in entry.value.items():
            child = Entry((*entry.path, key), value)
            name, colon, rest = key.partition(":") if isinstance(key, str) else ("", "", "")
            if not isinstance(key, str):
                self.problem(child, _not_a_key(key, value, before), on_key=True)
            elif keys and key not in keys and value is None and colon and name in keys:
                self.problem(child, f"a space is missing after the colon: write {name}: {rest}", on_key=True)
                entries[name] = Entry(child.path, _scalar(rest))
            elif keys and key not in keys:
                self.problem(child, _unknown_key(key, value, before, keys), on_key=True)
            else:
                entries[key] = child
            before = value
        return entries

    def items(self, entry: Entry | None) -> list[Entry]:
        """The items of a list; [] where it is absent."""
        if entry is None:
            return []
        if not isinstance(entry.value, list):
            hint = "; begin each entry with a dash and a space" if isinstance(entry.value, Mapping) else ""
            self.problem(entry, f"a list was expected, not {kind_of(entry.value)}{hint}")
            return []
        return [Entry((*entry.path, index), value) for index, value in enumerate(entry.value)]

    def text(self, entry: Entry | None, *, default: str = "", needed: str = "") -> str:
        """A text that is not empty."""
        if entry is None:
            if needed:
                self.problems.append(Problem((), _missing(needed)))
            return default
        if not isinstance(entry.value, str) or not entry.value:
            self.problem(entry, f"a text was expected, not {kind_of(entry.value)}; quotes make a text of anything")
            return default
        return str(entry.value)

    def texts(self, entry: Entry | None, what: str, *, single: bool = False) -> list[Entry]:
        """A list of texts; with `single` a text may stand for a list of one."""
        if entry is None:
            return []
        if single and isinstance(entry.value, str) and entry.value:
            self._odd(entry)
            return [entry]
        if not isinstance(entry.value, list):
            is_dash = isinstance(entry.value, str) and entry.value[:1] in _DASHES
            hint = "; a list has a dash and a space before each" if is_dash else ""
            self.problem(entry, f"a list of texts was expected ({what}), not {kind_of(entry.value)}{hint}")
            return []
        found = self.items(entry)
        if not found and single:
            self.problem(entry, f"an empty list: {what}")
        for each in found:
            if not isinstance(each.value, str) or not each.value:
                self.problem(each, f"a text was expected, not {kind_of(each.value)}; quotes make a text of anything")
            else:
                self._odd(each)
        return [each for each in found if isinstance(each.value, str) and each.value]

    def _odd(self, entry: Entry) -> None:
        if said := odd_signs(str(entry.value)):
            self.warnings.append(Problem(entry.path, f"{str(entry.value)!r}: {said}"))

    def words(self, entry: Entry | None, words: Mapping[str, str], *, empty: bool = False) -> list[str]:
        """A word or a list of words, none only with `empty`. An event name that a word covers is a problem."""
        found: list[str] = []
        if empty and entry is not None and entry.value == []:
            return found
        for each in self.texts(entry, "a word or a list of words", single=True):
            word = str(each.value)
            if words.get(word, word) != word:
                self.problem(each, f"{word!r} is an event name; here its word {words[word]!r} is meant")
            elif word not in words:
                self.undeclared(each, word, words)
            self.used.add(word)
            found.append(word)
        return found

    def unmatched(self, entry: Entry, text: str, words: Mapping[str, str], *, name: bool) -> None:
        """Warn where a condition asks for an interaction that the file does not know, by its word or its `name`."""
        if not words or text in words or text in self.used:
            return
        self._comparisons -= len(words)
        near = nearest(text, words, cutoff=0.8) if self._comparisons >= 0 else None
        meant = (
            f"; did you mean {(near if name else words[near])!r}?"
            if near
            else (", so it holds for interactions of exactly this name alone; name it there if there are any")
        )
        self.warnings.append(Problem(entry.path, f"{text!r} is not among the interactions{meant}"))

    def undeclared(self, entry: Entry, word: str, words: Mapping[str, str]) -> None:
        """A word may stand for itself; warn where it looks like another one, as long as that is quickly found."""
        self._comparisons -= len(words)
        if self._comparisons >= 0 and (near := nearest(word, words, cutoff=0.8)):
            self.warnings.append(
                Problem(entry.path, f"{word!r} is not among the interactions; did you mean {words[near]!r}?")
            )

    def whole(self, entry: Entry | None, low: int, high: int, *, default: int) -> int:
        """A whole number within bounds."""
        if entry is None:
            return default
        value = entry.value
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            hint = without_quotes(value)
            self.problem(entry, f"a whole number from {low} to {high:,} was expected, not {kind_of(value)}{hint}")
            return default
        return value

    def number(self, entry: Entry | None) -> float | None:
        """A number below 1e15 in magnitude."""
        if entry is None:
            return None
        value = entry.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
            if isinstance(value, str) and (said := decimal_point(value)):
                self.problem(entry, said)
                return None
            hint = without_quotes(value)
            self.problem(entry, f"a number below 1e15 in magnitude was expected, not {kind_of(value)}{hint}")
            return None
        return int(value) if isinstance(value, int) else float(value)

    def condition(self, entry: Entry | None) -> str:
        """The text of a condition, `when` or `where`."""
        if entry is not None and isinstance(entry.value, list):
            parts = [each for each in entry.value if isinstance(each, str)]
            example = " and ".join(parts) if 1 < len(parts) == len(entry.value) else "a >= 1 and b >= 1"
            self.problem(entry, f"a condition is one text, not a list; join its parts by `and` or `or`: {example}")
            return ""
        return self.text(entry)

    def misspelt(self, entry: Entry, keys: Mapping[str, Entry]) -> bool:
        """Whether a key of the mapping is none of those there are, which is said: it may be the one that is missing."""
        return not isinstance(entry.value, Mapping) or len(keys) < len(entry.value)

    def duration(self, entry: Entry | None, longest: int, *, long: bool = False) -> int | None:
        """Milliseconds, at least 1. `long` says that minutes are most likely meant for months."""
        if entry is None:
            return None
        length = parse_duration(entry.value) if isinstance(entry.value, str) else None
        if length is None or not 0 < length <= longest:
            said = length_of_time(entry.value) if isinstance(entry.value, str) else ""
            wanted = "a duration such as 30m, 14d or 52w was expected"
            self.problem(entry, said if said and length is None else f"{wanted}, not {kind_of(entry.value)}")
            return None
        if long and (said := minutes_for_months(str(entry.value))):
            self.warnings.append(Problem(entry.path, said))
        return length
