"""How often a signal counts: `once`, once for each value, windows and cool-downs (rules 6, 19, 20 and 21).

Where the text was silent:
- `at_most`: with fewer than two windows in which something counted, no window is "older". A window between
  the two kept ones had nothing counted, so it counts from 0.
- A value that was pushed out of the 64 and comes again is known anew, as the latest to arrive.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import tzinfo

from tests.properties.reference_grammar import milliseconds
from tests.properties.reference_history import Counted
from tests.properties.reference_times import window_of
from tests.properties.reference_values import Source, key_at, mapping, number, time_of

KNOWN_VALUES = 64
COOL_DOWN_TIMES = 20
CALENDAR = ("day", "week", "month")


def used_up(signal: Source, history: Sequence[Counted], seen: Source, zone: tzinfo) -> bool:
    """Whether `once` or `at_most` keeps a signal from counting an interaction, after all that it counted."""
    once, at_most = signal.get("once"), mapping(signal.get("at_most"))
    if once is True:
        return bool(history)
    if isinstance(once, str):
        key = key_at(signal, "once", seen)
        return key is None or key in [each.key for each in history][-KNOWN_VALUES:]
    times = [each.at for each in history]
    if "within" in at_most:
        return cools_down(times, time_of(seen), at_most)
    return bool(at_most) and window_is_full(times, time_of(seen), at_most, zone)


def cools_down(times: Sequence[int], t: int, at_most: Source) -> bool:
    """Whether enough counted around t, or t is before all that is kept (rule 20)."""
    kept = sorted(times)[-COOL_DOWN_TIMES:]
    if len(kept) == COOL_DOWN_TIMES and t < kept[0]:
        return True
    within = milliseconds(str(at_most["within"]))
    return len([each for each in kept if abs(t - each) < within]) >= number(at_most["times"])


def window_is_full(times: Sequence[int], t: int, at_most: Source, zone: tzinfo) -> bool:
    """Whether enough counted in the window of t, or it is older than the two that are kept (rules 6 and 19)."""
    per = str(at_most["per"])

    def window_at(time: int) -> tuple[int, int]:
        return window_of(time, per, zone) if per in CALENDAR else (time // milliseconds(per), 0)

    windows = Counter(map(window_at, times))
    window, latest_two = window_at(t), sorted(windows)[-2:]
    if len(latest_two) == 2 and window < latest_two[0]:
        return True
    return windows[window] >= number(at_most["times"])
