"""Reads the figures and rates of a definition; docs/figures.md has what they mean."""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, cast

from stream.core.amounts import Amount
from stream.core.calendar_windows import UNITS
from stream.core.counting import Figured
from stream.core.facts import Fact
from stream.core.figures import MAX_BY, MAX_FIGURES, Figure, FigureSet, Per, Rate, SegmentFact
from stream.core.language.document import DocumentReader, Entry, fingerprint, kind_of
from stream.core.language.identifiers import check_identifier
from stream.core.language.ledgers import LedgerReader, ReadLedger
from stream.core.language.names import unknown
from stream.core.language.numbers import NumberReader
from stream.core.ledgers import MINUS
from stream.core.lifecycle import Condition
from stream.core.time_zone import TimeZone

FIGURE_KEYS: Final = (
    "title",
    "each",
    "where",
    "over",
    "add",
    "minus",
    "ledger",
    "minus_on",
    "at_most",
    "once",
)
RATE_KEYS: Final = ("title", "of", "to", "percent")
BY: Final = "by"
"""The key among the figures that names facts."""
_MINUS_ON: Final = ("return", "order")
_EXAMPLE: Final = "visits: {each: visit}"
_BY_THEMSELVES: Final = ("entered", "left", "moved", "stayed", "customers")
"""What comes by itself; whoever reads the rows would take a figure of that name for it."""


class _Figures(NamedTuple):
    figures: list[Figure]
    figured: dict[str, list[Figured]]
    """By word."""
    of_ledger: dict[int, list[Figure]]
    """By ledger: figures that are made of its entries."""
    windows: list[tuple[str, str]]


