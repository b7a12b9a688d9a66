"""What interactions matched in a lifecycle, and what none did."""

from typing import Any

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.interaction import Interaction
from stream.core.matches import MAX_NAMES as MOST_TOLD
from stream.core.matches import Matches, Missing, Observation
from stream.core.mentions import event_names_of, written
from stream.core.step_counts import MAX_NAMES, REST, StepCounts

SHOP = """
lifecycle: shop
interactions: {visit: [page], form: [form_submit], buy: [Order Completed], back: [Order Refunded]}
passive: [form]
scores: {value: {}}
signals:
  asked: {each: form, add: {value: 5}}
  spent: {each: buy, add: {value: properties.totl}}
  big: {each: buy, where: properties.total >= 100, add: {value: 1}}
facts:
  orders: {count: buy, minus: back}
  revenue: {sum: properties.total, each: buy, minus: back}
  country: {latest: context.geo.country}
  dear: {count: buy, where: properties.products.price > 5}
stages: {lead: {}, customer: {}, gone: {}}
transitions:
  - {from: lead, to: customer, when: orders >= 1 and exists(properties.coupon)}
  - {from: "*", to: gone, when: 'event.name == "unsubscribe" or event.type in ["opt_out", "bye"]'}
"""


def interaction(name: str, properties: dict[str, Any] | None = None, **context: Any) -> Interaction:
    return Interaction("ann", None, None, name, 0, properties or {}, context)


def matched(*interactions: Interaction, text: str = SHOP) -> Matches:
    found = Matches(parse(text, "shop.yaml").lifecycle)
    for each in interactions:
        found.add(each)
    return found


def missing(found: Matches) -> list[tuple[str, str, int]]:
    return [(written(each.path), each.rule, each.looked) for each in found.missing]


def test_before_anything_came_nothing_matched_and_no_property_is_missing() -> None:
    """A property is missing where interactions came that could have had it."""
    found = matched()
    assert found.words == {"visit": 0, "form": 0, "buy": 0, "back": 0}
    assert not any(found.signals.values())
    assert not any(found.facts.values())
    assert found.missing == []


def test_words_are_counted_by_whichever_of_their_names() -> None:
    found = matched(interaction("page"), interaction("visit"), interaction("Order Completed"))
    assert found.words == {"visit": 2, "form": 0, "buy": 1, "back": 0}


def test_names_are_unknown_that_neither_a_word_nor_a_condition_names() -> None:
    found = matched(*map(interaction, ("Bestellung", "unsubscribe", "bye", "Bestellung", "page", "order completed")))
    assert found.unknown == {"Bestellung": 2, "order completed": 1}
    assert event_names_of(found.lifecycle) == {
        *("visit", "page", "form", "form_submit", "buy", "Order Completed", "back", "Order Refunded"),
        *("unsubscribe", "opt_out", "bye"),
    }


def test_a_signal_or_fact_matches_by_its_word_and_its_where() -> None:
    """The first order is too small for `big`; the second is not."""
    found = matched(interaction("Order Completed", {"total": 99}))
    assert found.signals == {"asked": False, "spent": True, "big": False}
    assert found.facts == {"orders": True, "revenue": True, "country": True, "dear": False}
    found.add(interaction("Order Completed", {"total": 100}))
    assert found.signals["big"]


def test_properties_that_no_interaction_had_are_missing_with_who_names_them_and_in_how_many() -> None:
    """Of signals and facts in the interactions of their words, of transitions in all."""
    found = matched(
        interaction("Order Completed", {"total": 5}),
        interaction("page", {"total": 1, "totl": 1}),
        interaction("Order Completed", {"total": 7, "coupon": None}),
    )
    assert missing(found) == [
        ("properties.totl", "signal spent", 2),
        ("context.geo.country", "fact country", 3),
        ("properties.products.price", "fact dear", 2),
        ("properties.coupon", "transition lead → customer", 3),
    ]


def test_what_came_once_is_missing_no_more() -> None:
    found = matched(
        interaction("Order Completed", {"totl": 1, "products": {"price": 3}, "coupon": "x"}),
        interaction("Order Refunded", {"total": 1}, geo={"country": "DE"}),
    )
    assert missing(found) == [("properties.total", "signal big", 1)]


def test_what_stands_there_instead_is_learnt_at_the_depth_where_the_path_ends() -> None:
    found = matched(interaction("Order Completed", {"total": 5, "a b": 1}, geo={"contry": "DE", "city": "Ulm"}))
    instead = {written(each.path): list(each.instead) for each in found.missing}
    assert instead["properties.totl"] == ["properties.total", 'properties["a b"]']
    assert instead["context.geo.country"] == ["context.geo.contry", "context.geo.city"]


def test_a_path_that_leads_through_a_list_says_so() -> None:
    found = matched(interaction("Order Completed", {"products": [{"price": 20}]}))
    [dear] = [each for each in found.missing if each.rule == "fact dear"]
    assert (dear.list, dear.instead) == ("properties.products", {})


def test_what_is_learnt_of_strange_properties_is_bounded() -> None:
    path = parse(SHOP, "shop.yaml").lifecycle.facts[1].paths[0]
    one = Missing(path, "fact revenue")
    found = matched(*(interaction("Order Completed", {f"k{n}": 1, f"l{n}": 2}) for n in range(500)))
    assert {len(each.instead) for each in found.properties if each.rule == "fact revenue"} == {200}
    assert not one.found


def test_names_that_are_too_many_to_tell_are_counted_together() -> None:
    """Those that are told go on being counted, and what they match is found all the same."""
    observation = Observation((parse(SHOP, "shop.yaml").lifecycle,))
    for number in range(MOST_TOLD):
        observation.add(interaction(f"n{number}"))
    for name in ("d", "e", "n0", "Order Completed", "Order Completed"):
        observation.add(interaction(name, {"total": 100}))
    assert len(observation.names) == MOST_TOLD + 1
    assert (observation.names["n0"], observation.names[REST]) == (2, 4)
    [found] = observation.matches
    assert (found.unknown["n0"], found.unknown[REST], found.words["buy"]) == (2, 2, 2)
    assert found.facts["orders"]
    assert found.signals["big"]


def test_an_observation_knows_the_first_and_the_last_time() -> None:
    observation = Observation(())
    assert (observation.first, observation.last) == (None, None)
    for time in (5, -3, 9, 4):
        observation.add(Interaction("ann", None, None, "page", time, {}, {}))
    assert (observation.first, observation.last) == (-3, 9)


def test_step_counts_bound_the_names_that_no_word_covers() -> None:
    counts = StepCounts()
    for number in range(MAX_NAMES + 5):
        counts.unknown_name("shop", f"n{number}")
    counts.unknown_name("shop", "n0")
    assert len(counts.unknown_names) == MAX_NAMES + 1
    assert (counts.unknown_names["shop", "n0"], counts.unknown_names["shop", REST]) == (2, 5)
