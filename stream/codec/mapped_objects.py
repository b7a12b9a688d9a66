"""Objects whose fields are named otherwise, read by the setting `map`: the language of `import --map`."""

from functools import lru_cache
from typing import Final

from stream.codec.files.column_mapping import ColumnMapping, Pair, example
from stream.codec.files.notation import time_value

_SUBJECTS: Final = ("customer_id", "anonymous_id")
_MOST_NAMED: Final = 20
_LONGEST_NAMED: Final = 40


class MappedObjects:
    """Makes native objects of objects of another shape."""

    def __init__(self, mapping: ColumnMapping) -> None:
        self._mapping = mapping
        targets = {pair.target[0] for pair in mapping.pairs}
        self._has_properties = "properties" in targets
        found = [pair for pair in mapping.pairs if pair.constant is None]
        subjects = [pair for pair in found if pair.target[0] in _SUBJECTS]
        self._telling = subjects or [pair for pair in found if pair.target[0] == "type"]

    def native_of(self, record: dict[str, object]) -> dict[str, object] | None:
        """The native object; None where no field is there that says whose it is: it is of another format."""
        if self._telling and all(pair.found_in(record) is None for pair in self._telling):
            return None
        native = self._mapping.record(_value(pair, record) for pair in self._mapping.pairs)
        if not self._has_properties:
            native["properties"] = record
        return native


def suggestion(record: dict[str, object]) -> str:
    """How an object of unknown shape could be read: its fields' names, and a mapping guessed from them."""
    return _suggestion(tuple(name for name in record if len(name) <= _LONGEST_NAMED)[:_MOST_NAMED])


@lru_cache(256)
def _suggestion(names: tuple[str, ...]) -> str:
    if not names:
        return "it has no fields"
    pairs = example(names, live=True).removeprefix("--map ")
    return f"its fields are {', '.join(names)}; say which is which with the setting map, such as map = {pairs}"


def _value(pair: Pair, record: dict[str, object]) -> object:
    found = pair.found_in(record)
    is_time = pair.target == ("time",) and pair.constant is None
    return time_value(found) if is_time and isinstance(found, str) else found
