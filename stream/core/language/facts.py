"""Reads the facts of a definition."""

from collections.abc import Mapping
from typing import Final, cast

from stream.core.amounts import Amount
from stream.core.event import PropertyPath
from stream.core.facts import CODES, Fact, FactKind
from stream.core.language.document import CENTURY, DocumentReader, Entry, fingerprint
from stream.core.language.ledgers import LedgerReader
from stream.core.language.names import nearest
from stream.core.language.numbers import NumberReader
from stream.core.lifecycle import Problem
from stream.core.time_zone import TimeZone
from stream.core.timed_points import DEFAULT_KEEP as KEEP_OF_SUM
from stream.core.timed_points import MAX_KEEP as MAX_KEEP_OF_SUM

KINDS: Final = ("count", "sum", "first", "last", "latest", "latest_time")
FACT_KEYS: Final = (*KINDS, "each", "minus", "where", "over", "within", "keep")
KEEP_OF_COUNT: Final = 20
MAX_KEEP_OF_COUNT: Final = 1_000
_OF_PROPERTY: Final = ("sum", "latest", "latest_time")
_ALLOWED: Final = {
    "count": {"minus", "within", "keep"},
    "sum": {"each", "minus", "within", "keep"},
    "first": set[str](),
    "last": set[str](),
    "latest": {"each"},
    "latest_time": {"each"},
}


class ReadFact:
    """A fact, and what a definition says of it beside."""

    def __init__(self, fact: Fact, mark: str, entry: Entry) -> None:
        self.fact = fact
        self.fingerprint = mark
        self.entry = entry
        self.words: list[str] = []
        self.minus: list[str] = []
        self.any_word = False
        """It is about every interaction."""
        self.where: Entry | None = None
        self.over: PropertyPath | None = None