class FigureReader:
    """Reads figures; problems go to the reader. `figured`, `of_ledger` and `read`'s answer are the results."""

    def __init__(
        self,
        reader: DocumentReader,
        numbers: NumberReader,
        ledgers: LedgerReader,
        lifecycle: str,
        where: Callable[[Entry | None, bool], Condition | None],
    ) -> None:
        """`where` compiles a condition, which may name `item` where its second argument says so."""
        self.reader = reader
        self.numbers = numbers
        self.ledgers = ledgers
        self.lifecycle = lifecycle
        self.where = where
        self._read = _Figures([], {}, {}, [])
        self.simple: dict[str, bool] = {}
        """By word: its figures ask for nothing but the interaction."""

    @property
    def figured(self) -> dict[str, list[Figured]]:
        """By word what it does to figures."""
        return self._read.figured

    @property
    def of_ledger(self) -> dict[int, list[Figure]]:
        """By a ledger's index the figures that are made of its entries."""
        return self._read.of_ledger

    def read(self, top: Mapping[str, Entry], facts: Mapping[str, Fact], zone: TimeZone) -> FigureSet | None:
        """All figures and rates; None where the definition has none."""
        entry = top.get("figures")
        if entry is None:
            if "rates" in top:
                said = "rates divide figures; there are none: add figures:"
                self.reader.problem(top["rates"], said, on_key=True)
            return None
        given = self.reader.mapping(entry, empty=True)
        by = self._by(given.pop(BY, None), facts)
        if len(given) > MAX_FIGURES:
            self.reader.problem(entry, f"at most {MAX_FIGURES} figures, here are {len(given)}")
            return None
        for name, one in given.items():
            check_identifier(self.reader, one, name)
            if name in _BY_THEMSELVES:
                said = f"{name!r} comes by itself, of each stage; give the figure another name"
                self.reader.problem(one, said, on_key=True)
            self._figure(name, one)
        rates = self._rates(top.get("rates"), [*given])
        return FigureSet(tuple(self._read.figures), by, rates, zone, tuple(self._read.windows))

    def _by(self, entry: Entry | None, facts: Mapping[str, Fact]) -> tuple[SegmentFact, ...]:
        named = self.reader.texts(entry, "facts, as in by: [country, channel]", single=True)
        if len(named) > MAX_BY and entry is not None:
            self.reader.problem(entry, f"at most {MAX_BY} facts make segments, here are {len(named)}")
        found: dict[str, SegmentFact] = {}
        for each in named[:MAX_BY]:
            name = str(each.value)
            fact = facts.get(name)
            if fact is None:
                self.reader.problem(each, unknown(name, [*facts], "fact"))
            elif fact.kind != "latest":
                said = (
                    f"by: takes facts of kind latest, whose values are few; {name!r} is a {fact.kind.partition('_')[0]}"
                )
                self.reader.problem(each, said)
            else:
                found[name] = SegmentFact(name, fact.index)
        return tuple(found.values())

    def _figure(self, name: str, entry: Entry) -> None:
        if not isinstance(entry.value, Mapping):
            said = f"a figure says what it counts, as in {_EXAMPLE}"
            self.reader.problem(entry, f"{said}; not {kind_of(entry.value)}")
            return
        keys = self.reader.mapping(entry, FIGURE_KEYS)
        if "each" not in keys:
            if not self.reader.misspelt(entry, keys):
                self.reader.problem(
                    entry, f"each: the word (or list of words) that it counts is missing, as in {_EXAMPLE}"
                )
            return
        item = "over" in keys
        words = list(dict.fromkeys(self.ledgers.words_in(keys["each"])))
        minus = list(dict.fromkeys(self.ledgers.words_in(keys.get("minus"))))
        for word in sorted(set(words) & set(minus)):
            self.reader.problem(keys["minus"], f"{word!r} counts and stands under minus; it can do one of both")
        amount = self.numbers.amount(keys["add"], item=item) if "add" in keys else None
        over = self.numbers.property(keys["over"], "properties.products") if item else None
        per, times, text = self._limit(keys)
        ledger = self.ledgers.named(keys["ledger"]) if "ledger" in keys else None
        own = ledger is not None and self._is_made_of(ledger, keys, amount, words, minus)
        if ledger is not None:
            self._check_ledger(keys, words, ledger, own=own)
        if per and minus:
            key = "once" if per == "ever" else "at_most"
            self.reader.problem(keys["minus"], f"{key} and minus do not go together: what counted is not known by then")
        on_order = self._minus_on(keys, own=own)
        mark = self._mark(entry.value, ledger)
        window = -1
        if per:
            window = len(self._read.windows)
            self._read.windows.append((name, mark))
        condition = self.where(keys.get("where"), item)
        figure = Figure(
            name,
            self.reader.text(keys.get("title"), default=name),
            len(self._read.figures),
            amount,
            per,
            times,
            window,
            ledger.ledger if ledger is not None and own else None,
            own and bool(minus),
            on_order,
            tuple(words),
            tuple(minus),
            text,
            (self.lifecycle, name),
            mark,
            "" if condition is None else condition.text,
            "" if over is None else ".".join(over.path),
            "" if ledger is None else ledger.ledger.name,
        )
        self._read.figures.append(figure)
        if own and ledger is not None:
            self._read.of_ledger.setdefault(ledger.ledger.index, []).append(figure)
            return
        asked = None if condition is None else condition.with_event
        ledger_where = None if ledger is None or ledger.where is None else ledger.where.with_event
        for sign, named in ((1, words), (-1, minus)):
            for word in named:
                entries = None if ledger is None else ledger.ledger
                done = Figured(figure, sign, asked, over, entries, ledger_where)
                self._read.figured.setdefault(word, []).append(done)
                plain = over is None and ledger is None and not (condition is not None and condition.reads_state)
                self.simple[word] = self.simple.get(word, True) and plain

    def _mark(self, said: Mapping[str, object], ledger: ReadLedger | None) -> str:
        """Equal for what means the same; a ledger that is edited begins anew, and so do its figures."""
        meant: list[object] = [{key: value for key, value in said.items() if key != "title"}]
        if ledger is not None:
            meant.append(ledger.fingerprint)
        return fingerprint(meant)

    def _is_made_of(
        self, ledger: ReadLedger, keys: Mapping[str, Entry], amount: Amount | None, words: list[str], minus: list[str]
    ) -> bool:
        """Whether the figure is what the ledger's entries come to, so that these can restate it."""
        if any(key in keys for key in ("where", "over", "at_most", "once")) or set(words) != ledger.each:
            return False
        if minus and set(minus) != self._returning(ledger):
            return False
        own = ledger.ledger.amount
        return amount is None or (own is not None and amount.text == own.text)

    def _returning(self, ledger: ReadLedger) -> set[str]:
        entered = self.ledgers.entered.items()
        return {
            word
            for word, roles in entered
            if any(each.role == MINUS and each.ledger.index == ledger.ledger.index for each in roles)
        }

    def _check_ledger(self, keys: Mapping[str, Entry], words: list[str], ledger: ReadLedger, *, own: bool) -> None:
        if "over" in keys:
            self.reader.problem(keys["over"], "over: and ledger: do not go together", on_key=True)
        self.ledgers.problems_of(words, keys["each"], ledger)
        if "minus" in keys and not own:
            returning = sorted(self._returning(ledger))
            own_amount = ledger.ledger.amount
            adds = "" if own_amount is None or "add" not in keys else f", add: {own_amount.text}"
            words_of_ledger = f"each: {_listed(sorted(ledger.each))}{adds}, minus: {_listed(returning)}"
            right = f"{{{words_of_ledger}}} alone" if returning else f"minus: in the ledger {ledger.ledger.name}, too"
            said = f"with a ledger, minus takes what the ledger says was returned; write {right}"
            self.reader.problem(keys["minus"], said)

    def _minus_on(self, keys: Mapping[str, Entry], *, own: bool) -> bool:
        entry = keys.get("minus_on")
        if entry is None:
            return False
        if entry.value not in _MINUS_ON:
            said = "minus_on: is return (the day on which it came back) or order (the day of what came back)"
            self.reader.problem(entry, f"{said}, not {kind_of(entry.value)}")
        elif entry.value == "order" and ("minus" not in keys or not own):
            said = "minus_on: order goes with minus: and a ledger:, which knows the orders"
            self.reader.problem(entry, said, on_key=True)
        return entry.value == "order"

    def _limit(self, keys: Mapping[str, Entry]) -> tuple[Per, int, str]:
        once, at_most = keys.get("once"), keys.get("at_most")
        if once is not None and not isinstance(once.value, bool):
            self.reader.problem(once, f"once: is true or left out, not {kind_of(once.value)}")
        if once is not None and once.value is True:
            if at_most is not None:
                self.reader.problem(at_most, "once and at_most do not go together; keep one")
            return "ever", 1, "once"
        if at_most is None:
            return "", 0, ""
        limit = self.reader.mapping(at_most, ("times", "per"))
        per = limit.get("per")
        if per is None or per.value not in UNITS:
            said = "at_most: of a figure is in days, weeks or months, as in at_most: {times: 1, per: day}"
            self.reader.problem(at_most if per is None else per, said)
            return "", 0, ""
        times = self.reader.whole(limit.get("times"), 1, 1_000_000, default=1)
        return cast("Per", str(per.value)), times, f"at most {times} per {per.value}"

    def _rates(self, entry: Entry | None, figures: list[str]) -> tuple[Rate, ...]:
        rates: list[Rate] = []
        given = self.reader.mapping(entry, empty=True)
        if len(given) > MAX_FIGURES and entry is not None:
            self.reader.problem(entry, f"at most {MAX_FIGURES} rates, here are {len(given)}")
        for name, one in list(given.items())[:MAX_FIGURES]:
            check_identifier(self.reader, one, name)
            if name in figures:
                self.reader.problem(one, f"{name!r} is a figure already; give the rate another name", on_key=True)
            keys = self.reader.mapping(one, RATE_KEYS)
            named: list[str] = []
            for key in ("of", "to"):
                if key not in keys:
                    if not self.reader.misspelt(one, keys):
                        said = "as in conversion: {of: orders, to: visitors, percent: true}"
                        self.reader.problem(one, f"{key}: a figure is missing, {said}")
                    continue
                figure = self.reader.text(keys[key])
                if figure and figure not in figures:
                    self.reader.problem(keys[key], unknown(figure, figures, "figure"))
                named.append(figure)
            percent = keys.get("percent")
            if percent is not None and not isinstance(percent.value, bool):
                self.reader.problem(percent, f"percent: is true or false, not {kind_of(percent.value)}")
            if len(named) == 2:
                is_percent = percent is not None and percent.value is True
                rates.append(
                    Rate(name, self.reader.text(keys.get("title"), default=name), named[0], named[1], is_percent)
                )
        return tuple(rates)


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"[{', '.join(words)}]"
