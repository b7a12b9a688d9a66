"""What a transition asks beside its condition: `at_most_every` (rule 29) and `hold` (rule 30)."""

from mypy_extensions import i64

from stream.core.customer import Life
from stream.core.event import Event
from stream.core.interaction import MAX_TIME
from stream.core.predicates import Predicate


class NotTakenWithin(Predicate):
    """The life did not take a transition less than a time ago."""

    def __init__(self, place: int, length: int) -> None:
        self.place = place
        """Where in `Memory.taken` it stands when the life took it last."""
        self.length = length

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        taken = _taken(life, self.place)
        return taken is None or now - taken >= self.length

    def may(self, life: Life, now: i64) -> bool:
        return True

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        taken = _taken(life, self.place)
        if up and taken is not None and now < taken + self.length <= MAX_TIME:
            moments.append(taken + self.length)


class HasHeld(Predicate):
    """A condition has held for a time without a break, since the life is in its stage."""

    def __init__(self, condition: Predicate, place: int, length: int) -> None:
        self.condition = condition
        self.place = place
        """Where in `Memory.held` it stands since when it holds."""
        self.length = length

    def holds(self, life: Life, now: i64, event: Event | None) -> bool:
        begun = self.begun(life, now)
        return begun is not None and now - begun >= self.length

    def may(self, life: Life, now: i64) -> bool:
        return self.condition.may(life, now)

    def turns(self, life: Life, now: i64, up: bool, moments: list[int]) -> None:
        begun = self.begun(life, now)
        for moment in self._moments(life, now):
            if self.condition.holds(life, moment, None):
                begun = moment if begun is None else begun
            elif begun is not None:
                end = begun + self.length
                if end < moment and (not up or end > now):
                    moments.append(end if up else moment)
                begun = None
        if up and begun is not None and now < begun + self.length <= MAX_TIME:
            moments.append(begun + self.length)

    def begun(self, life: Life, now: i64) -> int | None:
        """Since when the condition holds, as it will be at `now` by time alone; None: it does not hold then."""
        clock = life.clock
        begun: int | None = None
        if self.condition.holds(life, clock, None):
            assert life.memory is not None
            known = life.memory.held[self.place]
            begun = clock if known is None else known
        if now > clock:
            for moment in self._moments(life, clock):
                if moment > now:
                    break
                if not self.condition.holds(life, moment, None):
                    begun = None
                elif begun is None:
                    begun = moment
        return begun

    def _moments(self, life: Life, after: int) -> list[int]:
        """When the condition may begin or end to hold, ascending."""
        moments: list[int] = []
        self.condition.turns(life, after, True, moments)
        self.condition.turns(life, after, False, moments)
        moments.sort()
        return moments


def note_held(guards: tuple[HasHeld, ...], life: Life, now: i64) -> None:
    """Note since when the conditions of a stage hold as time passes to `now`, which the clock has not reached yet.

    To be called before the clock moves, and at the clock after something else changed.
    """
    memory = life.memory
    for guard in guards:
        assert memory is not None
        memory.held[guard.place] = guard.begun(life, now)


def _taken(life: Life, place: int) -> int | None:
    assert life.memory is not None
    return life.memory.taken[place]
