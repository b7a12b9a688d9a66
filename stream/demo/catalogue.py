"""What the simulated shop sells: things for a home, with prices and what the shop keeps of them."""

from typing import Final, NamedTuple


class Product(NamedTuple):
    """One article; money is in cents, so that no sum is ever rounded."""

    id: str
    name: str
    category: str
    price: int
    profit: int
    """What the shop keeps of the price."""


def _products(category: str, letter: str, *articles: tuple[str, int]) -> tuple[Product, ...]:
    return tuple(
        Product(f"{letter}-{number:02}", name, category, price, price * 3 // 10)
        for number, (name, price) in enumerate(articles, start=1)
    )


SMALL: Final = (
    *_products(
        "kitchen",
        "k",
        ("Tea towel", 790),
        ("Coffee cup", 1_150),
        ("Bread knife", 1_890),
        ("Salad bowl", 2_450),
        ("Tea pot", 2_990),
        ("Baking tin", 1_590),
    ),
    *_products(
        "textiles",
        "t",
        ("Cushion cover", 1_690),
        ("Hand towel", 1_290),
        ("Bath mat", 2_490),
        ("Throw", 3_990),
    ),
    *_products(
        "plants",
        "p",
        ("Herb pot", 690),
        ("Fern", 1_490),
        ("Flower seeds", 390),
        ("Watering can", 1_990),
    ),
)
"""What is bought often, up to 40 euros a piece."""

LARGE: Final = (
    *_products(
        "furniture",
        "f",
        ("Bedside table", 12_900),
        ("Armchair", 34_900),
        ("Bookcase", 24_900),
        ("Desk", 42_900),
        ("Sofa", 89_900),
        ("Dining table", 64_900),
    ),
    *_products(
        "lighting",
        "l",
        ("Floor lamp", 14_900),
        ("Ceiling lamp", 17_900),
        ("Reading lamp", 8_900),
    ),
)
"""What is bought rarely, looked at for longer, and sent back more often."""
