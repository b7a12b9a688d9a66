"""Reads the ledgers of a definition (rule 18)."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from stream.core.language.document import DocumentReader, Entry, fingerprint
from stream.core.language.identifiers import check_identifier
from stream.core.language.names import unknown
from stream.core.language.numbers import NumberReader
from stream.core.ledgers import DEFAULT_KEEP, EACH, MAX_KEEP, MINUS, UPDATE, Ledger
from stream.core.lifecycle import Condition, Entered, Problem

LEDGER_KEYS: Final = ("each", "by", "amount", "update", "minus", "returned", "return", "where", "keep")
_ROLES: Final = (("each", EACH), ("update", UPDATE), ("minus", MINUS))
_NEEDS: Final = {"returned": ("minus",), "return": ("minus",), "update": ("by", "amount")}
"""Keys that mean nothing without others."""
_EXAMPLE: Final = "bought: {each: purchase, by: properties.order_id, amount: properties.total}"


class ReadLedger(NamedTuple):
    """A ledger and what a definition says of it beside."""

    ledger: Ledger
    fingerprint: str
    each: frozenset[str]
    """The words that make its entries."""
    where: Condition | None


class LedgerReader:
    """Reads ledgers; `by_name` and `entered` are the results."""

    def __init__(self, reader: DocumentReader, numbers: NumberReader, lifecycle: str, words: Mapping[str, str]) -> None:
        self.reader = reader
        self.numbers = numbers
        self.lifecycle = lifecycle
        self.words = words
        self.by_name: dict[str, ReadLedger] = {}
        self.entered: dict[str, list[Entered]] = {}
        """By word."""
        self.names: frozenset[str] = frozenset()
        self.broken: set[str] = set()

    def read(self, ledgers: Entry | None, where: Callable[[Entry | None], Condition | None]) -> None:
        """Read all; `where` compiles a condition that sees the interaction only."""
        entries = self.reader.mapping(ledgers)
        self.names = frozenset(entries)
        for index, (name, entry) in enumerate(entries.items()):
            noted = len(self.reader.problems)
            check_identifier(self.reader, entry, name)
            if name in self.words:
                said = f"{name!r} is a word of interactions: too; give the ledger another name"
                self.reader.problem(entry, said, on_key=True)
            self._ledger(index, name, entry, where)
            if len(self.reader.problems) > noted:
                self.broken.add(name)

    def _ledger(self, index: int, name: str, entry: Entry, where: Callable[[Entry | None], Condition | None]) -> None:
        if not isinstance(entry.value, Mapping):
            self.reader.problem(entry, f"a ledger has keys of its own, as in {_EXAMPLE}")
            return
        keys = self.reader.mapping(entry, LEDGER_KEYS)
        if "each" not in keys and not self.reader.misspelt(entry, keys):
            self.reader.problem(entry, f"each: the word that makes an entry is missing, as in {_EXAMPLE}")
        roles: dict[str, int] = {}
        for key, role in _ROLES:
            for word in self.words_in(keys.get(key)):
                if roles.setdefault(word, role) != role:
                    other = next(each for each, number in _ROLES if number == roles[word])
                    self.reader.problem(keys[key], f"{word!r} stands under {other}: too; it can do one of both")
        self._needed(keys)
        by = self.numbers.property(keys["by"], "properties.order_id") if "by" in keys else None
        amount = self.numbers.amount(keys["amount"]) if "amount" in keys else None
        returned = self.numbers.property(keys["returned"]) if "returned" in keys else None
        return_id = self.numbers.property(keys["return"], "properties.refund_id") if "return" in keys else None
        keep = self.reader.whole(keys.get("keep"), 1, MAX_KEEP, default=DEFAULT_KEEP)
        ledger = Ledger(name, index, by, amount, returned, return_id, keep)
        condition = where(keys.get("where"))
        each = frozenset(word for word, role in roles.items() if role == EACH)
        self.by_name[name] = ReadLedger(ledger, fingerprint(entry.value), each, condition)
        for word, role in roles.items():
            self.entered.setdefault(word, []).append(Entered(ledger, role, condition, (self.lifecycle, name)))

    def _needed(self, keys: Mapping[str, Entry]) -> None:
        """Warn of keys that mean nothing without another."""
        for key, needs in _NEEDS.items():
            missing = [f"{each}:" for each in needs if each not in keys]
            if key in keys and missing:
                said = f"{key}: does nothing without {' and '.join(missing)}"
                self.reader.warnings.append(Problem(keys[key].path, said, on_key=True))

    def words_in(self, entry: Entry | None) -> list[str]:
        """The words that a key names; a problem where one is a ledger."""
        found = self.reader.words(entry, self.words)
        for word in dict.fromkeys(found):
            if entry is not None and word in self.names and word not in self.words:
                said = f"{word!r} is a ledger, not a word; {{count: {word}}} and {{sum: {word}}} alone read it"
                self.reader.problem(entry, said)
        return found

    def named(self, entry: Entry) -> ReadLedger | None:
        """The ledger that a key names; a problem where there is none."""
        name = self.reader.text(entry)
        found = self.by_name.get(name)
        if name and found is None and name not in self.broken:
            self.reader.problem(entry, unknown(name, list(self.by_name), "ledger"))
        return found

    def problems_of(self, words: list[str], entry: Entry, found: ReadLedger) -> None:
        """A signal with `ledger` counts words that make an entry there, no others."""
        for word in dict.fromkeys(words):
            if word not in found.each:
                each = " or ".join(sorted(found.each))
                said = f"{word!r} makes no entry of {found.ledger.name}; a signal with ledger: counts {each}"
                self.reader.problem(entry, said)
