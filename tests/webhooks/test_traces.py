"""The trace of a change is kept while it waits, over restarts and retries; without tracing nothing is different."""

import msgspec

from stream.codec import deliveries as records_of
from stream.codec.deliveries import WaitingDelivery
from stream.codec.trace_context import TraceContext
from stream.webhooks.deliveries.machine import DeliveryMachine
from stream.webhooks.exchange import Verdict
from tests.kit.machines import Record, compacted, finish
from tests.webhooks.machines import COMMANDS, NOW, SOURCE, ended, named, value

CONTEXT = TraceContext(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", b"a=1")


def machine(changelog: dict[bytes, bytes] | None = None, *, traced: bool = True) -> DeliveryMachine:
    made = DeliveryMachine(named(), SOURCE, COMMANDS, traced=traced)
    finish(made.restore(dict(changelog or {})))
    return made


def changelog_of(made: DeliveryMachine, *records: Record, news: object = None) -> dict[bytes, bytes]:
    """What a batch of these records leaves."""
    if news is not None:
        made.hear([news])
    begin = made.next_offset or 0
    return compacted([finish(made.run(records, begin + len(records), wall=NOW, caught_up=True))])


def moved(customer: str, context: TraceContext | None, offset: int = 0) -> Record:
    return Record(offset, NOW, None, value(customer), () if context is None else context.headers)


def test_a_trace_outlives_a_restart_and_a_failed_attempt() -> None:
    made = machine()
    changelog = changelog_of(made, moved("ann", CONTEXT), moved("bob", None, 1))
    restored = machine(changelog)
    ann, bob = restored.take("crm", 10, NOW)
    assert (ann.context, bob.context) == (CONTEXT, None)
    changelog |= changelog_of(restored, news=ended(ann, Verdict.AGAIN))
    [again] = [each for each in machine(changelog).take("crm", 10, NOW + 10**9) if each.subject == ann.subject]
    assert (again.context, again.attempts) == (CONTEXT, 1)


def test_what_is_no_context_is_none() -> None:
    made = machine()
    changelog_of(made, moved("ann", None)._replace(headers=[("traceparent", b"rubbish")]))
    assert [each.context for each in made.take("crm", 10, NOW)] == [None]


def test_without_tracing_what_is_written_is_what_was_always_written() -> None:
    """Also of a change that has a context."""
    bare = changelog_of(machine(traced=False), moved("ann", None))
    assert changelog_of(machine(traced=False), moved("ann", CONTEXT)) == bare
    assert changelog_of(machine(), moved("ann", None)) == bare
    assert changelog_of(machine(), moved("ann", CONTEXT)) != bare


class Earlier(msgspec.Struct, array_like=True):
    """A delivery as releases before there were traces decode it."""

    format: int
    order: int
    came: int
    attempts: int
    due: int
    value: bytes


def test_an_earlier_release_reads_what_is_written_with_a_trace_and_we_what_it_wrote() -> None:
    plain = (records_of.FORMAT, 3, NOW, 2, NOW + 5, b"{}")
    traced = WaitingDelivery(*plain, *CONTEXT)
    assert msgspec.msgpack.decode(records_of.encode(traced), type=Earlier) == Earlier(*plain)
    assert records_of.decode_waiting(records_of.encode(traced)) == traced
    assert records_of.decode_waiting(msgspec.msgpack.encode(Earlier(*plain))) == WaitingDelivery(*plain)
    assert records_of.encode(WaitingDelivery(*plain)) == msgspec.msgpack.encode(Earlier(*plain))
