"""Hand the trace context of each interaction on to the stage changes that it caused.

Beside the machine, which knows of no tracing: a change says which record caused it, and the records that a batch was
made of have their contexts in their headers. Runs once a batch, and only where tracing is on.
"""

from collections.abc import Mapping

from stream.codec.packed_records import PackedRecords, pack_headers
from stream.codec.record_block import cursor_of
from stream.codec.records import SourceRecords
from stream.codec.stage_change_reader import causing_offset
from stream.codec.trace_context import TraceContext, context_in
from stream.machine.batch import Batch

Contexts = Mapping[int, TraceContext]
"""By offset, the contexts of records that have one."""


def contexts_of(records: SourceRecords, next_offset: int) -> Contexts:
    """Of those before `next_offset`."""
    found: dict[int, TraceContext] = {}
    cursor = cursor_of(records)
    while cursor.advance() and cursor.offset < next_offset:
        context = context_in(cursor.headers) if cursor.has_headers else None
        if context is not None:
            found[cursor.offset] = context
    return found


def carry(contexts: Contexts, batch: Batch) -> None:
    """Give the batch's stage changes, and current stages, the contexts of the interactions that caused them."""
    if not contexts:
        return
    if len(batch.events):
        events = PackedRecords()
        for each in batch.events:
            context = _of_cause(contexts, each.value)
            headers = each.headers if context is None else [*each.headers, *context.headers]
            events.add(each.key, each.value, pack_headers(headers))
        batch.events = events
    for latest in batch.latest:
        context = _of_cause(contexts, latest.value)
        if context is not None:
            latest.packed_headers = pack_headers([*latest.headers, *context.headers])


def _of_cause(contexts: Contexts, value: bytes | None) -> TraceContext | None:
    """The context of what caused a change; None for a tombstone, and where time or an edit caused it."""
    offset = None if value is None else causing_offset(value)
    return None if offset is None else contexts.get(offset)
