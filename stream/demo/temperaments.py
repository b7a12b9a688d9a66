"""The kinds of people who come to the simulated shop: how often they come, buy, complain, stay away and return."""

from typing import Final, NamedTuple


class Temperament(NamedTuple):
    """One kind of person; probabilities are between 0 and 1."""

    name: str
    share: float
    """Of all people."""
    visits: float
    """In a week in which they think of us, on average."""
    subscribes: float
    """To the newsletter, at a visit before they have done so."""
    carts: float
    """That a visit puts something into the cart."""
    buys: float
    """That a cart becomes an order."""
    large: float
    """That a line of an order is furniture or a lamp."""
    returns: float
    """That goods of an order come back."""
    content: float
    """That an experience with us is a good one."""
    recommends: float
    """That a visit after an order ends in a recommendation."""
    leaves: float
    """That they lose interest in a week: they stay away for months."""
    returning: float
    """That a win-back mail brings somebody back who stayed away."""


TEMPERAMENTS: Final = (
    Temperament(
        name="passer-by",
        share=0.20,
        visits=0.10,
        subscribes=0.05,
        carts=0.10,
        buys=0.30,
        large=0.10,
        returns=0.05,
        content=0.70,
        recommends=0.02,
        leaves=0.15,
        returning=0.15,
    ),
    Temperament(
        name="bargain hunter",
        share=0.22,
        visits=0.20,
        subscribes=0.30,
        carts=0.30,
        buys=0.50,
        large=0.02,
        returns=0.08,
        content=0.80,
        recommends=0.08,
        leaves=0.08,
        returning=0.40,
    ),
    Temperament(
        name="regular",
        share=0.18,
        visits=0.14,
        subscribes=0.20,
        carts=0.30,
        buys=0.50,
        large=0.10,
        returns=0.08,
        content=0.85,
        recommends=0.18,
        leaves=0.05,
        returning=0.45,
    ),
    Temperament(
        name="fan",
        share=0.18,
        visits=0.24,
        subscribes=0.40,
        carts=0.32,
        buys=0.60,
        large=0.12,
        returns=0.06,
        content=0.82,
        recommends=0.45,
        leaves=0.045,
        returning=0.45,
    ),
    Temperament(
        name="returner",
        share=0.22,
        visits=0.14,
        subscribes=0.25,
        carts=0.35,
        buys=0.60,
        large=0.70,
        returns=0.65,
        content=0.50,
        recommends=0.12,
        leaves=0.07,
        returning=0.55,
    ),
)
"""Their shares add up to 1."""
