"""Customers as plain values, as they were told when every number was an object: for fixtures and comparisons."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from librt.vecs import vec
from mypy_extensions import i64

from stream.core.customer import WINDOW_NUMBERS, Customer, Life
from stream.core.exact import points_of
from stream.core.facts import kept
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model


def told(model: Model, customer: Customer) -> dict[str, Any]:
    """Everything of a customer by the names of its attributes, `lives` by lifecycle."""
    lifecycles = {each.id: each for each in model.lifecycles}
    return {
        **{name: getattr(customer, name) for name in ("kind", "id", "identified", "latest", "active")},
        "lives": {name: told_life(lifecycles[name], life) for name, life in customer.lives.items()},
        "id_hashes": customer.id_hashes,
        "id_times": list(customer.id_times),
        **{name: getattr(customer, name) for name in ("offset", "quarantined", "rows", "edited")},
    }


def told_life(lifecycle: Lifecycle, life: Life) -> dict[str, Any]:
    """Everything of a life."""
    return {
        **{name: getattr(life, name) for name in ("identified", "clock", "stage", "entered", "born", "sequence")},
        "active": life.active,
        "fired": life.fired,
        "deadline": life.due,
        "counts": list(life.counts),
        "windows": windows_of(life),
        "sums": list(life.sums),
        "ats": list(life.ats),
        "millionths": [points_of(life, slot) for slot in range(len(life.millionths))],
        "facts": facts_of(lifecycle, life),
        "memory": None if life.memory is None else asdict(life.memory),
    }


def facts_of(lifecycle: Lifecycle, life: Life) -> list[Any]:
    """What is kept of each fact, points of a rolling sum by their names, too."""
    states = [kept(fact, life) for fact in lifecycle.facts]
    return [asdict(state) if hasattr(state, "columns") else state for state in states]  # type: ignore[call-overload]


def windows_of(life: Life) -> list[list[tuple[int, int]]]:
    """Per signal with `at_most` its windows."""
    return [life.windows_of(place) for place in range(len(life.windows) // WINDOW_NUMBERS)]


def packed_windows(windows: Sequence[Sequence[tuple[int, int]]]) -> vec[i64]:
    """The same as a life has them."""
    found: list[int] = []
    for each in windows:
        numbers = [number for window in each for number in window]
        found += [*numbers, *[0] * (WINDOW_NUMBERS - len(numbers))]
    return vec[i64](found)
