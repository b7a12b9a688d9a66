"""The semantics of a lifecycle, done the slowest and most literal way, to test the real machine against.

Everything a customer ever did is kept in lists, and every score, fact and cap is computed from the whole
list each time that it is asked for. No state is rebased, pruned or packed, and no deadline has a closed
form.

Where the text was silent, this was chosen (each of the modules that it uses lists its own):
- Order of the changes. Of one interaction: the births in the order of the lifecycles' ids, then each
  lifecycle's transitions in that order. After the last interaction: the deadlines of all customers by time,
  ties by the order in which the customers appeared. The text promises only the order within one customer
  and lifecycle.
- `entered` of a birth is None: no stage was entered before.
- `late` compares with the clock of that lifecycle after the deadlines before the interaction have fired.
- A contribution is listed, in file order, for each signal that names the score and counted at least once; so a
  signal with `latest` is still listed with a count of 0 after a null or a reset.
  `count` is how often the signal counted, also where its points added nothing; `points` is its sum before
  clamps, not made 0 below 2^-30, which is about the score.
- `where` of a fact applies to whatever the fact looks at, `minus` words too.
- Forgetting moves the clock of each lifecycle to its time, as a deadline does: decay is measured there.
- A deadline's "false one millisecond earlier" includes unknown: such a condition does not hold.
- A transition with a list of `from` stages is one transition: taken once in a step, from whichever stage.
- A refused duplicate is not an arrival: it neither prolongs what is remembered nor fills the 128, nor does
  it end the wait after 64 deadlines, fire a deadline or forget. An interaction without an id is never a
  duplicate.
- The wait after 64 deadlines ends with any interaction, also a passive or a late one.
- `sum` without `each` is about any interaction, as `latest` is.
- `until` before a customer's clock does nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.kit.times import DAY
from tests.properties.reference_changes import Change, change_stage, standing, trigger_of
from tests.properties.reference_counting import find_matches, note
from tests.properties.reference_deadlines import DeadlineFinder, deadline_by_bisection
from tests.properties.reference_grammar import Atom
from tests.properties.reference_life import END_OF_TIME, Life, Subject
from tests.properties.reference_lifecycle import Lifecycle
from tests.properties.reference_values import Source, number, time_of

MOST_DEADLINES = 64
"""Deadlines of one lifecycle with no interaction in between."""
REMEMBERED_IDS = 128
REMEMBERED_FOR = DAY

Standings = dict[str, dict[str, object]]
"""By lifecycle: stage, entered, clock, sequence, scores, facts and contributions of a customer."""


@dataclass
class Customer:
    """One subject through one life, in all lifecycles."""

    subject: Subject
    born: int
    lives: list[Life]
    """In the order of the lifecycles' ids."""
    arrivals: list[tuple[object, int]] = field(default_factory=list)
    """Of each interaction applied, in order: its id, and the largest interaction time right after it."""
    signs_of_life: list[int] = field(default_factory=list)
    """Times of the interactions that are not passive in every lifecycle."""

    def remembers(self, interaction: Source) -> bool:
        """Whether the interaction is a duplicate."""
        largest = max([time_of(interaction), *(at for _, at in self.arrivals[-1:])])
        return interaction.get("id") is not None and any(
            largest - at <= REMEMBERED_FOR and known == interaction["id"]
            for known, at in self.arrivals[-REMEMBERED_IDS:]
        )

    def standings(self) -> Standings:
        """Where it stands in each lifecycle."""
        return {life.lifecycle.id: standing(life) for life in self.lives}


@dataclass
class Outcome:
    """What a run gave."""

    changes: list[Change]
    """In the order in which they happen."""
    customers: dict[Subject, Standings]
    """Of each customer not forgotten."""
    standings: list[Standings]
    """After each interaction, where its subject stands: in each lifecycle, with contributions."""
    duplicates: int
    """Interactions refused because their id was remembered."""
    doubtful: list[tuple[Atom, int]]
    """Comparisons that the last bits of a double decided: an equally good machine may differ from there."""
    size: float
    """The magnitudes of all points that ever counted, added up."""

    def of(self, subject: Subject, lifecycle: str) -> list[Change]:
        """The changes of one customer in one lifecycle."""
        kind, name = subject
        return [each for each in self.changes if each.get(kind) == name and each["lifecycle"] == lifecycle]


def subject_of(interaction: Source) -> Subject:
    """The customer id, else the anonymous id."""
    for kind in ("customer_id", "anonymous_id"):
        if interaction.get(kind) is not None:
            return kind, str(interaction[kind])
    raise ValueError(f"an interaction needs a customer_id or an anonymous_id: {interaction}")


def take_transitions(life: Life, interaction: Source | None, trigger: Change) -> list[Change]:
    """Rule 10: one transition after the other, until none holds that was not taken."""
    changes: list[Change] = []
    taken: set[int] = set()
    while True:
        left = [each for each in life.leaving() if each[0] not in taken]
        found = [each for each in left if life.holds(each[2], life.clock, interaction)]
        if not found:
            return changes
        place, to, when = found[0]
        if not life.holds(when, life.clock, None):
            interaction = None
        taken.add(place)
        changes.append(change_stage(life, to, trigger))


def mark_final(step: list[Change]) -> None:
    """Of the changes of one life in one step, only the last is final."""
    for change in step[:-1]:
        change["final"] = False


