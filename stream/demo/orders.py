"""Orders at the simulated shop, with the fields that the Segment spec gives them."""

from dataclasses import dataclass
from typing import Final

from stream.demo.catalogue import LARGE, SMALL, Product
from stream.demo.chance import Chance

CURRENCY: Final = "EUR"
_FREE_SHIPPING: Final = 5_000
_SHIPPING: Final = 490

Properties = dict[str, object]


@dataclass(slots=True)
class Line:
    """One article of a cart or an order, and how many of it."""

    product: Product
    quantity: int

    @property
    def properties(self) -> Properties:
        """As an entry of `products`."""
        return {**product_properties(self.product), "quantity": self.quantity}


@dataclass(slots=True)
class Order:
    """What was bought together."""

    id: str
    lines: list[Line]
    coupon: str | None
    discount: int
    """Off the price, in per cent."""

    def completed(self) -> Properties:
        """What `Order Completed` says, and `Order Updated` after a change."""
        goods = _worth(self.lines, self.discount)
        shipping = 0 if goods >= _FREE_SHIPPING else _SHIPPING
        properties: Properties = {
            "order_id": self.id,
            "total": (goods + shipping) / 100,
            "shipping": shipping / 100,
            "profit": self._profit(self.lines),
            "currency": CURRENCY,
            "products": [line.properties for line in self.lines],
        }
        if self.coupon is not None:
            properties["coupon"] = self.coupon
            properties["discount"] = (_worth(self.lines, 0) - goods) / 100
        return properties

    def refunded(self, lines: list[Line]) -> Properties:
        """What `Order Refunded` says about lines that came back: what was paid for them, and they themselves."""
        return {
            "order_id": self.id,
            "total": _worth(lines, self.discount) / 100,
            "profit": self._profit(lines),
            "currency": CURRENCY,
            "products": [line.properties for line in lines],
        }

    def _profit(self, lines: list[Line]) -> float:
        return sum(line.product.profit * line.quantity * (100 - self.discount) // 100 for line in lines) / 100


def product_properties(product: Product) -> Properties:
    """An article as the Segment spec names its parts."""
    return {
        "product_id": product.id,
        "name": product.name,
        "category": product.category,
        "price": product.price / 100,
        "currency": CURRENCY,
    }


def cart_properties(cart_id: str, lines: list[Line]) -> Properties:
    """What `Cart Viewed` and `Checkout Started` say."""
    return {
        "cart_id": cart_id,
        "value": _worth(lines, 0) / 100,
        "currency": CURRENCY,
        "products": [line.properties for line in lines],
    }


def fill_cart(chance: Chance, large: float) -> list[Line]:
    """One to three different articles; each is a large one with that probability."""
    lines: dict[str, Line] = {}
    for _ in range(chance.between(1, 3)):
        is_large = chance.happens(large)
        product = chance.one_of(LARGE if is_large else SMALL)
        lines.setdefault(product.id, Line(product, 1 if is_large else chance.between(1, 2)))
    return list(lines.values())


def _worth(lines: list[Line], discount: int) -> int:
    return sum(line.product.price * line.quantity for line in lines) * (100 - discount) // 100
