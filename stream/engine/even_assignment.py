"""Which worker has which partitions: as evenly as can be, and each stays where it is unless that is in the way.

Faust's own assignor gives a worker that joins next to nothing: the fifth of five workers one of sixteen partitions.
"""

from collections import deque
from collections.abc import MutableMapping, Sequence
from typing import Any

from faust.assignor import partition_assignor
from faust.assignor.client_assignment import CopartitionedAssignment
from faust.assignor.copartitioned_assignor import CopartitionedAssignor


def evenly(had: Sequence[set[int]], count: int) -> list[set[int]]:
    """What each member gets of the partitions 0 to count - 1, in the order of `had`, which is what each had.

    No two differ by more than one, and no partition moves that need not: those that had the most get the one more. One
    that several had, which is so after a worker was taken for gone, stays with the first of them.
    """
    kept: list[set[int]] = []
    taken: set[int] = set()
    for each in had:
        own = {number for number in each if number < count} - taken
        taken |= own
        kept.append(own)
    least, more = divmod(count, len(had))
    by_size = sorted(range(len(had)), key=lambda member: -len(kept[member]))
    free = deque(number for number in range(count) if number not in taken)
    wanted = {member: least + (place < more) for place, member in enumerate(by_size)}
    for member, own in enumerate(kept):
        free.extend(own.pop() for _ in range(len(own) - wanted[member]))
    for member, own in enumerate(kept):
        own.update(free.popleft() for _ in range(wanted[member] - len(own)))
    return kept


class EvenAssignor(CopartitionedAssignor):
    """In place of Faust's; where somebody wants standby replicas of Faust's tables, as Faust's."""

    def get_assignment(self) -> MutableMapping[str, CopartitionedAssignment]:
        """By member."""
        if self.replicas:
            return super().get_assignment()
        members = self._client_assignments
        shares = evenly([each.actives for each in members.values()], self.num_partitions)
        for member, share in zip(members.values(), shares, strict=True):
            member.actives, member.standbys = share, set()
        return members


def install() -> None:
    """Let Faust's partition assignor share out evenly."""
    private: Any = partition_assignor
    private.CopartitionedAssignor = EvenAssignor
