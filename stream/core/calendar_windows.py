"""`at_most` per day, week or month of the lifecycle's time zone (rule 19)."""

from typing import Final

from mypy_extensions import i64

from stream.core.limits import OnGrid
from stream.core.time_zone import TimeZone, Unit

UNITS: Final = ("day", "week", "month")


class OnCalendar(OnGrid):
    """Windows by the local date."""

    def __init__(self, signal: int, window: int, times: int, zone: TimeZone, unit: Unit) -> None:
        super().__init__(signal, window, times, 1)
        self.zone = zone
        self.unit: Unit = unit

    def number_of(self, time: i64) -> i64:
        return self.zone.window(time, self.unit)
