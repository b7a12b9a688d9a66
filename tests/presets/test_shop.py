"""The simulated shop leads some of its people through everything that the presets know."""

import hashlib
from collections import Counter
from itertools import pairwise

import pytest

from stream.codec.interactions import DEFAULT_BLOCKED, encode_native
from stream.codec.lifecycle_yaml.lifecycle_files import load_all
from stream.core.interaction import Interaction
from stream.core.model import model_of
from stream.demo.shop import SHOP_CLOSED, SHOP_OPENED, shop_interactions
from stream.offline.simulation import Simulation
from tests.kit.decoding import decode

PRESETS = ("journey", "metrics", "nurture", "platform", "relationship")
HUNDREDS = 200
DIGEST = "52e3dbbfce25c67d82114c536700039638094cf9b5ce59d1214eb7b0f5b13192"


def lines(people: int, seed: int = 1) -> list[bytes]:
    """What they do, as JSON."""
    return [encode_native(each) for each in shop_interactions(people, seed)]


@pytest.mark.slow
def test_every_stage_of_every_preset_is_entered_and_left_by_hundreds_of_lives() -> None:
    """All 2,000 people, each preset, until the shop closes; no stage of a preset is without a way out."""
    model = model_of([each.lifecycle for each in load_all(PRESETS)])
    simulation = Simulation(model)
    entered, left = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for change, _source in [*simulation.run(enumerate(shop_interactions())), *simulation.finish(SHOP_CLOSED)]:
        if change.to_stage is not None:
            entered[change.lifecycle, change.to_stage] += 1
        if change.from_stage is not None and change.to_stage is not None:
            left[change.lifecycle, change.from_stage] += 1
    stages = [(lifecycle.id, stage) for lifecycle in model.lifecycles for stage in lifecycle.stages]
    assert {each: entered[each] for each in stages if entered[each] < HUNDREDS} == {}
    assert {each: left[each] for each in stages if left[each] < HUNDREDS} == {}


def test_the_same_seed_gives_the_same_interactions_on_every_python() -> None:
    """By the digest of what the first people do, orders and refunds with all their sums among it."""
    assert hashlib.sha256(b"\n".join(lines(100))).hexdigest() == DIGEST


def test_another_seed_gives_other_people() -> None:
    """Nothing is written down in advance."""
    assert lines(10) != lines(10, seed=2)


def test_fewer_people_do_what_the_first_of_more_people_do() -> None:
    """So a part of the shop is a shop."""
    few = lines(10)
    kept = set(few)
    assert [each for each in lines(30) if each in kept] == few


def test_every_interaction_is_one_that_the_product_takes_in_ascending_time_and_with_an_id_of_its_own() -> None:
    """Nothing is rejected; all of it happens while the shop is open."""
    written = list(shop_interactions(100))
    assert [decode(encode_native(each), None, DEFAULT_BLOCKED) for each in written] == written
    assert all(one.time <= two.time for one, two in pairwise(written))
    assert written[0].time >= SHOP_OPENED
    assert written[-1].time < SHOP_CLOSED
    assert len({each.id for each in written}) == len(written)


def test_people_come_on_two_devices_anonymous_at_first_and_are_identified_there() -> None:
    """A customer's id follows their anonymous ones; on a device it stays once it is known."""
    written = list(shop_interactions(100))
    devices: dict[str, set[str]] = {}
    known = set[str]()
    for each in written:
        if each.customer_id is not None and each.anonymous_id is not None:
            devices.setdefault(each.customer_id, set()).add(each.anonymous_id)
            if each.name == "identify":
                known.add(each.anonymous_id)
            assert each.anonymous_id in known
    anonymous = {each.anonymous_id for each in written if each.customer_id is None}
    assert len(known & anonymous) > 30
    assert sum(len(each) == 2 for each in devices.values()) > 20


def order_sums(written: list[Interaction]) -> Counter[str]:
    """The lines and totals of each order in cents, refunds subtracted; by order."""
    left = Counter[str]()
    for each in written:
        number = str(each.properties.get("order_id"))
        total = each.properties.get("total")
        if each.name in ("Order Completed", "Order Updated"):
            assert isinstance(total, float)
            left[number] = round(total * 100)
        elif each.name == "Order Refunded":
            assert isinstance(total, float)
            left[number] -= round(total * 100)
    return left


def test_no_order_gives_back_more_than_was_paid_and_some_refunds_are_parts_of_it() -> None:
    """What is left of an order is what was paid, less what came back."""
    written = list(shop_interactions(300))
    refunded = {each.properties["order_id"] for each in written if each.name == "Order Refunded"}
    left = {number: cents for number, cents in order_sums(written).items() if number in refunded}
    assert min(left.values()) >= 0
    assert sum(cents > 1_000 for cents in left.values()) > 20
    assert sum(cents <= 490 for cents in left.values()) > 20


def test_what_comes_back_was_ordered() -> None:
    """Refunded lines are lines of the order as it was last."""
    ordered: dict[object, list[object]] = {}
    for each in shop_interactions(200):
        products = each.properties.get("products")
        if each.name in ("Order Completed", "Order Updated"):
            assert isinstance(products, list)
            ordered[each.properties["order_id"]] = products
        elif each.name == "Order Refunded":
            assert isinstance(products, list)
            assert products
            assert all(line in ordered[each.properties["order_id"]] for line in products)
