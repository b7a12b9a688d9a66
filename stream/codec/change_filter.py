"""Which stage changes a reader wants."""

from collections.abc import Collection
from dataclasses import dataclass

from stream.codec.stage_change_reader import StageChangeValue


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """All conditions must hold; each names what is wanted, and an empty one wants everything.

    Where a stage is absent, `from` of a life that begins and `to` of a subject that is forgotten, its name is empty.
    """

    lifecycles: frozenset[str] = frozenset()
    to: frozenset[str] = frozenset()
    from_: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    """Customer ids or anonymous ids."""
    final: bool = False
    """Only the last change of each step."""

    def concerns(self, change: StageChangeValue) -> bool:
        """Whether the change is of a life that is wanted, whatever happens in it."""
        return (not self.lifecycles or change.lifecycle in self.lifecycles) and (
            not self.customers or change.subject in self.customers
        )

    def includes(self, change: StageChangeValue) -> bool:
        """Whether this change is wanted."""
        return (
            (change.final or not self.final)
            and (not self.to or (change.to_stage or "") in self.to)
            and (not self.from_ or (change.from_stage or "") in self.from_)
            and self.concerns(change)
        )


def names(wanted: str | Collection[str] | None) -> frozenset[str]:
    """One name or several as they are given to a filter; None: everything is wanted."""
    if wanted is None:
        return frozenset()
    return frozenset((wanted,) if isinstance(wanted, str) else wanted)
