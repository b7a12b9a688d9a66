"""The label values that are known before anything happens, so that every series is there from the start.

A counter that appears with its first event is 1 from its first scrape on: `rate` and `increase` never see that event.
To add the known values of a metric, name them in `known_labels`, under the metric's attribute of `Metrics`.
"""

from collections.abc import Iterable, Iterator

from stream.codec.dead_letter_reasons import Reason
from stream.codec.fields import FLAWS
from stream.core.figures import Figure
from stream.core.lifecycle import Lifecycle
from stream.core.model import Model
from stream.engine.error_policy import FailureKind
from stream.machine.batch import RESULTS
from stream.name_labels import OTHER

Labels = tuple[str, ...]
"""The values of one series, in the order of the metric's labels."""


def known_labels(model: Model, gathered: Iterable[str] = ()) -> dict[str, Iterable[Labels]]:
    """By the attribute of `Metrics` that has the counter: every series that can be named beforehand.

    `gathered` are the topics that interactions are gathered from.

    Left out are changes of stage that only an edit of a lifecycle makes: from a stage that is no more.
    """
    lifecycles = model.lifecycles
    return {
        "interactions": [(result,) for result in RESULTS],
        "dead_letters": [(reason.value,) for reason in Reason],
        "gathered_from": [(topic,) for topic in gathered],
        "flaws": [(flaw,) for flaw in FLAWS],
        "failures": [(kind,) for kind in FailureKind],
        "changes": [change for lifecycle in lifecycles for change in _changes(model, lifecycle)],
        "signals": [signal.label for lifecycle in lifecycles for signal in lifecycle.signals],
        "wrong_types": [name for lifecycle in lifecycles for name in _readers_of_properties(lifecycle)],
        "lost_points": [name for lifecycle in lifecycles for name in _keepers(lifecycle)],
        "long_lists": [name for lifecycle in lifecycles for name in _readers_of_lists(lifecycle)],
        "unmatched": [(lifecycle.id, OTHER) for lifecycle in lifecycles],
    }


def known_stages(model: Model) -> dict[tuple[str, str], int]:
    """No customer in any stage, by lifecycle and stage."""
    return {(lifecycle.id, stage): 0 for lifecycle in model.lifecycles for stage in lifecycle.stages}


def _changes(model: Model, lifecycle: Lifecycle) -> Iterator[Labels]:
    """Births, every way of every transition and, where anybody is ever forgotten, the end of each stage."""
    yield lifecycle.id, "", lifecycle.first_stage
    for stage, transitions in lifecycle.transitions_from.items():
        for transition in transitions:
            yield lifecycle.id, stage, transition.target
        if model.forget_after is not None or model.forget_identified_after is not None:
            yield lifecycle.id, stage, ""


def _keepers(lifecycle: Lifecycle) -> Iterator[Labels]:
    """Signals and facts that drop entries where there are more than `keep`."""
    yield from (signal.label for signal in lifecycle.signals if signal.expires)
    yield from (fact.label for fact in lifecycle.facts if fact.kind == "rolling_sum")


def _readers_of_lists(lifecycle: Lifecycle) -> Iterator[Labels]:
    """Signals, facts and figures that apply to each element of a list."""
    reactions = [*lifecycle.reactions.values(), lifecycle.otherwise]
    yield from (figure.label for figure in _figures(lifecycle) if figure.over)
    yield from (signal.label for signal in lifecycle.signals if signal.over is not None)
    yield from dict.fromkeys(
        each.fact.label for reaction in reactions for each in reaction.counted if each.over is not None
    )


def _readers_of_properties(lifecycle: Lifecycle) -> Iterator[Labels]:
    """Signals, facts, ledgers and figures that read a property, which may be absent or of a wrong type."""
    for signal in lifecycle.signals:
        if any(points.amount.paths for points in signal.points):
            yield signal.label
    for fact in lifecycle.facts:
        if fact.paths:
            yield fact.label
    for ledger in lifecycle.ledgers:
        yield lifecycle.id, ledger.name
    for figure in _figures(lifecycle):
        if figure.ledger is None and figure.amount is not None and figure.amount.paths:
            yield figure.label


def _figures(lifecycle: Lifecycle) -> tuple[Figure, ...]:
    return () if lifecycle.figures is None else lifecycle.figures.figures
