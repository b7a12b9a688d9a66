"""What waits for one endpoint: its order, its places, and what is dropped."""

from stream.codec.deliveries import lifecycle_of, subject_of
from stream.webhooks.deliveries.delivery import Delivery
from stream.webhooks.deliveries.waiting import Waiting
from tests.kit.machines import finish
from tests.webhooks.machines import NOW, id_of


class Made:
    """A `Waiting` that is filled and looked at by numbers of customers and changes."""

    def __init__(self) -> None:
        self.waiting = Waiting("crm")
        self.orders = 0

    def come(self, customer: int, *sequences: int, lifecycle: str = "shop") -> None:
        for sequence in sequences:
            event_id = id_of(str(customer), sequence, lifecycle)
            self.waiting.add(subject_of(event_id), Delivery(event_id, b"{}", self.orders, NOW))
            self.orders += 1

    def take(self, most: int = 1_000, now: int = NOW) -> list[str]:
        return [short(each) for _, each in self.waiting.take(most, now)]

    def of(self, customer: int) -> list[str]:
        return [short(each) for each in self.waiting.of(subject(customer))]


def subject(customer: int) -> str:
    return f"customer:{customer}"


def short(delivery: Delivery | None) -> str:
    """Such as `7/2`: the second change of customer 7."""
    return "" if delivery is None else "/".join(delivery.event_id.split(":")[2::2])


def test_only_the_head_of_each_customer_is_taken():
    made = Made()
    made.come(1, 1, 2, 3)
    made.come(2, 1, 2)
    assert made.take() == ["1/1", "2/1"]
    assert made.take() == []


def test_the_next_one_follows_where_the_head_is_done():
    made = Made()
    made.come(1, 1, 2)
    assert made.take() == ["1/1"]
    made.waiting.settle(subject(1))
    assert made.take() == ["1/2"]
    made.waiting.settle(subject(1))
    assert made.take() == []
    assert made.waiting.count == 0


def test_a_head_that_failed_holds_up_its_own_customer_alone_until_it_is_due():
    made = Made()
    made.come(1, 1, 2)
    made.come(2, 1)
    made.take()
    made.waiting.again(subject(1), NOW + 5_000)
    made.waiting.settle(subject(2))
    made.come(2, 2)
    assert made.take(now=NOW + 4_999) == ["2/2"]
    assert made.take(now=NOW + 5_000) == ["1/1"]


def test_what_is_given_back_is_the_next_to_be_taken():
    made = Made()
    made.come(1, 1, 2)
    made.come(2, 1)
    assert made.take(1) == ["1/1"]
    made.waiting.give_back(subject(1))
    assert made.take(1) == ["1/1"]


def test_a_clock_that_goes_back_loses_nothing():
    made = Made()
    made.come(1, 1)
    made.come(2, 1)
    assert made.take(1, NOW) == ["1/1"]
    made.waiting.again(subject(1), NOW + 5_000)
    # Its time has come, and there is room for another alone; then the clock goes back.
    assert made.take(1, NOW + 5_000) == ["2/1"]
    assert made.take(5, NOW - 60_000) == []
    assert made.waiting.next_due(NOW - 60_000) == NOW + 5_000
    assert made.take(5, NOW + 5_000) == ["1/1"]


def test_one_that_was_never_tried_is_due_whatever_the_clock_says():
    made = Made()
    made.come(1, 1)
    assert made.take(now=NOW - 3_600_000) == ["1/1"]


def test_the_oldest_is_dropped_but_none_that_is_under_way():
    made = Made()
    made.come(1, 1, 2)
    made.come(2, 1)
    made.come(1, 3)
    assert made.take(1) == ["1/1"]
    assert [short(made.waiting.drop_oldest_of_all()) for _ in range(4)] == ["1/2", "2/1", "1/3", ""]
    assert made.of(1) == ["1/1"]
    assert short(made.waiting.oldest) == "1/1"


def test_the_oldest_of_all_is_the_oldest_also_where_a_customer_was_served_meanwhile():
    made = Made()
    made.come(1, 1)
    made.come(2, 1)
    made.come(1, 2)
    assert made.take(1) == ["1/1"]
    made.waiting.settle(subject(1))
    assert short(made.waiting.oldest) == "2/1"
    assert short(made.waiting.drop_oldest_of_all()) == "2/1"


