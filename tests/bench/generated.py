"""Lifecycles of any size, written as text and read by the product's own loader."""

from stream.codec.lifecycle_yaml.lifecycle_files import parse
from stream.core.lifecycle import Lifecycle

_CONDITIONS = (
    "orders >= {}",
    "score >= {}",
    "idle >= {}d",
    "score < {:.6f}",
)


def lifecycle_of(signals: int, transitions: int) -> Lifecycle:
    """A lifecycle in which every `page_view` counts for each signal and asks each transition, and takes none.

    Of the transitions one in four waits for a count, one for a decaying score to rise, one for time without
    an interaction, and one for the decaying score to fall, which moves a deadline at every interaction.
    """
    lines = [f"lifecycle: s{signals}t{transitions}", "scores:", "  score: {half_life: 7d}", "signals:"]
    lines += [f"  s{number}: {{each: page_view, add: {{score: 1}}}}" for number in range(signals)]
    lines += ["facts:", "  orders: {count: purchase}", "stages:", "  here: {}", "  there: {}", "transitions:"]
    for number in range(transitions):
        kind = number % len(_CONDITIONS)
        # Far off: within a benchmark no customer gets there.
        threshold = (number + 1) / 1_000_000 if kind == 3 else 10_000 + number
        lines.append(f'  - {{from: here, to: there, when: "{_CONDITIONS[kind].format(threshold)}"}}')
    return parse("\n".join(lines) + "\n", "generated").lifecycle
