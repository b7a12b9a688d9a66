"""Rule 27: comparisons of a text with a constant part of it, by code points."""

from mypy_extensions import i64

from stream.core.accessors import Accessor
from stream.core.customer import Life
from stream.core.event import Event
from stream.core.predicates import Predicate


class Contains(Predicate):
    """A text has the part somewhere, or an element of a list equals it."""

    def __init__(self, accessor: Accessor, part: str) -> None:
        self.accessor = accessor
        self.part = part

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        if isinstance(found, str):
            return self.part in found
        if isinstance(found, list):
            for each in found:
                if isinstance(each, str) and each == self.part:
                    return True
        return False


class Starts(Predicate):
    """A text begins with the part."""

    def __init__(self, accessor: Accessor, part: str) -> None:
        self.accessor = accessor
        self.part = part

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        return isinstance(found, str) and found.startswith(self.part)


class Ends(Predicate):
    """A text ends with the part."""

    def __init__(self, accessor: Accessor, part: str) -> None:
        self.accessor = accessor
        self.part = part

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        found = self.accessor.get(life, now, event)
        return isinstance(found, str) and found.endswith(self.part)