def test_a_change_supersedes_those_of_its_own_lifecycle():
    made = Made()
    made.come(1, 1)
    made.come(1, 1, lifecycle="club")
    made.come(1, 2)
    gone = [each.event_id for each in made.waiting.supersede(subject(1), "shop")]
    assert gone == [id_of("1", 1), id_of("1", 2)]
    assert [lifecycle_of(each.event_id) for each in made.waiting.of(subject(1))] == ["club"]
    assert made.waiting.count == 1
    assert made.take() == ["1/1"]


def test_one_that_is_under_way_is_not_superseded():
    made = Made()
    made.come(1, 1, 2)
    made.take()
    assert [short(each) for each in made.waiting.supersede(subject(1), "shop")] == ["1/2"]
    assert made.of(1) == ["1/1"]


def test_after_a_head_that_waits_for_its_time_was_superseded_the_later_one_goes_at_once():
    made = Made()
    made.come(1, 1)
    made.take()
    made.waiting.again(subject(1), NOW + 86_400_000)
    list(made.waiting.supersede(subject(1), "shop"))
    made.come(1, 2)
    assert made.take() == ["1/2"]
    # And what the first one left behind does not send the second one again.
    made.waiting.again(subject(1), NOW + 90_000_000)
    assert made.take(now=NOW + 86_400_000) == []
    assert made.take(now=NOW + 90_000_000) == ["1/2"]


def test_what_is_due_is_found_behind_any_number_of_places_that_were_left_behind():
    made = Made()
    for customer in range(50):
        made.come(customer, 1)
    made.take()
    for customer in range(50):
        made.waiting.again(subject(customer), NOW + 5_000 + customer)
    for customer in range(49):
        list(made.waiting.supersede(subject(customer), "shop"))
    assert made.take(1, NOW + 10_000) == ["49/1"]


def test_nothing_is_taken_while_the_endpoint_wants_to_be_left_alone_or_is_closed():
    made = Made()
    made.come(1, 1)
    for closed in ({"not_before": NOW + 1}, {"paused_at": NOW}, {"disabled_at": NOW}):
        opened, made.waiting.state = made.waiting.state, made.waiting.state.but(**closed)
        assert made.take() == []
        made.waiting.state = opened
    assert made.take() == ["1/1"]


def test_it_says_when_it_is_due_and_nothing_of_what_waits_for_room():
    made = Made()
    assert made.waiting.next_due(NOW) is None
    made.come(1, 1)
    made.come(2, 1)
    made.take(1)
    assert made.waiting.next_due(NOW) is None  # the other could have been taken
    made.take(1)
    made.waiting.again(subject(1), NOW + 5_000)
    assert made.waiting.next_due(NOW) == NOW + 5_000
    assert made.waiting.next_due(NOW + 5_000) is None
    made.waiting.state = made.waiting.state.but(not_before=NOW + 60_000)
    assert made.waiting.next_due(NOW) == NOW + 60_000
    made.waiting.state = made.waiting.state.but(paused_at=NOW)
    assert made.waiting.next_due(NOW) is None


def test_what_is_restored_in_any_order_is_in_its_order_again():
    waiting = Waiting("crm")
    for order in (3, 0, 2, 1):
        waiting.restore(Delivery(id_of(str(order % 2), order), b"{}", order, NOW))
    finish(waiting.restored())
    assert [short(each) for each in waiting.of(subject(0))] == ["0/0", "0/2"]
    assert [short(each) for each in waiting.of(subject(1))] == ["1/1", "1/3"]
    assert [short(each) for _, each in waiting.take(9, NOW)] == ["0/0", "1/1"]


def test_what_is_left_behind_is_cleared_away():
    made = Made()
    made.come(0, 1)
    made.take()  # the oldest hangs
    for number in range(20_000):
        made.come(1, number)
        made.take()
        made.waiting.again(subject(1), NOW + number)
        list(made.waiting.supersede(subject(1), "shop"))
    held = len(made.waiting._arrivals) + len(made.waiting._ready) + len(made.waiting._later)
    assert held < 5_000
    made.waiting.give_back(subject(0))
    assert made.take() == ["0/1"]
