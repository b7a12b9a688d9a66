"""Where in a file's own columns or objects the parts of an interaction are: `target=source` pairs.

    pairs    = pair { "," pair }
    pair     = target "=" ( source | constant )
    target   = "customer_id" | "anonymous_id" | "type" | "time" | "id"
             | ( "properties" | "context" ) "." name { "." name }
    source   = name { "." name }       a column of a CSV file, or a path into a JSON object
    constant = "'" text "'"            the same text for every record; '' stands for one '
    name     = bare text, or '"' text '"' where it holds , . = or quotes; "" stands for one "

White space around names, "=" and commas is no part of them.
"""

import difflib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple, Self

from stream.codec.dead_letter_reasons import MAX_DEPTH
from stream.codec.files.column_guess import Guess, guess
from stream.errors import InputFileError

Path = tuple[str, ...]

PLAIN_TARGETS: Final = ("customer_id", "anonymous_id", "type", "time", "id")
NESTED_TARGETS: Final = ("properties", "context")
_TARGETS_TEXT: Final = ", ".join((*PLAIN_TARGETS, *(f"{name}.<name>" for name in NESTED_TARGETS)))

_MOST_LISTED: Final = 30
"""How many columns an error message names."""

_NAME: Final = r"""(?:"(?:[^"]|"")+"|[^\s",.='](?:[^",.=]*[^\s",.=])?)"""
_PATH: Final = rf"{_NAME}(?:\.{_NAME})*"
_PAIR: Final = re.compile(
    rf"\s*(?P<target>{_PATH})\s*=\s*(?:'(?P<constant>(?:[^']|'')*)'|(?P<source>{_PATH}))\s*(?:,\s*|$)"
)
_NAMES: Final = re.compile(_NAME)
_BARE: Final = re.compile(r"""[^\s",.='](?:[^",.=]*[^\s",.=])?""")


class Pair(NamedTuple):
    """One part of an interaction and where it comes from."""

    target: Path
    source: Path
    """The column (its parts joined by dots) or the path into the object; empty for a constant."""
    constant: str | None

    def found_in(self, item: Mapping[str, object]) -> object:
        """What an object has at the path; the constant, where it is one. None: nothing."""
        if self.constant is not None:
            return self.constant
        found: object = item
        for key in self.source:
            if not isinstance(found, dict):
                return None
            found = found.get(key)
        return found

    @property
    def column(self) -> str:
        """The source as the name of a CSV column."""
        return ".".join(self.source)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """Which column or path each part of an interaction is read from."""

    pairs: tuple[Pair, ...]

    @classmethod
    def parse(cls, texts: Sequence[str], *, complete: bool = True) -> Self:
        """Read `target=source` pairs; several texts count as one.

        Raises `InputFileError` for text that is no such pair, for an unknown or repeated target, and where
        no id, `type` or `time` is mapped: without these no record would be an interaction; for a mapping that need not
        be `complete`, what is missing comes from elsewhere.
        """
        pairs = tuple(pair for text in texts for pair in _pairs(text))
        _check_targets([pair.target for pair in pairs])
        missing = _missing(pair.target for pair in pairs)
        if missing and complete:
            raise InputFileError(
                f"the mapping {', '.join(texts)!r} does not say where to find {missing}; "
                f"add for example {_missing_example(missing)}"
            )
        return cls(pairs)

    @classmethod
    def native(cls, columns: Sequence[str], where: str) -> Self:
        """The mapping of a file whose columns are named as the native format names its parts.

        Columns of other names are left out. Raises `InputFileError`, with an example of a mapping made from
        the columns, where no id, `type` or `time` is among them.
        """
        pairs = tuple(
            Pair(target, (column,), None)
            for column in dict.fromkeys(columns)
            if _is_target(target := tuple(column.split(".")))
        )
        missing = _missing(pair.target for pair in pairs)
        if missing:
            raise MissingColumnsError(f"{where}: no column is named {missing}.", columns)
        _check_targets([pair.target for pair in pairs], where)
        return cls(pairs)

    @property
    def text(self) -> str:
        """The pairs as they are written, in the order of their targets."""
        return ",".join(
            f"{_path(pair.target)}={_path(pair.source) if pair.constant is None else _constant(pair.constant)}"
            for pair in sorted(self.pairs, key=lambda each: each.target)
        )

    def record(self, values: Iterable[object]) -> dict[str, object]:
        """The native object of one record: a value for each pair in turn, absent where it is None."""
        record: dict[str, object] = {}
        for pair, value in zip(self.pairs, values, strict=True):
            if value is None:
                continue
            inner = record
            for name in pair.target[:-1]:
                child = inner.setdefault(name, {})
                # No target leads through the value of another one: `_check_targets`.
                assert isinstance(child, dict)
                inner = child
            inner[pair.target[-1]] = value
        return record


