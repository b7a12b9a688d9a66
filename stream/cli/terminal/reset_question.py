"""What `lifecycle reset` says before it asks: what is lost, and what subscribers will get once more."""

from collections.abc import Iterator

from stream.cli.terminal.amounts import amount
from stream.core.times import format_time
from stream.operations.reset_outlook import Outlook


def of_reset(outlook: Outlook) -> Iterator[str]:
    """Where states are thrown away, line by line."""
    if outlook.oldest is None:
        yield "No interaction is kept that could be read again, so that nothing will be published again."
    else:
        yield f"The oldest interaction that will be read arrived at {format_time(outlook.oldest)}."
    if outlook.customers:
        yield _customers(outlook)
    if outlook.unreadable:
        yield (f"Of {amount(outlook.unreadable, 'customer')} the record cannot be read: when they began is not known.")
    if outlook.oldest is None:
        return
    if not outlook.changes:
        yield "No stage change was published since then, so that none will be published once more."
        return
    since = (
        "all of them" if outlook.live_from is None else f"those from live_from, {format_time(outlook.live_from)}, on"
    )
    yield (
        f"The changes that it leads to are published again with new ids, {since}: subscribers had up to "
        f"{outlook.changes:,} since then, and act on them once more unless they are prepared for it."
    )


def of_keeping(outlook: Outlook) -> Iterator[str]:
    """Where states stay, and lost interactions are passed over."""
    for partition, count in sorted(outlook.skipped.items()):
        yield (
            f"Partition {partition}: retention deleted {amount(count, 'interaction')} not yet applied, "
            "which will never count; the partition goes on with the oldest one that is kept."
        )
    if not outlook.skipped:
        yield "Retention deleted nothing that was not applied: there is nothing to skip."
    yield f"The states of {amount(outlook.customers, 'customer')} stay as they are, and nothing is published again."


def _customers(outlook: Outlook) -> str:
    before = outlook.lost + outlook.poorer
    if not before:
        return f"Of {amount(outlook.customers, 'customer')} none is known to have begun before what will be read."
    return (
        f"Of {amount(outlook.customers, 'customer')} {before:,} began before what will be read: "
        f"{outlook.lost:,} will be lost, as nothing of theirs is left, "
        f"and {outlook.poorer:,} will lack what came before."
    )
