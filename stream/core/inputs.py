"""What can happen to a customer: each is an input to `stream.core.step.step`."""

from stream.core.customer import Customer
from stream.core.interaction import Interaction


class Arrival:
    """An interaction to apply."""

    def __init__(self, interaction: Interaction, partition: int, offset: int, generation: int = 1) -> None:
        self.interaction = interaction
        self.partition = partition
        self.offset = offset
        self.generation = generation
        """The state's generation: raised by each reset after which interactions are read again."""

    @property
    def born(self) -> str:
        """Names the life that may begin with it, and none of another generation."""
        where = f"{self.partition}-{self.offset}"
        return where if self.generation == 1 else f"{self.generation}.{where}"


class Passing:
    """Time to pass: every deadline up to and including `until` is fired."""

    def __init__(self, until: int) -> None:
        self.until = until


class Edit:
    """Lifecycles were edited since the customer's record was written; it is considered at `clock` (epoch ms)."""

    def __init__(self, clock: int) -> None:
        self.clock = clock


class Merge:
    """What was known of an anonymous visitor, who turned out to be this customer."""

    def __init__(self, customer_id: str, record: Customer, born: str) -> None:
        self.customer_id = customer_id
        self.record = record
        """The visitor's; it is used up."""
        self.born = born
        """Names the lives that begin with it, where the customer has none."""


class Tie:
    """The visitor turned out to be a customer, at `clock` (epoch ms): this record ends, and is merged into that one."""

    def __init__(self, clock: int) -> None:
        self.clock = clock