class Machine:
    """All customers, applying one interaction after the other."""

    def __init__(
        self,
        lifecycles: Iterable[Source],
        forget_after: int | None,
        forget_identified: int | None,
        find_deadline: DeadlineFinder,
    ) -> None:
        self.lifecycles = sorted(map(Lifecycle, lifecycles), key=lambda each: each.id)
        self.forget = {"anonymous_id": forget_after, "customer_id": forget_identified}
        self.find_deadline = find_deadline
        self.customers: dict[Subject, Customer] = {}
        self.changes: list[Change] = []
        self.doubtful: list[tuple[Atom, int]] = []
        self.duplicates = 0
        self.size = 0.0

    def apply(self, interaction: Source) -> None:
        """Rule 9."""
        subject, t = subject_of(interaction), time_of(interaction)
        customer = self.customers.get(subject)
        if customer is not None and customer.remembers(interaction):
            self.duplicates += 1
            return
        self.fire_deadlines(subject, t)
        births = {} if subject in self.customers else self.begin(subject, interaction)
        customer = self.customers[subject]
        words = {life.lifecycle.id: life.lifecycle.word(interaction["type"]) for life in customer.lives}
        customer.arrivals.append((interaction.get("id"), max([t, *(at for _, at in customer.arrivals[-1:])])))
        if any(words[life.lifecycle.id] not in life.lifecycle.passive for life in customer.lives):
            customer.signs_of_life.append(t)
        for life in customer.lives:
            word = words[life.lifecycle.id]
            trigger = trigger_of("interaction", interaction, word, late=t < life.clock)
            life.clock, life.fired = max(life.clock, t), 0
            life.identified = life.identified or interaction.get("customer_id") is not None
            matches = find_matches(life, interaction)
            if word not in life.lifecycle.passive:
                life.signs_of_life.append(t)
            for counted in note(life, matches, interaction):
                self.size += sum(map(abs, counted.added.values()))
            taken = take_transitions(life, interaction, trigger)
            self.changes += taken
            mark_final([*births.get(life.lifecycle.id, []), *taken])

    def begin(self, subject: Subject, interaction: Source) -> dict[str, list[Change]]:
        """A new life in every lifecycle, the interaction not yet applied. Returns each lifecycle's birth."""
        t = time_of(interaction)
        lives = [Life(each, subject, t, t, each.first_stage, t, self.doubtful) for each in self.lifecycles]
        self.customers[subject] = Customer(subject, t, lives)
        births: dict[str, list[Change]] = {}
        for life in lives:
            trigger = trigger_of("interaction", interaction, life.lifecycle.word(interaction["type"]))
            births[life.lifecycle.id] = [change_stage(life, life.stage, trigger)]
            self.changes += births[life.lifecycle.id]
        return births

    def fire_deadlines(self, subject: Subject, limit: int) -> None:
        """Every deadline of a customer at or before the limit, in order; forgetting comes last in its ms."""
        while (customer := self.customers.get(subject)) is not None:
            forgotten_at = self.forgotten_at(customer)
            due = [
                (t, life.lifecycle.id, life)
                for life in customer.lives
                if life.fired < MOST_DEADLINES and (t := self.find_deadline(life, limit)) is not None
            ]
            t, _, life = min(due, key=lambda each: each[:2], default=(END_OF_TIME + 1, "", None))
            if life is not None and t <= forgotten_at:
                life.clock = t
                life.fired += 1
                taken = take_transitions(life, None, trigger_of("deadline"))
                self.changes += taken
                mark_final(taken)
            elif forgotten_at <= min(limit, END_OF_TIME):
                for each in customer.lives:
                    each.clock = forgotten_at
                    self.changes.append(change_stage(each, None, trigger_of("forgotten")))
                del self.customers[subject]
            else:
                return

    def forgotten_at(self, customer: Customer) -> int:
        """When the customer is forgotten; past the end of time where never."""
        forget_after = self.forget[customer.subject[0]]
        if forget_after is None:
            return END_OF_TIME + 1
        return max([customer.born, *customer.signs_of_life]) + forget_after

    def end(self, until: int) -> None:
        """Fire what is due up to and including `until`, all customers by time."""
        before = len(self.changes)
        for subject in list(self.customers):
            self.fire_deadlines(subject, until)
        self.changes[before:] = sorted(self.changes[before:], key=lambda change: number(change["at"]))


def run(
    lifecycles: Iterable[Source],
    interactions: Iterable[Source],
    *,
    until: int | None = None,
    forget_after: int | None = 90 * DAY,
    forget_identified: int | None = None,
    find_deadline: DeadlineFinder = deadline_by_bisection,
) -> Outcome:
    """What `simulate` gives for valid lifecycles and interactions in the order given.

    `until` (ms since the epoch), `forget_after` and `forget_identified` (ms; None: never forgotten).
    """
    machine = Machine(lifecycles, forget_after, forget_identified, find_deadline)
    standings = []
    for interaction in interactions:
        machine.apply(interaction)
        standings.append(machine.customers[subject_of(interaction)].standings())
    if until is not None:
        machine.end(until)
    customers = {subject: customer.standings() for subject, customer in machine.customers.items()}
    return Outcome(machine.changes, customers, standings, machine.duplicates, machine.doubtful, machine.size)
