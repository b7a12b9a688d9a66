"""What an edit of a lifecycle does to a customer who was there before, by the core alone."""

from stream.core.customer import Customer
from stream.core.inputs import Edit, Passing
from stream.core.lifecycle import Lifecycle
from stream.core.model import model_of
from stream.core.stage_change import StageChange
from stream.core.step import step
from stream.core.step_counts import StepCounts
from tests.contract.edits import ENTERED, NOW, SHOP, ZOO, edited, loaded, reread
from tests.kit.times import DAY

LATER = ENTERED + 50 * DAY
REMOVED = (
    ("customer: {}, ", ""),
    ("from: lead, to: customer", "from: lead, to: dormant"),
    ("from: customer, to: dormant", "from: dormant, to: lead"),
)


def considered(*after: Lifecycle, clock: int = LATER, before: tuple[Lifecycle, ...] = ()) -> "Considered":
    """The customer of the history, read with the lifecycles after an edit and considered at `clock`."""
    return Considered(after, reread(*after, before=before), clock)


class Considered:
    """A customer after an edit, and what the edit changed."""

    def __init__(self, lifecycles: tuple[Lifecycle, ...], customer: Customer, clock: int) -> None:
        self.model = model_of(lifecycles)
        self.customer = customer
        after, self.changes = step(self.model, customer, Edit(clock), StepCounts())
        assert after is customer
        assert customer.edited is None
        self.life = customer.lives["shop"]

    @property
    def moves(self) -> list[tuple[str | None, str | None, int, bool]]:
        """From, to, time and whether it is final."""
        return [(each.from_stage, each.to_stage, each.at, each.final) for each in self.changes]

    def passing(self, until: int) -> list[StageChange]:
        """What time does afterwards."""
        return step(self.model, self.customer, Passing(until), StepCounts())[1]


def test_an_edit_that_brings_a_deadline_into_the_past_moves_at_the_clock() -> None:
    """The customer would have been dormant after 30 days; the edit came after 50.

    ENTERED ......... 30d ......... 50d: edited .......
    customer                        dormant
    """
    after = considered(edited((">= 90d", ">= 30d")))
    assert after.moves == [("customer", "dormant", LATER, True)]
    (change,) = after.changes
    assert (change.trigger.kind, change.trigger.id, change.sequence) == ("lifecycle", None, 3)
    assert change.transition is not None
    assert (after.life.clock, after.life.entered) == (LATER, LATER)
    assert after.passing(LATER + 1) == []


def test_an_edit_that_touches_nothing_of_a_customer_leaves_it_as_it_is() -> None:
    """Clock, stage and deadline too."""
    after = considered(edited((">= 90d", ">= 80d")))
    assert after.changes == []
    assert (after.life.clock, after.life.deadline) == (NOW, ENTERED + 80 * DAY)


def test_a_deadline_that_the_edit_left_alone_keeps_its_time_though_it_has_passed() -> None:
    """It waits for `grace`, or for its turn among many; then it fires at its own time."""
    after = considered(loaded(SHOP + "title: Another\n"), clock=ENTERED + 100 * DAY)
    assert after.changes == []
    (change,) = after.passing(ENTERED + 100 * DAY)
    assert (change.at, change.trigger.kind) == (ENTERED + 90 * DAY, "deadline")


def test_a_condition_that_held_for_a_while_before_the_edit_fires_nothing() -> None:
    """Dormant from 30 to 40 days, asked after 50: it would be a deadline before the edit."""
    after = considered(edited((">= 90d", ">= 30d and since(last_buy) < 40d")))
    assert after.changes == []
    assert after.life.due is None
    assert after.passing(LATER + 100 * DAY) == []


def test_a_clock_ahead_of_the_partition_s_stays() -> None:
    """An interaction of the future was taken; the edit is at the later of the two."""
    after = considered(edited(("since(last_buy) >= 90d", "orders >= 1")), clock=NOW - DAY)
    assert after.moves == [("customer", "dormant", NOW, True)]


def test_a_stage_that_is_gone_is_left_for_the_first_and_rules_apply_from_there() -> None:
    """Both in one step, of which the last change is the one to act on."""
    after = considered(edited(*REMOVED))
    assert after.moves == [("customer", "lead", LATER, False), ("lead", "dormant", LATER, True)]
    assert {each.trigger.kind for each in after.changes} == {"lifecycle"}


def test_a_lifecycle_that_was_not_edited_is_not_considered() -> None:
    """Nor is one that was added: it begins with the next interaction."""
    zoo = loaded(ZOO)
    both = considered(edited((">= 90d", ">= 30d")), zoo, before=(loaded(SHOP), zoo))
    assert [each.lifecycle for each in both.changes] == ["shop"]
    added = considered(loaded(SHOP), zoo)
    assert added.changes == []
    assert list(added.customer.lives) == ["shop"]


def test_an_edit_is_considered_once() -> None:
    """A second time there is nothing to consider."""
    after = considered(edited((">= 90d", ">= 30d")))
    assert step(after.model, after.customer, Edit(LATER + DAY), StepCounts())[1] == []
