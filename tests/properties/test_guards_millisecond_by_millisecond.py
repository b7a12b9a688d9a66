"""Rules 29 and 30 against asking at every millisecond: `at_most_every` and `hold`, among points that expire."""

from random import Random

import pytest

from tests.core.subject import Subject, lifecycle
from tests.kit.times import T0

STEPS = lifecycle("""
scores: {heat: {}}
signals:
  up: {each: up, add: {heat: 1}, expires: 40ms, keep: 8}
  down: {each: down, add: {heat: -1}, expires: 25ms, keep: 8}
facts: {last: {last: up}}
stages: {a: {}, b: {}}
transitions:
  - {from: a, to: b, when: heat >= 2 and since(last) < 30ms, hold: 7ms, at_most_every: 60ms}
  - {from: b, to: a, when: heat < 2, hold: 5ms}
""")
LONG_AFTER = 300
Happened = list[tuple[int, str]]


class Asked:
    """The same lifecycle, its conditions asked for at every millisecond."""

    def __init__(self) -> None:
        self.ups: list[int] = []
        self.downs: list[int] = []
        self.stage = "a"
        self.held: int | None = None
        self.taken: int | None = None
        self.entered: list[tuple[str, int]] = []

    def run(self, happened: Happened) -> list[tuple[str, int]]:
        first, last = happened[0][0], happened[-1][0]
        self.entered.append(("a", first))
        for now in range(first, last + LONG_AFTER + 1):
            if now > first:
                self.ask(now)
            for time, name in happened:
                if time == now:
                    (self.ups if name == "up" else self.downs if name == "down" else []).append(now)
                    self.ask(now)
        return self.entered

    def holds(self, now: int) -> bool:
        heat = len([each for each in self.ups if now - each < 40][-8:])
        heat -= len([each for each in self.downs if now - each < 25][-8:])
        if self.stage == "b":
            return heat < 2
        return heat >= 2 and now - max(self.ups) < 30

    def ask(self, now: int) -> None:
        """One step: each of the two transitions at most once."""
        left: set[str] = set()
        while self.stage not in left:
            begun = self.held if self.held is not None else now
            self.held = begun if self.holds(now) else None
            if self.held is None or now - self.held < (7 if self.stage == "a" else 5):
                return
            if self.stage == "a" and self.taken is not None and now - self.taken < 60:
                return
            left.add(self.stage)
            if self.stage == "a":
                self.taken = now
            self.stage = "b" if self.stage == "a" else "a"
            self.entered.append((self.stage, now))
            self.held = None


@pytest.mark.parametrize("seed", range(200))
def test_each_change_comes_in_its_millisecond(seed):
    chance = Random(seed)
    time, happened = T0, []
    for _ in range(chance.randint(2, 25)):
        time += chance.choice([0, 1, 2, 3, 5, 8, 20, 50])
        happened.append((time, chance.choice(["up", "up", "up", "down", "other"])))
    subject = Subject(STEPS)
    for each in happened:
        subject.sees(*each)
    subject.waits(time + LONG_AFTER)
    assert [(change.to_stage, change.at) for change in subject.changes] == Asked().run(happened)
