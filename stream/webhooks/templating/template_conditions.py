"""When a request of a template is sent: what must be there, what must not, whether the stage went backwards."""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from stream.codec.stage_change_reader import SubscribedChange
from stream.webhooks.templating.material import Material
from stream.webhooks.templating.placeholders import Placeholder
from stream.webhooks.templating.template_values import stages

EMPTY: Final[tuple[object, ...]] = (None, "", {}, [])
"""What counts as nothing."""
Holds = Callable[[SubscribedChange, str], bool]
"""Whether a condition holds for a change with this id."""


class Asks(StrEnum):
    """What a condition asks."""

    PRESENT = "present"
    """One of the placeholders stands for something that is not empty."""
    ABSENT = "absent"
    """None of them does."""
    BACKWARDS = "backwards"
    """The tool may have a later stage than it is to be told, in the order of a value of the kind `stages`."""


class RequestCondition(NamedTuple):
    """One condition; a request is sent where all of its conditions hold."""

    asks: Asks
    about: tuple[Placeholder, ...]

    def bound(self, material: Material) -> Holds:
        """Whether it holds for a change at this endpoint; the function raises UnfitChangeError as `Material` does."""
        if self.asks is Asks.BACKWARDS:
            orders = [_is_backwards(text) for each in self.about if (text := material.values.get(each.value))]
            return lambda change, _event_id: any(is_backwards(change) for is_backwards in orders)
        reads, wanted = [material.value(each) for each in self.about], self.asks is Asks.PRESENT
        return lambda change, event_id: any(read(change, event_id) not in EMPTY for read in reads) is wanted


def _is_backwards(text: str) -> Callable[[SubscribedChange], bool]:
    """A stage that the tool does not have may stand for any that it has: then what is there may be a later one."""
    found = stages(text)
    order = list(dict.fromkeys(found.values()))

    def is_backwards(change: SubscribedChange) -> bool:
        if change.from_stage is None or change.to_stage is None:
            return False
        to, left = found.get(change.to_stage), found.get(change.from_stage)
        return to is not None and (left is None or order.index(left) > order.index(to))

    return is_backwards
