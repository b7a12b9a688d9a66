"""Conditions as the reference evaluates them, with an interaction at hand and with none."""

from __future__ import annotations

from functools import partial

import pytest

from tests.properties.reference_conditions import Missing, evaluate, truth_of_atom
from tests.properties.reference_grammar import Constant, Name, Operand, parse


@pytest.mark.parametrize(
    ("text", "there", "nowhere"),
    [
        ("properties.n == 1", True, None),
        ("not properties.n == 1", False, None),
        ("properties.absent != 1", False, None),
        ("not properties.absent != 1", True, None),
        ("properties.n == true", False, None),
        ("properties.n != true", False, None),
        ("properties.yes and properties.n == 1", True, None),
        ("properties.n", False, None),
        ("fact == 1 or properties.n == 1", True, True),
        ("fact == 2 and properties.n == 1", False, False),
        ("not (fact == 2 and properties.n == 1)", True, True),
        ("fact == 1 and properties.n == 1 or fact == 2", True, None),
        ("not fact == 2 and fact == 1", True, True),
        ('properties.t in ["a", "b"]', True, None),
        ("properties.n in properties.list", True, None),
        ("true in properties.list", False, None),
        ("properties.list == properties.list", False, None),
        ("properties.list != properties.t", False, None),
        ("exists(properties.list)", True, None),
        ("exists(properties.null)", False, None),
        ("fact == properties.null", False, None),
        ('properties["a b"].c >= -1.5', True, None),
        (r'properties.t < "\u00e9"', True, None),
        ("properties.yes >= properties.yes", False, None),
    ],
)
def test_conditions_follow_kleene(text: str, there: object, nowhere: object) -> None:
    """Each condition with an interaction, and without one."""
    said = {"n": 1, "yes": True, "t": "a", "list": [1, None], "null": None, "a b": {"c": -1.5}}

    def value(operand: Operand, *, seen: bool) -> object:
        if isinstance(operand, Constant):
            return operand.value
        name = operand if isinstance(operand, Name) else operand.argument
        if name.path[0] == "fact":
            return 1
        found: object = said
        for key in name.path[1:]:
            found = found.get(key) if isinstance(found, dict) else None
        if not seen:
            return Missing.UNKNOWN
        return found if isinstance(operand, Name) else found is not None

    tree = parse(text)
    assert evaluate(tree, lambda atom: truth_of_atom(atom, partial(value, seen=True))) is there
    assert evaluate(tree, lambda atom: truth_of_atom(atom, partial(value, seen=False))) is nowhere
