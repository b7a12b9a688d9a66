"""Transactions as aiokafka's producer writes them: what our own are held against."""

from aiokafka.errors import KafkaError

from stream.engine.delivery import Transactional
from stream.kafka.packed_batch import send_packed
from stream.machine.batch import Batch


class TransactionalByAiokafka(Transactional):
    """Writes by the producer that ours only begins with."""

    async def write(self, batch: Batch) -> None:
        """As ours."""
        try:
            await self._producer.begin_transaction()
            # The group offset only after the acknowledgements: else the broker's verification of the
            # batches races with it and costs a retry of 100 ms.
            await send_packed(self._producer, [*self._events(batch), *self._state(batch)])
            if batch.next_offset != self._committed or not batch.state:
                await self._producer.send_offsets_to_transaction(
                    {self._route.source: batch.next_offset}, self._route.settings.group
                )
            self.is_visible = True
            await self._producer.commit_transaction()
            self.is_visible = False
            self._committed = batch.next_offset
        except AssertionError as error:  # aiokafka's own checks, when its sender died in between
            raise KafkaError(f"the transaction of {self._route.source} broke off: {error}") from error
