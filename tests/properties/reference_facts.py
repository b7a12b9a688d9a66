"""What each fact is worth at some time, from all that it was ever told."""

from __future__ import annotations

from collections.abc import Sequence

from tests.properties.reference_conditions import Missing
from tests.properties.reference_expiring import amount_of, rolling_sum
from tests.properties.reference_grammar import Time, milliseconds
from tests.properties.reference_history import Told
from tests.properties.reference_values import MILLION, Source


def fact_value(told: Source, history: Sequence[Told], t: int) -> object:
    """The value at t of a fact that was told this: a number, text, boolean or Time, or ABSENT."""
    times = sorted(each.at for each in history)
    if "within" in told and "sum" in told:
        return rolling_sum(told, history, t)
    if "within" in told:
        keep = told.get("keep", 20)
        assert isinstance(keep, int)
        return len([at for at in times[-keep:] if t - at < milliseconds(str(told["within"]))])
    if "count" in told:
        return sum(each.sign for each in history)
    if "sum" in told:
        return sum(map(amount_of, history)) / MILLION
    if not history:
        return Missing.ABSENT
    if "latest" in told or "latest_time" in told:
        value = [each.value for each in history if each.at == times[-1]][-1]
        return Missing.ABSENT if value is None else value
    return Time(times[0] if "first" in told else times[-1])
