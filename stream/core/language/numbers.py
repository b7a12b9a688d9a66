"""Where a definition names numbers of an interaction: paths, and products of paths and numbers (rule 16)."""

import re
from typing import Final

from stream.core.amounts import Amount, Product, PropertyAmount
from stream.core.event import ROOTS, PropertyPath, path_to
from stream.core.expressions import ConditionError
from stream.core.language.document import DocumentReader, Entry, kind_of
from stream.core.language.habits import decimal_point, without_quotes
from stream.core.language.list_paths import PathUses
from stream.core.language.parser import UnexpectedWordError, parse_path

_FORMULA: Final = re.compile(r"^\s*[-+]\s*(?:properties|context)\b|[*/+]|\s-\s")
_SUM: Final = re.compile(r"^(?:properties|context|item)\b[^\"]*(?:[/+]|\s-\s)")
_PLAIN: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?")
_LOWERED: Final = re.compile(r"lower\s*\((.*)\)", re.DOTALL)
_FACTOR: Final = re.compile(
    r"""\s*(?:
      (?P<number>[0-9]+(?:\.[0-9]+)?)(?![\w.])
    | (?P<path>(?:properties|context|item)\b(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*|\s*\[\s*"(?:[^"\\]|\\.)*"\s*\])*)
    )\s*""",
    re.VERBOSE,
)
EXAMPLE: Final = "properties.price * properties.quantity"


class NumberReader:
    """Reads paths and computed numbers; problems go to the reader, what is read to the uses of paths."""

    def __init__(self, reader: DocumentReader, paths: PathUses) -> None:
        self.reader = reader
        self.paths = paths

    def path(self, entry: Entry, wanted: str, *, item: bool = False) -> PropertyPath | None:
        """A place in the interaction; with `item` also one in the element at hand."""
        text = str(entry.value)
        try:
            name = parse_path(text)
        except ConditionError as error:
            if _FORMULA.search(text):
                said = f"nothing is calculated here: write {wanted} alone; a product stands in add:, sum: and amount:"
                self.reader.problem(entry, said)
            else:
                self._no_path(entry, wanted, error)
            return None
        if name.path[0] == "item":
            if not item:
                self.reader.problem(entry, f"{name}: there is an item only where over: names the list it is of")
        elif len(name.path) < 2:  # the root alone
            self.reader.problem(entry, f"{name} needs a name: {name}.something")
        self.paths.note(entry.path, name)
        return path_to(name.path)

    def _no_path(self, entry: Entry, wanted: str, error: ConditionError) -> None:
        text = str(entry.value)
        if error.offset and text.startswith(ROOTS):
            said = "a property ends before this" if isinstance(error, UnexpectedWordError) else error.message
            self.reader.problem(entry, f"{wanted}: {said}", offset=error.offset)
        elif said := decimal_point(text):
            self.reader.problem(entry, said)
        else:
            self.reader.problem(entry, f"{wanted} was expected, not {kind_of(text)}{_meant(text)}")

    def property(self, entry: Entry, example: str = "properties.total", *, item: bool = False) -> PropertyPath | None:
        """A place in the interaction that a key names."""
        if not isinstance(entry.value, str):
            self.reader.problem(entry, f"a property such as {example} was expected")
            return None
        return self.path(entry, f"a property such as {example}", item=item)

    def lowered(self, entry: Entry, example: str, *, item: bool = False) -> tuple[PropertyPath | None, bool]:
        """A property, or `lower(property)`, and whether it is lowered."""
        match = _LOWERED.fullmatch(entry.value.strip()) if isinstance(entry.value, str) else None
        if match is None:
            return self.property(entry, example, item=item), False
        return self.property(Entry(entry.path, match[1].strip()), example, item=item), True

    def amount(self, entry: Entry, *, item: bool = False) -> Amount | None:
        """A number, a property, or a product of both."""
        if hint := without_quotes(entry.value):
            self.reader.problem(entry, f"a number was expected, not {kind_of(entry.value)}{hint}")
            return None
        if not isinstance(entry.value, str):
            fixed = self.reader.number(entry)
            return None if fixed is None else Amount(f"{fixed:g}", fixed)
        return self.computed(entry, "a number or a property such as properties.total", item=item)

    def computed(self, entry: Entry, wanted: str, *, item: bool = False) -> Amount | None:
        """A property, or a product."""
        text = str(entry.value)
        negative = text.lstrip().startswith("-")
        if "*" not in text and not negative:
            if match := _SUM.search(text):
                self._formula(entry, len(match[0].rstrip()) - 1)
                return None
            if _FORMULA.search(text):
                self._formula(entry)
                return None
            path = self.path(entry, wanted, item=item)
            return None if path is None else PropertyAmount(" ".join(text.split()), path)
        at = begin = text.index("-") + 1 if negative else 0
        factors: list[PropertyPath | float] = []
        while match := _FACTOR.match(text, at):
            if match["number"]:
                factors.append(float(match["number"]))
            else:
                path = self.path(Entry(entry.path, match["path"]), wanted, item=item)
                if path is None:
                    return None
                factors.append(path)
            at = match.end()
            if at == len(text) and not any(isinstance(each, PropertyPath) for each in factors):
                self.reader.problem(
                    entry, f"only numbers are multiplied here; write the product, and not {kind_of(text)}"
                )
                return None
            if at == len(text):
                return Product(" ".join(text.split()), negative, tuple(factors))
            if text[at] != "*":
                break
            at += 1
            begin = at
        self._formula(entry, at, text[begin:].partition("*")[0].strip())
        return None

    def _formula(self, entry: Entry, at: int = 0, factor: str = "") -> None:
        text = str(entry.value)
        at += len(text[at:]) - len(text[at:].lstrip())
        if said := decimal_point(factor):
            self.reader.problem(entry, said, offset=at or None)
        elif _PLAIN.fullmatch(factor) and factor not in ROOTS:
            said = f"a factor is a number or a property, not {kind_of(factor)}{_meant(factor)}"
            self.reader.problem(entry, said, offset=at or None)
        else:
            said = f"numbers and properties joined by * alone are calculated, as in {EXAMPLE}; a - may stand before all"
            hint = "; for a part write * 0.1 instead of / 10" if "/" in text else ""
            self.reader.problem(entry, said + hint, offset=at or None)


def _meant(text: str) -> str:
    """The property that a name without its root may mean, as a message ends."""
    return f"; did you mean properties.{text.rpartition('.')[2]}?" if _PLAIN.fullmatch(text) else ""
