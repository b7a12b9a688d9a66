"""`stream.subscribe`: what a service in Python begins with."""

from collections.abc import Collection
from typing import TypedDict, Unpack

from stream.codec.change_filter import ChangeFilter, names
from stream.kafka.change_consumer import Start
from stream.settings_sources import load_settings
from stream.subscription.subscription import OnGap, Subscription

Names = str | Collection[str] | None


class Connection(TypedDict, total=False):
    """Settings of the same names; where one is not given, the environment (`LIFECYCLE_…`) counts, else its default."""

    topic_prefix: str
    security_protocol: str
    ssl_cafile: str
    ssl_certfile: str
    ssl_keyfile: str
    sasl_mechanism: str
    sasl_username: str
    sasl_password: str
    session_timeout: str


def subscribe(
    bootstrap: str | None = None,
    *,
    group: str | None = None,
    lifecycle: Names = None,
    to: Names = None,
    from_: Names = None,
    customer: Names = None,
    final: bool = False,
    corrections: bool = True,
    start: Start | None = None,
    commit_every: int = 1,
    on_gap: OnGap | None = None,
    **connection: Unpack[Connection],
) -> Subscription:
    """Stage changes as they come, for `async for`.

        async for change in stream.subscribe("localhost:9092", group="crm", to="dormant", final=True):
            await crm.win_back(change.customer_id)

    With a `group`, a change is committed when the body of the loop is done with it: after a crash, the change that was
    being processed comes again, and no other. Processes with the same group share the partitions. The body may take up
    to five minutes; a rebalance waits for it. A commit takes Kafka some 7 ms: `commit_every=100` lets 10,000 changes a
    second pass, and after a crash up to 100 come again. Without a group nothing is remembered, and every process gets
    everything.

    `lifecycle`, `to`, `from_` and `customer` (a customer or anonymous id) name what is wanted, one or several; where a
    life begins `from_` is "", where a subject is forgotten `to` is "". `final`: only the last change of each step, the
    one to act on. `corrections=False` leaves out what a `lifecycle reset` made again.

    `start` is "beginning", "end", or the first offset by partition, for a group that committed nothing yet, or without
    a group. By default a group begins at the beginning of what the topic keeps, and who has none at the end. To resume
    without a group, keep `{change.partition: change.offset + 1}`.

    `on_gap` hears of changes that will never come, such as those which retention took; it may be a coroutine function.
    Without it they are logged. A broker or topic that is not there yet is waited for.

    Raises SettingsError where a setting is impossible; the iteration raises BrokerError where Kafka refuses us.
    """
    settings = load_settings({"bootstrap": bootstrap, **connection})  # type: ignore[dict-item]
    return Subscription(
        settings,
        ChangeFilter(names(lifecycle), names(to), names(from_), names(customer), final),
        group=None if group is None else settings.topic_prefix + group,
        start=start or ("end" if group is None else "beginning"),
        corrections=corrections,
        commit_every=commit_every,
        on_gap=on_gap,
    )
