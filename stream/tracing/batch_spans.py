"""A span for each batch of a worker, and in it one for its transaction; see `stream.engine.batch_tracing`."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Final, Self

from opentelemetry import trace
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from stream.codec.records import SourceRecords
from stream.codec.trace_context import TraceContext
from stream.engine.carried_contexts import carry, contexts_of
from stream.machine.batch import Batch
from stream.tracing.contexts import ROOT, fail, link

MOST_LINKS: Final = 128
"""As many as OpenTelemetry keeps of a span by itself."""


class BatchSpans:
    """Makes them for one topic and consumer group."""

    def __init__(self, tracer: Tracer, topic: str, group: str) -> None:
        self._tracer = tracer
        self._name = f"process {topic}"
        self._attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": topic,
            "messaging.consumer.group.name": group,
        }

    def batch(self, partition: int, records: SourceRecords) -> "_BatchSpan":
        """See `BatchTracing`."""
        attributes = {**self._attributes, "messaging.destination.partition.id": str(partition)}
        return _BatchSpan(self._tracer, self._name, attributes, records)


class _BatchSpan:
    """It stands in no trace of an interaction, for those of a batch have many: it is linked to them."""

    def __init__(
        self, tracer: Tracer, name: str, attributes: dict[str, AttributeValue], records: SourceRecords
    ) -> None:
        self._tracer, self._records = tracer, records
        self._span = tracer.start_span(name, ROOT, SpanKind.CONSUMER, attributes)
        self._current = trace.use_span(self._span, record_exception=False, set_status_on_exception=False)
        self._is_batch = False

    def __enter__(self) -> Self:
        self._current.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._current.__exit__(kind, error, where)
        if kind is not None:
            fail(self._span, kind.__qualname__)
        if self._is_batch or kind is not None:
            self._span.end()  # one that does not end is never sent

    def ran(self, batch: Batch) -> None:
        """See `BatchSpan`."""
        self._is_batch = True
        contexts = contexts_of(self._records, batch.next_offset)
        carry(contexts, batch)
        span, counts = self._span, batch.counts
        if not span.is_recording():
            return
        span.set_attributes(
            {
                "messaging.batch.message_count": sum(counts.results.values()),
                "lifecycle.applied": counts.applied,
                "lifecycle.dead_letters": sum(counts.rejected.values()),
                "lifecycle.stage_changes": sum(counts.changes.values()),
            }
        )
        for each in _worth_a_link(contexts.values()):
            span.add_link(each.context, each.attributes)

    def transaction(self) -> AbstractContextManager[object]:
        """See `BatchSpan`."""
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        attributes: dict[str, AttributeValue] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "commit",
            "messaging.operation.type": "send",
        }
        with self._tracer.start_as_current_span(
            "commit", None, SpanKind.CLIENT, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                fail(span, type(error).__qualname__)
                raise


def _worth_a_link(contexts: Iterable[TraceContext]) -> Iterator[trace.Link]:
    """Once to each span, a bounded number of them: nothing was recorded of those that are not sampled."""
    linked: set[TraceContext] = set()
    for each in contexts:
        if each.is_sampled and each not in linked:
            linked.add(each)
            yield link(each)
            if len(linked) == MOST_LINKS:
                return
