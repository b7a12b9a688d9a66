"""The last row of each import that a customer remembers, so that an import that is repeated counts each row once.

The rows of one import reach a customer in ascending order, for they are in one partition and are written in order. So
the last one that was applied stands for all before it: no memory of single rows is needed, however many they are.
"""

from typing import Final

from stream.core.customer import Customer
from stream.core.interaction import ImportedRow

REMEMBERED: Final = 16
"""Imports that are remembered at most: those with the latest arrivals."""


def is_known(customer: Customer, row: ImportedRow) -> bool:
    """Whether this row of an import, or a later one, was applied already."""
    if customer.rows is not None:
        for known in customer.rows:
            if known.source == row.source:
                return (row.time, row.number) <= (known.time, known.number)
    return False


def remember_row(customer: Customer, row: ImportedRow) -> None:
    """Remember a row that is not known as the last of its import, and drop the import that is too many."""
    kept = [] if customer.rows is None else [known for known in customer.rows if known.source != row.source]
    kept.append(row)
    customer.rows = kept[-REMEMBERED:]
