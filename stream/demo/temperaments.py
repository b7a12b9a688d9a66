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
    Temperament("passer-by", 0.22, 0.45, 0.05, 0.10, 0.35, 0.10, 0.05, 0.70, 0.02, 0.12, 0.25),
    Temperament("bargain hunter", 0.26, 0.80, 0.30, 0.40, 0.60, 0.02, 0.08, 0.80, 0.03, 0.06, 0.35),
    Temperament("regular", 0.20, 0.55, 0.20, 0.35, 0.60, 0.10, 0.08, 0.85, 0.08, 0.03, 0.40),
    Temperament("fan", 0.14, 0.80, 0.40, 0.40, 0.70, 0.12, 0.06, 0.90, 0.25, 0.02, 0.50),
    Temperament("returner", 0.18, 0.60, 0.25, 0.45, 0.65, 0.45, 0.50, 0.50, 0.05, 0.05, 0.55),
)
"""Their shares add up to 1."""
