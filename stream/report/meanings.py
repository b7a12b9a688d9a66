"""What the interactions of a lifecycle mean for a report: which are orders, what comes back, what costs, who answers.

They come from the ledger and the facts of the lifecycle file, then from words by their usual names, and whoever calls
can say otherwise: `orders=purchase`. What is found nowhere is not reckoned, and the report says so.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from stream.core.amounts import Amount, PropertyAmount
from stream.core.event import PropertyPath
from stream.core.facts import Fact
from stream.core.ledgers import EACH, MINUS, Ledger
from stream.core.lifecycle import Condition, Lifecycle
from stream.errors import LifecycleError

USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": ("order", "purchase", "Order Completed", "order_completed"),
    "refunds": ("refund", "Order Refunded", "order_refunded"),
    "visits": ("visit", "page", "page_view", "screen"),
    "views": ("product", "Product Viewed", "product_viewed"),
    "carts": ("cart", "Product Added", "product_added", "add_to_cart"),
    "checkouts": ("checkout", "Checkout Started", "checkout_started", "begin_checkout"),
    "costs": ("ad_click", "Promotion Clicked", "promotion_clicked"),
    "nps": ("nps", "NPS Answered", "nps_answered"),
    "csat": ("csat", "CSAT Answered", "csat_answered"),
    "renewals": ("renewal", "Subscription Renewed", "subscription_renewed", "Invoice Paid", "invoice_paid"),
}
"""By role: the words or event names by which it is found where nobody says otherwise."""
ROLES: Final = tuple(USUAL)
FIGURES: Final = {"costs": "cost"}
"""Figures of the lifecycle file whose words have a role of another name, where none of its usual words is there."""


class OrderRole(NamedTuple):
    """What an interaction does to orders."""

    role: int
    """EACH, UPDATE or MINUS of `stream.core.ledgers`."""
    by: PropertyPath | None
    """The key of the order; None: each is an order of its own."""
    amount: Amount | None
    """What it comes to, or what is returned; None: of a return everything."""
    return_id: PropertyPath | None
    where: Condition | None


class Plan(NamedTuple):
    """What is read of the interactions of one name."""

    word: str
    orders: tuple[OrderRole, ...] = ()
    costs: tuple[tuple[Amount, Condition | None], ...] = ()
    answers: bool = False
    """It has a `score`."""
    renews: bool = False


@dataclass(frozen=True)
class Meanings:
    """What a lifecycle's interactions mean."""

    lifecycle: Lifecycle
    said: Mapping[str, tuple[str, ...]]
    """By role: the words or event names that whoever called has given."""
    amount: PropertyPath
    order_id: PropertyPath
    ledger: Ledger | None
    """Which the orders come from; None: from words."""

    def words(self, role: str) -> frozenset[str]:
        """The words that have this role."""
        words = self.lifecycle.words
        names = self.said.get(role, USUAL[role])
        if role not in self.said and not any(name in words for name in names) and self.lifecycle.figures is not None:
            figure = FIGURES.get(role, role)
            names = next((each.words for each in self.lifecycle.figures.figures if each.name == figure), names)
        return frozenset(words.get(name, name) for name in names)

    @property
    def orders_from(self) -> str:
        """Where orders come from, in words."""
        if self.ledger is not None:
            return f"the lifecycle's ledger {self.ledger.name!r}"
        return f"interactions {' and '.join(map(repr, sorted(self.words('orders'))))}"

    def plan(self, name: str) -> Plan:
        """What is read of interactions of this name."""
        word = self.lifecycle.words.get(name, name)
        return Plan(
            word,
            self._orders(name, word),
            self._costs(name, word),
            word in self.words("nps") or word in self.words("csat"),
            word in self.words("renewals"),
        )

    def _orders(self, name: str, word: str) -> tuple[OrderRole, ...]:
        ledger = self.ledger
        if ledger is not None:
            returned = None if ledger.returned is None else PropertyAmount("", ledger.returned)
            return tuple(
                OrderRole(
                    each.role,
                    ledger.by,
                    returned if each.role == MINUS else ledger.amount,
                    ledger.return_id,
                    each.where,
                )
                for each in self.lifecycle.reaction(name).entered
                if each.ledger.index == ledger.index
            )
        amount = PropertyAmount("", self.amount)
        found = [("orders", EACH), ("refunds", MINUS)]
        return tuple(OrderRole(role, self.order_id, amount, None, None) for of, role in found if word in self.words(of))

    def _costs(self, name: str, word: str) -> tuple[tuple[Amount, Condition | None], ...]:
        if "costs" not in self.said:
            reaction = self.lifecycle.reaction(name)
            found = [
                (each.fact.amount, each.where)
                for each in reaction.counted
                if each.fact.amount is not None and each.fact.kind == "sum" and each.sign > 0 and _is_cost(each.fact)
            ]
            if found:
                return tuple(found)
            if any(each.figure.name == "cost" and each.figure.amount is not None for each in reaction.figured):
                return tuple(
                    (each.figure.amount, None)
                    for each in reaction.figured
                    if each.figure.name == "cost" and each.figure.amount is not None
                )
        return ((_COST, None),) if word in self.words("costs") else ()


_COST: Final = PropertyAmount("properties.cost", PropertyPath(0, ("cost",)))


def _is_cost(fact: Fact) -> bool:
    return any(path.keys[-1:] == ("cost",) for path in fact.paths)


def meanings_of(lifecycle: Lifecycle, said: Iterable[str], amount: str, order_id: str) -> Meanings:
    """Find what means what. `said` are texts such as `orders=purchase`; `amount` and `order_id` paths.

    Raises LifecycleError where one of them is not written so.
    """
    given = _said(said)
    ledger = None if "orders" in given else _ledger_of(lifecycle)
    return Meanings(lifecycle, given, _path(amount, "--amount"), _path(order_id, "--order-id"), ledger)


def _ledger_of(lifecycle: Lifecycle) -> Ledger | None:
    """That of the figures `revenue` or `orders`, else the first that has amounts."""
    named = {} if lifecycle.figures is None else {each.name: each.ledger for each in lifecycle.figures.figures}
    candidates = [named.get("revenue"), named.get("orders"), *lifecycle.ledgers]
    return next((each for each in candidates if each is not None and each.amount is not None), None)


def _said(said: Iterable[str]) -> dict[str, tuple[str, ...]]:
    given: dict[str, tuple[str, ...]] = {}
    for part in (part for text in said for part in text.split(",")):
        role, equals, name = (each.strip() for each in part.partition("="))
        if not equals or not name or role not in USUAL:
            right = f"right is one of {', '.join(ROLES)}, and a word or event name, as in orders=purchase"
            raise LifecycleError(f"--words: {part!r} says nothing; {right}")
        given[role] = (*given.get(role, ()), name)
    return given


def _path(text: str, option: str) -> PropertyPath:
    root, *keys = text.split(".")
    if root not in ("properties", "context") or not keys or not all(keys):
        raise LifecycleError(f"{option}: {text!r} is no path; right is a path such as properties.total")
    return PropertyPath(0 if root == "properties" else 1, tuple(keys))
