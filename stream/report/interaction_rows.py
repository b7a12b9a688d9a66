"""Interactions as rows of frames: who, when and which word of each, and apart from that what only some of them have."""

from typing import Final

import polars as pl
from xxhash import xxh3_64_intdigest

from stream.core import known_values
from stream.core.event import Event, lookup
from stream.core.interaction import Interaction
from stream.core.ledgers import EACH, MINUS
from stream.core.lifecycle import Condition
from stream.core.scoring import number
from stream.report.columns import Rows, Schema
from stream.report.meanings import Meanings, OrderRole, Plan

MILLION: Final = 1_000_000
_MAX_ITEMS: Final = 1_000
"""The first of an order's list of products."""
_PRODUCTS: Final = ("products", "items")
_NAMES: Final = ("name", "item_name", "product_name", "title", "product_id", "item_id", "sku")
_CATEGORIES: Final = ("category", "item_category")

INTERACTION: Final[Schema] = {
    "row": pl.UInt32,
    "customer": pl.String,
    "anonymous": pl.String,
    "time": pl.Int64,
    "word": pl.Categorical(),
    "id": pl.UInt64,
}
"""`id` is its hash; null: never a duplicate."""
ORDER_ROW: Final[Schema] = {
    "row": pl.UInt32,
    "role": pl.UInt8,
    "key": pl.UInt64,
    "amount": pl.Int64,
    "return_id": pl.UInt64,
}
"""What happens to orders. `key` is a hash; amounts are millionths, null where there is none that can be used."""
COST: Final[Schema] = {"row": pl.UInt32, "amount": pl.Int64}
ANSWER: Final[Schema] = {"row": pl.UInt32, "score": pl.Float64}
RENEWAL: Final[Schema] = {"row": pl.UInt32, "amount": pl.Int64, "months": pl.Float64}
"""`months`: how many the payment is for."""
ITEM: Final[Schema] = {
    "row": pl.UInt32,
    "product": pl.String,
    "category": pl.String,
    "quantity": pl.Float64,
    "amount": pl.Int64,
}


class InteractionRows:
    """Takes interactions in any order."""

    def __init__(self, meanings: Meanings) -> None:
        self._meanings = meanings
        self.lifecycle = meanings.lifecycle
        self._plans: dict[str, Plan] = {}
        self._life = meanings.lifecycle.begin(0, "", False)  # nothing is read of it
        self.count = 0
        self.interactions = Rows(INTERACTION)
        self.orders = Rows(ORDER_ROW)
        self.costs = Rows(COST)
        self.answers = Rows(ANSWER)
        self.renewals = Rows(RENEWAL)
        self.items = Rows(ITEM)

    def add(self, interaction: Interaction) -> None:
        """One more."""
        row, name = self.count, interaction.name
        self.count += 1
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._meanings.plan(name)
        self.interactions.add(
            row,
            interaction.customer_id,
            interaction.anonymous_id,
            interaction.time,
            plan.word,
            None if interaction.id is None else xxh3_64_intdigest(interaction.id.encode("utf-8", "surrogatepass")),
        )
        if plan.orders or plan.costs or plan.answers or plan.renews:
            event = Event(plan.word, name, interaction.time, interaction.properties, interaction.context)
            for role in plan.orders:
                if self._holds(role.where, event):
                    self._order(row, role, event)
            self._rest(row, plan, event)

    def _holds(self, where: Condition | None, event: Event) -> bool:
        decided = None if where is None else where.by_interaction
        return decided is None or decided.holds(self._life, event.time, event)

    def _order(self, row: int, role: OrderRole, event: Event) -> None:
        is_return = role.role == MINUS
        key = None if role.by is None else known_values.key_of(lookup(role.by, event))
        found = None if role.amount is None else role.amount.of(event)
        there = role.amount is not None and any(lookup(path, event) is not None for path in role.amount.paths)
        if is_return and found is None and (there or key is None):
            return  # what it returns is not known
        amount = None if found is None or (found < 0 and not is_return) else round(abs(found) * MILLION)
        return_id = None
        if is_return and role.return_id is not None:
            named = known_values.key_of(lookup(role.return_id, event))
            return_id = None if named is None else xxh3_64_intdigest(named)
        self.orders.add(row, role.role, None if key is None else xxh3_64_intdigest(key), amount, return_id)
        if role.role == EACH:
            self._items(row, event)

    def _items(self, row: int, event: Event) -> None:
        products = next((found for key in _PRODUCTS if isinstance(found := event.properties.get(key), list)), ())
        for each in products[:_MAX_ITEMS]:
            if not isinstance(each, dict):
                continue
            name = next((found for key in _NAMES if isinstance(found := each.get(key), str) and found), None)
            if name is None:
                continue
            category = next((found for key in _CATEGORIES if isinstance(found := each.get(key), str)), None)
            quantity = number(each.get("quantity", 1))
            price = number(each.get("price"))
            quantity = 1.0 if quantity is None else quantity
            amount = None if price is None else round(price * quantity * MILLION)
            self.items.add(row, name, category, quantity, amount)

    def _rest(self, row: int, plan: Plan, event: Event) -> None:
        for amount, where in plan.costs:
            cost = amount.of(event)
            if cost is not None and self._holds(where, event):
                self.costs.add(row, round(cost * MILLION))
        if plan.answers:
            score = number(event.properties.get("score"))
            if score is not None:
                self.answers.add(row, score)
        if plan.renews:
            paid = number(lookup(self._meanings.amount, event))
            months = number(event.properties.get("months"))
            if paid is not None:
                self.renewals.add(row, round(paid * MILLION), months if months is not None and months > 0 else 1.0)
