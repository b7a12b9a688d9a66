"""The shop whose conditions are tested."""

from stream.core.language.conditions import Condition, compile_condition
from stream.core.language.names import Scope
from tests.core.subject import lifecycle

SHOP = lifecycle("""
    interactions: {visit: [page], buy: [Order Completed]}
    scores: {heat: {half_life: 1h}, value: {}}
    signals: {s: {each: visit, add: {heat: 8}}, t: {each: buy, add: {value: properties.total}}}
    facts:
      orders: {count: buy}
      revenue: {sum: properties.total, each: buy}
      busy: {count: visit, within: 2h, keep: 5}
      first_visit: {first: visit}
      last_visit: {last: visit}
      refunded: {last: refund}
      country: {latest: properties.country}
      plan: {latest: properties.plan}
    stages: {lead: {}, customer: {}, gone: {}}
    transitions:
      - {from: lead, to: customer, when: orders >= 1}
      - {from: customer, to: gone, when: idle >= 400d}
""")
SCOPE = Scope(
    {each.name: each for each in SHOP.scores},
    {each.name: each for each in SHOP.facts},
    tuple(SHOP.stages),
    SHOP.words,
)


def compiled(text: str, *, interaction_only: bool = False) -> Condition:
    """The condition in the shop."""
    return compile_condition(text, SCOPE._replace(interaction_only=interaction_only))
