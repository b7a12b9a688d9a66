"""Bands: a text that scores' ranges give, such as a grade from A1 to D4 (rule 28)."""

from dataclasses import dataclass

from mypy_extensions import i64

from stream.core import scoring
from stream.core.customer import Life
from stream.core.scoring import Score


@dataclass(frozen=True)
class BandPart:
    """The ranges of one score."""

    score: Score
    names: tuple[str, ...]
    """From the highest range to the lowest."""
    least: tuple[float | None, ...]
    """The score from which on each begins; None in the last place: whatever is below."""

    def name_at(self, value: float) -> str | None:
        """The name of the range that a value lies in; None below them all."""
        for name, least in zip(self.names, self.least, strict=True):
            if least is None or value >= least:
                return name
        return None


@dataclass(frozen=True)
class Band:
    """A named grid of ranges."""

    name: str
    parts: tuple[BandPart, ...]

    def value(self, life: Life, now: i64) -> str | None:
        """The names of its ranges at `now`, put together; None where a score is below all of its ranges."""
        found = ""
        for part in self.parts:
            name = part.name_at(scoring.read(part.score, life, now))
            if name is None:
                return None
            found += name
        return found
