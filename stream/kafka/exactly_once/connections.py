"""The connections that one producer's transactions need: to coordinators, and to the leaders of partitions.

One to a broker, which does what comes by one connection in turn: so it asks the coordinator whether a transaction is
open only once at a time, for of two such questions side by side it drops one, and the request with it. Producers do not
share connections: where data has several copies, each would wait for the copying of all the others.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.errors import KafkaError, NodeNotReadyError

from stream.kafka.exactly_once.connection import Connection, taken_over
from stream.kafka.exactly_once.requests import Place

_AGAIN: Final = 0.1
"""Seconds until the next try, where a broker or a leader is away."""


class Connections:
    """Of a producer that is started, which finds brokers and connects to them.

    Whatever is asked for is waited for, for as long as it takes; KafkaError where it is forbidden, or after `close`.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer: Any = producer
        self._open: dict[int, Connection] = {}
        self._coordinators: dict[int, int] = {}
        self._is_closed = False

    async def transaction_coordinator(self, transactional_id: str) -> Connection:
        """Of the transactions of this id."""
        return await self._coordinator(CoordinationType.TRANSACTION, transactional_id)

    async def group_coordinator(self, group: str) -> Connection:
        """Of a consumer group."""
        return await self._coordinator(CoordinationType.GROUP, group)

    async def leaders(self, places: Iterable[Place]) -> dict[Connection, list[Place]]:
        """Whoever leads these partitions, with those that it leads."""
        wanted = list(places)
        while True:
            led: dict[int, list[Place]] = {}
            try:
                for place in wanted:
                    led.setdefault(self._leader(place), []).append(place)
                return {await self._connected(node): own for node, own in led.items()}
            except NodeNotReadyError:
                await self._wait_and_look_again()

    async def look_again(self) -> None:
        """Coordinators and leaders are other brokers now, perhaps."""
        self._coordinators.clear()
        self._producer._sender._coordinators.clear()
        await self._producer.client.force_metadata_update()

    def renew(self) -> None:
        """End those on which nothing more should be begun."""
        for node, connection in list(self._open.items()):
            if not connection.is_good:
                connection.close()
                del self._open[node]

    def end(self) -> None:
        """End all of them at once; what is asked for connects again."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def close(self) -> None:
        """End all of them at once, for ever."""
        self._is_closed = True
        self.end()

    async def _coordinator(self, kind: int, key: str) -> Connection:
        while True:
            node = self._coordinators.get(kind)
            if node is None:
                node = self._coordinators[kind] = await self._producer._sender._find_coordinator(kind, key)
            try:
                return await self._connected(node)
            except NodeNotReadyError:
                await self._wait_and_look_again()

    def _leader(self, place: Place) -> int:
        """Raises NodeNotReadyError where there is none now."""
        leader: int | None = self._producer.client.cluster.leader_for_partition(TopicPartition(*place))
        if leader is None or leader < 0:
            raise NodeNotReadyError(f"partition {place[1]} of {place[0]} has no leader")
        return leader

    async def _connected(self, node: int) -> Connection:
        connection = self._open.get(node)
        if connection is None or not connection.is_open:
            self._open.pop(node, None)
            connection = await taken_over(self._producer.client, node)
            self._let_go(node)
            if self._is_closed:  # meanwhile, by whoever could not wait for us
                connection.close()
                raise KafkaError("the connections of a producer were closed")
            self._open[node] = connection
        return connection

    def _let_go(self, node: int) -> None:
        """Of aiokafka's connection, by which it found the coordinator, and that is of no more use."""
        theirs = self._producer.client._conns.pop((node, ConnectionGroup.COORDINATION), None)
        if theirs is not None:
            theirs.close()

    async def _wait_and_look_again(self) -> None:
        await asyncio.sleep(_AGAIN)
        await self.look_again()