class MissingColumnsError(InputFileError):
    """A header without the names of the native format, and no mapping to say which columns stand for them."""

    def __init__(self, problem: str, columns: Sequence[str]) -> None:
        super().__init__(f"{problem} Say where to find it, for example with {example(columns)}. {_listed(columns)}")
        self.problem = f"{problem} {_listed(columns)}"
        """What is wrong, without an example."""


def unknown_column(column: str, columns: Sequence[str], where: str) -> InputFileError:
    """The error for a mapping that names a column which the file's header does not have."""
    near = difflib.get_close_matches(column, columns, n=1)
    nearest = f"; did you mean {near[0]!r}?" if near else "."
    return InputFileError(
        f"{where}: the mapping names the column {column!r}, which the header does not have{nearest} {_listed(columns)}"
    )


def example(columns: Sequence[str], *, live: bool = False) -> str:
    """A `--map` option for a file with these columns, guessed from their names; WHO and WHEN stand for what is not.

    `live`: for the objects of a topic, of which no one kind can be expected: then WHAT stands for the event name.
    """
    text = _written(guess(columns), "WHO", "WHEN", "WHAT" if live else None)
    return f'--map "{text}"' if not re.search(r'["$`\\!]', text) else f"--map {shlex.quote(text)}"


def guessed(columns: Sequence[str]) -> str | None:
    """A mapping guessed from the names of these columns; None where nothing tells who or when."""
    found = guess(columns)
    return None if found.customer is None or found.time is None else _written(found, "", "", None)


def _written(found: Guess, who: str, when: str, what: str | None) -> str:
    kind = _quoted(found.type) if found.type is not None else what or "'Order Completed'"
    customer = who if found.customer is None else _quoted(found.customer)
    time = when if found.time is None else _quoted(found.time)
    text = f"customer_id={customer},time={time},type={kind}"
    for target, column in (("total", found.total), ("order_id", found.order)):
        if column is not None:
            text += f",properties.{target}={_quoted(column)}"
    return text


def _pairs(text: str) -> list[Pair]:
    pairs: list[Pair] = []
    position = 0
    while position < len(text):
        match = _PAIR.match(text, position)
        if match is None:
            raise InputFileError(
                f"the mapping {text!r} cannot be read from {text[position:].strip()!r} on; right is "
                "target=source, such as customer_id=household_id, a constant in single quotes, such as "
                """type='Order Completed', or a name in double quotes where it holds , . or =, """
                'such as properties.total="price, net"'
            )
        constant, source = match["constant"], match["source"]
        pairs.append(
            Pair(
                target=_names(match["target"]),
                source=() if source is None else _names(source),
                constant=None if constant is None else constant.replace("''", "'"),
            )
        )
        position = match.end()
    return pairs


def _names(path: str) -> Path:
    return tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name for name in _NAMES.findall(path))


def _is_target(target: Path) -> bool:
    if target[0] in NESTED_TARGETS:
        return len(target) > 1 and all(target)
    return len(target) == 1 and target[0] in PLAIN_TARGETS


def _check_targets(targets: Sequence[Path], where: str = "the mapping") -> None:
    for target in targets:
        if not _is_target(target):
            name = ".".join(target)
            near = difflib.get_close_matches(name, (*PLAIN_TARGETS, *NESTED_TARGETS), n=1)
            below = ".<name>" if near and near[0] in NESTED_TARGETS else ""
            meant = f"; did you mean {near[0]}{below}?" if near else "."
            raise InputFileError(f"{where}: no target is called {name!r}{meant} There are {_TARGETS_TEXT}")
        if len(target) >= MAX_DEPTH:
            raise InputFileError(f"{where}: a target of {len(target)} names; at most {MAX_DEPTH - 1} are read")
    # In sorted order a target comes right before those that lead through it.
    ordered = sorted(targets)
    for one, other in pairwise(ordered):
        if one == other:
            raise InputFileError(f"{where}: the target {'.'.join(one)!r} stands twice; leave one of them out")
        if other[: len(one)] == one:
            raise InputFileError(
                f"{where}: {'.'.join(one)!r} cannot be a value and hold {'.'.join(other)!r}; rename one"
            )


def _missing(targets: Iterable[Path]) -> str:
    names = {target[0] for target in targets}
    if not names & {"customer_id", "anonymous_id"}:
        return "customer_id or anonymous_id"
    return next((name for name in ("type", "time") if name not in names), "")


def _missing_example(missing: str) -> str:
    examples = {"type": "type='Order Completed'", "time": "time=ordered_at"}
    return examples.get(missing, "customer_id=household_id")


def _quoted(name: str) -> str:
    return name if _BARE.fullmatch(name) else '"' + name.replace('"', '""') + '"'


def _path(names: Path) -> str:
    return ".".join(map(_quoted, names))


def _constant(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _listed(columns: Sequence[str]) -> str:
    shown = ", ".join(columns[:_MOST_LISTED])
    left = len(columns) - _MOST_LISTED
    return f"The columns are {shown}" + (f" and {left} more" if left > 0 else "")