class FactReader:
    """Reads facts, but for their conditions, which may name any of them."""

    def __init__(
        self, reader: DocumentReader, numbers: NumberReader, ledgers: LedgerReader, lifecycle: str, zone: TimeZone
    ) -> None:
        self.reader = reader
        self.numbers = numbers
        self.ledgers = ledgers
        self.lifecycle = lifecycle
        self.zone = zone

    def read(self, index: int, name: str, entry: Entry) -> ReadFact | None:
        """The fact at `index`; None where its kind is not known."""
        if not isinstance(entry.value, Mapping):
            self.reader.problem(entry, f"a fact is one of {', '.join(KINDS)}, as in {name}: {{count: purchase}}")
            return None
        noted = len(self.reader.problems)
        keys = self.reader.mapping(entry, FACT_KEYS)
        kinds = [kind for kind in KINDS if kind in keys]
        if not kinds and len(self.reader.problems) > noted:
            return None  # the kind is misspelled, and that is said
        if len(kinds) != 1:
            self.reader.problem(entry, f"a fact is one of {', '.join(KINDS)}, as in {{count: purchase}}")
            return None
        kind = kinds[0]
        if kind in ("count", "sum") and self._names_ledger(keys[kind]):
            return self._of_ledger(index, name, kind, entry, keys)
        if kind == "sum" and self._may_be_ledger(keys):
            self.ledgers.named(keys[kind])
            return None
        return self._of_interactions(index, name, kind, entry, keys)

    def _names_ledger(self, entry: Entry) -> bool:
        known = self.ledgers.by_name.keys() | self.ledgers.broken
        return isinstance(entry.value, str) and entry.value in known and entry.value not in self.ledgers.words

    def _may_be_ledger(self, keys: dict[str, Entry]) -> bool:
        """Whether a sum names what is no ledger, but cannot have been meant for a property."""
        text = keys["sum"].value
        if not isinstance(text, str) or not text.isidentifier() or not self.ledgers.by_name:
            return False
        return "each" not in keys or nearest(text, self.ledgers.by_name, cutoff=0.7) is not None

    def _of_ledger(self, index: int, name: str, kind: str, entry: Entry, keys: dict[str, Entry]) -> ReadFact | None:
        wrong = [key for key in keys if key not in (kind, "within")]
        if wrong:
            own = "" if "over" in wrong else "; the ledger has its own"
            said = (
                f"{' and '.join(wrong)} {'does' if len(wrong) == 1 else 'do'} not go with the {kind} of a ledger{own}"
            )
            self.reader.problem(keys[wrong[0]], said, on_key=True)
        found = self.ledgers.named(keys[kind])
        if found is None:
            return None
        if kind == "sum" and found.ledger.amount is None:
            said = f"the ledger {found.ledger.name} has no amount:, so that there is nothing to add up"
            self.reader.warnings.append(Problem(keys[kind].path, said))
        within = self.reader.duration(keys.get("within"), CENTURY, long=True) or 0
        fact_kind: FactKind = "ledger_count" if kind == "count" else "ledger_sum"
        keep = found.ledger.keep if within else 0
        label = (self.lifecycle, name)
        fact = Fact(name, index, fact_kind, CODES[fact_kind], None, within, keep, label, ledger=found.ledger.index)
        return ReadFact(fact, fingerprint(entry.value), entry)

    def _of_interactions(self, index: int, name: str, kind: str, entry: Entry, keys: dict[str, Entry]) -> ReadFact:
        self._allowed(kind, keys)
        item = "over" in keys
        path = self.numbers.property(keys[kind], item=item) if kind in ("latest", "latest_time") else None
        amount = self._amount(keys[kind], item=item) if kind == "sum" else None
        within = self.reader.duration(keys.get("within"), CENTURY, long=True) or 0
        rolling = "within" in keys and kind in ("count", "sum")
        fact_kind = {"count": "rolling", "sum": "rolling_sum"}[kind] if rolling else kind
        most = MAX_KEEP_OF_SUM if kind == "sum" else MAX_KEEP_OF_COUNT
        default = KEEP_OF_SUM if kind == "sum" else KEEP_OF_COUNT
        keep = self.reader.whole(keys.get("keep"), 1, most, default=default) if rolling else 0
        zone = self.zone if kind == "latest_time" else None
        label = (self.lifecycle, name)
        made = Fact(
            name,
            index,
            cast("FactKind", fact_kind),
            CODES[fact_kind],
            path,
            within if rolling else 0,
            keep,
            label,
            amount,
            zone=zone,
        )
        found = ReadFact(made, fingerprint(entry.value), entry)
        found.where = keys.get("where")
        found.over = self.numbers.property(keys["over"], "properties.products") if "over" in keys else None
        if kind == "sum" and "each" not in keys and not self.reader.misspelt(entry, keys):
            self.reader.problem(entry, "each: the word (or list of words) that it counts is missing")
        found.words = self.ledgers.words_in(keys.get("each" if kind in _OF_PROPERTY else kind))
        found.minus = self.ledgers.words_in(keys.get("minus"))
        if kind == "count":
            self._nearly_ledger(keys[kind])
        found.any_word = kind in ("latest", "latest_time") and "each" not in keys
        for word in sorted(set(found.words) & set(found.minus)):
            self.reader.problem(keys["minus"], f"{word!r} counts and stands under minus; it can do one of both")
        return found

    def _nearly_ledger(self, entry: Entry) -> None:
        """Warn where a count is of a word that nobody declared and that is nearly the name of a ledger."""
        text = entry.value
        if isinstance(text, str) and text not in self.ledgers.words:
            near = nearest(text, self.ledgers.by_name, cutoff=0.8)
            if near is not None and near != text:
                said = f"{text!r} is not among the interactions; did you mean the ledger {near!r}?"
                self.reader.warnings.append(Problem(entry.path, said))

    def _amount(self, entry: Entry, *, item: bool) -> Amount | None:
        if not isinstance(entry.value, str):
            self.reader.problem(entry, "a property such as properties.total was expected")
            return None
        return self.numbers.computed(entry, "a property such as properties.total", item=item)

    def _allowed(self, kind: str, keys: dict[str, Entry]) -> None:
        allowed = {kind, "where", "over"} | _ALLOWED[kind]
        for key, entry in keys.items():
            if key not in allowed:
                self.reader.problem(entry, f"{key} does not go with {kind}", on_key=True)
        if kind == "count" and "within" in keys and "minus" in keys:
            self.reader.problem(keys["minus"], "a rolling count has no minus", on_key=True)
        if "keep" in keys and "within" not in keys and kind in ("count", "sum"):
            self.reader.problem(keys["keep"], f"keep goes with within, a rolling {kind}", on_key=True)
