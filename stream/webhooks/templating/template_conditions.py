"""When a request of a template is sent: what must be there, what must not, whether the stage went backwards."""

from enum import StrEnum
from typing import Final, NamedTuple

from stream.webhooks.templating.material import Material
from stream.webhooks.templating.placeholders import Placeholder
from stream.webhooks.templating.template_values import stages

EMPTY: Final[tuple[object, ...]] = (None, "", {}, [])
"""What counts as nothing."""


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

    def holds(self, material: Material) -> bool:
        """Whether it holds for a change at an endpoint. Raises UnfitChangeError as `Material` does."""
        if self.asks is Asks.BACKWARDS:
            return any(_is_backwards(material, each.value) for each in self.about)
        is_there = any(material.value(each) not in EMPTY for each in self.about)
        return is_there is (self.asks is Asks.PRESENT)


def _is_backwards(material: Material, name: str) -> bool:
    """A stage that the tool does not have may stand for any that it has: then what is there may be a later one."""
    text = material.values.get(name)
    change = material.change
    if text is None or change.from_stage is None or change.to_stage is None:
        return False
    found = stages(text)
    order = list(dict.fromkeys(found.values()))
    to, left = found.get(change.to_stage), found.get(change.from_stage)
    return to is not None and (left is None or order.index(left) > order.index(to))
